// Package notices holds what the authors of the modules in the program want to be told
// with it: their licences and notices, from the modules' own files.
package notices

import (
	"bytes"
	"compress/gzip"
	_ "embed" // the notices
	"encoding/json"
)

//go:generate go test . -run TestNotices -update

//go:embed notices.gz
var packed []byte

// Set has the licences and notices of everything that is linked into the program.
type Set struct {
	Modules []Module          `json:"modules"`
	Texts   map[string]string `json:"texts"` // by their hash; many modules have the same
}

// Module is a module with packages in the program: this one, the standard library, or
// somebody else's.
type Module struct {
	Path    string `json:"path"`
	Version string `json:"version,omitempty"`
	Files   []File `json:"files"`
}

// File is a licence or a notice of a module.
type File struct {
	Name string `json:"name"`
	Hash string `json:"hash"`
}

// Asset is somebody else's work that is in the program beside their Go packages.
type Asset struct {
	File   string // in our source
	Module string // whose licence it has
}

// Assets are all of them: copies of files that modules hold outside of packages.
var Assets = []Asset{
	{"engine/vpa/manifests/crd.yaml", "k8s.io/autoscaler/vertical-pod-autoscaler"},
	{"engine/vpa/manifests/rbac.yaml", "k8s.io/autoscaler/vertical-pod-autoscaler"},
	{"clusters/kind/metrics-server.yaml", "sigs.k8s.io/metrics-server"},
}

// Read unpacks the notices.
func Read() (Set, error) {
	var n Set
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return n, err
	}
	return n, json.NewDecoder(r).Decode(&n)
}
