package play

import (
	"context"
	"maps"
	"slices"

	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/lessons"
)

// Retold is a source of frames without a cluster: those of a recording.
type Retold struct {
	session   *engine.Session
	frames    []trace.Frame
	simulated bool
}

// Retell makes one. Its session must be closed.
func Retell(frames []trace.Frame, simulated bool) *Retold {
	r := &Retold{frames: frames, simulated: simulated}
	r.session = engine.NewSession(func(yield func(trace.Frame, error) bool) {
		for _, f := range frames {
			if !yield(f, nil) {
				return
			}
		}
	})
	return r
}

// Session is the loop as it was recorded.
func (r *Retold) Session() *engine.Session { return r.session }

// Info tells nothing of a cluster: there is none.
func (r *Retold) Info() engine.Info { return engine.Info{Simulated: r.simulated} }

// LoadChanged tells whether the pods were measured to use something else in the next pass:
// a recording does not know what load was offered. Where the pods are not those of the
// passes before, they share the same load in another way, and are not compared.
func (r *Retold) LoadChanged() bool {
	n := len(r.session.Frames())
	if n == 0 || n >= len(r.frames) {
		return false
	}
	pass := r.frames[n-1].Pass
	before, now, next := r.usage(pass-1), r.usage(pass), r.usage(r.frames[n].Pass)
	return (len(before) == 0 || samePods(before, now)) && samePods(now, next) && !maps.Equal(now, next)
}

// usage is what was measured in a pass, by pod.
func (r *Retold) usage(pass int) map[string]string {
	all := map[string]string{}
	for _, f := range r.frames {
		for _, x := range f.Facts {
			if f.Pass == pass && engine.Base(x.Name) == "podMetric" {
				all[x.Name] = x.Value
			}
		}
	}
	return all
}

func samePods(a, b map[string]string) bool {
	return maps.EqualFunc(a, b, func(string, string) bool { return true })
}

// Chapter is a part of a lesson with the frames that were executed in it.
type Chapter struct {
	From, To int     // indices of its first frame and of the one behind its last
	Before   []Event // what the lesson said before them: prose, what was coming, questions
	After    []Event // behind the last: what came of the questions, and the end of the lesson
}

// Chapters holds a lesson against the frames that were recorded of it. A lesson that was
// left early, or was written anew since, has fewer chapters than it has parts.
func Chapters(ctx context.Context, l lessons.Lesson, loop engine.Definition, frames []trace.Frame, simulated bool) (all []Chapter) {
	source := Retell(frames, simulated)
	defer source.session.Close()
	p := New(Options{Lesson: l, Loop: loop, Source: source, Auto: true, Save: func(state.Lesson) {}})
	var c Chapter
	for e := range p.Events(ctx) {
		n := len(source.session.Frames())
		switch e.(type) {
		case Verdicts:
			c.After = append(c.After, e)
		case Prose, Coming, Question:
			if n > c.From { // the frames of the chapter before have been executed
				c.To = n
				all, c = append(all, c), Chapter{From: n}
			}
			c.Before = append(c.Before, e)
		}
	}
	if c.To = len(source.session.Frames()); c.To > c.From {
		return append(all, c)
	}
	if len(all) > 0 { // nothing was executed after it
		end := slices.DeleteFunc(c.Before, func(e Event) bool { _, prose := e.(Prose); return !prose })
		all[len(all)-1].After = append(all[len(all)-1].After, end...)
	}
	return all
}
