package view

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/stepscale/stepscale/engine/trace"
)

// maxRows is how many facts or changes of one kind a step shows; the rest is
// counted, and the facts command shows all of them.
const maxRows = 12

// StepView is one executed step and how to look at it.
type StepView struct {
	Frame     trace.Frame
	Start     time.Time // loop time of the session's first frame
	Title     string    // what the lesson says about the step, one line
	Recorded  bool      // shown again: nothing was executed or undone
	Simulated bool      // time, nodes and load are simulated
	Place     string    // where it is in a recording; empty outside of one
}

// Step shows what one step did.
func (s *Screen) Step(v StepView) {
	v = seenIn(v)
	s.stepHeader(v)
	f := v.Frame
	s.moved(f)
	s.events(f.Events, v.Start)
	s.calls(f, wholePath)
	s.facts(f.Facts, maxRows)
	s.bars(f)
	s.histogram(f.Facts)
	s.series(f.Facts)
	s.changes(f.Changes)
	s.sightings(f.Seen)
	s.meanwhile(f)
	s.waiting(f, wholePath)
	if f.Err != "" {
		s.section("오류")
		s.item(s.style(red, f.Err))
	}
	s.kubectl(f)
	s.clocks(v)
	s.Blank()
}

// ages are the commands that show how old something is.
var ages = regexp.MustCompile(`^kubectl (get|describe) `)

// Clocks says whose clock the ages are of that the step's command shows.
func (s *Screen) Clocks(v StepView) { s.clocks(v) }

// clocks says of a command that shows ages whose clock they are of. Virtual timestamps
// would not make them agree, which was tried: with creationTimestamp, lastTimestamp and
// finishedAt nine minutes ahead in the store, as after nine virtual minutes, kubectl v1.37
// prints AGE <invalid>, LAST SEEN <invalid> and RESTARTS "1 (<invalid> ago)". The API
// server's printers count the age in "get", kubectl itself that in "describe" and with
// --server-print=false, both from time.Now, and neither can be given another clock.
func (s *Screen) clocks(v StepView) {
	command := v.Frame.Kubectl
	if v.Simulated && ages.MatchString(command) && !strings.Contains(command, " -o ") && !strings.Contains(command, " --raw ") {
		s.item(s.style(faint, "AGE와 이벤트의 시각은 이 컴퓨터의 시계로 셉니다. 위의 가상 시각과 다릅니다."))
	}
}

// moved says whose step it was, and what he did where he wrote nothing.
func (s *Screen) moved(f trace.Frame) {
	if f.Actor == "" {
		return
	}
	who := s.actor(f.Actor)
	did := deeds[f.Deed()]
	if f.Deed() == trace.Idle {
		who = "없음. " + who
	}
	s.line(s.style(bold, "움직인 액터: ") + who + did)
}

// deeds say what an actor did that wrote nothing.
var deeds = map[trace.Deed]string{
	trace.Idle: "에게는 할 일이 없었습니다.", trace.Computed: ". 계산만 했습니다.",
	trace.OnlyRead: ". 읽기만 했습니다.", trace.Refused: ". 쓰려 했지만 API 서버가 거절했습니다.",
	trace.Held: ". 쓰기가 게이트에서 기다립니다.", trace.Answered: ". 쓰지 않고, API 서버의 물음에 답했습니다.",
	trace.Asked: ". 요청을 보냈고, API 서버가 웹훅의 대답을 기다립니다.",
}

// Facts shows every fact of a frame, however many they are.
func (s *Screen) Facts(f trace.Frame) {
	if len(f.Facts) == 0 {
		s.line("이 단계가 읽거나 계산한 값은 없습니다.")
		return
	}
	s.facts(seenIn(f.Facts), len(f.Facts))
}

// Kubectl shows the command that shows the same state. It is never wrapped:
// it is there to be copied.
func (s *Screen) Kubectl(f trace.Frame) { s.kubectl(seenIn(f)) }

func (s *Screen) kubectl(f trace.Frame) {
	if f.Kubectl == "" {
		return
	}
	s.section("직접 확인하기 (다른 터미널에서)")
	for l := range strings.SplitSeq(f.Kubectl, "\n") {
		s.print("  " + s.style(yellow, l) + "\n")
	}
}

func (s *Screen) stepHeader(v StepView) {
	f := v.Frame
	badge := ""
	if v.Simulated {
		badge = "[시뮬레이션]"
	}
	s.rule(string(f.Step), badge)
	if v.Title != "" {
		s.line(s.style(bold, cell(v.Title)))
	}
	s.moment(v)
	if v.Place != "" {
		s.line(s.style(yellow, cell(v.Place)))
	}
	if v.Recorded {
		s.line(s.style(yellow, "지나간 기록을 다시 보여 드립니다. 클러스터에서 되돌린 것은 없습니다."))
	}
}

// Moment says which step it was, and when.
func (s *Screen) Moment(v StepView) {
	v = seenIn(v)
	s.line(s.style(bold, cell(string(v.Frame.Step))))
	s.moment(v)
}

func (s *Screen) moment(v StepView) {
	f := v.Frame
	clock := "시각 "
	if v.Simulated {
		clock = "가상 시각 "
	}
	clock += f.At.Format(time.DateTime)
	if !v.Start.IsZero() {
		clock += " (" + Elapsed(f.At.Sub(v.Start)) + ")"
	}
	s.line(s.style(faint, fmt.Sprintf("패스 %d · %s", f.Pass, clock)))
}

// rule is a line across the screen with a name on the left and a badge on the right.
func (s *Screen) rule(name, badge string) {
	if s.plain {
		s.line(s.style(title, strings.TrimSpace(name+" "+badge)))
		return
	}
	if badge != "" {
		badge = " " + badge + " ─"
	}
	name = shorten(name, s.width-6-ansi.StringWidth(badge))
	fill := s.width - ansi.StringWidth(name) - ansi.StringWidth(badge) - 4
	s.printf("%s %s %s%s\n", s.style(cyan, "──"), s.style(title, name),
		s.style(cyan, strings.Repeat("─", max(fill, 1))), s.style(yellow, badge))
}

func (s *Screen) section(name string) { s.print("\n" + s.style(bold, s.wrap(name, 0)) + "\n") }

// item is a line under a section's name.
func (s *Screen) item(text string) { s.print(s.wrap("  "+text, 4) + "\n") }

func (s *Screen) actor(name string) string {
	name = cell(name)
	label := ActorLabel(name)
	if label == name {
		return s.style(cyan, name)
	}
	return s.style(cyan, label) + " (" + name + ")"
}

func (s *Screen) facts(facts []trace.Fact, limit int) {
	var read, computed []trace.Fact
	for _, f := range facts {
		if drawn(f.Name) {
			continue
		}
		if arithmetic(f.Expr) {
			computed = append(computed, f)
		} else {
			read = append(read, f)
		}
	}
	s.factList("읽거나 정한 값", read, limit)
	s.factList("계산", computed, limit)
}

func (s *Screen) factList(name string, facts []trace.Fact, limit int) {
	if len(facts) == 0 {
		return
	}
	s.section(name)
	for i, f := range facts {
		if i == limit {
			s.item(s.style(faint, fmt.Sprintf("… 외 %d개 (facts 명령으로 모두 볼 수 있습니다)", len(facts)-i)))
			return
		}
		s.item(s.factLine(f))
	}
}

// factLine shows arithmetic before its result, and a remark after it.
func (s *Screen) factLine(f trace.Fact) string {
	name, value := s.factName(f.Name), s.style(bold, FactValue(f.Value))
	switch {
	case f.Expr == "":
		return name + " = " + value
	case arithmetic(f.Expr):
		return name + " = " + f.Expr + " = " + value
	}
	return name + " = " + value + s.style(faint, " ("+f.Expr+")")
}

// arithmetic tells whether the expression computes something.
func arithmetic(expr string) bool {
	for _, sign := range []string{" / ", " × ", " + ", " − ", " ≤ ", "ceil(", "max(", "min("} {
		if strings.Contains(expr, sign) {
			return true
		}
	}
	return false
}

func (s *Screen) factName(name string) string {
	label := FactLabel(name)
	if label == name {
		return name
	}
	id, _, _ := strings.Cut(name, "/")
	return label + s.style(faint, " ("+id+")")
}

func (s *Screen) changes(changes []trace.Change) {
	if len(changes) == 0 {
		return
	}
	s.section("클러스터에서 바뀐 것 (이전 → 이후)")
	s.rows(len(changes), func(i int) { s.item(s.change(changes[i])) })
}

func (s *Screen) change(c trace.Change) string {
	if c.Field == nameField && c.From == "" {
		return s.style(cyan, c.Object) + "  " + s.style(green, "새로 생김")
	}
	if c.Field == nameField && c.To == "" {
		return s.style(cyan, c.Object) + "  " + s.style(red, "없어짐")
	}
	return fmt.Sprintf("%s  %s  %s → %s", s.style(cyan, c.Object), c.Field, orNone(c.From), s.style(green, orNone(c.To)))
}

// rows shows the first of n rows, and how many more there are.
func (s *Screen) rows(n int, row func(i int)) {
	for i := range min(n, maxRows) {
		row(i)
	}
	if n > maxRows {
		s.item(s.style(faint, fmt.Sprintf("… 외 %d개", n-maxRows)))
	}
}

// sightings shows what nothing held back, in the order in which it was seen.
func (s *Screen) sightings(seen []trace.Sighting) {
	if len(seen) == 0 {
		return
	}
	s.section("지켜본 기록 (쓰기부터 실제로 걸린 시간)")
	s.rows(len(seen), func(i int) {
		x := seen[i]
		line := fmt.Sprintf("+%.2f초  %s  %s", x.After.Seconds(), s.style(cyan, x.Object), SightingLabel(x.What))
		if x.Value != "" {
			line += " " + s.style(green, x.Value)
		}
		s.item(line)
	})
}

func orNone(v string) string {
	if v == "" {
		return "(없음)"
	}
	return v
}
