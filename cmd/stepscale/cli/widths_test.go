package cli

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stepscale/stepscale/cmd/stepscale/lines"
	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/cmd/stepscale/view/viewtest"
	"github.com/stepscale/stepscale/lessons"
)

// pages are one play on terminals of several widths: it is executed once.
type pages []*page

type page struct {
	width int
	out   bytes.Buffer
	face  *lines.Face
}

func newPages() (all pages) {
	for _, width := range []int{60, 80, 120} {
		t := &page{width: width}
		t.face = &lines.Face{Screen: view.NewFixed(&t.out, width, false)}
		all = append(all, t)
	}
	return all
}

// show renders an event, and what a learner may make of it: a wrong answer, and a step
// that is looked at again with all of its facts.
func (all pages) show(e play.Event) {
	events := []play.Event{e}
	switch e := e.(type) {
	case play.Title:
		events = append(events, play.Help{})
	case play.Executed:
		again := e
		again.Recorded = true
		events = append(events, again, play.Facts{Frame: e.Frame})
	case play.Verdicts:
		for _, kind := range []play.Kind{play.Right, play.Wrong, play.Differs, play.Unknown} {
			other := slices.Clone(e)
			for i := range other {
				other[i].Kind, other[i].Guess = kind, "12345m"
			}
			events = append(events, other)
		}
	}
	for _, t := range all {
		for _, e := range events {
			t.face.Render(e)
		}
	}
}

// text shows what a lesson says of itself: all that there is of one that is played elsewhere.
func (all pages) text(l lessons.Lesson) {
	all.show(play.Title{Text: l.Title})
	for _, b := range l.Blocks {
		switch b.Kind {
		case lessons.Prose, lessons.When:
			all.show(play.Prose{Text: b.Text})
		case lessons.Predict:
			all.show(play.Question{Text: b.Text})
		case lessons.Hint:
			all.show(play.Hint{Text: b.Text})
		case lessons.Step, lessons.Continue, lessons.Replay:
			all.show(play.Coming{Text: b.Text})
		}
	}
}

// told tells whether a text stands on the screen.
func (all pages) told(text string) bool {
	return !slices.ContainsFunc(all, func(p *page) bool { return !strings.Contains(p.out.String(), text) })
}

// check fails on lines that are wider than their terminal.
func (all pages) check(t *testing.T, l lessons.Lesson) {
	t.Helper()
	copied := map[string]bool{}
	for _, b := range l.Blocks {
		for line := range strings.SplitSeq(b.Text, "\n") {
			copied[strings.TrimSpace(line)] = strings.HasPrefix(line, "    ")
		}
	}
	for _, p := range all {
		if n := strings.Count(p.out.String(), "\n"); n < 20 {
			t.Errorf("only %d lines at %d columns", n, p.width)
		}
		for _, line := range viewtest.Wider(p.out.String(), p.width, copied) {
			t.Errorf("%d columns on a terminal of %d: %q", viewtest.Cells(line), p.width, line)
		}
	}
}
