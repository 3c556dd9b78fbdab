package state

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/outside"
)

// proofAnnotation holds what only this installation can write. Labels are for finding
// things, and anybody can copy them.
const proofAnnotation = "stepscale.io/proof"

const (
	keyFile  = "key"
	keyBytes = 32
	ownerLen = 5
)

var errBrokenKey = errors.New("열쇠의 내용이 망가졌습니다")

// Signer proves who made an object on a cluster that many use. Its key stays in the
// state directory. A proof is for one name, so one that is copied proves nothing of
// another object.
type Signer struct{ key []byte }

// Signer finds the key of this installation or makes it.
func (d Dir) Signer() (Signer, error) {
	dir, err := d.Path()
	if err != nil {
		return Signer{}, err
	}
	key, err := readKey(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeKey(dir); err == nil {
			key, err = readKey(dir)
		}
	}
	hint := "쓸 수 있는 디렉터리를 STEPSCALE_STATE_DIR 환경 변수에 적어 주십시오."
	if errors.Is(err, errBrokenKey) {
		hint = "파일을 옮겨 두시면 새로 만듭니다. 그 열쇠로 만든 것이 클러스터에 남아 있다면 kubectl로 지워 주십시오."
	}
	if err != nil {
		return Signer{}, &problem.Error{What: "상태 디렉터리의 열쇠를 읽거나 쓸 수 없습니다", Where: filepath.Join(dir, keyFile), Cause: err,
			Hint: "누가 만든 것인지 알아야 지울 수 있으므로 시작하지 않았습니다. " + hint}
	}
	return Signer{key}, nil
}

func readKey(dir string) ([]byte, error) {
	text, err := outside.ReadFile(filepath.Join(dir, keyFile), mostState)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != keyBytes {
		return nil, errBrokenKey
	}
	return key, nil
}

// makeKey leaves a key alone that another process has made in the meantime.
func makeKey(dir string) error {
	key := make([]byte, keyBytes)
	rand.Read(key) // never fails
	file := filepath.Join(dir, keyFile)
	mine, err := writeTemporary(file, []byte(hex.EncodeToString(key)+"\n"))
	if err != nil {
		return err
	}
	defer os.Remove(mine)
	if err := os.Link(mine, file); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// Owner is what tells this installation's objects from others': it says nothing about
// who the learner is, nor about the key. It is empty where there is no key.
func (s Signer) Owner() string {
	if s.key == nil {
		return ""
	}
	return strings.ToLower(base32.StdEncoding.EncodeToString(s.sum("owner"))[:ownerLen])
}

func (s Signer) sum(text string) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func (s Signer) proof(kind string, o metav1.Object) string {
	return hex.EncodeToString(s.sum(strings.Join([]string{kind, o.GetNamespace(), o.GetName()}, "/")))
}

// Sign marks an object as made by this installation. Clusters that we made have one
// owner and no key.
func (s Signer) Sign(kind string, o metav1.Object) {
	if s.key == nil {
		return
	}
	annotations := maps.Clone(o.GetAnnotations())
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[proofAnnotation] = s.proof(kind, o)
	o.SetAnnotations(annotations)
}

// Proves tells whether this installation made the object.
func (s Signer) Proves(kind string, o metav1.Object) bool {
	return s.key == nil || hmac.Equal([]byte(o.GetAnnotations()[proofAnnotation]), []byte(s.proof(kind, o)))
}
