package wording

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

// replay shows an event of a replay.
func replay(s *view.Screen, e play.Event) {
	switch e := e.(type) {
	case play.Replayed:
		place := fmt.Sprintf(map[bool]string{true: "둘러보기, "}[e.Beside]+"기록 %s · 패스 %d/%d · 단계 %d/%d", e.Place, e.Place.Pass, e.Place.Passes, e.Place.Step, e.Place.Steps)
		if e.Last {
			place += " · 기록의 끝"
		}
		s.Step(view.StepView{Frame: e.Frame, Start: e.Start, Simulated: e.Simulated, Place: place})
		for _, after := range e.After {
			Write(s, after)
		}
	case play.Series:
		series := view.FactSeries{Fact: e.Fact, Numbers: e.Numbers}
		for _, v := range e.Values {
			series.Samples = append(series.Samples, view.Sample(v))
		}
		s.FactSeries(series)
	case play.List:
		var rows []view.ListedStep
		for _, l := range e {
			rows = append(rows, view.ListedStep{At: l.Place.String(), Step: string(l.Step), Here: l.Here, Moved: l.Moved, Failed: l.Failed})
		}
		s.StepList(rows)
	case play.Differences:
		var rows []view.Difference
		for _, d := range e.All {
			rows = append(rows, view.Difference(d))
		}
		s.Differences(e.A, e.B, rows)
	case play.Reasons:
		s.Why(e.Pass, e.Answer, e.Start)
	case play.Parting:
		s.Note("처음 갈라진 단계: " + parting(e))
	case play.Forked:
		forked(s, e)
	case play.ReplayHelp:
		help(s, CommandRows(false), "Enter만 누르시면 방금 한 명령을 되풀이합니다.")
	}
}

// CommandRows is the table of a replay's commands, or that of a lesson about a recording.
func CommandRows(lesson bool) (rows [][2]string) {
	commands := play.Commands()
	if lesson {
		commands = play.LessonCommands()
		for _, v := range play.LessonVerbs() {
			rows = append(rows, [2]string{strings.Join(v.Names, ", "), v.Help})
		}
	}
	for _, c := range commands {
		rows = append(rows, [2]string{strings.TrimSpace(strings.Join(c.Names, ", ") + " " + c.Args), c.Help})
	}
	return rows
}

func parting(e play.Parting) string {
	value := func(text string) string {
		if text == "" {
			return "(없음)"
		}
		return view.FactValue(text)
	}
	return fmt.Sprintf("패스 %d의 %s. %s: 원래 %s, 여기 %s", e.Pass, e.Step, view.FactLabel(e.Fact), value(e.Was), value(e.Is))
}

// mostForked is how many passes that differ are listed.
const mostForked = 12

// forked shows another course beside the recorded one.
func forked(s *view.Screen, e play.Forked) {
	from := fmt.Sprintf("패스 %d", e.From)
	if e.From == 0 {
		from = "처음"
	}
	s.Section(fmt.Sprintf("갈래: %s부터 %s", from, strings.Join(e.Sets, " ")))
	for _, note := range e.Notes {
		s.Note(note)
	}
	if e.Parted != nil {
		e.First = parting(*e.Parted)
	}
	if e.First == "" {
		s.Note(cmp.Or(e.Beyond, "두 갈래는 끝까지 갈라지지 않습니다."))
		return
	}
	s.Note("처음 갈라진 곳: " + e.First)
	s.Line(e.What)
	s.Sparks([]view.Spark{{Name: "기록", Numbers: e.Recorded}, {Name: "갈래", Numbers: e.Other}})
	ForkedPasses(s, e.Passes, "갈래", "")
	if e.Beyond != "" {
		s.Note(e.Beyond)
	}
	if len(e.Sums) > 0 {
		s.Section("나란히, 기록의 처음부터 끝까지")
		s.Table([]string{"", "기록", "갈래"}, e.Sums)
	}
}

// ForkedPasses lists the first of the passes in which the course of that name is not the
// recorded one; how says where the others are.
func ForkedPasses(s *view.Screen, passes []play.ForkedPass, name, how string) {
	if len(passes) == 0 {
		return
	}
	var rows [][]string
	for _, p := range passes[:min(len(passes), mostForked)] {
		rows = append(rows, []string{fmt.Sprint(p.Pass), p.Recorded, p.Other})
	}
	s.Table([]string{"패스", "기록", name}, rows)
	if more := len(passes) - mostForked; more > 0 {
		s.Note(fmt.Sprintf("그 밖에 %d개 패스가 다릅니다.", more) + how)
	}
}
