// Package recording keeps what a control loop did as a file: a header line that says
// what was recorded, then one frame a line. What is recorded can be read with no cluster.
package recording

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/stepscale/stepscale/engine/trace"
)

// Version is that of the format which is written. A reader takes older ones, and newer
// ones are refused: it could not know what it leaves out.
const Version = 1

// ErrNewer tells of a recording in a format that came after this program.
var ErrNewer = errors.New("the recording's format is newer than this program")

// Header is the first line of a recording. Recordings of before there was one have none.
type Header struct {
	Recording  int       `json:"recording"` // version of the format
	Made       time.Time `json:"made"`      // on this machine's clock
	Stepscale  string    `json:"stepscale,omitempty"`
	Kubernetes string    `json:"kubernetes,omitempty"` // version of the engine's upstream
	VPA        string    `json:"vpa,omitempty"`        // likewise
	Cluster    string    `json:"cluster,omitempty"`    // embedded, kind, context: its kind, never its name or address
	Virtual    bool      `json:"virtual"`              // the frames' times are virtual, the load and the nodes simulated
	Lesson     string    `json:"lesson,omitempty"`
	Loop       string    `json:"loop,omitempty"`
	Scenario   *Scenario `json:"scenario,omitempty"`

	Steps []trace.StepID `json:"steps,omitempty"` // of one pass, in order
}

// Scenario is what was played, whole: a recording stands alone.
type Scenario struct {
	Name     string `json:"name"`
	Objects  string `json:"objects,omitempty"`  // YAML
	Timeline string `json:"timeline,omitempty"` // YAML
}

// Write writes the header as the first line of a recording.
func (h Header) Write(w io.Writer) error {
	h.Recording = Version
	b, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("encode the header: %w", err)
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// header decodes a line that is one, and tells whether it is.
func header(line []byte) (h Header, ok bool, err error) {
	var probe struct {
		Recording *int `json:"recording"`
	}
	if json.Unmarshal(line, &probe) != nil || probe.Recording == nil {
		return h, false, nil
	}
	if *probe.Recording > Version {
		return h, true, fmt.Errorf("%w: %d", ErrNewer, *probe.Recording)
	}
	return h, true, json.Unmarshal(line, &h)
}
