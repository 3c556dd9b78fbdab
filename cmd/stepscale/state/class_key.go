package state

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"

	"github.com/stepscale/stepscale/engine/outside"
)

// ClassKeyVersion is what a key file of a class says that it is.
const ClassKeyVersion = "stepscale.class-key/v1"

// ErrNoClassKey tells that a file is no key of a class.
var ErrNoClassKey = errors.New("that is no key of a class")

const adoptedFolder = "classes"

// For is the signer of a class. Its key is made of this installation's, and cannot be turned
// back into it: it may be carried to another computer, and proves nothing of anything else.
func (s Signer) For(class string) Signer {
	if s.key == nil {
		return s
	}
	return Signer{s.sum("class-key\x00" + class)}
}

// classKey is a key file.
type classKey struct {
	Version string `json:"version"`
	Class   string `json:"class"`
	Key     string `json:"key"`
}

// Carry is the key of a class's signer as a file.
func (s Signer) Carry(class string) ([]byte, error) {
	raw, err := json.MarshalIndent(classKey{ClassKeyVersion, class, hex.EncodeToString(s.key)}, "", "  ")
	return append(raw, '\n'), err
}

// ReadClassKey reads such a file: whose key it is, and the signer.
func ReadClassKey(file string) (class string, s Signer, err error) {
	raw, err := outside.ReadFile(file, mostState)
	if err != nil {
		return "", s, err
	}
	k := classKey{}
	if json.Unmarshal(raw, &k) != nil || k.Version != ClassKeyVersion {
		return "", s, ErrNoClassKey
	}
	key, err := hex.DecodeString(k.Key)
	if err != nil || len(key) != keyBytes || k.Class == "" {
		return "", s, ErrNoClassKey
	}
	return k.Class, Signer{key}, nil
}

func (d Dir) adopted(class string) (string, error) {
	return d.Path(adoptedFolder, FileName(class)+".key")
}

// Adopt keeps a class's key that was made on another computer.
func (d Dir) Adopt(class string, s Signer) error {
	file, err := d.adopted(class)
	if err != nil {
		return err
	}
	raw, err := s.Carry(class)
	if err != nil {
		return err
	}
	return WriteAtomically(file, raw)
}

// Adopted is the key of a class that was made on another computer; false where none was
// brought here.
func (d Dir) Adopted(class string) (s Signer, is bool, err error) {
	file, err := d.adopted(class)
	if err != nil {
		return s, false, nil // who has no directory has brought none
	}
	of, s, err := ReadClassKey(file)
	if errors.Is(err, fs.ErrNotExist) {
		return Signer{}, false, nil
	}
	if err == nil && of != class {
		err = ErrNoClassKey
	}
	return s, err == nil, err
}

// Disown forgets it.
func (d Dir) Disown(class string) error {
	file, err := d.adopted(class)
	if err != nil {
		return err
	}
	return Remove(file)
}
