package state

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// WriteAtomically replaces the file in one move: a crash leaves the old one or the new.
func WriteAtomically(file string, b []byte) error {
	mine, err := writeTemporary(file, b)
	if err != nil {
		return err
	}
	defer os.Remove(mine)
	return os.Rename(mine, file)
}

// Remove removes the file, and whatever writers of it have left who were killed: it may be
// half of a secret. One that is not there is no error.
func Remove(file string) error {
	sweepTemporary(file, 0)
	err := os.Remove(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// writeTemporary writes a new file beside the file, to be put in its place.
func writeTemporary(file string, b []byte) (name string, err error) {
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	sweepTemporary(file, temporaryFor)
	f, err := os.CreateTemp(dir, filepath.Base(file)+temporary+"*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

const (
	temporary    = ".tmp-"
	temporaryFor = time.Minute // longer than any write of ours takes
)

// random is what os.CreateTemp puts into a name.
var random = regexp.MustCompile(`^[0-9]+$`)

// sweepTemporary removes what writers of the file have left who were killed so long ago, and
// nothing else: the file may be in a folder of the user's.
func sweepTemporary(file string, age time.Duration) {
	entries, _ := os.ReadDir(filepath.Dir(file))
	for _, e := range entries {
		rest, ours := strings.CutPrefix(e.Name(), filepath.Base(file)+temporary)
		if !ours || !random.MatchString(rest) {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) >= age {
			_ = os.Remove(filepath.Join(filepath.Dir(file), e.Name()))
		}
	}
}
