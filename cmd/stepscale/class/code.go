package class

import (
	"crypto/rand"
	"errors"
	"strings"
)

// crockford has no letters that look like others: I, L, O and U are missing.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

const (
	codeLetters = 12 // of five bits: 60
	codeGroup   = 4
)

// ErrCode is of text that is no code.
var ErrCode = errors.New("that is no code of a seat")

// NewCode makes the code of a seat: 60 random bits.
func NewCode() string {
	var random [codeLetters]byte
	rand.Read(random[:]) // never fails
	for i, b := range random {
		random[i] = crockford[b&31]
	}
	return inGroups(string(random[:]))
}

func inGroups(letters string) string {
	var groups []string
	for i := 0; i < len(letters); i += codeGroup {
		groups = append(groups, letters[i:i+codeGroup])
	}
	return strings.Join(groups, "-")
}

// ReadCode reads a code as people type it: in any case, with dashes or without, and with
// the letters that it does not have for the digits that they look like.
func ReadCode(typed string) (string, error) {
	letters := strings.NewReplacer("-", "", " ", "", "_", "", "I", "1", "L", "1", "O", "0").Replace(strings.ToUpper(typed))
	if len(letters) != codeLetters || strings.Trim(letters, crockford) != "" {
		return "", ErrCode
	}
	return inGroups(letters), nil
}
