package play

import "github.com/stepscale/stepscale/engine/trace"

// Scrub is where a frame is among all of a recording.
type Scrub struct {
	Index, Len int // counted from 0
	Turns      []Turn
}

// Turn is a frame that changed the pods' number or size.
type Turn struct {
	Index int
	Place string // as goto takes it
}

// scrub is where the cursor is.
func (r *Replay) scrub() Scrub {
	if r.turns == nil {
		r.turns = []Turn{}
		for i := range r.Recording.Len() {
			if r.moved(i) {
				r.turns = append(r.turns, Turn{i, r.place(i).String()})
			}
		}
	}
	return Scrub{Index: r.cursor, Len: r.Recording.Len(), Turns: r.turns}
}

// before are the frames of the passes before the cursor, as many as a face wants to know
// of, and those of its own pass up to it. What was read once is not read again.
func (r *Replay) before() []trace.Frame {
	if r.Before <= 0 {
		return nil
	}
	from, _ := r.Recording.Pass(max(r.Recording.Row(r.cursor).Pass-r.Before, r.Recording.Row(0).Pass))
	all := make([]trace.Frame, 0, r.cursor-from)
	for i := from; i < r.cursor; i++ {
		if at := i - r.readFrom; at >= 0 && at < len(r.read) {
			all = append(all, r.read[at])
			continue
		}
		f, err := r.Recording.Frame(i)
		if err != nil { // the frame under the cursor tells
			break
		}
		f.Inputs, f.Kubectl = nil, ""
		all = append(all, f)
	}
	r.readFrom, r.read = from, all
	return all[:len(all):len(all)]
}

// chapter tells what the lesson said before the step under the cursor, where that is
// another part of it than what was told last.
func (r *Replay) chapter() (c Chapter, ok bool) {
	for i, c := range r.Chapters {
		if r.cursor < c.From || r.cursor >= c.To {
			continue
		}
		if i+1 != r.reading {
			r.reading = i + 1
			for _, e := range c.Before {
				r.tell(e)
			}
		}
		return c, true
	}
	r.reading = 0
	return c, false
}
