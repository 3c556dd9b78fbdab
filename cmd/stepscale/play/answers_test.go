package play

import (
	"strings"
	"testing"

	"github.com/stepscale/stepscale/engine"
)

// TestRight: an answer may be written as a learner says it.
func TestRight(t *testing.T) {
	for value, guesses := range map[string][]string{
		"4":        {"4", "4.0", "넷", "네 개", "네개", "4개", "4 개", "사", "4번", "4입니다"},
		"2":        {"2", "둘", "두 개", "이", "2 개요", "2000m"},
		"12":       {"12", "십이", "열두 개", "열둘"},
		"20":       {"이십", "스무 번", "20초"},
		"0":        {"0", "영", "없음", "0개"},
		"180%":     {"180", "180%", "180프로", "180 %", "180퍼센트", "백팔십"},
		"95%":      {"95프로"},
		"1.9":      {"1.90", "1.9배"},
		"300m":     {"300", "300m", "300 m", "0.3", "0.3코어", "300밀리코어", "삼백", "300M"},
		"+200m":    {"200", "200m", "0.2"},
		"283.4Mi":  {"283.4", "283.4Mi", "283.4 mi", "283.4MiB"},
		"2Gi":      {"2", "2Gi", "2기가"},
		"scaleUp":  {"확장", "scaleUp", "scale up"},
		"keep":     {"유지", "그대로"},
		"no-op":    {"유지", "그대로"},
		"true":     {"예", "네", "Y"},
		"false":    {"아니요", "아니오"},
		"5m0s":     {"5m0s", "5m", "300s", "5분"},
		"1s":       {"1s", "1초"},
		"InfiniTy": {"infinity"},
	} {
		for _, guess := range guesses {
			if !right(guess, value) {
				t.Errorf("%q is not %q", guess, value)
			}
		}
	}
	for guess, value := range map[string]string{"5": "4", "유지": "scaleUp", "네": "4", "3": "300m", "0.3": "300%", "300%": "300m", "2m": "2", "2000m": "2%", "30": "300m", "nan": "4", "십일": "12", "세 개": "4", "": "0"} {
		if right(guess, value) {
			t.Errorf("%q is %q", guess, value)
		}
	}
}

// TestNumerals: those of things and those of numbers, as they are said; what is none stays out.
func TestNumerals(t *testing.T) {
	for text, want := range map[string]int{
		"하나": 1, "세": 3, "열": 10, "열하나": 11, "스물 네": 24, "서른셋": 33, "마흔": 40, "쉰아홉": 59, "없다": 0, "공": 0,
		"십": 10, "백": 100, "백오": 105, "백이십삼": 123, "이백오십": 250, "천": 1000, "삼천사백": 3400, "이십": 20,
	} {
		if n, ok := numeral(text); !ok || n != want {
			t.Errorf("%s: %d %t, want %d", text, n, ok, want)
		}
	}
	for _, text := range []string{"", "열열", "열다", "열 이", "이이", "이삼십", "십개월", "banana"} {
		if n, ok := numeral(text); ok {
			t.Errorf("%q is %d", text, n)
		}
	}
}

// TestWrongKindIsAskedAgain: an answer of another kind is no answer, and the learner is
// told of which kind one is.
func TestWrongKindIsAskedAgain(t *testing.T) {
	q := question{text: "무엇을 할까요? (확장/유지/축소)"}
	for line, c := range map[string]struct {
		unit engine.Unit
		ok   bool
		told string
	}{
		"4": {engine.Bool, false, "예 또는 아니요"}, "예": {engine.Count, false, "숫자"}, "네": {engine.Count, false, "숫자"}, "유지": {engine.Amount, false, "숫자"},
		"아니": {engine.Text, false, "확장, 유지, 축소"}, "3": {engine.Text, false, "확장, 유지, 축소"}, "축소": {engine.Text, true, ""}, "두 개": {engine.Count, true, ""}, "응": {engine.Bool, true, ""},
		"banana": {engine.Percent, false, "95%"},
	} {
		if ok, told := q.answers(c.unit, line); ok != c.ok || !strings.Contains(told, c.told) {
			t.Errorf("%q of a %s: %v %q", line, c.unit, ok, told)
		}
	}
	names := question{text: "어느 그룹을 고를까요? (general/large)"}
	for line, want := range map[string]bool{"general": true, "Large": true, "small": false} {
		if ok, _ := names.answers(engine.Text, line); ok != want {
			t.Errorf("%q of names that the question offers: %v", line, ok)
		}
	}
}
