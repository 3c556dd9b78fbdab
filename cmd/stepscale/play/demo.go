package play

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/stepscale/stepscale/engine/trace"
)

// What a demo is made of, beside the frames and those events of a play that everybody sees
// as the one who steps does.
type (
	// Begun begins a lesson.
	Begun struct {
		Title, Loop string
		Simulated   bool
	}
	// Shown shows the frame before it.
	Shown struct{}
	// Rowed tells of the pass that the frame before it ends.
	Rowed struct{}
	// Failed is a step that failed; what is wrong is the instructor's business.
	Failed struct{}
	// Missed tells that something before it is left out.
	Missed struct{}
	// Late tells that what follows, up to what is heard now, was shown before we came.
	Late struct{}
	// Over ends the demo.
	Over struct{}
)

// parts are the events that go from one program to another.
var parts = []Event{Begun{}, trace.Frame{}, Prose{}, Coming{}, Question{}, Hint{}, Shown{}, Running{}, Rowed{}, Passed{}, Verdicts{}, Failed{}, Missed{}, Finished{}}

// Mirrored is what those who follow are told of an event; false where nothing. What the
// instructor types, guesses and looks up stays on the instructor's screen.
func Mirrored(e Event) (Event, bool) {
	switch e := e.(type) {
	case Prose, Coming, Question, Hint, Running, Passed:
		return e, true
	case Finished:
		e.Next = "" // is the instructor's to say, and so is the command
		return e, true
	case Executed:
		return Shown{}, !e.Recorded
	case Pass:
		return Rowed{}, true
	case Trouble:
		return Failed{}, true
	case Verdicts:
		told := Verdicts{}
		for _, v := range e {
			if v.Kind == Right || v.Kind == Wrong || v.Kind == Differs { // whose guess it was is not told
				v.Kind = Answer
			}
			told = append(told, Verdict{Kind: v.Kind, Fact: v.Fact, Value: v.Value, Why: v.Why})
		}
		return told, true
	}
	return nil, false
}

// Public is a frame without what is nobody else's business, or of no use without the
// cluster: the command with which to look, what to decide it again with, where servers are.
func Public(f trace.Frame) trace.Frame {
	f.Kubectl, f.Inputs = "", nil
	if f.Err != "" {
		f.Err = "이 단계가 실패했습니다. 이유는 강사의 화면에 있습니다."
	}
	f.Calls = slices.Clone(f.Calls)
	for i := range f.Calls {
		f.Calls[i].Path = local(f.Calls[i].Path)
	}
	f.Waiting = slices.Clone(f.Waiting)
	for i := range f.Waiting {
		f.Waiting[i].Path = local(f.Waiting[i].Path)
	}
	return f
}

// local is a path without the server.
func local(path string) string {
	if strings.HasPrefix(path, "/") {
		return path
	}
	u, err := url.Parse(path)
	if err != nil {
		return "/"
	}
	return "/" + strings.TrimPrefix(u.Path, "/")
}

// EncodePart writes an event that is Mirrored, a Begun, or a frame.
func EncodePart(e Event) ([]byte, error) {
	return json.Marshal(map[string]Event{partName(e): e})
}

func partName(e Event) string { return reflect.TypeOf(e).Name() }

// SamePart tells whether two events are of one kind.
func SamePart(a, b Event) bool { return partName(a) == partName(b) }

// DecodePart reads what EncodePart has written. What a newer program may send and this one
// does not know is an error.
func DecodePart(raw []byte) (Event, error) {
	var named map[string]json.RawMessage
	if err := json.Unmarshal(raw, &named); err != nil {
		return nil, err
	}
	for _, known := range parts {
		body, ok := named[partName(known)]
		if !ok {
			continue
		}
		v := reflect.New(reflect.TypeOf(known))
		err := json.Unmarshal(body, v.Interface())
		return v.Elem().Interface(), err
	}
	return nil, fmt.Errorf("unknown part of a demo")
}
