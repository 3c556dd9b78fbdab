package why

import (
	"errors"
	"strconv"
	"time"

	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/trace"
)

// ErrNone tells that no HPA decided in a pass.
var ErrNone = errors.New("no decision of an HPA")

// Pass is the answer for the decision that was recorded in the frames of a pass, and the
// index of its frame; ErrNone where there is none.
func Pass(frames []trace.Frame) (a Answer, at int, err error) {
	for i, f := range frames {
		if f.Step != hpa.UpdateStep && f.Step != hpa.ActualStep || len(f.Inputs) == 0 || f.Err != "" {
			continue
		}
		r, err := hpa.ReadRecorded(f.Inputs)
		if err != nil {
			return Answer{}, i, err
		}
		return Of(r), i, nil
	}
	return Answer{}, 0, ErrNone
}

// Facts are the changes as a lesson asks about them: "whyMore/usage" is the usage from which
// on there would have been more replicas, "whyLess/usage" fewer. Of two metrics it is the first.
func (a Answer) Facts() (facts []trace.Fact) {
	seen := map[string]bool{}
	for _, c := range a.Changes {
		name := "whyMore/" + string(c.Kind)
		if c.Desired < a.Desired {
			name = "whyLess/" + string(c.Kind)
		}
		if !seen[name] {
			facts = append(facts, trace.Fact{Name: name, Value: c.Text(c.To)})
		}
		seen[name] = true
	}
	return facts
}

// Text is a value of the input as it is written in a manifest or told by a step.
func (c Change) Text(v int64) string {
	switch c.Unit {
	case Percent:
		return strconv.FormatInt(v, 10) + "%"
	case Milli:
		return hpa.Quantity(c.Metric, v)
	case Bytes:
		return hpa.Quantity(c.Metric, v*1000)
	case Seconds:
		return (time.Duration(v) * time.Second).String()
	case Thousandth:
		return strconv.FormatFloat(float64(v)/1000, 'f', -1, 64)
	}
	return strconv.FormatInt(v, 10)
}

// number is a fact that is a count; 0 where it is not there.
func number(text string) int32 {
	n, _ := strconv.ParseInt(text, 10, 32)
	return int32(n)
}
