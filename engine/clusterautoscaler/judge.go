package clusterautoscaler

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/latest"
	"k8s.io/kubernetes/pkg/scheduler/backend/cache"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodevolumelimits"
	fruntime "k8s.io/kubernetes/pkg/scheduler/framework/runtime"
	"k8s.io/kubernetes/pkg/scheduler/metrics"
)

// Judge tells whether a pod fits on a node: upstream's scheduler framework with the plugins
// of the default profile, as Cluster Autoscaler has it (simulator/framework/handle.go). It
// looks at a Snapshot and at nothing else, so volumes and devices of the cluster are unknown
// to it. It is not for several goroutines at once.
type Judge struct {
	framework framework.Framework
	view      *view
	after     int // the place of the node that the last search found
}

// NewJudge makes the framework. Nothing is running afterwards.
func NewJudge(ctx context.Context) (*Judge, error) {
	metrics.Register()
	config, err := latest.Default()
	if err != nil {
		return nil, fmt.Errorf("scheduler configuration: %w", err)
	}
	client, err := kubernetes.NewForConfig(&rest.Config{}) // nobody is asked: the informers are never started
	if err != nil {
		return nil, err
	}
	caches := informers.NewSharedInformerFactory(client, 0)
	v := &view{Snapshot: cache.NewEmptySnapshot()}
	f, err := fruntime.NewFramework(ctx, plugins.NewInTreeRegistry(), &config.Profiles[0],
		fruntime.WithInformerFactory(caches), fruntime.WithSnapshotSharedLister(v),
		fruntime.WithSharedCSIManager(nodevolumelimits.NewCSIManager(caches.Storage().V1().CSINodes().Lister())),
		fruntime.WithSharedDRAManager(noDevices{}))
	if err != nil {
		return nil, fmt.Errorf("scheduler framework: %w", err)
	}
	return &Judge{framework: f, view: v, after: -1}, nil
}

// Refusal is why a pod does not fit on a node, in the words of the scheduler.
type Refusal struct {
	Plugin  string // that says no
	Reasons []string
}

func (r *Refusal) String() string { return r.Plugin + ": " + strings.Join(r.Reasons, ", ") }

// fit runs PreFilter and Filter for one node; nil: it fits
// (simulator/clustersnapshot/predicate/plugin_runner.go RunFiltersOnNode).
func (j *Judge) fit(ctx context.Context, s *Snapshot, pod *corev1.Pod, node string) *Refusal {
	state, allowed, refused := j.prefilter(ctx, s, pod)
	if refused != nil {
		return refused
	}
	info, err := s.info(node)
	if err != nil {
		return &Refusal{Plugin: "Snapshot", Reasons: []string{err.Error()}}
	}
	if allowed != nil && !allowed.Has(node) {
		return &Refusal{Plugin: "PreFilter", Reasons: []string{"PreFilter filtered the Node out"}}
	}
	return refusal(j.framework.RunFilterPlugins(ctx, state, pod, info))
}

// search finds a node that is acceptable and on which the pod fits; "" where there is none.
// As upstream it begins behind the node that the last search found
// (simulator/clustersnapshot/predicate/plugin_runner.go RunFiltersUntilPassingNode).
func (j *Judge) search(ctx context.Context, s *Snapshot, pod *corev1.Pod, acceptable func(node string) bool) string {
	state, allowed, refused := j.prefilter(ctx, s, pod)
	if refused != nil {
		return ""
	}
	for i := range s.nodes {
		at := (j.after + 1 + i) % len(s.nodes)
		info := s.nodes[at]
		name := info.Node().Name
		if info.Node().Spec.Unschedulable || allowed != nil && !allowed.Has(name) || !acceptable(name) {
			continue
		}
		if j.framework.RunFilterPlugins(ctx, state, pod, info).IsSuccess() {
			j.after = at
			return name
		}
	}
	return ""
}

// prefilter is what the plugins find out for all nodes at once; allowed are the only nodes
// that come into question, nil where all do.
func (j *Judge) prefilter(ctx context.Context, s *Snapshot, pod *corev1.Pod) (state fwk.CycleState, allowed sets.Set[string], refused *Refusal) {
	j.view.at = s
	state = framework.NewCycleState()
	result, status, _ := j.framework.RunPreFilterPlugins(ctx, state, pod)
	if !result.AllNodes() {
		allowed = result.NodeNames
	}
	return state, allowed, refusal(status)
}

func refusal(status *fwk.Status) *Refusal {
	if status.IsSuccess() {
		return nil
	}
	return &Refusal{Plugin: status.Plugin(), Reasons: status.Reasons()}
}

// noDevices tells the scheduler that there are none (Dynamic Resource Allocation).
type noDevices struct{}

func (noDevices) ResourceClaims() fwk.ResourceClaimTracker     { return nil }
func (noDevices) ResourceSlices() fwk.ResourceSliceLister      { return nil }
func (noDevices) DeviceClasses() fwk.DeviceClassLister         { return nil }
func (noDevices) DeviceClassResolver() fwk.DeviceClassResolver { return nil }
