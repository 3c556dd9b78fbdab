// Package trace holds what one executed step of a control loop did: the facts
// it computed, the API calls it made and the changes they left. A recording is
// a sequence of frames as JSON lines. The package is the floor of the house
// and imports the standard library only.
package trace

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// StepID names a step as loop/number-name/substep, for example
// "hpa/2-replicas/tolerance". The number is the seed document's.
type StepID string

// Loop is the name of the loop that the step belongs to: "hpa".
func (id StepID) Loop() string {
	loop, _, _ := strings.Cut(string(id), "/")
	return loop
}

// Fact is one value that a step read or computed. Expr is the arithmetic with
// the real numbers in it; it is empty where the value was read, not computed.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Expr  string `json:"expr,omitempty"`
}

// Change is one field of one API object as it was before the step and after.
type Change struct {
	Object string `json:"object"` // "deployment/web"
	Field  string `json:"field"`  // "spec.replicas"
	From   string `json:"from"`
	To     string `json:"to"`
}

// Call is one request that an actor really sent to an API server or a kubelet.
type Call struct {
	Actor   string        `json:"actor"`
	Verb    string        `json:"verb"` // GET, POST, PUT, PATCH, DELETE
	Path    string        `json:"path"`
	Status  int           `json:"status"`  // HTTP status; 0 when no answer came
	Latency time.Duration `json:"latency"` // nanoseconds of machine time, to a tenth of a millisecond
	// Cached marks a read for which upstream's actor sends no request: it has what it asks
	// for in the cache of an informer, which a watch keeps up.
	Cached bool `json:"cached,omitempty"`
}

// Waiting is an actor that has work to do and may not do it yet: its write is
// held by the gate.
type Waiting struct {
	Actor string `json:"actor"`
	Verb  string `json:"verb"`
	Path  string `json:"path"`
}

// Frame is one executed step.
type Frame struct {
	Pass    int             `json:"pass"` // 1 for the first pass of the loop
	Step    StepID          `json:"step"`
	Subject string          `json:"subject"` // "namespace/name" of the autoscaler
	Actor   string          `json:"actor,omitempty"`
	At      time.Time       `json:"at"` // loop time: virtual on the embedded cluster
	Facts   []Fact          `json:"facts,omitempty"`
	Changes []Change        `json:"changes,omitempty"`
	Calls   []Call          `json:"calls,omitempty"`
	Waiting []Waiting       `json:"waiting,omitempty"`
	Seen    []Sighting      `json:"seen,omitempty"`    // where nothing holds the actors back
	Events  []Event         `json:"events,omitempty"`  // of the scenario, while the step let time pass
	Kubectl string          `json:"kubectl,omitempty"` // the command that shows the same state
	Inputs  json.RawMessage `json:"inputs,omitempty"`  // enough to compute the decision again
	Err     string          `json:"err,omitempty"`
}

// Add records a fact; expr may be empty.
func (f *Frame) Add(name, value, expr string) {
	f.Facts = append(f.Facts, Fact{Name: name, Value: value, Expr: expr})
}

// Fact returns the value of the first fact with that name.
func (f *Frame) Fact(name string) (string, bool) {
	for _, x := range f.Facts {
		if x.Name == name {
			return x.Value, true
		}
	}
	return "", false
}

// Write appends the frame to w as one JSON line.
func (f *Frame) Write(w io.Writer) error {
	b, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("encode frame %s: %w", f.Step, err)
	}
	_, err = w.Write(append(b, '\n'))
	return err
}
