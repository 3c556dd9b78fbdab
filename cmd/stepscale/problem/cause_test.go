package problem

import (
	"encoding/json"
	"errors"
	"testing"
)

// TestCauseText: nothing of Go is in what a reader is told of a file.
func TestCauseText(t *testing.T) {
	type lesson struct {
		Done bool `json:"done"`
	}
	type record struct { // as a file of ours
		Version int               `json:"version"`
		Lessons map[string]lesson `json:"lessons"`
	}
	for text, want := range map[string]string{
		`{"version":1,"lessons":[]}`:       "lessons에 맞지 않는 값(목록)이 있습니다",
		`{"version":"1"}`:                  "version에 맞지 않는 값(글자)이 있습니다",
		`[]`:                               "맞지 않는 값(목록)이 있습니다",
		`{"version":99999999999999999999}`: "version에 맞지 않는 값(수)이 있습니다",
		`{"lessons":{"a":{"done":1}}}`:     "lessons.done에 맞지 않는 값(수)이 있습니다",
	} {
		if got := CauseText(json.Unmarshal([]byte(text), &record{})); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	var head struct {
		Version int `json:"version"`
	}
	if got := CauseText(json.Unmarshal([]byte(`{"version":"1"}`), &head)); got != "version에 맞지 않는 값(글자)이 있습니다" {
		t.Errorf("%q", got)
	}
	if got := CauseText(errors.New("stat /x/progress.json: not a directory: yaml: line 3: x")); got != "stat /x/progress.json: not a directory: line 3: x" {
		t.Errorf("the name of a file is not the name of a decoder: %q", got)
	}
	if got := CauseText(errors.New(`no kind "Pod" is registered for version "v9" in scheme "pkg/runtime/scheme.go:111"`)); got != `no kind "Pod" is registered for version "v9"` {
		t.Errorf("%q", got)
	}
}
