package problem

import (
	"regexp"
	"strings"
)

// goKind is what Go's decoders say of a value of the wrong kind, and where.
var goKind = regexp.MustCompile(`(?:json: )?cannot unmarshal (\w+)(?: \S+)? into Go (?:struct field \w*\.(\S+)|value) of type \S+`)

var kindsOfJSON = map[string]string{"array": "목록", "object": "묶음", "string": "글자", "number": "수", "bool": "참이나 거짓"}

// goWords is the rest of what they say of Go and of themselves.
var goWords = regexp.MustCompile(` in scheme "[^"]*"|(^|[^.\w])(?:json|yaml): `)

// CauseText is a cause as a reader takes it: decoders speak of Go's types, which the
// file that they have read knows nothing of.
func CauseText(err error) string {
	text := goKind.ReplaceAllStringFunc(err.Error(), func(said string) string {
		m := goKind.FindStringSubmatch(said)
		kind := kindsOfJSON[m[1]]
		if kind == "" {
			kind = m[1]
		}
		if m[2] == "" {
			return "맞지 않는 값(" + kind + ")이 있습니다"
		}
		return m[2] + "에 맞지 않는 값(" + kind + ")이 있습니다"
	})
	return strings.TrimSpace(goWords.ReplaceAllString(text, "$1"))
}
