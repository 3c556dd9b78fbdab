package board

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/korean"
)

// column is one of the table's. Where there is no room, the greatest rank goes first.
type column struct {
	name  string
	rank  int
	most  int // columns of the screen
	right bool
	cell  func(Row, time.Time) string
}

var boardColumns = []column{
	{"자리", 0, 16, false, func(r Row, _ time.Time) string { return r.Seat }},
	{"수업", 4, 28, false, func(r Row, _ time.Time) string { return r.Lesson }},
	{"단계", 0, 9, true, func(r Row, _ time.Time) string { return r.steps() }},
	{"마지막으로 실행한 단계", 5, 40, false, func(r Row, _ time.Time) string { return r.Step }},
	{"머문 시간", 1, 10, true, func(r Row, now time.Time) string { return r.stays(now) }},
	{"상태", 0, 18, false, func(r Row, _ time.Time) string { return r.State() }},
	{"예측", 2, 14, true, func(r Row, _ time.Time) string { return r.guess() }},
	{"파드", 3, 5, true, func(r Row, _ time.Time) string { return r.pods() }},
}

func (r Row) steps() string {
	if r.Total == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", r.Steps, r.Total)
}

func (r Row) stays(now time.Time) string {
	if !r.Reported || r.Done || r.Since.IsZero() {
		return ""
	}
	return korean.Age(now.Sub(r.Since))
}

// sweepWords are what became of the question whether a learner's pods may go.
var sweepWords = map[string]string{SweepAsked: "물어봄", SweepKept: "남김", SweepDone: "치움"}

// State is how the learner stands, in a word, and what became of the pods, in another.
func (r Row) State() string {
	if word := sweepWords[r.Sweep]; word != "" {
		return r.stands() + "·" + word
	}
	return r.stands()
}

func (r Row) stands() string {
	switch {
	case r.Problem != "":
		return "읽지 못함"
	case r.Silent:
		return "보고하지 않음"
	case !r.Reported:
		return "아직"
	case r.Help:
		return "도와주세요"
	case r.Stuck:
		return "막힘"
	case r.Held:
		return "기다림"
	case r.Done:
		return "끝"
	}
	return "하는 중"
}

// guess is the answer, or that there is one.
func (r Row) guess() string {
	switch {
	case r.Answer != "":
		return view.FactValue(r.Answer)
	case r.Answered:
		return "답함"
	case r.Open:
		return "…"
	}
	return ""
}

func (r Row) pods() string {
	if r.Replicas == nil {
		return ""
	}
	return strconv.Itoa(int(*r.Replicas))
}

// table is the rows below the names of their columns, no wider than the width.
func (b Board) table(width int) []string {
	shownColumns, widths := b.fitting(width)
	line := func(cell func(int, column) string) string {
		var parts []string
		for i, c := range shownColumns {
			text := ansi.Truncate(cell(i, c), widths[i], "…")
			space := strings.Repeat(" ", max(widths[i]-ansi.StringWidth(text), 0))
			if c.right {
				parts = append(parts, space+text)
			} else {
				parts = append(parts, text+space)
			}
		}
		return strings.TrimRight(strings.Join(parts, "  "), " ")
	}
	lines := []string{line(func(_ int, c column) string { return c.name })}
	for _, r := range b.Rows {
		lines = append(lines, line(func(_ int, c column) string { return c.cell(r, b.At) }))
	}
	return lines
}

// fitting are the columns for which there is room, and how wide they are.
func (b Board) fitting(width int) (fits []column, widths []int) {
	for rank := 5; rank >= 0; rank-- {
		fits, widths = nil, nil
		all := -2
		for _, c := range boardColumns {
			if c.rank > rank {
				continue
			}
			w := ansi.StringWidth(c.name)
			for _, r := range b.Rows {
				w = max(w, ansi.StringWidth(c.cell(r, b.At)))
			}
			w = min(w, max(c.most, ansi.StringWidth(c.name)))
			fits, widths, all = append(fits, c), append(widths, w), all+w+2
		}
		if all <= width {
			return fits, widths
		}
	}
	return fits, widths
}

// head is how the class stands as a whole.
func (b Board) head() string {
	s := b.Sum()
	return fmt.Sprintf("수업 %s · %d명", shown(b.Class), s.Seats) + counted([]tallied{{"도와주세요", s.Help}, {"막힘", s.Stuck}, {"기다림", s.Held}, {"끝", s.Done}, {"보고하지 않음", s.Silent}, {"아직", s.Seats - s.Reported - s.Silent}})
}

// tallied is how many there are of what has a name.
type tallied struct {
	name string
	n    int
}

// counted are those of which there are any.
func counted(all []tallied) (text string) {
	for _, c := range all {
		if c.n > 0 {
			text += fmt.Sprintf(" · %s %d", c.name, c.n)
		}
	}
	return text
}

// remarks are what is to be known beside the table.
func (b Board) remarks() (all []string) {
	if b.Trouble != "" {
		all = append(all, "클러스터의 대답을 받지 못하고 있습니다. 아래는 마지막으로 본 것입니다("+b.Trouble+").")
	}
	if b.Pace.Step != "" {
		all = append(all, "진행: "+b.Pace.Says())
	}
	s := b.Sum()
	if idle := counted([]tallied{{sweepWords[SweepAsked], s.Asked}, {sweepWords[SweepKept], s.Kept}, {sweepWords[SweepDone], s.Swept}}); idle != "" {
		all = append(all, "쉬는 자리의 파드: "+strings.TrimPrefix(idle, " · "))
	}
	if b.Vote != nil {
		state := "닫혔습니다"
		if b.Vote.Open {
			state = "열려 있습니다"
		}
		all = append(all, fmt.Sprintf("투표 %d차: %s %d명이 답했고, %s.", b.Vote.Round, b.Vote.Question, b.Vote.Given, state))
	}
	return all
}

// title names a question, and how far it is answered.
func (q Question) title() string {
	text := fmt.Sprintf("%s %d번째 단계의 질문: %s", q.Lesson, q.Step, view.FactLabel(q.Fact))
	if q.Hidden {
		return text + fmt.Sprintf(" · %d명이 답했고, %d명이 아직 실행하지 않았습니다.", q.Given, q.Open)
	}
	return text + fmt.Sprintf(" · %d명이 답했습니다.", q.Given)
}

// counts are the answers as they are shown, the most frequent first.
func (q Question) counts(most int) (all []view.Count) {
	rest := 0
	for i, c := range q.Counts {
		if i >= most-1 && len(q.Counts) > most {
			rest += c.Count
			continue
		}
		all = append(all, view.Count{Name: view.FactValue(c.Answer), Count: c.Count})
	}
	if rest > 0 {
		all = append(all, view.Count{Name: "그 밖", Count: rest})
	}
	return all
}

// mostAnswers is how many different answers are told apart.
const mostAnswers = 6

// Write writes the board line by line; the question that most of the class stands at is
// written with its answers, and hidden ones with how to see them.
func (b Board) Write(s *view.Screen) {
	s.Line(b.head())
	for _, text := range b.remarks() {
		s.Note(text)
	}
	s.Blank()
	for _, l := range b.table(s.Width()) {
		s.Line(l)
	}
	if len(b.Questions) == 0 {
		return
	}
	s.Blank()
	b.Questions[0].write(s)
	if b.Questions[0].Hidden {
		s.Note("답은 가려 두었습니다. 지금 보시려면 --show를 적어 주십시오.")
	}
}

func (q Question) write(s *view.Screen) {
	if q.Hidden || len(q.Counts) == 0 {
		s.Line(q.title())
		return
	}
	s.Counts(q.title(), q.counts(mostAnswers))
}

// News are a line for each learner who stands otherwise than before.
func (b Board) News(before Board) (lines []string) {
	was := map[string]string{}
	said := func(o Board, r Row) string {
		var parts []string
		for _, c := range boardColumns {
			if text := c.cell(r, r.Since); text != "" && c.name != "머문 시간" { // time goes by for everybody
				parts = append(parts, text)
			}
		}
		return strings.Join(parts, "  ")
	}
	for _, r := range before.Rows {
		was[r.Namespace] = said(before, r)
	}
	for _, r := range b.Rows {
		if text := said(b, r); text != was[r.Namespace] {
			lines = append(lines, b.At.Local().Format(time.TimeOnly)+"  "+text)
		}
	}
	return lines
}
