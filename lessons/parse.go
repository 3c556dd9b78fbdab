package lessons

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/agnivade/levenshtein"

	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/outside"
)

type parser struct {
	file     string
	lines    []string
	at       int // index of the next line
	lesson   Lesson
	problems []Problem
}

func (p *parser) problem(line int, msg, hint string) {
	p.problems = append(p.problems, Problem{File: p.file, Line: line, Msg: msg, Hint: hint})
}

// refused finds characters that a learner would not see, in the text and in the name of
// its folder, which screens show too.
func (p *parser) refused(file, text string) {
	if _, bad := outside.Find(file); bad > 0 {
		p.problem(1, "수업의 경로에 쓸 수 없는 글자가 있습니다.", "폴더의 이름을 영문 소문자와 숫자로 바꾸어 주십시오.")
	}
	p.problems = append(p.problems, refused(file, outside.Unfold(strings.TrimPrefix(text, "\ufeff")), "지워 주십시오. 보이지 않거나 터미널을 움직이는 글자는 수업에 쓸 수 없습니다. 파일은 UTF-8로 저장해 주십시오.")...)
}

// refused tells of the characters in a file that a learner would not see.
func refused(file, text, hint string) (problems []Problem) {
	places, all := outside.Find(text)
	for _, at := range places {
		problems = append(problems, Problem{File: file, Line: at.Line, Msg: fmt.Sprintf("쓸 수 없는 글자가 있습니다: %s (%d번째 글자)", at.What, at.Column), Hint: hint})
	}
	if more := all - len(places); more > 0 {
		problems = append(problems, Problem{File: file, Line: places[len(places)-1].Line, Msg: fmt.Sprintf("이런 글자가 %d개 더 있습니다.", more), Hint: "글이 아닌 파일이 아닌지 확인해 주십시오."})
	}
	return problems
}

const frontMark = "---"

// frontMatter reads "key: value" lines between two marks.
func (p *parser) frontMatter() {
	if len(p.lines) == 0 || strings.TrimSpace(p.lines[0]) != frontMark {
		p.problem(1, "머리말이 없습니다.", "파일의 첫 줄에 ---을 쓰고 title, loop, scenario를 적은 뒤 ---로 닫아 주십시오.")
		return
	}
	fields := map[string]*string{"title": &p.lesson.Title, "loop": &p.lesson.Loop, "scenario": &p.lesson.Scenario, "recording": &p.lesson.Recording}
	for p.at = 1; p.at < len(p.lines); p.at++ {
		line := strings.TrimSpace(p.lines[p.at])
		if line == frontMark {
			p.at++
			p.required(fields)
			return
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		field, known := fields[strings.TrimSpace(key)]
		value, whole := unquote(strings.TrimSpace(value))
		switch {
		case !ok:
			p.problem(p.at+1, fmt.Sprintf("머리말을 읽을 수 없습니다: %q", line), "'키: 값' 모양으로 적어 주십시오.")
		case !known:
			p.problem(p.at+1, fmt.Sprintf("머리말에 모르는 키가 있습니다: %s", key), "title, loop, scenario와, 기록으로 하는 수업이면 recording만 쓸 수 있습니다.")
		case !whole:
			p.problem(p.at+1, fmt.Sprintf("머리말의 값을 읽을 수 없습니다: %s", line), "값을 한 줄의 글로 적고, 따옴표는 짝을 맞추어 주십시오.")
			*field = value
		case *field != "":
			p.problem(p.at+1, fmt.Sprintf("머리말에 %s 두 번 있습니다.", korean.Subject(key)), "하나만 남겨 주십시오.")
		default:
			*field = value
			p.lesson.lines[strings.TrimSpace(key)] = p.at + 1
		}
	}
	p.problem(len(p.lines), "머리말이 닫히지 않았습니다.", "머리말 끝에 ---을 한 줄로 적어 주십시오.")
}

// unquote takes a pair of quotes off; false for what is no plain text in YAML.
func unquote(value string) (string, bool) {
	if value == "" {
		return "", true
	}
	if q := value[0]; q == '"' || q == '\'' {
		inner := strings.Trim(value, value[:1])
		return inner, len(value) == len(inner)+2 && value[len(value)-1] == q && !strings.Contains(inner, `\`)
	}
	return value, !strings.ContainsAny(value[:1], "[]{}&*!|>%@`,#")
}

func (p *parser) required(fields map[string]*string) {
	for _, key := range []string{"title", "loop", "scenario"} {
		if *fields[key] == "" {
			p.problem(p.lesson.line(key), fmt.Sprintf("머리말에 %s 없습니다.", korean.Subject(key)), key+": 값을 머리말에 적어 주십시오.")
		}
	}
}

// body splits the rest into prose and directives. A fence whose first word is
// no directive stays prose.
func (p *parser) body() {
	var prose []string
	start := p.at + 1
	flush := func() {
		if text := strings.TrimSpace(strings.Join(prose, "\n")); text != "" {
			p.lesson.Blocks = append(p.lesson.Blocks, Block{Kind: Prose, Text: text, Line: start})
		}
		prose = nil
	}
	for p.at < len(p.lines) {
		line := p.lines[p.at]
		fence, info := fenceOf(line)
		if fence == "" {
			prose = append(prose, line)
			p.at++
			continue
		}
		opened := p.at + 1
		content, closing, closed := p.untilFence(fence)
		if !closed {
			p.problem(opened, "코드 블록이 닫히지 않았습니다.", fence+" 를 한 줄로 적어 닫아 주십시오.")
		}
		words := strings.Fields(info)
		if len(words) == 0 || !isDirective(words[0]) {
			p.misspelled(words, opened)
			prose = append(append(append(prose, line), content...), closing)
			continue
		}
		flush()
		p.directive(words, strings.TrimSpace(strings.Join(content, "\n")), opened)
		start = p.at + 1
	}
	flush()
}

// fenceOf returns what opens a fence, as CommonMark has it: three or more of one
// mark, indented by three spaces at most; and its info string.
func fenceOf(line string) (fence, info string) {
	text := strings.TrimLeft(line, " ")
	if len(line)-len(text) > 3 || text == "" || text[0] != '`' && text[0] != '~' {
		return "", ""
	}
	mark := text[:1]
	rest := strings.TrimLeft(text, mark)
	n := len(text) - len(rest)
	if n < 3 || mark == "`" && strings.Contains(rest, mark) {
		return "", ""
	}
	return text[:n], strings.TrimSpace(rest)
}

// untilFence takes the lines up to the closing fence, and the fence itself: the
// same mark, at least as often, and nothing behind it.
func (p *parser) untilFence(fence string) (content []string, closing string, closed bool) {
	for p.at++; p.at < len(p.lines); p.at++ {
		if end, info := fenceOf(p.lines[p.at]); strings.HasPrefix(end, fence) && info == "" {
			p.at++
			return content, p.lines[p.at-1], true
		}
		content = append(content, p.lines[p.at])
	}
	return content, fence, false
}

// directives are the first words of fences that are no code.
var directives = []string{Step, Predict, Hint, Continue, Replay, When, Remember}

func isDirective(word string) bool { return slices.Contains(directives, word) }

// misspelled finds a fence that only just is no directive: a word like one, or any
// word before a step of the lesson's loop. It would be shown as code otherwise.
func (p *parser) misspelled(words []string, line int) {
	if len(words) == 0 {
		return
	}
	for _, kind := range directives {
		if like(words, kind) {
			p.problem(line, fmt.Sprintf("모르는 블록입니다: %s", words[0]), "혹시 "+kind+"인가요? "+usage[kind])
			return
		}
	}
	if len(words) == 2 && p.lesson.Loop != "" && strings.HasPrefix(words[1], p.lesson.Loop+"/") {
		p.problem(line, fmt.Sprintf("모르는 블록입니다: %s", words[0]), "쓸 수 있는 블록은 "+strings.Join(directives, ", ")+"입니다. "+usage[Step])
	}
}

// like tells whether the first word means the kind. Names of languages are short
// and stand alone, so that a word without an argument has to be nearer.
func like(words []string, kind string) bool {
	word := strings.ToLower(words[0])
	far := 2
	switch {
	case len(word) < 4:
		far = 1
	case len(words) == 1 && kind != Hint && kind != Remember:
		far = 0
	}
	return levenshtein.ComputeDistance(word, kind) <= far
}

func (p *parser) directive(words []string, text string, line int) {
	b := Block{Kind: words[0], Text: text, Line: line}
	args := words[1:]
	want := map[string]int{Step: 1, Predict: 1, Hint: 0, Continue: 2, When: 1}[b.Kind]
	if alone := b.Kind == Hint || b.Kind == Remember; len(args) > want && b.Kind != Replay || !alone && len(args) == 0 {
		p.problem(line, fmt.Sprintf("%s 블록의 인자가 맞지 않습니다: %q", b.Kind, strings.Join(args, " ")), usage[b.Kind])
		return
	}
	if b.Kind == Replay { // as it is typed in a replay
		args = []string{strings.Join(args, " ")}
	}
	if len(args) > 0 {
		b.Arg = args[0]
	}
	if len(args) > 1 {
		b.Max = args[1]
	}
	if b.Kind == Continue {
		p.checkContinue(b)
	}
	if b.Kind == When && !slices.Contains(Conditions(), b.Arg) {
		p.problem(line, fmt.Sprintf("when 블록의 조건을 모릅니다: %s", b.Arg), usage[When])
	}
	if (b.Kind == Predict || b.Kind == Hint || b.Kind == When) && text == "" {
		p.problem(line, fmt.Sprintf("%s 블록이 비어 있습니다.", b.Kind), usage[b.Kind])
	}
	if b.Kind == Remember && len(b.Things()) != things {
		p.problem(line, fmt.Sprintf("remember 블록에 적은 것이 %d가지입니다.", len(b.Things())), usage[Remember])
	}
	p.lesson.Blocks = append(p.lesson.Blocks, b)
}

var usage = map[string]string{
	Step:     "```step 단계ID 처럼 적어 주십시오. 예: ```step hpa/1-metrics/scrape",
	Predict:  "```predict 값이름 처럼 적고 안에 질문을 써 주십시오. 예: ```predict proposal",
	Hint:     "```hint 만 적고 안에 힌트를 써 주십시오.",
	Continue: "```continue change|load|pass|단계ID [한도] 처럼 적어 주십시오. 예: ```continue change 10m, ```continue pass 3",
	Replay:   "```replay 이동 12 처럼, stepscale replay에서 쓰는 명령을 적어 주십시오. 예: ```replay 계속 desired!=current",
	Remember: "```remember 만 적고, 안에 기억할 세 가지를 - 로 시작하는 세 줄로 써 주십시오. 한 수업에 하나, 실행하는 블록이 모두 끝난 뒤에 적습니다.",
	When:     "```when real, ```when simulated, ```when policy, ```when webhook 가운데 하나를 적고, 시간이 실제일 때만, 시뮬레이션일 때만, 새 파드의 사양을 API 서버의 정책이 바꿀 때만, 웹훅이 바꿀 때만 보여 드릴 글을 안에 써 주십시오.",
}

func (p *parser) checkContinue(b Block) {
	switch {
	case b.Arg == "change", b.Arg == "load", b.Arg == "pass":
	case b.ToStep():
	default:
		p.problem(b.Line, fmt.Sprintf("continue가 기다릴 것을 모릅니다: %s", b.Arg), usage[Continue])
	}
	if b.Max == "" {
		return
	}
	if b.ToStep() {
		p.problem(b.Line, fmt.Sprintf("continue %s에는 한도를 쓸 수 없습니다.", b.Arg), "한도를 지워 주십시오: ```continue "+b.Arg)
		return
	}
	if b.Arg == "pass" {
		if n, err := strconv.Atoi(b.Max); err != nil || n < 1 {
			p.problem(b.Line, fmt.Sprintf("continue pass의 횟수를 읽을 수 없습니다: %s", b.Max), "```continue pass 3 처럼 1 이상의 정수를 적어 주십시오.")
		}
		return
	}
	if d, err := time.ParseDuration(b.Max); err != nil || d <= 0 {
		p.problem(b.Line, fmt.Sprintf("continue의 한도를 읽을 수 없습니다: %s", b.Max), "10m이나 90s처럼 적어 주십시오.")
	}
}
