// Package handout makes one page of a recording that can be handed in: what happened,
// with its arithmetic, and the recording itself in it, so that a program can check what a
// reader reads. The page asks nobody for anything.
package handout

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/otherwise"
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
	// Histograms are a VPA's memory at the end.
	Histograms []Histogram
	Table      Table
	Shown      []Pass // those whose steps are written out
	Left       int    // passes whose steps are not
}

// Row is a pass in the table of all.
type Row struct{ Pass, Elapsed, Usage, Target, Replicas, Recommended, Request, Waiting, Node, Decision, Reason string }

// Title is a pass in a line.
func (r Row) Title() string {
	text := "패스 " + r.Pass + " · " + r.Elapsed
	for _, part := range []struct{ name, value string }{{"레플리카 ", r.Replicas}, {"추천 ", r.Recommended}, {"", r.Decision}} {
		if part.value != "" && part.value != "-" {
			text += " · " + part.name + part.value
		}
	}
	return text
}

// Pass is one whose steps are written out.
type Pass struct {
	Row
	Steps []Step
	Why   []string // what it would have taken; nothing where nothing was decided
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

// mostFacts is how many values are written out before a pass is left to the recording: a page
// of a lesson stays below 300 KB.
const mostFacts = 500

// Make reads a recording.
func Make(ctx context.Context, rec *recording.Recording, title string, about []string) (*Report, error) {
	r := &Report{Title: title, About: about, Virtual: rec.Header.Virtual}
	start := rec.Row(0).At
	var p plotted
	var passes []Row
	var last []trace.Frame // of a VPA's memory
	facts := 0
	for pass := rec.Row(0).Pass; pass <= rec.Row(rec.Len()-1).Pass; pass++ {
		frames, err := framesOf(rec, pass)
		if err != nil {
			return nil, err
		}
		if len(frames) == 0 {
			continue
		}
		tick := view.NewTick(frames)
		p.add(tick.At.Sub(start), frames)
		if len(view.Histograms(frames)) > 0 {
			last = frames
		}
		row := rowOf(tick, start)
		passes = append(passes, row)
		if len(passes) > 1 && !changed(rec, pass) {
			continue
		}
		if len(r.Shown) == mostShown || facts > mostFacts {
			r.Left++
			continue
		}
		shown, err := passOf(ctx, row, frames, start)
		if err != nil {
			return nil, err
		}
		for _, step := range shown.Steps {
			facts += len(step.Facts)
		}
		r.Shown = append(r.Shown, shown)
	}
	r.Charts, r.Table = p.charts(), tableOf(passes)
	for _, h := range view.Histograms(last) {
		r.Histograms = append(r.Histograms, Histogram{h})
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
	row := Row{
		Pass: strconv.Itoa(t.Pass), Elapsed: view.Elapsed(t.At.Sub(start)), Usage: cmp.Or(t.Utilization, t.Usage, t.PodUsage), Target: t.Target, Replicas: t.Pods(),
		Recommended: t.Recommended, Request: t.LargestRequest(), Waiting: t.Pending, Node: t.NodeType,
		Decision: t.Decision(), Reason: t.Reason,
	}
	if t.Desired != "" && t.Desired != t.Current {
		row.Replicas = t.Current + " → " + t.Desired
	}
	return row
}

func passOf(ctx context.Context, row Row, frames []trace.Frame, start time.Time) (Pass, error) {
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
	answers, err := whys.All(ctx, frames)
	if err != nil && !unanswered(err) {
		return p, err
	}
	for _, a := range answers {
		p.Why = append(p.Why, view.WhyTexts(a.Why, start)...)
	}
	return p, nil
}

// unanswered tells of a pass in which nothing was decided that can be asked about, or that is
// decided otherwise today.
func unanswered(err error) bool {
	return errors.Is(err, whys.ErrNone) || errors.Is(err, otherwise.ErrDiffers)
}
