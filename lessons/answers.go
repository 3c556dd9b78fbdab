package lessons

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/stepscale/stepscale/engine/outside"
)

// answersName is the file beside a lesson that has the answers to its questions. One who
// writes a lesson need not have it.
const answersName = "answers.txt"

// Answer is what a learner who has understood a question answers: a line "fact: answer".
type Answer struct {
	Fact string // that the question asks for
	Text string
	Line int // counted from 1
}

// mostFact is longer than the name of any fact: what has more is no name, and not shown.
const mostFact = 100

const answersUsage = "수업의 predict와 같은 순서로 한 줄에 하나씩 '값이름: 답'을 적어 주십시오. 예: proposal: 4"

// readAnswers are those beside the lesson; nil without the file.
func readAnswers(fsys fs.FS, lesson string) ([]Answer, []Problem) {
	file := path.Join(path.Dir(lesson), answersName)
	raw, err := fs.ReadFile(fsys, file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, []Problem{{File: file, Msg: "파일을 읽을 수 없습니다: " + outside.Reason(err), Hint: "답을 적은 일반 파일을 두고 권한을 확인해 주십시오."}}
	}
	return parseAnswers(file, string(raw))
}

// parseAnswers reads lines "fact: answer"; empty ones and those that begin with # say
// nothing. It ends at the first that it cannot read. Answers are not nil otherwise, so
// that a file without any is told from no file.
func parseAnswers(file, text string) ([]Answer, []Problem) {
	text = strings.TrimPrefix(text, "\ufeff")
	problems := refused(file, text, "지워 주십시오. 보이지 않는 글자는 답에 쓸 수 없습니다. 파일은 UTF-8로 저장해 주십시오.")
	answers := []Answer{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fact, answer, _ := strings.Cut(line, ":")
		a := Answer{Fact: strings.TrimSpace(fact), Text: strings.TrimSpace(answer), Line: n}
		if a.Fact == "" || a.Text == "" || len(a.Fact) > mostFact {
			return nil, append(problems, Problem{File: file, Line: n, Msg: "답을 읽을 수 없습니다.", Hint: answersUsage})
		}
		answers = append(answers, a)
	}
	return answers, problems
}

// answers holds the answers against the questions: one each, in their order.
func (c *checker) answers() {
	if c.lesson.Answers == nil {
		return
	}
	problem := func(line int, msg string) {
		c.problems = append(c.problems, Problem{File: path.Join(c.lesson.ID, answersName), Line: line, Msg: msg, Hint: answersUsage})
	}
	given := c.lesson.Answers
	last := 1
	for _, b := range c.lesson.Blocks {
		switch {
		case b.Kind != Predict:
			continue
		case len(given) == 0:
			problem(last, fmt.Sprintf("%s:%d의 질문(%s)에 답이 없습니다.", fileName, b.Line, b.Arg))
			return
		case given[0].Fact != b.Arg:
			problem(given[0].Line, fmt.Sprintf("%s의 답이 올 차례가 아닙니다. %s:%d의 질문은 %s입니다.", given[0].Fact, fileName, b.Line, b.Arg))
			return
		}
		last, given = given[0].Line, given[1:]
	}
	if len(given) > 0 {
		problem(given[0].Line, fmt.Sprintf("수업에 없는 질문의 답입니다: %s", given[0].Fact))
	}
}
