package wording

import (
	"fmt"
	"strings"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

// replay shows an event of a replay.
func replay(s *view.Screen, e play.Event) {
	switch e := e.(type) {
	case play.Replayed:
		place := fmt.Sprintf("기록 %s · 패스 %d/%d · 단계 %d/%d", e.Place, e.Place.Pass, e.Place.Passes, e.Place.Step, e.Place.Steps)
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
		if e.HPA {
			s.Why(e.Pass, e.Answer, e.Start)
		}
		if !e.HPA || len(e.Nodes) > 0 {
			s.Otherwise(e.Pass, e.Nodes)
		}
	case play.ReplayHelp:
		var rows [][2]string
		for _, c := range play.Commands() {
			rows = append(rows, [2]string{strings.TrimSpace(strings.Join(c.Names, ", ") + " " + c.Args), c.Help})
		}
		help(s, rows, "Enter만 누르시면 방금 한 명령을 되풀이합니다.")
	}
}
