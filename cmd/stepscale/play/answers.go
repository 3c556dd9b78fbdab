package play

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stepscale/stepscale/engine"
)

// words are what a learner may type for values that are not numbers.
var words = map[string]string{
	"확장": "scaleUp", "확대": "scaleUp", "증가": "scaleUp", "up": "scaleUp", "scaleup": "scaleUp", "scale up": "scaleUp",
	"축소": "scaleDown", "감소": "scaleDown", "down": "scaleDown", "scaledown": "scaleDown", "scale down": "scaleDown",
	"유지": "keep", "keep": "keep", "그대로": "keep",
	"재생성": "evict", "축출": "evict", "evict": "evict", "조정": "resize", "resize": "resize", "노드 추가": "addNode", "addnode": "addNode", "노드 교체": "replaceNode", "replacenode": "replaceNode", "노드 제거": "removeNode", "removenode": "removeNode",
	"삭제": "delete", "delete": "delete", "교체": "replace", "replace": "replace",
	"예": "true", "네": "true", "응": "true", "yes": "true", "y": "true", "true": "true",
	"아니요": "false", "아니": "false", "아니오": "false", "no": "false", "false": "false",
}

// Means is the value that a word stands for: "true" for 예; empty when it stands for none.
func Means(word string) string { return words[strings.ToLower(word)] }

// kind of an answer that a question asks for.
type answerKind int

const (
	aNumber answerKind = iota
	aWord
	aYesOrNo
)

// asksFor is the kind by the unit of the fact.
func asksFor(unit engine.Unit) answerKind {
	switch unit {
	case engine.Bool:
		return aYesOrNo
	case engine.Text:
		return aWord
	}
	return aNumber
}

// choices are what a question offers: "(확장/유지/축소)".
var choices = regexp.MustCompile(`\(([^()/]+(?:/[^()/]+)+)\)`)

// answers tells whether the line is an answer of the kind that the question asks for, and
// if not, what one would be.
func (q question) answers(unit engine.Unit, line string) (bool, string) {
	word := Means(line)
	yesOrNo := word == "true" || word == "false"
	_, isNumber := number(line)
	switch asksFor(unit) {
	case aYesOrNo:
		return yesOrNo, "예 또는 아니요로 답해 주십시오."
	case aWord:
		if m := choices.FindStringSubmatch(q.text); m != nil {
			named := slices.ContainsFunc(strings.Split(m[1], "/"), func(c string) bool { return strings.EqualFold(c, line) }) // a group, say
			return named || word != "" && !yesOrNo, strings.ReplaceAll(m[1], "/", ", ") + " 가운데 하나로 답해 주십시오."
		}
		return word != "" || isNumber, "물음에 나온 말로 답해 주십시오."
	}
	return isNumber && !yesOrNo, "숫자로 답해 주십시오. 예: 4, 180m, 95%."
}

// right compares a prediction with the value. Units may be left out.
func right(guess, value string) bool {
	if w := Means(guess); w != "" {
		guess = w
	}
	if value == "no-op" { // as Karpenter calls it
		value = "keep"
	}
	if strings.EqualFold(guess, value) {
		return true
	}
	g, ok := number(guess)
	v, okValue := number(value)
	if ok && okValue {
		return g.equals(v)
	}
	a, errA := time.ParseDuration(spans.Replace(guess))
	b, errB := time.ParseDuration(value)
	return errA == nil && errB == nil && a == b
}

// spans are units of time as a learner may write them: "1분 30초".
var spans = strings.NewReplacer("시간", "h", "분", "m", "초", "s", " ", "")

// amount is a number as it was written, with its unit.
type amount struct {
	n    float64
	unit string // of units; empty without one
}

// scales are how many of the smaller a unit is, where units of one kind differ: 0.3
// cores are 300m.
var scales = map[string]map[string]float64{
	"m":  {"": 1000, "cores": 1000},
	"Mi": {"Gi": 1024, "Ki": 1. / 1024, "": 1},
}

func (g amount) equals(v amount) bool {
	same := func(n float64) bool { return math.Abs(n-v.n) < 1e-9*math.Max(1, math.Abs(v.n)) }
	if g.unit == v.unit || g.unit == "" || v.unit == "" && g.unit != "m" {
		if same(g.n) {
			return true
		}
	}
	if scale, ok := scales[v.unit][g.unit]; ok {
		return same(g.n * scale)
	}
	return v.unit == "" && g.unit == "m" && same(g.n/1000) // 2000m of 2
}

// units are as a learner may write them.
var units = []struct{ written, unit string }{
	{"퍼센트", "%"}, {"프로", "%"}, {"%", "%"},
	{"밀리코어", "m"}, {"밀리", "m"}, {"코어", "cores"}, {"m", "m"},
	{"mib", "Mi"}, {"mi", "Mi"}, {"메가", "Mi"}, {"gib", "Gi"}, {"gi", "Gi"}, {"기가", "Gi"}, {"kib", "Ki"}, {"ki", "Ki"},
	{"가지", ""}, {"개", ""}, {"배", ""}, {"번", ""}, {"회", ""}, {"초", ""}, {"대", ""}, {"칸", ""}, {"입니다", ""}, {"이요", ""}, {"요", ""},
}

// number reads "180", "180%", "95프로", "300 m", "0.3", "둘", "두 개" and "십이"; "5m0s" is none.
func number(text string) (amount, bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	unit := ""
	for again := true; again; {
		again = false
		for _, u := range units {
			if rest, ok := strings.CutSuffix(text, u.written); ok && rest != "" {
				text, again = strings.TrimSpace(rest), true
				if unit == "" {
					unit = u.unit
				}
				break
			}
		}
	}
	text = strings.TrimSuffix(strings.ReplaceAll(text, ",", ""), "+")
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		return amount{n, unit}, !math.IsNaN(n) && !math.IsInf(n, 0)
	}
	n, ok := numeral(text)
	return amount{float64(n), unit}, ok
}

// The Korean numerals: those of things, alone and before what is counted, and those of
// numbers.
var (
	things = map[string]int{
		"하나": 1, "한": 1, "둘": 2, "두": 2, "셋": 3, "세": 3, "넷": 4, "네": 4, "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8, "아홉": 9,
	}
	tens   = map[string]int{"열": 10, "스물": 20, "스무": 20, "서른": 30, "마흔": 40, "쉰": 50}
	digits = map[rune]int{'영': 0, '공': 0, '일': 1, '이': 2, '삼': 3, '사': 4, '오': 5, '육': 6, '칠': 7, '팔': 8, '구': 9}
	powers = map[rune]int{'십': 10, '백': 100, '천': 1000}
)

func numeral(text string) (int, bool) {
	if text == "없음" || text == "없다" {
		return 0, true
	}
	if n, ok := things[text]; ok {
		return n, true
	}
	for word, ten := range tens {
		if rest, ok := strings.CutPrefix(text, word); ok {
			n, known := things[strings.TrimSpace(rest)]
			return ten + n, known || rest == ""
		}
	}
	sum, digit := 0, -1
	for _, r := range text {
		if d, ok := digits[r]; ok && digit < 0 {
			digit = d
		} else if p, ok := powers[r]; ok {
			if digit < 0 {
				digit = 1
			}
			sum, digit = sum+p*digit, -1
		} else {
			return 0, false
		}
	}
	return sum + max(digit, 0), text != ""
}
