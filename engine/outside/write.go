package outside

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
)

// Writer writes to w what a terminal may be shown of whole texts that others format.
func Writer(w io.Writer) io.Writer {
	return writer{w, func(p []byte) []byte { return []byte(visible(string(p), "\t")) }}
}

// JSONWriter writes to w the JSON that it is given, with the characters that Refused
// refuses escaped. They can only be in strings, where \u009b says the same: a program
// reads the same value, and a terminal is not moved.
func JSONWriter(w io.Writer) io.Writer { return writer{w, escapeJSON} }

type writer struct {
	w    io.Writer
	edit func([]byte) []byte
}

func (f writer) Write(p []byte) (int, error) {
	if _, err := f.w.Write(f.edit(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

func escapeJSON(p []byte) []byte {
	if !bytes.ContainsFunc(p, Refused) {
		return p
	}
	var b strings.Builder
	for _, r := range string(p) {
		if !Refused(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return []byte(b.String())
}
