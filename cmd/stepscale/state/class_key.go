package state

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

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

// adopted is where a key is kept: classes of one name, on other clusters or made anew, have
// one each.
func (d Dir) adopted(class, uid string) (string, error) {
	return d.Path(adoptedFolder, FileName(class+"."+uid)+keyEnd)
}

// keyEnd is that of the names of keys that were brought here.
const keyEnd = ".key"

// Adopt keeps a class's key that was made on another computer; uid tells the class from
// others of its name.
func (d Dir) Adopt(class, uid string, s Signer) error {
	file, err := d.adopted(class, uid)
	if err != nil {
		return err
	}
	raw, err := s.Carry(class)
	if err != nil {
		return err
	}
	return WriteAtomically(file, raw)
}

// Adopted are the keys of classes of a name that were made on other computers.
func (d Dir) Adopted(class string) (all []Signer, err error) {
	dir, err := d.Path(adoptedFolder)
	if err != nil {
		return nil, nil // who has no directory has brought none
	}
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, f := range files {
		name, _, _ := strings.Cut(f.Name(), ".") // which is in no class's
		if name != FileName(class) || !strings.HasSuffix(f.Name(), keyEnd) {
			continue
		}
		of, s, err := ReadClassKey(filepath.Join(dir, f.Name()))
		if err == nil && of != class {
			err = ErrNoClassKey
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name(), err)
		}
		all = append(all, s)
	}
	return all, err
}

// Disown forgets it.
func (d Dir) Disown(class, uid string) error {
	file, err := d.adopted(class, uid)
	if err != nil {
		return err
	}
	return Remove(file)
}
