package problem

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
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
	for text, want := range map[string]string{
		`{"version":`:     "JSON이 중간에서 끝났습니다",
		`{"version":x}`:   "JSON에 맞지 않는 글자가 있습니다: 'x'",
		`{"version":1}}`:  "JSON에 맞지 않는 글자가 있습니다: '}'",
		`{"version" 1}`:   "JSON에 맞지 않는 글자가 있습니다: '1'",
		`{"version":1 "}`: `JSON에 맞지 않는 글자가 있습니다: '"'`,
		`{"version":tru}`: "JSON에 맞지 않는 글자가 있습니다: '}'",
		"{\"a\":\"\n\"}":  `JSON에 맞지 않는 글자가 있습니다: '\n'`,
	} {
		if got := CauseText(json.Unmarshal([]byte(text), &record{})); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"a: b: c": "이 자리에는 '이름: 값'을 적을 수 없습니다", "a: [": "값이 있어야 할 자리에 다른 글자가 있습니다",
		"a: [1 ": "목록의 쉼표나 ]가 없습니다", "a: {b": "묶음의 쉼표나 }가 없습니다", "a: @": "값의 처음에 쓸 수 없는 글자가 있습니다",
		"a: \"b": "닫히지 않은 따옴표가 있습니다", "a: 1\nb\n": "이름 뒤의 콜론이 없습니다", "- a\nb: 1": "목록의 -가 있어야 할 자리에 다른 글자가 있습니다",
	} {
		if got := CauseText(yaml.Unmarshal([]byte(text), &map[string]any{})); !strings.HasSuffix(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	_, missing := os.ReadFile("/no/such")
	if got := CauseText(missing); got != "open /no/such: 그런 파일이나 폴더가 없습니다" {
		t.Errorf("%q", got)
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
