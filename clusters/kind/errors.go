package kind

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"sigs.k8s.io/kind/pkg/exec"
)

// Reason is why a cluster could not be made or used.
type Reason string

// The reasons, each with something that the user can do.
const (
	NoEngine       Reason = "no container engine"    // neither docker nor podman nor nerdctl is installed and running
	EngineDown     Reason = "engine does not answer" // installed, but not running or not permitted
	BadName        Reason = "not a name"
	NameTaken      Reason = "name taken"          // by a cluster that we did not make
	NoImage        Reason = "image not available" // Error.Image says which
	NoMemory       Reason = "too little memory"
	NodeFailed     Reason = "node did not start" // its systemd or cgroups
	HalfMade       Reason = "half-made cluster"  // nodes without a usable kubeconfig
	NotReady       Reason = "nodes are not Ready"
	NoMetrics      Reason = "the Metrics Server does not answer"
	TwoControllers Reason = "the HPA controller is on" // ours would not be the only one
	Unreachable    Reason = "the nodes do not reach this machine"
)

// Reasons are all of them.
var Reasons = []Reason{
	NoEngine, EngineDown, BadName, NameTaken, NoImage, NoMemory, NodeFailed, HalfMade, NotReady,
	NoMetrics, TwoControllers, Unreachable,
}

// Error is a failure with a known cause.
type Error struct {
	Reason Reason
	Image  string // of NoImage
	Output string // the line in which the engine or a program in the node says why
	Logs   string // of NodeFailed: the file or folder where more is said; may be empty
	Err    error
}

func (e *Error) Error() string {
	text := fmt.Sprintf("kind: %s: %v", e.Reason, e.Err)
	if e.Output != "" {
		text += ": " + e.Output
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

var pulled = regexp.MustCompile(`failed to pull image "([^"]+)"`)

// signs are parts of what the library or the engine says, in the order in which
// they are looked for.
var signs = []struct {
	text   string
	reason Reason
}{
	{"cannot connect to the docker daemon", EngineDown},
	{"permission denied while trying to connect", EngineDown},
	{"failed to get docker info", EngineDown},
	{"failed to get podman info", EngineDown},
	{"node(s) already exist", NameTaken},
	{"failed to pull image", NoImage},
	{"cannot allocate memory", NoMemory},
	{"out of memory", NoMemory},
	{"oomkilled", NoMemory},
	{"could not find a log line that matches", NodeFailed},
	{"requires cgroup v2", NodeFailed},
	{"delegate=yes", NodeFailed},
	{"too many open files", NodeFailed},
	{"failed to init node with kubeadm", NodeFailed},
}

// explain finds the cause in what the library and the engine said. An error that
// fits none comes back as it is.
func explain(err error) error {
	if err == nil {
		return nil
	}
	output := output(err)
	said := strings.ToLower(err.Error() + "\n" + output)
	for _, s := range signs {
		if !strings.Contains(said, s.text) {
			continue
		}
		e := &Error{Reason: s.reason, Output: why(output), Err: err}
		if m := pulled.FindStringSubmatch(err.Error()); m != nil {
			e.Image = m[1]
		}
		return e
	}
	return err
}

// failed is explain for a command of the engine, which Ctrl-C ends together with us.
func failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return explain(err)
}

// output is what a program said that the library has run.
func output(err error) string {
	if run := exec.RunErrorForError(err); run != nil {
		return strings.TrimSpace(string(run.Output))
	}
	return ""
}

func lastLine(text string) string { return text[strings.LastIndexByte(text, '\n')+1:] }
