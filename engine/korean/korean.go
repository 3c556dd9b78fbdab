// Package korean joins Korean to words that are none: which particle follows a name, a
// number or an amount depends on how it is read aloud.
package korean

import (
	"regexp"
	"strings"
	"unicode"
)

// Topic adds 은 or 는.
func Topic(word string) string { return word + pick(word, "은", "는") }

// Subject adds 이 or 가.
func Subject(word string) string { return word + pick(word, "이", "가") }

// Object adds 을 or 를.
func Object(word string) string { return word + pick(word, "을", "를") }

// And adds 과 or 와.
func And(word string) string { return word + pick(word, "과", "와") }

// If adds 이었다면 or 였다면.
func If(word string) string { return word + pick(word, "이었다면", "였다면") }

// By adds 으로 or 로, which follows a final ㄹ as it follows none.
func By(word string) string {
	if end(word) == rieul {
		return word + "로"
	}
	return word + pick(word, "으로", "로")
}

func pick(word, closed, open string) string {
	if end(word) == none {
		return open
	}
	return closed
}

// final is the consonant with which a word ends when it is read.
type final int

const (
	none  final = iota
	rieul       // ㄹ
	other
)

// remark is what stands behind a word and is not read: "유지(keep)".
var remark = regexp.MustCompile(`\s*\([^()]*\)$`)

func end(word string) final {
	word = strings.TrimRightFunc(word, mark)
	for remark.MatchString(word) {
		word = strings.TrimRightFunc(remark.ReplaceAllString(word, ""), mark)
	}
	runes := []rune(word)
	if len(runes) == 0 {
		return none
	}
	switch last := runes[len(runes)-1]; {
	case last >= '가' && last <= '힣':
		return syllable(last)
	case last >= '0' && last <= '9':
		return number(word)
	case last < unicode.MaxASCII && unicode.IsLetter(last):
		return latin(word[strings.LastIndexFunc(word, notLatin)+1:])
	}
	return none // % is 퍼센트
}

// mark tells what closes a word and has no sound.
func mark(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("\"'`’”]}>*.,:;/", r) }

func notLatin(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) }

func syllable(r rune) final {
	const finals, l = 28, 8
	switch (r - '가') % finals {
	case 0:
		return none
	case l:
		return rieul
	}
	return other
}

// number is read by its last digit; 영, 십, 백, 천, 만 and 억 are all closed.
func number(word string) final {
	switch word[len(word)-1] {
	case '1', '7', '8': // 일, 칠, 팔
		return rieul
	case '2', '4', '5', '9': // 이, 사, 오, 구
		return none
	}
	return other // 영, 삼, 육
}

// The endings of English words that are closed in Korean: 셋, 웹, 메트릭 after a short
// vowel; 스케일; 네임, 라인.
var (
	shortStop = regexp.MustCompile(`(^|[^aeiou])([aeiou]|ou)(ck|pp|tt|[bptck])$`)
	endsInL   = regexp.MustCompile(`(l|le)$`)
	endsInN   = regexp.MustCompile(`(m|n|ng|me|ne)$`)
	vowel     = regexp.MustCompile(`[aeiouy]`)
	lastWord  = regexp.MustCompile(`[A-Z]?[a-z]+$`)
)

// latin is a name in Latin letters. What cannot be spoken as a word is read letter by
// letter: 에이치피에이, 100엠.
func latin(letters string) final {
	word := strings.ToLower(lastWord.FindString(letters)) // "Set" of ReplicaSet
	switch {
	case len(word) < 3 && word != "up", !vowel.MatchString(word):
		return letter(letters[len(letters)-1])
	case endsInL.MatchString(word):
		return rieul
	case endsInN.MatchString(word), shortStop.MatchString(word):
		return other
	}
	return none
}

// letter is the name of one: 엘, 알, 엠, 엔 are closed.
func letter(l byte) final {
	switch unicode.ToLower(rune(l)) {
	case 'l', 'r':
		return rieul
	case 'm', 'n':
		return other
	}
	return none
}
