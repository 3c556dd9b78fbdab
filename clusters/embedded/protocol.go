package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/stepscale/stepscale/clusters"
)

// What can be wrong with a cluster in the background. They stay what they are on
// their way through the socket.
var (
	// ErrBusy is returned to a second session: the clock and the gate are one.
	ErrBusy = errors.New("another session drives this cluster")
	// ErrNoSession is returned to who drives without being attached.
	ErrNoSession = errors.New("no session: attach first")
	// ErrBadLoad is wrapped by what the parser of a load says.
	ErrBadLoad = errors.New("the load cannot be read")
	// ErrOtherVersion tells that the other side speaks another language.
	ErrOtherVersion = errors.New("the cluster in the background is of another version")

	errBadRequest = errors.New("bad request")
)

// protocol is the version of the routes below /v1/. It grows when an older program
// would misread them. GET /status and POST /stop stay as they are: whatever runs there
// can be told and stopped.
const (
	protocol      = 2
	methodPath    = "/v1/"
	statusPath    = "/status"
	stopPath      = "/stop"
	sessionHeader = "Stepscale-Session"

	maxRequest = 4 << 20  // the largest is the description of a load: a scenario.yaml in base64
	maxReply   = 64 << 20 // the largest are the metrics of a node full of pods
)

// State is how far the cluster in the background is.
type State string

// States, in their order.
const (
	Starting State = "starting"
	Ready    State = "ready"
	Stopping State = "stopping"
)

// Status is what the cluster in the background says of itself.
type Status struct {
	Protocol int            `json:"protocol"`
	State    State          `json:"state"`
	Phases   []Phase        `json:"phases,omitempty"`
	Info     *clusters.Info `json:"info,omitempty"` // when it is ready
}

// Phase is what Options.Progress was told.
type Phase struct {
	Name string        `json:"name"`
	Took time.Duration `json:"took"` // 0 when it begins
}

type none struct{}

type loadArgs struct {
	Namespace string `json:"namespace"`
	Spec      []byte `json:"spec"`
}

// fault is an error on its way.
type fault struct {
	Code    string `json:"code"`
	Message string `json:"message"`

	kind error
}

func (f *fault) Error() string { return f.Message }
func (f *fault) Unwrap() error { return f.kind }

var faults = []struct {
	code   string
	status int
	kind   error
}{
	{"busy", http.StatusConflict, ErrBusy},
	{"no-session", http.StatusForbidden, ErrNoSession},
	{"bad-load", http.StatusUnprocessableEntity, ErrBadLoad},
	{"bad-request", http.StatusBadRequest, errBadRequest},
	{"not-running", http.StatusServiceUnavailable, ErrNotRunning},
	{"canceled", http.StatusServiceUnavailable, context.Canceled},
	{"deadline", http.StatusGatewayTimeout, context.DeadlineExceeded},
}

// answer sends the reply, or the error.
func answer(w http.ResponseWriter, reply any, err error) {
	status := http.StatusOK
	if err != nil {
		f := &fault{Code: "failed", Message: err.Error()}
		reply, status = f, http.StatusInternalServerError
		for _, known := range faults {
			if errors.Is(err, known.kind) {
				f.Code, status = known.code, known.status
				break
			}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(reply) // the other side may be gone
}

// refused is the error in an answer.
func refused(resp *http.Response) error {
	var f fault
	err := json.NewDecoder(io.LimitReader(resp.Body, maxRequest)).Decode(&f)
	if err != nil || f.Code == "" {
		return fmt.Errorf("%w: it answers %s to %s", ErrOtherVersion, resp.Status, resp.Request.URL.Path)
	}
	for _, known := range faults {
		if known.code == f.Code {
			f.kind = known.kind
		}
	}
	return &f
}
