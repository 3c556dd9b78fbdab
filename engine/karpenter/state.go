// Package karpenter drives Karpenter one step at a time. Its scheduling, its NodeClaims
// and their lives are upstream's code (sigs.k8s.io/karpenter) without its manager: a step
// calls the controller whose turn it is. The cloud is ours and simulated.
package karpenter

import (
	"context"
	"encoding/json"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/karpenter/pkg/controllers/disruption"

	"github.com/stepscale/stepscale/engine/world"
)

// ActorKarpenter is named as its Deployment is in upstream's chart.
const ActorKarpenter = "karpenter"

// Wide are the paths of the cluster-wide objects whose writes the loop tells.
var Wide = []string{"/api/v1/nodes", "/apis/karpenter.sh/"}

// State is what the steps of the loop share. The upper part is set by the caller and not
// changed by a step.
type State struct {
	world.World
	Pool    string                       // name of the NodePool that the loop is about
	Target  string                       // name of the Deployment whose pods need nodes
	Objects []*unstructured.Unstructured // the NodePools that deploying brings
	Begin   time.Duration                // that every pass begins with; 0 means PassLength
	// Shared tells that another loop lets time pass and moves the pods: machines boot while
	// that goes on, and no step waits for them.
	Shared  bool
	Evicted int // pods, in all passes
	// Identity is the client configuration of one actor, its calls recorded; without a
	// name nobody's, and not recorded.
	Identity func(actor string) *rest.Config

	parts  *parts
	pass   pass
	judged judged
	going  *disruption.Command // that is started and waits for its new nodes
}

// pass is what the steps of one pass hand to each other.
type pass struct {
	inputs  json.RawMessage // of the decision
	pending []*corev1.Pod   // that Karpenter is to find a place for
	plan    *plan
	created []string // NodeClaims that were written
	verdict verdict
	acted   string      // what Karpenter did; empty: nothing
	opened  []*instance // whose nodes have become Ready
}

// The lengths of things in virtual time.
const (
	PassLength     = 15 * time.Second // the HPA's sync period, so that both fit side by side
	DisruptionPass = time.Minute      // of a pass of the disruption loop, in which pods may go
)

// withUpstream is the context that upstream's code wants.
func (s *State) withUpstream(ctx context.Context) (context.Context, error) { return withOptions(ctx) }

func (s *State) subject() string { return s.Namespace + "/" + s.Pool }
func (s *State) now() time.Time  { return s.Clock.Now() }

func worldOf(s *State) *world.World { return &s.World }
