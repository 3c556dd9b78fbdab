package state

import (
	"errors"
	"os"
	"path/filepath"
	"time"
)

// WriteAtomically replaces the file in one move: a crash leaves the old one or the new.
func WriteAtomically(file string, b []byte) error {
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	sweepTemporary(file)
	f, err := os.CreateTemp(dir, filepath.Base(file)+".tmp-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

// temporaryFor is longer than any write of ours takes.
const temporaryFor = time.Minute

// sweepTemporary removes what writers of the file have left who were killed.
func sweepTemporary(file string) {
	files, _ := filepath.Glob(file + ".tmp-*")
	for _, f := range files {
		if info, err := os.Lstat(f); err == nil && time.Since(info.ModTime()) > temporaryFor {
			_ = os.Remove(f)
		}
	}
}
