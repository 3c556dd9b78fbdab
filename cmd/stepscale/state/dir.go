// Package state has the learner's directory as a value: progress, the key that proves
// what is ours, and locks. It never looks at the environment.
package state

import (
	"os"
	"path/filepath"
)

// Variable names the environment variable that says which directory it is. It is looked
// at where the command line is read, and handed on to processes that are started.
const Variable = "STEPSCALE_STATE_DIR"

// Dir is the directory in which a learner's things are kept: progress, the key, locks,
// logs. It is a value, found once where the command line is read.
type Dir struct {
	path string
	err  error
}

// At is the directory at that path, which need not exist.
func At(path string) Dir { return Dir{path: path} }

// Nowhere is that of somebody who has none, and why.
func Nowhere(err error) Dir { return Dir{err: err} }

// Path is something in the directory.
func (d Dir) Path(elem ...string) (string, error) {
	if d.err != nil {
		return "", d.err
	}
	return filepath.Join(append([]string{d.path}, elem...)...), nil
}

// Exists tells whether somebody has made the directory, and nobody has removed it since.
func (d Dir) Exists() bool {
	_, err := os.Stat(d.path)
	return d.err == nil && err == nil
}
