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

// noJSON is what Go's decoder says of a character that has no place.
var noJSON = regexp.MustCompile(`invalid character ('.*?'|'"'|'\\''|'\\\\[^']*') (?:looking for|after|in|before) [\w :(){}'"+-]*`)

// commonWords are what parsers of JSON and YAML, and the operating system, say most often.
// What is left in English is there to be searched for: the words of a network or a registry.
var commonWords = strings.NewReplacer(
	"unexpected end of JSON input", "JSON이 중간에서 끝났습니다",
	"did not find expected node content", "값이 있어야 할 자리에 다른 글자가 있습니다",
	"did not find expected key", "이름이 있어야 할 자리에 다른 글자가 있습니다",
	"did not find expected ',' or ']'", "목록의 쉼표나 ]가 없습니다",
	"did not find expected ',' or '}'", "묶음의 쉼표나 }가 없습니다",
	"did not find expected '-' indicator", "목록의 -가 있어야 할 자리에 다른 글자가 있습니다",
	"could not find expected ':'", "이름 뒤의 콜론이 없습니다",
	"mapping values are not allowed in this context", "이 자리에는 '이름: 값'을 적을 수 없습니다",
	"found character that cannot start any token", "값의 처음에 쓸 수 없는 글자가 있습니다",
	"found unexpected end of stream", "닫히지 않은 따옴표가 있습니다",
	"failed to get shared config profile, ", "",
	"unexpected error when reading response body. Please retry. Original error: ", "",
	"the API server's answer is too large", "API 서버의 대답이 너무 커서 끝까지 읽지 않았습니다",
	"no such file or directory", "그런 파일이나 폴더가 없습니다",
	"permission denied", "권한이 없습니다",
	"read-only file system", "읽기만 할 수 있는 곳입니다",
	"file name too long", "이름이 너무 깁니다",
)

// CauseText is a cause as a reader takes it.
func CauseText(err error) string { return Korean(err.Error()) }

// Korean says in Korean what decoders and the operating system say. Decoders speak of Go's
// types, which the file that they have read knows nothing of.
func Korean(text string) string {
	text = goKind.ReplaceAllStringFunc(text, func(said string) string {
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
	text = noJSON.ReplaceAllString(text, "JSON에 맞지 않는 글자가 있습니다: $1")
	return strings.TrimSpace(goWords.ReplaceAllString(commonWords.Replace(text), "$1"))
}
