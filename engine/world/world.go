// Package world is what every loop meets of a cluster: the clients of each
// identity, time, the gate, the calls that were made, and the Workload under
// the autoscaler. The loops embed a World in their state.
package world

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
	metricsclient "k8s.io/metrics/pkg/client/clientset/versioned"
	"k8s.io/metrics/pkg/client/custom_metrics"
	"k8s.io/metrics/pkg/client/external_metrics"
	"k8s.io/utils/clock"

	"github.com/stepscale/stepscale/engine/trace"
)

// Simulation moves virtual time. Without one the loop waits in real time.
type Simulation interface {
	// Advance moves the clock by d and lets the load flow meanwhile.
	Advance(ctx context.Context, d time.Duration) error
	// Scrape lets the Metrics Server read every kubelet once.
	Scrape(ctx context.Context) error
}

// Gate holds the writes of the actors until their step comes. Without one every
// actor moves on its own.
type Gate interface {
	Open(ctx context.Context, actor string) error
	Close(ctx context.Context, actor string) error
	Waiting(ctx context.Context) ([]trace.Waiting, error)
}

// Flights counts an actor's writes that the gate has let through and that nobody has
// answered yet.
type Flights interface {
	Flying(ctx context.Context, actor string) (int, error)
}

// Recorder hands over the calls of all actors since it was last asked.
type Recorder interface {
	Calls(ctx context.Context) ([]trace.Call, error)
}

// Watches tells which watches are open now.
type Watches interface {
	Watches(ctx context.Context) ([]trace.Watch, error)
}

// KubeletReader reads a pod's sample lines from its kubelet's /metrics/resource.
type KubeletReader interface {
	Read(ctx context.Context, node, namespace, pod string) ([]string, error)
}

// Witness watches actors that no gate holds, and tells what they have done since
// it was last asked.
type Witness interface {
	Sightings() []trace.Sighting
	// CaughtUp tells whether everything was seen that the API server tells now.
	CaughtUp(ctx context.Context) (bool, error)
}

// Machines are where nodes run. They come and go when a step says so.
type Machines interface {
	// Join lets a kubelet register the node, which is not Ready yet. The controllers of
	// nodes know of it when Join returns.
	Join(ctx context.Context, node *corev1.Node) error
	// Report lets the node's kubelet say whether it is Ready.
	Report(ctx context.Context, node string, ready bool) error
	// Leave takes the machine away, with its Node and the pods that are left on it.
	Leave(ctx context.Context, node string) error
}

// Timeline tells which events of the scenario have happened since it was last asked.
type Timeline interface {
	Happened() []trace.Event
}

// Clients are the API clients of one identity.
type Clients struct {
	Kube    kubernetes.Interface
	Metrics metricsclient.Interface
	Scales  scale.ScalesGetter
	Mapper  meta.RESTMapper

	Custom   custom_metrics.CustomMetricsClient     // custom.metrics.k8s.io
	External external_metrics.ExternalMetricsClient // external.metrics.k8s.io
}

// World is set by the caller and not changed by a step, Crowd excepted.
type World struct {
	Controller Clients // calls recorded as the loop's own controller
	Learner    Clients // calls recorded as learner; the zero value means Controller
	Observer   Clients // not recorded, polls and reads what a step shows; the zero value means Controller
	Namespace  string
	Clock      clock.PassiveClock
	Wall       clock.PassiveClock // what the API server and kubectl go by, also where time is virtual; nil: Clock
	Timeout    time.Duration      // how long an actor may take; 0 means 30 s of machine time
	Wide       []string           // paths of cluster-wide objects whose writes are told, "/api/v1/nodes"
	Steady     bool               // also in virtual time a turn is due a period after the last: other loops let time pass in between
	Crowd      int                // pods that a step deals with; many are polled more slowly

	Simulation Simulation    // nil: real time
	Gate       Gate          // nil: actors move on their own
	Flights    Flights       // nil: nobody knows
	Recorder   Recorder      // nil: frames carry no calls
	Watches    Watches       // nil: nobody counts them
	Kubelet    KubeletReader // nil: through the API server's node proxy
	Witness    Witness       // nil: frames carry no sightings
	Pulse      Pulse         // nil: nobody tells when something moves
	Machines   Machines      // nil: nodes neither come nor go
	Timeline   Timeline      // nil: nothing happens but what the loop does

	// Pause lets real time pass; nil: in silence.
	Pause func(ctx context.Context, d time.Duration) error

	started bool
	ticked  time.Time         // when the last turn of the loop was
	did     map[string]string // actor by object: whose doing its end is
	marked  time.Time         // when the write was that set the actors going
	seen    []trace.Sighting  // taken from the witness and not yet in a frame
	calls   []trace.Call      // taken from the recorder and not yet in a frame
	kept    map[string]kept   // answers of the API
}

// NewClients makes the clients of one identity. The configuration decides whose
// name the calls are recorded under.
func NewClients(cfg *rest.Config) (Clients, error) {
	cfg = rest.CopyConfig(cfg)
	if cfg.QPS == 0 {
		cfg.QPS = -1 // a step polls faster than client-go's default limit
	}
	var c Clients
	plain := rest.CopyConfig(cfg)
	cfg.ContentType = "application/vnd.kubernetes.protobuf"
	cfg.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return c, err
	}
	if c.Metrics, err = metricsclient.NewForConfig(plain); err != nil {
		return c, err
	}
	c.Kube = kube
	c.Mapper = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(kube.Discovery()))
	c.Custom = custom_metrics.NewForConfig(plain, c.Mapper, custom_metrics.NewAvailableAPIsGetter(kube.Discovery()))
	if c.External, err = external_metrics.NewForConfig(plain); err != nil {
		return c, err
	}
	kinds := scale.NewDiscoveryScaleKindResolver(kube.Discovery())
	c.Scales, err = scale.NewForConfig(plain, c.Mapper, dynamic.LegacyAPIPathResolverFunc, kinds)
	return c, err
}

// AsObserver returns the clients that are not recorded.
func (w *World) AsObserver() Clients {
	if w.Observer.Kube != nil {
		return w.Observer
	}
	return w.Controller
}

// AsLearner returns the clients of the learner.
func (w *World) AsLearner() Clients {
	if w.Learner.Kube != nil {
		return w.Learner
	}
	return w.Controller
}
