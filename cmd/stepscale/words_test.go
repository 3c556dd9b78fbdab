package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// badWords are how nothing on a screen is put, each with what is right.
var badWords = map[*regexp.Regexp]string{
	regexp.MustCompile(`은\(는\)|는\(은\)|을\(를\)|를\(을\)|이\(가\)|가\(이\)|과\(와\)|와\(과\)|\(으\)로`): "a particle by sound (engine/korean)",
	regexp.MustCompile(`%[sdvq](은|는|이|가|을|를|과|와|으로|로)[ ,."]`):                            "a particle by sound (engine/korean)",
	regexp.MustCompile(`회차|[0-9한두몇] ?틱|메트릭 서버|지난 권고`):                                    "패스, Metrics Server, 제안",
}

// TestWords greps all that may be shown: sources, lessons, scenarios.
func TestWords(t *testing.T) {
	files := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		if ext := filepath.Ext(path); ext != ".go" && ext != ".md" && ext != ".yaml" && ext != ".txtar" {
			return nil
		}
		b, err := os.ReadFile(path)
		files++
		for n, line := range strings.Split(string(b), "\n") {
			for bad, right := range badWords {
				if m := bad.FindString(line); m != "" {
					t.Errorf("%s:%d: %s, want %s", path, n+1, m, right)
				}
			}
		}
		return err
	})
	if err != nil || files < 300 {
		t.Errorf("%d files, %v", files, err)
	}
}
