package outside_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/stepscale/stepscale/engine/outside"
)

const limit = 1 << 20

// folder has a file of every kind.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "out") // short: a socket is in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	in := func(name string) string { return filepath.Join(dir, name) }
	socket, err := net.Listen("unix", in("socket"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	if err := errors.Join(os.WriteFile(in("text"), []byte("글"), 0o600), os.WriteFile(in("sparse"), nil, 0o600), os.Truncate(in("sparse"), 600<<20),
		syscall.Mkfifo(in("fifo"), 0o600), os.Symlink("/dev/zero", in("zero")), os.Symlink("fifo", in("link")), os.Symlink("text", in("good")),
		os.Mkdir(in("folder"), 0o700)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestOnlyRegularFiles would hang, or take all memory, where one of them is read.
func TestOnlyRegularFiles(t *testing.T) {
	dir := folder(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for name, want := range map[string]error{"fifo": outside.ErrIrregular, "link": outside.ErrIrregular, "zero": outside.ErrIrregular,
		"socket": outside.ErrIrregular, "folder": outside.ErrFolder, "absent": fs.ErrNotExist, "sparse": &outside.SizeError{}} {
		path := filepath.Join(dir, name)
		_, read := outside.ReadFile(path, limit)
		_, inDir := fs.ReadFile(outside.Dir(dir, limit), name)
		for how, err := range map[string]error{"ReadFile": read, "Check": outside.Check(path, limit), "Dir": inDir} {
			if name == "folder" && how == "Dir" { // opened to be listed
				continue
			}
			var large *outside.SizeError
			var path *fs.PathError
			if !errors.Is(err, want) && !(name == "sparse" && errors.As(err, &large) && large.Size == 600<<20) || !errors.As(err, &path) {
				t.Errorf("%s of the %s: %v", how, name, err)
			}
		}
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > limit {
		t.Errorf("%d bytes were taken", took)
	}
	for _, name := range []string{"text", "good"} {
		if b, err := outside.ReadFile(filepath.Join(dir, name), limit); err != nil || string(b) != "글" {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	if b, err := outside.ReadFile(os.DevNull, limit); err != nil || len(b) > 0 {
		t.Errorf("the null device: %q, %v", b, err)
	}
}

// TestFileThatGrows is read to the limit, whatever its size was.
func TestFileThatGrows(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(name, []byte("12345678"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := outside.Open(name, 8)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.WriteFile(name, bytes.Repeat([]byte("x"), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	var large *outside.SizeError
	if n, err := io.Copy(io.Discard, f); !errors.As(err, &large) || n > 8 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestFolderOfFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a/b/x.md", "a/y.md"} {
		if err := errors.Join(os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700), os.WriteFile(filepath.Join(dir, name), []byte("글"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := fstest.TestFS(outside.Dir(dir, limit), "a/b/x.md", "a/y.md"); err != nil {
		t.Error(err)
	}
}

func TestCreateDoesNotWaitForAReader(t *testing.T) {
	if _, err := outside.Create(filepath.Join(folder(t), "fifo")); !errors.Is(err, syscall.ENXIO) {
		t.Errorf("a pipe without a reader: %v", err)
	}
	name := filepath.Join(t.TempDir(), "new")
	f, err := outside.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("글"); errors.Join(err, f.Close()) != nil {
		t.Error(err)
	}
}

func TestReason(t *testing.T) {
	dir := folder(t)
	for name, want := range map[string]string{"absent": "파일이 없습니다", "fifo": "일반 파일이 아닙니다(파이프, 소켓, 장치는 읽지 않습니다)", "sparse": "파일이 너무 큽니다: 600.0 MiB (1.0 MiB까지 읽습니다)"} {
		if got := outside.Reason(outside.Check(filepath.Join(dir, name), limit)); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
