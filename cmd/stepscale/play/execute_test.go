package play

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/lessons"
)

// paced is a source of passes of three steps, 15 seconds apart. In the third the second step
// changes something, and from its first step on the load is another one.
type paced struct {
	session *engine.Session
	info    engine.Info
}

func newPaced(t *testing.T) *paced {
	p := &paced{info: engine.Info{Simulated: true}}
	p.session = engine.NewSession(func(yield func(trace.Frame, error) bool) {
		for pass := 1; ; pass++ {
			for _, id := range pacedLoop.StepIDs() {
				f := trace.Frame{Pass: pass, Step: id, At: began.Add(time.Duration(pass-1) * 15 * time.Second)}
				f.Add("n", fmt.Sprint(pass), "")
				if pass == 3 && id == "p/2" {
					f.Changes = []trace.Change{{Object: "deployment/web", Field: "spec.replicas", From: "2", To: "4"}}
				}
				if !yield(f, nil) {
					return
				}
			}
		}
	})
	t.Cleanup(p.session.Close)
	return p
}

var pacedLoop = engine.Definition{Name: "p", Steps: []engine.Row{{ID: "p/1"}, {ID: "p/2", Changes: true}, {ID: "p/3"}}, Facts: engine.Facts{engine.Count: {"n"}}}

func (p *paced) Session() *engine.Session { return p.session }
func (p *paced) Info() engine.Info        { return p.info }
func (p *paced) LoadChanged() bool        { return len(p.session.Frames()) > 6 }

// TestWhereABlockEnds, what is told of the passes meanwhile, and what is said where it has not
// come to its own end.
func TestWhereABlockEnds(t *testing.T) {
	step := func(arg string) lessons.Block { return lessons.Block{Kind: lessons.Step, Arg: arg} }
	goOn := func(arg, most string) lessons.Block {
		return lessons.Block{Kind: lessons.Continue, Arg: arg, Max: most}
	}
	for name, c := range map[string]struct {
		skip   int
		blocks []lessons.Block
		want   string
	}{
		"a step":                     {0, []lessons.Block{step("p/1")}, "1 p/1"},
		"with those before it":       {0, []lessons.Block{step("p/3")}, "note: 그 앞의 2단계도 | 1 p/3"},
		"of the next pass":           {0, []lessons.Block{step("p/3"), step("p/2")}, "note: 그 앞의 2단계도 | 1 p/3 | note: 그 앞의 1단계도 | 2 p/2"},
		"the same once more":         {0, []lessons.Block{step("p/1"), step("p/1")}, "1 p/1 | note: 그 앞의 2단계도 | 2 p/1"},
		"to a step":                  {0, []lessons.Block{goOn("p/2", "")}, "note: 그 앞의 1단계도 | 1 p/2"},
		"none":                       {0, []lessons.Block{step("p/9")}, "note: 이 루프에는 p/9 | 3 p/1"},
		"silently":                   {1, []lessons.Block{step("p/3"), step("p/1")}, "note: 클러스터가 새것이므로 앞의 | 2 p/1"},
		"the rest of a pass":         {0, []lessons.Block{step("p/2"), goOn("pass", "")}, "note: 그 앞의 1단계도 | 1 p/2 | row of 3 | took 0s | 1 p/3"},
		"two passes":                 {0, []lessons.Block{goOn("pass", "2")}, "row of 3 | row of 3 | took 15s | 2 p/3"},
		"a change":                   {0, []lessons.Block{goOn("change", "")}, "row of 3 | row of 3 | row of 2 | took 30s | 3 p/2"},
		"no change in time":          {0, []lessons.Block{goOn("change", "15s")}, "row of 3 | row of 3 | note: 루프 시간 15초 | took 15s | 2 p/3"},
		"load, at the end of it":     {0, []lessons.Block{goOn("load", "10m")}, "row of 3 | row of 3 | row of 3 | took 30s | 3 p/3"},
		"no load in time":            {0, []lessons.Block{goOn("load", "1s")}, "row of 3 | row of 3 | note: 루프 시간 1초 | took 15s | 2 p/3"},
		"a limit that is none":       {0, []lessons.Block{goOn("change", "-1m")}, "took 0s | continue의 한도를 읽을 수 없습니다: -1m"},
		"another that is none":       {0, []lessons.Block{goOn("change", "soon")}, "took 0s | continue의 한도를 읽을 수 없습니다: soon"},
		"time since the step before": {0, []lessons.Block{step("p/3"), goOn("pass", "")}, "note: 그 앞의 2단계도 | 1 p/3 | row of 3 | took 15s | 2 p/3"},
	} {
		p := New(Options{Lesson: lessons.Lesson{Blocks: c.blocks}, Skip: c.skip, Loop: pacedLoop, Source: newPaced(t), Auto: true, Save: func(state.Lesson) {}})
		var all []string
		for e := range p.Events(t.Context()) {
			switch e := e.(type) {
			case Executed:
				all = append(all, fmt.Sprintf("%d %s", e.Frame.Pass, e.Frame.Step))
			case Pass:
				all = append(all, fmt.Sprintf("row of %d", len(e.Frames)))
			case Passed:
				all = append(all, fmt.Sprintf("took %s", max(e.Took, 0)))
			case Note:
				all = append(all, "note: "+strings.Join(strings.Fields(e.Text)[:3], " "))
			}
		}
		if p.Err() != nil {
			all = append(all, strings.SplitN(p.Err().Error(), "\n", 2)[0])
		}
		if got := strings.Join(all, " | "); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, c.want)
		}
	}
}

// TestContinueStops: somebody who turns away, or interrupts, waits for no more than the step that
// is executed; and it is not shown to who has interrupted.
func TestContinueStops(t *testing.T) {
	for _, interrupts := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		source := newPaced(t)
		source.session.Heard = func(f trace.Frame) {
			if f.Pass == 2 && interrupts {
				cancel()
			}
		}
		p := New(Options{Lesson: lessons.Lesson{Blocks: []lessons.Block{{Kind: lessons.Continue, Arg: "pass", Max: "50"}}}, Loop: pacedLoop, Source: source, Auto: true, Save: func(state.Lesson) {}})
		for e := range p.Events(ctx) {
			if _, shown := e.(Executed); shown {
				t.Error("it is shown")
			}
			if _, row := e.(Pass); row && !interrupts {
				break
			}
		}
		want, err := 3, ErrQuit
		if interrupts {
			want, err = 4, context.Canceled
		}
		if n := len(source.session.Frames()); n != want || p.Err() != err {
			t.Errorf("interrupts %t: %d steps, %v", interrupts, n, p.Err())
		}
		cancel()
	}
}

// TestGoOn: 계속 stops at the next question, and no further than that; a hint that belongs to no
// question is told where there is none; at the end somebody may look on, if anybody is there.
func TestGoOn(t *testing.T) {
	one := lessons.Block{Kind: lessons.Step, Arg: "p/1"}
	lesson := lessons.Lesson{Blocks: []lessons.Block{one, one, {Kind: lessons.Predict, Arg: "n", Text: "?"}, one, {Kind: lessons.Hint, Text: "!"}, one}}
	o := Options{Lesson: lesson, Loop: pacedLoop, Source: newPaced(t), After: "치웁니다.", Save: func(state.Lesson) {}}
	const want = "Title Coming Ask(h) Note Ask(c) p/1 Coming Note p/1 Coming Question Ask(3) Note p/1 Verdict(3,0) Coming Ask(h) Hint Ask(c) Note p/1 Finished Note Ask()"
	if got := told(New(o), t, "h", "c", "3", "h", "c", ""); got != want {
		t.Errorf("%s, want\n%s", got, want)
	}
	o.Source, o.Auto = newPaced(t), true
	if got := told(New(o), t); !strings.HasSuffix(got, "Finished") {
		t.Errorf("nobody is there: %s", got)
	}
}

// TestRealTime: how long passes take is said before they are executed, where that is real; and no
// wrong prediction is asked for again where the numbers are not always the same.
func TestRealTime(t *testing.T) {
	for _, real := range []bool{false, true} {
		source := newPaced(t)
		if real {
			source.info = engine.Info{Period: 15 * time.Second}
		}
		lesson := lessons.Lesson{Blocks: []lessons.Block{{Kind: lessons.Predict, Arg: "n", Text: "?"}, {Kind: lessons.Step, Arg: "p/1"}, {Kind: lessons.Continue, Arg: "pass", Max: "4"}}}
		p := New(Options{Lesson: lesson, Loop: pacedLoop, Source: source, SecondTry: true, Save: func(state.Lesson) {}})
		var takes []time.Duration
		again := false
		for e := range p.Events(t.Context()) {
			switch e := e.(type) {
			case Coming:
				takes = append(takes, e.Takes)
			case Again:
				again = true
			case Ask:
				p.Type("9")
				if e.Stop != ForAnswer {
					p.Type("")
				}
			}
		}
		if want := time.Duration(4) * source.info.Period; len(takes) != 2 || takes[0] != 0 || takes[1] != want || again == real {
			t.Errorf("real %t: takes %v, again %t", real, takes, again)
		}
	}
}
