package play

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/lessons"
)

// TestLoadIsKnownFromWhatPodsUse: of the same pods, in the next pass.
func TestLoadIsKnownFromWhatPodsUse(t *testing.T) {
	for usage, want := range map[string]string{
		"a1 a1 a2 a2":               "false false true false false",
		"a1 a2":                     "false true false",
		"a1 a1 a1b1 a2b2 a2b2":      "false false false false false false",
		"a1 a1b1 a1b1 a2b2 a2b2 a2": "false false false true false false false",
		"a1b2 a2b1":                 "false true false",
	} {
		var frames []trace.Frame
		for i, pods := range strings.Fields(usage) {
			f := trace.Frame{Pass: i + 1, Step: "l/1"}
			for ; pods != ""; pods = pods[2:] {
				f.Add("podMetric/"+pods[:1], pods[1:2], "")
			}
			f.Add("other", fmt.Sprint(i), "")
			frames = append(frames, f)
		}
		r := Retell(frames, true)
		defer r.Session().Close()
		got := fmt.Sprint(r.LoadChanged())
		for range frames {
			_, _ = r.Session().Next()
			got += fmt.Sprint(" ", r.LoadChanged())
		}
		if got != want {
			t.Errorf("%s: %s, want %s", usage, got, want)
		}
	}
}

// TestChapters: the frames of each step with what the lesson said before it, also where a step
// was told together with those before it; at its end is what it says behind the last one.
func TestChapters(t *testing.T) {
	blocks := []lessons.Block{
		{Kind: lessons.Prose, Text: "하나"}, {Kind: lessons.Step, Arg: "l/2-b/y"},
		{Kind: lessons.Prose, Text: "둘"}, {Kind: lessons.Predict, Arg: "n", Text: "몇?"}, {Kind: lessons.Step, Arg: "l/1-a/x"},
		{Kind: lessons.Prose, Text: "끝"}, {Kind: lessons.Step, Arg: "l/2-b/y"}, {Kind: lessons.Prose, Text: "맺음"},
	}
	var frames []trace.Frame
	for i := range 4 {
		f := step(loop.StepIDs()[i%2], fmt.Sprint(i))
		f.Pass = 1 + i/2
		frames = append(frames, f)
	}
	for executed, want := range map[int]string{
		4: "0-2 {하나} {l/2-b/y 단계를 실행합니다. 0s} | 2-3 {둘} {l/1-a/x 단계를 실행합니다. 0s} {몇? false} |[{3 n  2 [] }] 3-4 {끝} {l/2-b/y 단계를 실행합니다. 0s} |{맺음}",
		3: "0-2 {하나} {l/2-b/y 단계를 실행합니다. 0s} | 2-3 {둘} {l/1-a/x 단계를 실행합니다. 0s} {몇? false} |[{3 n  2 [] }]{끝}",
		0: "",
	} {
		var got []string
		for _, c := range Chapters(t.Context(), lessons.Lesson{Blocks: blocks}, loop, frames[:executed], true) {
			text := fmt.Sprintf("%d-%d ", c.From, c.To)
			for _, e := range c.Before {
				text += fmt.Sprint(e, " ")
			}
			text += "|"
			for _, e := range c.After {
				text += fmt.Sprint(e)
			}
			got = append(got, text)
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%d executed:\ngot  %s\nwant %s", executed, text, want)
		}
	}
}

// TestWhatWasBefore are the frames of the passes before the cursor and of its own, in whatever
// order somebody moves, without what takes room; with none wanted there are none.
func TestWhatWasBefore(t *testing.T) {
	for passes, want := range map[int]string{0: "0 0 0 0", 1: "0 5 6 4", 2: "0 9 10 8", 9: "0 13 14 16"} {
		r := NewReplay(ReplayOptions{Recording: recorded(t), Before: passes})
		lines := []string{"g 4.2", "s", "g 5.1"}
		var got []string
		for e := range r.Events(t.Context()) {
			switch e := e.(type) {
			case Replayed:
				got = append(got, fmt.Sprint(len(e.Before)))
				for i, f := range e.Before {
					if f.Kubectl != "" || f.Inputs != nil {
						t.Errorf("%s is kept: %+v", e.Place, f)
					}
					at, _ := r.Recording.Pass(e.Place.Pass) // of its first frame
					if row := r.Recording.Row(at + e.Place.Step - 1 - len(e.Before) + i); row.Pass != f.Pass || row.Step != f.Step {
						t.Errorf("%s: %d %s where %d %s is", e.Place, f.Pass, f.Step, row.Pass, row.Step)
					}
				}
			case Ask:
				if len(lines) > 0 {
					r.Type(lines[0])
					lines = lines[1:]
				}
			}
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%d passes: %s, want %s", passes, text, want)
		}
	}
}
