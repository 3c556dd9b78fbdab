package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/engine/trace"
)

// large is a recording of 6 MB and five passes, packed or not.
func large(t *testing.T, name string) string {
	t.Helper()
	b := calm(t, 5, func(pass int, f *trace.Frame, _ *hpa.Recorded) {
		f.Changes = []trace.Change{{Object: "deployment/web", Field: "spec.replicas", From: strings.Repeat("1", 6<<20/5), To: "2"}}
	})
	if strings.HasSuffix(name, ".gz") {
		b = zipped(t, b)
	}
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestIndexBeside: a long recording has an index beside it once it was opened, packed or
// not, which is used then and made anew where it is of another recording.
func TestIndexBeside(t *testing.T) {
	for _, name := range []string{"web.jsonl", "web.jsonl.gz"} {
		file := large(t, name)
		replays := func() {
			t.Helper()
			if code, out, errOut := replayed(t, "", file, "--until", "desired=2", "--at", "3", "--output", "json"); code != problem.ExitOK || !strings.Contains(out, `"place": "3.1"`) {
				t.Errorf("%s: exit code %d\n%.300s%.300s", name, code, out, errOut)
			}
		}
		replays()
		index, err := os.ReadFile(file + indexSuffix)
		if err != nil || !recording.IsIndex(index) {
			t.Fatalf("%s: %v, %.20q", name, err, index)
		}
		before, err := os.Stat(file + indexSuffix)
		if err != nil {
			t.Fatal(err)
		}
		replays()
		if after, err := os.Stat(file + indexSuffix); err != nil || !os.SameFile(before, after) {
			t.Errorf("%s: the index is written again: %v", name, err)
		}
		if err := os.WriteFile(file+indexSuffix, index[:len(index)-1], 0o600); err != nil {
			t.Fatal(err)
		}
		replays()
		if again, err := os.ReadFile(file + indexSuffix); err != nil || !bytes.Equal(again, index) {
			t.Errorf("%s: a damaged index stays: %v", name, err)
		}
		if err := os.WriteFile(file+indexSuffix, []byte("내 파일"), 0o600); err != nil {
			t.Fatal(err)
		}
		replays()
		if mine, err := os.ReadFile(file + indexSuffix); err != nil || string(mine) != "내 파일" {
			t.Errorf("%s: somebody's file is written over: %v", name, err)
		}
	}
}

// TestSmallRecordingsHaveNoIndex: they are read in no time, and the folder is the user's.
func TestSmallRecordingsHaveNoIndex(t *testing.T) {
	file := scaling(t, "")
	if code, _, errOut := replayed(t, "", file, "--output", "json"); code != problem.ExitOK {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	if files, err := os.ReadDir(filepath.Dir(file)); err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
}
