package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/lines"
	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/outside"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/lessons"
	"github.com/stepscale/stepscale/scenarios"
)

// deps are what the commands are made of. Nothing in them changes: what a command has in
// hand while it runs is a session's.
type deps struct {
	in          io.Reader
	typed       *lines.Reader // the one reader of lines of in: two would take each other's
	out, errOut io.Writer
	lessons     fs.FS
	scenarios   fs.FS
	loops       map[string]engine.Definition // by name
	state       state.Dir                    // the learner's directory
	kubeconfig  string                       // where contexts are looked for; kubectl's own rules when empty
	waits       lab.Waits
	opener      func(deps, target, fs.FS) opener
	heard       func(play.Event)        // what is told of all that a lesson shows; may be nil
	divert      func(stateDir string)   // what libraries write to our standard error
	abort       context.CancelCauseFunc // ends the command, and says why
}

// opener opens stages, one after the other, on the cluster of a command.
type opener interface {
	open(ctx context.Context, loop, scenario string, phases lab.Phases) (stage, error)
	// close gives the cluster back, or takes it down if it is ours. The error is that of
	// the command, with what went wrong in closing.
	close(error) error
}

// stage is a lab's, or what stands in for one.
type stage interface {
	play.Source
	Skew(ctx context.Context) (time.Duration, error)
	Close(ctx context.Context) error
}

// newDeps are those of a process that is called with these streams.
func newDeps(in io.Reader, out, errOut io.Writer) deps {
	return deps{in: in, typed: lines.NewReader(in, out), out: out, errOut: errOut, lessons: lessons.FS, scenarios: scenarios.FS, loops: lab.Definitions(), state: findState(),
		waits: terminal{errOut}, opener: newSession, divert: func(string) {}, abort: func(error) {}}
}

// loopNames lists the loops that there are.
func (d deps) loopNames() []string { return slices.Sorted(maps.Keys(d.loops)) }

// lastStep is the step that ends a pass of the loop.
func (d deps) lastStep(loop string) (trace.StepID, error) {
	ids := d.loops[loop].StepIDs()
	if len(ids) == 0 {
		return "", problem.Usage("그런 루프가 없습니다: "+loop, "쓸 수 있는 루프: "+strings.Join(d.loopNames(), ", "))
	}
	return ids[len(ids)-1], nil
}

// mostText is how large a lesson and each file of a scenario may be. The longest that
// come with stepscale have a hundredth of it.
const mostText = 2 << 20

// dirFS is the folder dir, or def when dir is empty.
func dirFS(dir string, def fs.FS) (fs.FS, error) {
	if dir == "" {
		return def, nil
	}
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = errors.New("폴더가 아니라 파일입니다")
	}
	if err != nil {
		return nil, &problem.Error{What: "폴더를 열 수 없습니다", Where: dir, Code: problem.ExitUsage, Cause: errors.New(outside.Reason(err)),
			Hint: "폴더의 경로가 맞는지 확인해 주십시오."}
	}
	return outside.Dir(dir, mostText), nil
}
