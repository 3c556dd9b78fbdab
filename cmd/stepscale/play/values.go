package play

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/engine/trace"
)

func (r *Replay) facts(string) flow {
	if f, ok := r.frame(r.cursor); ok {
		r.tell(Facts{f})
	}
	return stay
}

// print shows what a fact was, and when it changed.
func (r *Replay) print(arg string) flow {
	name := recording.FactName(arg)
	all := r.Recording.Values(name)
	if len(all) == 0 {
		text := "출력할 값의 이름을 적어 주십시오. 이 단계의 값은 f로 볼 수 있습니다."
		if arg != "" {
			text = Misunderstood(&recording.FactError{Name: name}, r.Recording)
		}
		return r.refuse(text)
	}
	s := Series{Fact: name}
	texts := make([]string, len(all))
	for i, v := range all {
		texts[i] = v.Text
		s.Values = append(s.Values, Sample{Pass: r.Recording.Row(v.Frame).Pass, After: r.sinceStart(v.Frame), Text: v.Text})
	}
	s.Numbers, _ = recording.Numbers(texts...)
	r.tell(s)
	return stay
}

// list shows the steps of the pass.
func (r *Replay) list(string) flow {
	first, end := r.Recording.Pass(r.Recording.Row(r.cursor).Pass)
	var l List
	for i := first; i < end; i++ {
		row := r.Recording.Row(i)
		l = append(l, Listed{Place: r.place(i), Step: row.Step, Here: i == r.cursor, Moved: r.moved(i), Failed: row.Failed})
	}
	r.tell(l)
	return stay
}

// search goes to the next frame that has the text in it; case does not matter.
func (r *Replay) search(text string) flow {
	if text == "" {
		return r.refuse("찾으실 글을 적어 주십시오. 예: 찾기 replicaset")
	}
	wanted := strings.ToLower(text)
	for i := r.cursor + 1; i < r.Recording.Len() && r.ctx.Err() == nil; i++ {
		f, ok := r.frame(i)
		if !ok {
			return stay
		}
		if slices.ContainsFunc(texts(f), func(s string) bool { return strings.Contains(strings.ToLower(s), wanted) }) {
			r.passed(r.cursor, i)
			r.to(i)
			return stay
		}
	}
	return r.refuse(fmt.Sprintf("여기부터 기록의 끝까지 %s 없습니다. 처음부터 찾으시려면 '이동 처음' 뒤에 다시 찾아 주십시오.", korean.Topic("'"+text+"'")))
}

// texts are what can be found in a frame.
func texts(f trace.Frame) []string {
	all := []string{string(f.Step), f.Actor, f.Err}
	for _, x := range f.Facts {
		all = append(all, x.Name, x.Value, x.Expr)
	}
	for _, c := range f.Changes {
		all = append(all, c.Object, c.Field, c.From, c.To)
	}
	for _, c := range f.Calls {
		all = append(all, c.Actor, c.Verb+" "+c.Path)
	}
	for _, w := range f.Waiting {
		all = append(all, w.Actor, w.Verb+" "+w.Path)
	}
	for _, e := range f.Events {
		all = append(all, e.Actor, e.What, e.Object, e.Detail)
	}
	return all
}

// diff compares two passes; one with that under the cursor.
func (r *Replay) diff(arg string) flow {
	passes := []int{r.Recording.Row(r.cursor).Pass}
	for _, word := range strings.Fields(arg) {
		n, err := strconv.Atoi(word)
		first, end := r.Recording.Pass(n)
		if err != nil || first == end {
			return r.refuse(fmt.Sprintf("패스 %s 이 기록에 없습니다. %d부터 %d까지 있습니다. 예: 비교 3 7", korean.Topic(word), r.Recording.Row(0).Pass, r.place(0).Passes))
		}
		passes = append(passes, n)
	}
	switch len(passes) {
	case 2:
		passes[0], passes[1] = passes[1], passes[0]
	case 3:
		passes = passes[1:]
	default:
		return r.refuse("비교할 패스를 하나나 둘 적어 주십시오. 예: 비교 3 7")
	}
	a, b := r.ofPass(passes[0]), r.ofPass(passes[1])
	r.tell(Differences{A: passes[0], B: passes[1], All: differences(a, b, r.Loop.Facts)})
	return stay
}

func (r *Replay) ofPass(n int) (frames []trace.Frame) {
	first, end := r.Recording.Pass(n)
	for i := first; i < end; i++ {
		if f, ok := r.frame(i); ok {
			frames = append(frames, f)
		}
	}
	return frames
}

// differences are the facts that are not the same in two passes, in the order of the
// steps. Times of the day are left out: they never are.
func differences(a, b []trace.Frame, facts engine.Facts) (all []Difference) {
	other := map[trace.StepID]trace.Frame{}
	for _, f := range b {
		other[f.Step] = f
	}
	seen := map[trace.StepID]bool{}
	for _, f := range a {
		seen[f.Step] = true
		g, ok := other[f.Step]
		if !ok {
			all = append(all, Difference{Step: f.Step, OnlyA: true})
			continue
		}
		all = append(all, differ(f, g, facts)...)
	}
	for _, g := range b {
		if !seen[g.Step] {
			all = append(all, Difference{Step: g.Step, OnlyB: true})
		}
	}
	return all
}

// differ compares the facts of one step, by name and by how often the name came.
func differ(f, g trace.Frame, facts engine.Facts) (all []Difference) {
	type key struct {
		name string
		n    int
	}
	values := func(f trace.Frame) (keys []key, by map[key]trace.Fact) {
		by, count := map[key]trace.Fact{}, map[string]int{}
		for _, x := range f.Facts {
			if unit, _ := facts.Unit(x.Name); unit == engine.Clock {
				continue
			}
			k := key{x.Name, count[x.Name]}
			count[x.Name]++
			keys, by[k] = append(keys, k), x
		}
		return keys, by
	}
	keysA, ofA := values(f)
	keysB, ofB := values(g)
	for _, k := range keysB {
		if _, ok := ofA[k]; !ok {
			keysA = append(keysA, k)
		}
	}
	for _, k := range keysA {
		if x, y := ofA[k], ofB[k]; x.Value != y.Value {
			all = append(all, Difference{Step: f.Step, Fact: k.name, ValueA: x.Value, ExprA: x.Expr, ValueB: y.Value, ExprB: y.Expr})
		}
	}
	return all
}

type (
	// Replayed is a frame of a recording.
	Replayed struct {
		Frame     trace.Frame
		Before    []trace.Frame // of the passes before it, and of its own; see ReplayOptions
		After     []Event       // what the lesson said behind it
		Start     time.Time     // loop time of the first frame
		Simulated bool
		Place     Place
		Scrub     Scrub
		Last      bool // of the recording
		Beside    bool // a learner looks at it beside the lesson, which stands elsewhere
	}
	// Place is where a frame is in a recording, counted from 1.
	Place struct{ Pass, Passes, Step, Steps int }
	// Series is what a fact was over time.
	Series struct {
		Fact    string
		Values  []Sample
		Numbers []float64 // that the values are; none where they are words
	}
	// Sample is a value of a series.
	Sample struct {
		Pass  int
		After time.Duration // since the first frame, in loop time
		Text  string
	}
	// List are the steps of a pass.
	List []Listed
	// Listed is one of them.
	Listed struct {
		Place               Place
		Step                trace.StepID
		Here, Moved, Failed bool
	}
	// Differences hold one pass against another.
	Differences struct {
		A, B int
		All  []Difference
	}
	// Difference is a fact that is not the same in two passes, or a step that only one has.
	Difference struct {
		Step                         trace.StepID
		Fact                         string
		ValueA, ExprA, ValueB, ExprB string
		OnlyA, OnlyB                 bool
	}
	// ReplayHelp shows the table of commands.
	ReplayHelp struct{}
)

// String is a place as goto takes it: "3.5" is the fifth step of the third pass.
func (p Place) String() string { return fmt.Sprintf("%d.%d", p.Pass, p.Step) }
