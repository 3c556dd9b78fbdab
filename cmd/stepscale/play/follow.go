package play

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
)

// Demo is somebody else's play, as it comes. Heard waits for nothing.
type Demo interface {
	// Heard is what has come since it was asked last, in order: a Begun alone, or what
	// belongs to one lesson. There is more as soon as the channel is closed.
	Heard() ([]Event, <-chan struct{})
}

// demo is the source of the frames of a play that follows: they come one by one.
type demo struct {
	Demo
	session   *engine.Session
	simulated bool
	frame     trace.Frame // that comes next
	then      *Begun      // the lesson that came after this one
}

// Session is the loop as it was shown.
func (d *demo) Session() *engine.Session { return d.session }

// Info tells nothing of the cluster: it is somebody else's.
func (d *demo) Info() engine.Info { return engine.Info{Simulated: d.simulated} }

// LoadChanged is nothing that a demo knows of.
func (d *demo) LoadChanged() bool { return false }

// Following is a play of a demo, from a lesson's beginning to the next one's: it tells what
// the instructor's tells, and executes nothing.
type Following struct {
	*Play
	demo *demo
}

// Follow is the play of a lesson of a demo; before the first one it waits, with the zero
// Begun. heard is told of every frame, as a session's Heard; it may be nil. Where nobody
// types, auto, it ends with the demo. Close has to be called.
func Follow(from Demo, begun Begun, loop engine.Definition, auto bool, heard func(trace.Frame)) *Following {
	d := &demo{Demo: from, simulated: begun.Simulated}
	d.session = engine.NewSession(func(yield func(trace.Frame, error) bool) {
		for yield(d.frame, nil) {
		}
	})
	d.session.Heard = heard
	f := &Following{New(Options{Loop: loop, Source: d, Auto: auto}), d}
	f.script = func() error {
		if begun.Title != "" {
			f.tell(Title{begun.Title + " · 강사의 화면"})
		}
		return f.follow()
	}
	return f
}

// Close ends the session.
func (f *Following) Close() { f.demo.session.Close() }

// Then is the lesson that came after this one; false where the play ended otherwise.
func (f *Following) Then() (Begun, bool) {
	if f.demo.then == nil {
		return Begun{}, false
	}
	return *f.demo.then, true
}

// follow tells what comes until the next lesson begins, or, where nobody types, the demo is
// over.
func (f *Following) follow() error {
	for {
		events, changed := f.demo.Heard()
		if i := slices.Index(events, Event(Late{})); i >= 0 {
			events = f.catchUp(events[i+1:])
		}
		for _, e := range events {
			f.mirror(e)
		}
		switch {
		case f.left: // a pipe that was closed
			return ErrQuit
		case f.demo.then != nil:
			return nil
		case f.Auto && slices.Contains(events, Event(Over{})):
			return nil
		case f.Auto:
			select {
			case <-f.ctx.Done():
				return f.ctx.Err()
			case <-changed:
			}
			continue
		}
		line, err := f.await(ForDemo, changed)
		if err != nil {
			return err
		}
		if line != Wake && f.looks(line) == quit {
			return ErrQuit
		}
	}
}

// mirror tells one event as the instructor's play has told it.
func (f *Following) mirror(e Event) {
	switch e := e.(type) {
	case Begun:
		f.demo.then = &e
	case trace.Frame:
		f.hear(e)
	case Shown:
		if x, ok := f.newest(); ok {
			f.show(x, false)
		}
	case Rowed:
		if x, ok := f.newest(); ok {
			f.tell(Pass{OfPass(f.session.Frames(), x.Pass), f.start()})
		}
	case Failed:
		f.note("강사의 클러스터에서 이 단계가 실패했습니다. 강사가 다시 실행하면 이어집니다.")
	case Missed:
		f.note("여기까지의 일부는 너무 크거나 오래되어 받지 못했습니다. 여기부터 이어서 보여 드립니다.")
	case Over:
		text := "강사의 시연이 끝났습니다."
		if !f.Auto {
			text += " 지나간 단계는 그대로 보실 수 있고, q로 끝내실 수 있습니다. 강사가 새로 시작하면 이어서 보여 드립니다."
		}
		f.note(text)
	default:
		f.tell(e)
	}
}

// hear takes a frame in.
func (f *Following) hear(x trace.Frame) {
	f.latest()
	f.demo.frame = x
	_, _ = f.session.Next() // what comes is no step of ours, and cannot fail
	f.shownAgain = false
}

// newest is the frame that came last.
func (f *Following) newest() (x trace.Frame, ok bool) {
	frames := f.session.Frames()
	if len(frames) == 0 {
		return x, false
	}
	return frames[len(frames)-1], true
}

// catchUp takes in what was before the step that is on the instructor's screen, for who
// comes later, and returns the rest: what the lesson has said of this step, and after.
func (f *Following) catchUp(events []Event) []Event {
	var ends []int
	for i, e := range events {
		if _, shown := e.(Shown); shown {
			ends = append(ends, i)
		}
	}
	if len(ends) < 2 {
		return events
	}
	from := ends[len(ends)-2] + 1
	for from < len(events) && !opens(events[from]) {
		from++
	}
	for _, e := range events[:from] {
		switch e := e.(type) {
		case trace.Frame:
			f.hear(e)
		case Missed:
			f.mirror(e)
		}
	}
	f.note(fmt.Sprintf("이 수업은 이미 진행 중입니다. 지금 강사가 보여 주는 단계부터 보여 드립니다. 앞의 %d개는 b로 거슬러 보실 수 있습니다.", len(f.session.Frames())))
	return events[from:]
}

// opens tells of what comes before a step.
func opens(e Event) bool {
	switch e.(type) {
	case Prose, Coming, Question, Running, trace.Frame:
		return true
	}
	return false
}

// FollowVerbs are the verbs of who follows.
func FollowVerbs() []Verb {
	one := func(s *engine.Session) trace.Frame { x, _ := s.Next(); return x }
	newest := func(s *engine.Session) trace.Frame { x, _ := s.Seek(len(s.Frames()) - 1); return x }
	all := []Verb{
		{Names: []string{"앞으로", Next, "n", "다음", "Enter"}, Key: "Enter", Help: "지나간 단계를 보고 계실 때 한 단계 앞으로 갑니다. 새 단계는 강사가 실행합니다.", do: forth(one)},
		{Names: []string{"지금", "now"}, Key: "지금", Help: "지나간 단계를 보고 계실 때 지금의 단계로 돌아옵니다.", do: forth(newest)},
	}
	for _, name := range []string{"back", "facts", "help", Quit} {
		v, _ := verb(name)
		all = append(all, v)
	}
	all[4].do = func(p *Play, _ string) flow { p.tell(Help{Following: true}); return stay }
	all[5].Help = "따라가기를 끝냅니다."
	return all
}

// looks carries out what somebody does who may only look.
func (f *Following) looks(line string) flow {
	verbs := FollowVerbs()
	if i := slices.IndexFunc(verbs, func(v Verb) bool { return called(v.Names, cmp.Or(line, Next)) }); i >= 0 {
		return verbs[i].do(f.Play, "")
	}
	if _, _, known := spoken(line); known {
		f.note(onlyLooks)
	} else {
		f.note(unknownCommand(line))
	}
	return stay
}

const onlyLooks = "강사의 화면을 따라가고 계십니다. 단계는 강사만 실행하고, 강사가 넘기면 저절로 이어집니다."

// forth shows a step after the one that is looked at.
func forth(to func(*engine.Session) trace.Frame) func(*Play, string) flow {
	return alone(func(p *Play) flow {
		if p.session.Live() {
			p.note(onlyLooks)
			return stay
		}
		p.show(to(p.session), true)
		if p.session.Live() {
			p.note("가장 최근 단계로 돌아왔습니다. 강사가 넘기면 이어집니다.")
		}
		return stay
	})
}
