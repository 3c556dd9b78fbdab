package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestProgressRoundTrip(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "dir")
	t.Setenv("STEPSCALE_STATE_DIR", dir)
	s, err := openStore()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.save("hpa/01-a", lesson{Steps: 2, Total: 5, Step: "hpa/1-metrics/query"}); err != nil {
		t.Fatal(err)
	}
	other, _ := openStore() // another terminal
	if err := other.save("hpa/02-b", lesson{Steps: 5, Total: 5, Done: true}); err != nil {
		t.Fatal(err)
	}
	if err := s.save("hpa/01-a", lesson{Steps: 3, Total: 5}); err != nil {
		t.Fatal(err)
	}
	got, err := openStore()
	if err != nil {
		t.Fatal(err)
	}
	r := got.record
	if r.Last != "hpa/01-a" || r.Lessons["hpa/01-a"].Steps != 3 || !r.Lessons["hpa/02-b"].Done {
		t.Errorf("got %+v", r)
	}
	if err := got.save("hpa/02-b", lesson{Steps: 1, Total: 5}); err != nil || !got.record.Lessons["hpa/02-b"].Done {
		t.Error("a finished lesson is not finished any more after it was played again")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(files) != 1 {
		t.Errorf("left behind: %v", files)
	}
}

func TestBrokenProgressIsSetAside(t *testing.T) {
	for name, content := range map[string]string{
		"garbage": "{not json", "empty": "", "unknown field": `{"version":1,"lessons":{},"x":1}`, "no version": `{"lessons":{}}`,
		"wrong type": `{"version":1,"lessons":[]}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("STEPSCALE_STATE_DIR", dir)
			file := filepath.Join(dir, progressFile)
			for n, want := range []string{".broken-1", ".broken-2"} {
				if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
				s, err := openStore()
				var u *userError
				if !errors.As(err, &u) || u.where != file+want {
					t.Fatalf("%d: got %#v", n, err)
				}
				if b, _ := os.ReadFile(file + want); string(b) != content {
					t.Errorf("set aside: %q, want %q", b, content)
				}
				if err := s.save("hpa/01-a", lesson{Steps: 1}); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestNewerProgressIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("STEPSCALE_STATE_DIR", dir)
	file := filepath.Join(dir, progressFile)
	const content = `{"version":2,"lessons":{}}`
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := openStore()
	if err == nil {
		t.Error("a newer file was read")
	}
	if err := s.save("hpa/01-a", lesson{}); err != nil {
		t.Error(err)
	}
	if b, _ := os.ReadFile(file); string(b) != content {
		t.Errorf("the newer file was changed: %s", b)
	}
}

func TestUnwritableStateDir(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("STEPSCALE_STATE_DIR", filepath.Join(file, "state"))
	s, _ := openStore()
	err := s.save("hpa/01-a", lesson{Steps: 1})
	if err != nil && !strings.Contains(err.Error(), "진도를 저장할 수 없습니다") {
		t.Errorf("got %v", err)
	}
	if s.record.Lessons["hpa/01-a"].Steps != 1 {
		t.Error("the record in memory was lost")
	}
	if err := s.save("hpa/01-a", lesson{Steps: 2}); err != nil {
		t.Errorf("told twice: %v", err)
	}
}

func TestStateDir(t *testing.T) {
	t.Setenv("STEPSCALE_STATE_DIR", "")
	t.Setenv("XDG_STATE_HOME", "/x")
	if dir, _ := stateDir(); dir != "/x/stepscale" {
		t.Error(dir)
	}
	t.Setenv("XDG_STATE_HOME", "relative") // the XDG specification: ignore it
	t.Setenv("HOME", "/home/k")
	if dir, _ := stateDir(); dir != "/home/k/.local/state/stepscale" {
		t.Error(dir)
	}
}
