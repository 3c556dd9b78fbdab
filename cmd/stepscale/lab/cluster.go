package lab

import (
	"context"
	"io"
	"iter"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/vpa"
	"github.com/stepscale/stepscale/engine/world"
)

// Cluster is a running cluster: Simulated or Real.
type Cluster interface {
	Access() Access
	// Close gives back what the stages on it had in common.
	Close() error
	site(*Stage) site
}

// Access is what a stage has to know of a cluster of either kind.
type Access struct {
	Config *rest.Config
	Info   clusters.Info
	Clock  clock.PassiveClock // of the loop

	Signer    state.Signer // of what we make where others are; without a key all is ours
	Namespace string       // that somebody made for us; empty to make one
	Pods      Patience
}

// shared tells that others use the cluster.
func (a Access) shared() bool { return a.Signer.Owner() != "" }

// Patience is how pods are waited for.
type Patience struct {
	Every  time.Duration // they are looked at
	Within time.Duration // the next one has to be Ready
	Full   string        // what else helps where the nodes are full
}

// site is where a scenario is staged: what a simulated and a real cluster do each in its
// own way.
type site interface {
	entry
	staging
	probing
	equipment
	course
}

// entry is what comes before the first write.
type entry interface {
	// admit refuses what cannot be played here, and asks where it is not for us to say.
	admit(context.Context) error
	// lock holds a namespace against other processes; false where one is in it.
	lock(namespace string) (held io.Closer, free bool, err error)
	// stock gives the cluster the nodes of the scenario.
	stock(context.Context) error
}

// staging makes the cluster fit for a loop.
type staging interface {
	// fit changes an object of the scenario to one for this cluster; false when it is not
	// to be applied.
	fit(*unstructured.Unstructured) (bool, error)
	// begin is called when the scenario's pods run, and end, which has to remove the
	// scenario, in any case.
	begin(context.Context) error
	end(ctx context.Context, remove func(context.Context) error) error
}

// probing is for pods that are asked before they are Ready, while they are waited for.
type probing interface {
	probe(context.Context) error
}

// equipment is what the loops get of the cluster.
type equipment interface {
	equip(*world.World)
	equipHPA(*hpa.State)
	equipVPA(*vpa.State)
}

// course is what goes on while a loop is played.
type course interface {
	frames(context.Context, iter.Seq2[trace.Frame, error]) iter.Seq2[trace.Frame, error]
	loadChanged() bool
	describe(*engine.Info)
}
