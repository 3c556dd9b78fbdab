package board

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/engine/outside"
	"github.com/stepscale/stepscale/engine/trace"
)

const (
	// MaxDemo is how many bytes of etcd a demo takes, whatever is shown and however long.
	MaxDemo = 192 << 10
	// mostParts is how many bytes the newest parts may have before they are packed.
	mostParts = 1 << 20
	// mostPart is how many a single one may have: three of them fit whatever is in them.
	mostPart = 48 << 10
	// mostReel is how many bytes who follows unpacks.
	mostReel = 4 * mostParts
)

// reel is the newest parts of a demo. Those who follow are told of a part by its number,
// which counts from the demo's beginning: who was away for a while finds where to go on.
type reel struct {
	ID    string            `json:"id"`    // another for each demo
	First int               `json:"first"` // the number of the first part that is here
	Parts []json.RawMessage `json:"parts"`
	// Lesson is how the lesson began to which the first part belongs, where that is not
	// here any more: its Begun, and its first frame, from which time is counted. Begun is
	// the number of the former.
	Lesson []json.RawMessage `json:"lesson,omitempty"`
	Begun  int               `json:"begun,omitempty"`
	Over   bool              `json:"over,omitempty"`
}

// encodeParts is an event as it is sent, no larger than mostPart, with what could move a
// terminal escaped as in a recording. Where not all of it is sent, that is sent, too.
func encodeParts(e play.Event) []json.RawMessage {
	part, ok := encodePart(e)
	if ok {
		return []json.RawMessage{part}
	}
	missed, _ := encodePart(play.Missed{})
	if f, is := e.(trace.Frame); is {
		if part, ok = encodePart(thin(f)); ok {
			return []json.RawMessage{part, missed}
		}
	}
	return []json.RawMessage{missed}
}

func encodePart(e play.Event) (json.RawMessage, bool) {
	raw, err := play.EncodePart(e)
	var b bytes.Buffer
	if err == nil {
		_, err = outside.JSONWriter(&b).Write(raw)
	}
	return b.Bytes(), err == nil && b.Len() <= mostPart
}

// mostThings is how much of each kind is kept of a frame that is too large, and mostValue
// how long a text may be then.
const (
	mostThings = 40
	mostValue  = 100
)

// thin is a frame that is too large to be sent: of a thousand pods, those that come first.
func thin(f trace.Frame) trace.Frame {
	f.Facts = slices.Clone(f.Facts[:min(len(f.Facts), mostThings)])
	for i, x := range f.Facts {
		f.Facts[i] = trace.Fact{Name: begin(x.Name, mostValue), Value: begin(x.Value, mostValue), Expr: begin(x.Expr, mostValue)}
	}
	f.Changes = slices.Clone(f.Changes[:min(len(f.Changes), mostThings)])
	for i, c := range f.Changes {
		f.Changes[i] = trace.Change{Object: begin(c.Object, mostValue), Field: begin(c.Field, mostValue), From: begin(c.From, mostValue), To: begin(c.To, mostValue)}
	}
	return trace.Frame{Pass: f.Pass, Step: f.Step, Subject: f.Subject, Actor: f.Actor, At: f.At, Err: f.Err, Facts: f.Facts, Changes: f.Changes}
}

// with is the reel with one more part; as many of the oldest go as are too many.
func (r reel) with(part json.RawMessage) reel {
	r.Parts = append(r.Parts, part) // behind what anybody else has in hand
	size := 0
	for _, p := range r.Parts {
		size += len(p)
	}
	if size <= mostParts {
		return r
	}
	n := 0
	for ; size > mostParts*3/4 && n < len(r.Parts)-1; n++ { // not again with the very next one
		size -= len(r.Parts[n])
	}
	return r.without(n)
}

// without is the reel without so many of its oldest parts.
func (r reel) without(n int) reel {
	for i, p := range r.Parts[:n] {
		switch {
		case is(p, play.Begun{}):
			r.Lesson, r.Begun = []json.RawMessage{p}, r.First+i
		case len(r.Lesson) == 1 && is(p, trace.Frame{}):
			r.Lesson = []json.RawMessage{r.Lesson[0], p}
		}
	}
	r.First, r.Parts = r.First+n, r.Parts[n:]
	return r
}

// is tells of what kind a part is.
func is(part json.RawMessage, kind play.Event) bool {
	e, err := play.DecodePart(part)
	return err == nil && play.SamePart(e, kind)
}

// encode packs the reel, with as many of the oldest parts left out as do not fit.
func (r reel) encode() []byte {
	for {
		packed := pack(r)
		if len(packed) <= MaxDemo || len(r.Parts) <= 1 {
			return packed
		}
		r = r.without((len(r.Parts) + 3) / 4)
	}
}

func pack(r reel) []byte {
	raw, err := json.Marshal(r)
	if err != nil {
		return nil // it is made of what was encoded
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(raw) // into memory
	_ = z.Close()
	return b.Bytes()
}

// decodeReel unpacks one; what is too large is an error, as is what is none.
func decodeReel(packed []byte) (r reel, err error) {
	if len(packed) > MaxDemo {
		return r, &outside.SizeError{Size: int64(len(packed)), Limit: MaxDemo}
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return r, err
	}
	raw, err := io.ReadAll(outside.AtMost(z, mostReel, &outside.SizeError{Size: mostReel + 1, Limit: mostReel}))
	if err != nil {
		return r, err
	}
	if err = json.Unmarshal(raw, &r); err == nil && r.First < 0 {
		err = errors.New("parts before the first")
	}
	return r, err
}

// events are those of parts; what this program does not know is left out.
func events(parts []json.RawMessage) (all []play.Event) {
	for _, p := range parts {
		if e, err := play.DecodePart(p); err == nil {
			all = append(all, e)
		}
	}
	return all
}
