// Package handout makes one page of a recording that can be handed in: what happened,
// with its arithmetic, and the recording itself in it, so that a program can check what a
// reader reads. The page asks nobody for anything.
package handout

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/whys"
)

// Report is what a page says.
type Report struct {
	Title   string
	About   []string // of the recording, a sentence each
	Virtual bool     // load, nodes and time are simulated
	Charts  []Chart
	Passes  []Row
	Shown   []Pass // those whose steps are written out
	Left    int    // passes whose steps are not
}

// Row is a pass in the table of all.
type Row struct{ Pass, Elapsed, Usage, Target, Replicas, Decision, Reason string }

// Pass is one whose steps are written out.
type Pass struct {
	Row
	Steps []Step
	Why   []string // what it would have taken; nothing where no HPA decided
}

// Step is one of its steps.
type Step struct {
	ID, Actor string
	Facts     []Fact
	Changes   []string
	Err       string
}

// Fact is a value with its arithmetic.
type Fact struct{ Label, Name, Expr, Value string }

// mostShown is how many passes are written out: the first, and those in which something
// changed. All of them are in the recording.
const mostShown = 24

// Make reads a recording.
func Make(rec *recording.Recording, title string, about []string) (*Report, error) {
	r := &Report{Title: title, About: about, Virtual: rec.Header.Virtual}
	start := rec.Row(0).At
	var replicas, wanted, usage, target Series
	replicas.Name, wanted.Name, usage.Name, target.Name = "현재 레플리카", "원하는 레플리카", "사용률(%)", "목표(%)"
	last := rec.Row(rec.Len() - 1).Pass
	for pass := rec.Row(0).Pass; pass <= last; pass++ {
		frames, err := framesOf(rec, pass)
		if err != nil {
			return nil, err
		}
		if len(frames) == 0 {
			continue
		}
		tick := view.NewTick(frames)
		at := tick.At.Sub(start)
		replicas.add(at, tick.Current)
		wanted.add(at, tick.Desired)
		usage.add(at, tick.Utilization)
		target.add(at, tick.Target)
		row := rowOf(tick, start)
		r.Passes = append(r.Passes, row)
		if len(r.Passes) > 1 && !changed(rec, pass) {
			continue
		}
		if len(r.Shown) == mostShown {
			r.Left++
			continue
		}
		shown, err := passOf(row, frames, start)
		if err != nil {
			return nil, err
		}
		r.Shown = append(r.Shown, shown)
	}
	if len(target.Points) != len(usage.Points) { // amounts, which percentages are not drawn beside
		target.Points = nil
	}
	for _, c := range []Chart{{Title: "레플리카", Series: []Series{replicas, wanted}}, {Title: "사용률과 목표", Series: []Series{usage, target}}} {
		if len(c.Series[0].Points) > 1 {
			r.Charts = append(r.Charts, c)
		}
	}
	return r, nil
}

func framesOf(rec *recording.Recording, pass int) (frames []trace.Frame, err error) {
	first, end := rec.Pass(pass)
	for i := first; i < end; i++ {
		f, err := rec.Frame(i)
		if err != nil {
			return nil, err
		}
		frames = append(frames, f)
	}
	return frames, nil
}

// changed tells whether something in a pass changed that is no status.
func changed(rec *recording.Recording, pass int) bool {
	first, end := rec.Pass(pass)
	for i := first; i < end; i++ {
		if rec.Row(i).Moved || rec.Row(i).Failed {
			return true
		}
	}
	return false
}

func rowOf(t view.Tick, start time.Time) Row {
	row := Row{Pass: strconv.Itoa(t.Pass), Elapsed: view.Elapsed(t.At.Sub(start)), Usage: t.Utilization, Target: t.Target, Replicas: t.Current, Decision: view.FactValue(t.Action), Reason: t.Reason}
	if row.Usage == "" {
		row.Usage = t.Usage
	}
	if t.Desired != "" && t.Desired != t.Current {
		row.Replicas += " → " + t.Desired
	}
	return row
}

func passOf(row Row, frames []trace.Frame, start time.Time) (Pass, error) {
	p := Pass{Row: row}
	for _, f := range frames {
		s := Step{ID: string(f.Step), Actor: view.ActorLabel(f.Actor), Err: f.Err}
		for _, x := range f.Facts {
			expr := x.Expr
			if expr == x.Value {
				expr = ""
			}
			s.Facts = append(s.Facts, Fact{Label: view.FactLabel(x.Name), Name: x.Name, Expr: expr, Value: view.FactValue(x.Value)})
		}
		for _, c := range f.Changes {
			s.Changes = append(s.Changes, c.Object+" "+c.Field+": "+c.From+" → "+c.To)
		}
		p.Steps = append(p.Steps, s)
	}
	answers, err := whys.Pass(frames)
	if err != nil && !errors.Is(err, whys.ErrNone) {
		return p, err
	}
	for _, a := range answers {
		p.Why = append(p.Why, view.WhyTexts(a.Why, start)...)
	}
	return p, nil
}

// Series is a row of numbers over time.
type Series struct {
	Name   string
	Points []Point
}

// Point is one of them.
type Point struct {
	After time.Duration // since the first frame, in loop time
	Y     float64
	Text  string
}

// add puts a value at the end; one that is no number is left out.
func (s *Series) add(after time.Duration, text string) {
	if n, ok := recording.Numbers(text); ok && text != "" {
		s.Points = append(s.Points, Point{after, n[0], text})
	}
}

// most is the greatest number of a chart.
func (c Chart) most() (most float64) {
	for _, s := range c.Series {
		for _, p := range s.Points {
			most = max(most, p.Y)
		}
	}
	return most
}

// Rows are the numbers of a chart where one of them changed: what it draws, as a table.
func (c Chart) Rows() (rows [][]string) {
	for i, p := range c.Series[0].Points {
		row := []string{view.Elapsed(p.After)}
		for _, s := range c.Series {
			text := ""
			if j, ok := slices.BinarySearchFunc(s.Points, p.After, func(q Point, at time.Duration) int { return int(q.After - at) }); ok {
				text = s.Points[j].Text
			}
			row = append(row, text)
		}
		if i == 0 || i == len(c.Series[0].Points)-1 || !slices.Equal(row[1:], rows[len(rows)-1][1:]) {
			rows = append(rows, row)
		}
	}
	return rows
}

// Header are the names of those columns.
func (c Chart) Header() []string {
	names := []string{"경과"}
	for _, s := range c.Series {
		names = append(names, s.Name)
	}
	return names
}

// Says is a chart in a sentence, for who cannot see it.
func (c Chart) Says() string {
	var parts []string
	for _, s := range c.Series {
		if len(s.Points) == 0 {
			continue
		}
		low, high := s.Points[0], s.Points[0]
		for _, p := range s.Points {
			if p.Y < low.Y {
				low = p
			}
			if p.Y > high.Y {
				high = p
			}
		}
		parts = append(parts, s.Name+": "+s.Points[0].Text+"에서 시작해 가장 낮을 때 "+low.Text+", 가장 높을 때 "+high.Text+", 끝에 "+s.Points[len(s.Points)-1].Text)
	}
	return strings.Join(parts, ". ") + "."
}
