package play

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/engine/trace"
)

// ReplayOptions are what a replay is made of.
type ReplayOptions struct {
	Recording *recording.Recording
	Loop      engine.Definition // of the recording; empty where it is not known
	Chapters  []Chapter         // of the lesson that it is of
	Before    int               // passes before the cursor that the face wants to know of
	// Fork plays the recording on from a pass, or from its beginning (0), with something set
	// otherwise; nil where it cannot. An error's text is Korean.
	Fork func(pass int, sets []string) (Forked, error)
}

// Replay is somebody who moves over a recording. Nothing is executed: there is no
// cluster.
type Replay struct {
	ReplayOptions
	talk

	cursor int
	breaks []stopAt
	marks  map[string]int

	turns    []Turn        // see Scrub
	readFrom int           // the index of the first frame of those
	read     []trace.Frame // that were read last
	reading  int           // the chapter that was told last, counted from 1
	beside   bool          // somebody looks around beside a lesson
	refused  string        // why the last command could not be carried out; empty where it was
}

// stopAt is where a continue stops: a step, or a condition.
type stopAt struct {
	text string
	find func(from int) (int, bool)
}

// NewReplay is a replay of a recording, which has a frame at least.
func NewReplay(o ReplayOptions) *Replay {
	r := &Replay{ReplayOptions: o, marks: map[string]int{}}
	r.script = r.all
	return r
}

func (r *Replay) all() error {
	r.show()
	for last := Next; ; {
		line, err := r.await(ForReplay, nil)
		if err != nil {
			return err
		}
		last = cmp.Or(line, last) // Enter does the same again
		if r.do(last) == quit {
			return ErrQuit
		}
		if err := r.ctx.Err(); err != nil {
			return err
		}
	}
}

// do carries a line out: a command and what it is about.
func (r *Replay) do(line string) flow {
	if text, ok := strings.CutPrefix(line, "/"); ok { // as pagers have it
		line = "/ " + text
	}
	name, arg, _ := strings.Cut(line, " ")
	c, ok := command(name)
	if !ok {
		return r.refuse(unknownCommand(line) + perhaps(name, commandNames()))
	}
	return c.do(r, strings.TrimSpace(arg))
}

// to shows the frame with that index, within the recording.
func (r *Replay) to(i int) {
	r.cursor = min(max(i, 0), r.Recording.Len()-1)
	r.show()
}

func (r *Replay) show() {
	f, ok := r.frame(r.cursor)
	if !ok {
		return
	}
	c, told := r.chapter()
	e := Replayed{Frame: f, Before: r.before(), Start: r.Recording.Row(0).At, Simulated: r.Recording.Header.Virtual, Place: r.place(r.cursor), Scrub: r.scrub(), Last: r.cursor == r.Recording.Len()-1, Beside: r.beside}
	if told && r.cursor == c.To-1 {
		e.After = c.After
	}
	r.tell(e)
}

// frame reads a frame. The kubectl command that it was recorded with is left out: it shows
// a cluster, and not this moment of it.
func (r *Replay) frame(i int) (trace.Frame, bool) {
	f, err := r.Recording.Frame(i)
	if err != nil {
		r.refuse(fmt.Sprintf("기록의 %d번째 줄을 다시 읽지 못했습니다. 파일이 그 사이에 바뀐 것 같습니다. q로 끝내고 다시 열어 주십시오. (%v)", r.Recording.Row(i).Line, err))
		return f, false
	}
	f.Kubectl = ""
	return f, true
}

// refuse says why a command cannot be carried out.
func (r *Replay) refuse(text string) flow {
	r.refused = text
	r.note(text)
	return stay
}

// place says where a frame is.
func (r *Replay) place(i int) Place {
	pass := r.Recording.Row(i).Pass
	first, end := r.Recording.Pass(pass)
	return Place{Pass: pass, Passes: r.Recording.Row(r.Recording.Len() - 1).Pass, Step: i - first + 1, Steps: end - first}
}

// item is the number of the seed's step that a frame belongs to: "hpa/2-replicas".
func item(step trace.StepID) string {
	parts := strings.SplitN(string(step), "/", 3)
	return strings.Join(parts[:min(len(parts), 2)], "/")
}

// moved tells whether a frame changed the pods' number or size. Of a loop that is not
// known, everything counts that is no status.
func (r *Replay) moved(i int) bool {
	row := r.Recording.Row(i)
	return row.Moved && (r.Loop.Name == "" || r.Loop.Changes(row.Step))
}

// passed says how many passes lie between two frames.
func (r *Replay) passed(from, to int) {
	a, b := r.Recording.Row(from), r.Recording.Row(to)
	if a.Pass != b.Pass {
		r.note(fmt.Sprintf("패스 %d개를 지나왔습니다.", b.Pass-a.Pass))
	}
}

// nextStop is the next frame after the cursor in which something changed, or at which a
// break is.
func (r *Replay) nextStop() (at int, why string, ok bool) {
	at = r.Recording.Len()
	for i := r.cursor + 1; i < r.Recording.Len(); i++ {
		if r.moved(i) {
			at, ok = i, true
			break
		}
	}
	for _, b := range r.breaks {
		if i, found := b.find(r.cursor + 1); found && i <= at {
			at, why, ok = i, b.text, true
		}
	}
	return at, why, ok
}

// stopAt understands what a continue or a break is given: a condition, a step by its end,
// or a fact that changes.
func (r *Replay) stopAt(text string) (stopAt, error) {
	if step, ok := r.step(text); ok {
		return stopAt{string(step), func(from int) (int, bool) {
			for i := from; i < r.Recording.Len(); i++ {
				if r.Recording.Row(i).Step == step {
					return i, true
				}
			}
			return 0, false
		}}, nil
	}
	c, err := r.Recording.Condition(text)
	if err != nil {
		return stopAt{}, err
	}
	return stopAt{c.String(), func(from int) (int, bool) { return r.Recording.Find(c, from) }}, nil
}

// step is that of the recording that is named in full or by its end.
func (r *Replay) step(name string) (trace.StepID, bool) {
	for _, id := range r.steps() {
		if string(id) == name || strings.HasSuffix(string(id), "/"+name) {
			return id, true
		}
	}
	return "", false
}

// steps are those that the recording has, in order.
func (r *Replay) steps() []trace.StepID {
	if ids := r.Recording.Header.Steps; len(ids) > 0 {
		return ids
	}
	seen := map[trace.StepID]int{}
	for i := range r.Recording.Len() {
		if id := r.Recording.Row(i).Step; seen[id] == 0 {
			seen[id] = i + 1
		}
	}
	return slices.SortedFunc(maps.Keys(seen), func(a, b trace.StepID) int { return seen[a] - seen[b] })
}

// Begin moves to a place before the replay begins; see Find.
func (r *Replay) Begin(place string) error {
	at, err := r.Find(place)
	if err == nil {
		r.cursor = at
	}
	return err
}

// Until moves on to the first frame, from the cursor on, of a step or in which a condition
// is so, and tells whether there is one.
func (r *Replay) Until(text string) (bool, error) {
	s, err := r.stopAt(text)
	if err != nil {
		return false, err
	}
	at, ok := s.find(r.cursor)
	if ok {
		r.cursor = at
	}
	return ok, nil
}

// Here is the frame under the cursor, and Place where that is.
func (r *Replay) Here() (trace.Frame, error) { return r.Recording.Frame(r.cursor) }

// Place is where the cursor is.
func (r *Replay) Place() Place { return r.place(r.cursor) }
