package notices

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	program = "github.com/stepscale/stepscale/cmd/stepscale"
	std     = "std"
)

var update = flag.Bool("update", false, "write the notices anew")

// listed is a package as go list tells it.
type listed struct {
	Dir      string
	Standard bool
	Module   *struct {
		Path, Version, Dir string
		Main               bool
	}
}

// TestNotices holds what is in the program against the modules that are linked into it
// now, their versions and their files. It asks no network.
func TestNotices(t *testing.T) {
	want := collect(t)
	if *update {
		pack(t, want)
		return
	}
	got, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	if reflect.DeepEqual(got, want) {
		return
	}
	for _, m := range want.Modules {
		if !slices.ContainsFunc(got.Modules, func(o Module) bool { return reflect.DeepEqual(o, m) }) {
			t.Errorf("not told: %s %s %v", m.Path, m.Version, m.Files)
		}
	}
	t.Error("what is told is not what is linked: run go generate ./cmd/stepscale/notices")
}

// TestAssets: whose files we carry, their module is in the program too, and told.
func TestAssets(t *testing.T) {
	n, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range Assets {
		if _, err := os.Stat(filepath.Join("../../..", a.File)); err != nil {
			t.Error(err)
		}
		if !slices.ContainsFunc(n.Modules, func(m Module) bool { return m.Path == a.Module && len(m.Files) > 0 }) {
			t.Errorf("%s: no licence of %s", a.File, a.Module)
		}
	}
}

// collect reads the licences of every module of the program. A module without one is
// an error, and none is left out.
func collect(t *testing.T) Set {
	t.Helper()
	modules, seen := map[string]*Module{}, map[string]bool{}
	n := Set{Texts: map[string]string{}}
	ours := goroot(t)
	for _, p := range dependencies(t) {
		path, version, root := std, "", ours
		if !p.Standard {
			path, version, root = p.Module.Path, p.Module.Version, p.Module.Dir
		}
		if modules[path] == nil {
			modules[path] = &Module{Path: path, Version: version}
		}
		n.add(t, modules[path], p.Dir, root, seen)
	}
	for _, m := range modules {
		if len(m.Files) == 0 {
			t.Errorf("%s has no licence", m.Path)
		}
		slices.SortFunc(m.Files, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
		n.Modules = append(n.Modules, *m)
	}
	slices.SortFunc(n.Modules, func(a, b Module) int { return cmp.Compare(a.Path, b.Path) })
	return n
}

// dependencies are the packages of the program as it is built for its main platform.
func dependencies(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=Dir,Standard,Module", program)
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0", "GOFLAGS=-mod=readonly")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func goroot(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

var notice = regexp.MustCompile(`(?i)^((licen[cs]e|copying|notice|patents|copyright|authors)([.-][a-z0-9.-]+)?)$`)

// add takes the files beside a package and above it: code of others inside a module has
// its licence beside it. A folder that another package was below has been seen, and what
// is above it.
func (n *Set) add(t *testing.T, m *Module, dir, root string, seen map[string]bool) {
	t.Helper()
	for ; !seen[dir]; dir = filepath.Dir(dir) {
		seen[dir] = true
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			name, err := filepath.Rel(root, filepath.Join(dir, e.Name()))
			if err != nil || e.IsDir() || !notice.MatchString(e.Name()) || strings.HasSuffix(e.Name(), ".go") {
				continue
			}
			text, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256(text)
			hash := hex.EncodeToString(sum[:])
			n.Texts[hash] = string(text)
			m.Files = append(m.Files, File{name, hash})
		}
		if dir == root {
			return
		}
	}
}

func pack(t *testing.T, n Set) {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(json.NewEncoder(w).Encode(n), w.Close()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("notices.gz", b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
