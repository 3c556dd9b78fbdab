package cli

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestCauseText: nothing of Go is in what a reader is told of a file.
func TestCauseText(t *testing.T) {
	for text, want := range map[string]string{
		`{"version":1,"lessons":[]}`:       "lessons에 맞지 않는 값(목록)이 있습니다",
		`{"version":"1"}`:                  "version에 맞지 않는 값(글자)이 있습니다",
		`[]`:                               "맞지 않는 값(목록)이 있습니다",
		`{"version":99999999999999999999}`: "version에 맞지 않는 값(수)이 있습니다",
		`{"lessons":{"a":{"done":1}}}`:     "lessons.done에 맞지 않는 값(수)이 있습니다",
	} {
		if got := causeText(json.Unmarshal([]byte(text), &record{})); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	var head struct {
		Version int `json:"version"`
	}
	if got := causeText(json.Unmarshal([]byte(`{"version":"1"}`), &head)); got != "version에 맞지 않는 값(글자)이 있습니다" {
		t.Errorf("%q", got)
	}
	if got := causeText(errors.New(`no kind "Pod" is registered for version "v9" in scheme "pkg/runtime/scheme.go:111"`)); got != `no kind "Pod" is registered for version "v9"` {
		t.Errorf("%q", got)
	}
}

// TestTemporaryFiles of a writer that was killed go with a later write; those of one
// that may still be writing stay.
func TestTemporaryFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "progress.json")
	old, fresh, other := file+".tmp-1", file+".tmp-2", file+".broken-1"
	for _, name := range []string{old, fresh, other} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-2 * temporaryFor)
	if err := errors.Join(os.Chtimes(old, long, long), os.Chtimes(other, long, long), writeAtomically(file, []byte("{}"))); err != nil {
		t.Fatal(err)
	}
	for name, stays := range map[string]bool{old: false, fresh: true, other: true, file: true} {
		if _, err := os.Stat(name); (err == nil) != stays {
			t.Errorf("%s: %v", filepath.Base(name), err)
		}
	}
}
