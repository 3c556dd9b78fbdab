package clusterautoscaler

import (
	"context"
	"errors"
	"net/http"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// tainted is what follows at once when a node joins or becomes Ready: nobody has a step for
// the controller that taints nodes.
var tainted = []engine.Aside{{Actor: trace.ActorNodeLifecycle, Write: "PATCH nodes"}}

// Loop is one look of Cluster Autoscaler at the cluster for pods that have no place, and
// what comes of it: the half of RunOnce that adds nodes. Orders are filled while the loop
// goes on, so a node comes some passes after its order.
func Loop() engine.Defined[State] {
	return define("cluster-autoscaler", []engine.Step[State]{
		{ID: "cluster-autoscaler/1-pending/scale", Actor: trace.ActorDeployment, Do: scale, Changes: true,
			Ref:   "deployment/sync.go: scale",
			Tells: []string{"interval", "deploymentReplicas", "replicaSetReplicas"}},
		{ID: "cluster-autoscaler/1-pending/create", Actor: trace.ActorReplicaSet, Do: create, Changes: true,
			Ref:   "replicaset/replica_set.go: manageReplicas",
			Tells: []string{"createdPods", "podsTotal"}},
		{ID: "cluster-autoscaler/1-pending/mark", Actor: trace.ActorScheduler, Do: mark,
			Ref:   "scheduler/schedule_one.go: handleSchedulingFailure",
			Tells: []string{"boundPods", "unschedulablePods", "unplacedReason"}},
		{ID: "cluster-autoscaler/1-pending/list", Actor: Actor, Do: list,
			Ref:   "core/static_autoscaler.go: RunOnce, listPods",
			Tells: []string{"clusterNodes", "clusterHealthy", "waitingPods", "groupSize/<group>", "groupLimits/<group>"}},
		{ID: "cluster-autoscaler/1-pending/upcoming", Actor: Actor, Do: upcoming,
			Ref:   "clusterstate/clusterstate.go: GetUpcomingNodes",
			Tells: []string{"upcomingNodes", "upcomingNodes/<group>"}},
		{ID: "cluster-autoscaler/2-filter/schedulable", Actor: Actor, Do: filter,
			Ref:   "core/podlistprocessor/filter_out_schedulable.go: filterOutSchedulableByPacking",
			Tells: []string{"fittingPods", "fitsOn/<pod>", "helpPods"}},
		{ID: "cluster-autoscaler/2-filter/young", Actor: Actor, Do: young,
			Ref:   "core/static_autoscaler.go: shouldScaleUp, allPodsAreNew",
			Tells: []string{"oldestPodAge", "scaleUpVerdict"}},
		{ID: "cluster-autoscaler/3-groups/equivalence", Actor: Actor, Do: equivalence,
			Ref:   "core/scaleup/equivalence/groups.go: BuildPodGroups",
			Tells: []string{"podKinds", "podKind/<pod>"}},
		{ID: "cluster-autoscaler/3-groups/valid", Actor: Actor, Do: valid,
			Ref:   "core/scaleup/orchestrator/orchestrator.go: filterValidScaleUpNodeGroups",
			Tells: []string{"validGroups", "groupSkipped/<group>"}},
		{ID: "cluster-autoscaler/3-groups/predicates", Actor: Actor, Do: predicates,
			Ref:   "core/scaleup/orchestrator/orchestrator.go: SchedulablePodGroups",
			Tells: []string{"groupFits/<group>", "groupRefused/<group>"}},
		{ID: "cluster-autoscaler/4-estimate/binpack", Actor: Actor, Do: binpack,
			Ref:   "estimator/binpacking_estimator.go: Estimate",
			Tells: []string{"nodesNeeded/<group>", "podsHelped/<group>", "bin/<node>"}},
		{ID: "cluster-autoscaler/5-expand/score", Actor: Actor, Do: expand,
			Ref:   "expander/factory/chain.go: BestOption",
			Tells: []string{"expander", "groupScore/<group>", "bestGroup"}},
		{ID: "cluster-autoscaler/6-scale/target", Actor: Actor, Do: resize, Changes: true,
			Ref:   "core/scaleup/orchestrator/executor.go: executeScaleUp",
			Tells: []string{"action", "groupTarget/<group>", "orderedNodes", "orderEvent"}},
		{ID: "cluster-autoscaler/7-node/join", Actor: trace.ActorKubelet, Do: join, Asides: tainted,
			Ref:   "kubelet/kubelet_node_status.go: registerWithAPIServer; the machine is simulated",
			Tells: []string{"newNodes", "bootLeft/<node>", "nodeTaints/<node>"}},
		{ID: "cluster-autoscaler/7-node/ready", Actor: trace.ActorKubelet, Do: ready, Asides: tainted,
			Ref:   "kubelet/nodestatus/setters.go: ReadyCondition",
			Tells: []string{"startedNodes", "nodeTaints/<node>"}},
		{ID: "cluster-autoscaler/8-pods/bind", Actor: trace.ActorScheduler, Do: bind,
			Ref:   "scheduler/schedule_one.go: bindingCycle",
			Tells: []string{"boundPods", "unschedulablePods"}},
		{ID: "cluster-autoscaler/8-pods/run", Actor: trace.ActorKubelet, Do: run,
			Ref:   "kubelet/kubelet.go: SyncPod",
			Tells: []string{"readyPods"}},
	})
}

// define makes a loop that needs node groups.
func define(name string, table []engine.Step[State]) engine.Defined[State] {
	return engine.Define(engine.Definition{Name: name, Facts: facts, Needs: []string{engine.NeedsGroups}},
		world.Framed(worldOf, table), (*State).subject, (*State).now)
}

// scale begins a pass: time goes by, in which somebody may have scaled the Deployment.
func scale(ctx context.Context, s *State, f *trace.Frame) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	if _, err := s.Tick(ctx, s.Options.ScanInterval); err != nil {
		return err
	}
	f.Add("interval", s.Options.ScanInterval.String(), "")
	return s.TurnDeployment(ctx, f, s.Target)
}

func create(ctx context.Context, s *State, f *trace.Frame) error {
	return s.TurnReplicaSet(ctx, f, s.Target)
}

// mark is the scheduler's part. Its mark on a pod is all that Cluster Autoscaler goes by.
func mark(ctx context.Context, s *State, f *trace.Frame) error {
	w, err := s.TurnScheduler(ctx, f, s.Target)
	if err != nil {
		return err
	}
	for _, p := range w.Active() {
		if why, is := world.Unschedulable(p); is && p.Spec.NodeName == "" {
			f.Add("unplacedReason", why, p.Name)
			break
		}
	}
	return nil
}

// bind is the scheduler's part again. Where nodes have come, it is given the time to try
// the pods that they came for: the mark on these is from before.
func bind(ctx context.Context, s *State, f *trace.Frame) error {
	if s.pass.up == nil || !s.pass.opened {
		_, err := s.TurnScheduler(ctx, f, s.Target)
		return err
	}
	s.pass.opened = false // the other half has a scheduler's part, too
	f.Kubectl = s.KubectlNodes()
	read := func(ctx context.Context) (world.Workload, error) { return s.Workload(ctx, s.Target) }
	before, err := read(ctx)
	if err != nil {
		return err
	}
	part := world.Bind()
	part.Done = s.boundAsFitting
	after, err := s.Play(ctx, part, read)
	if errors.Is(err, world.ErrStuck) { // somebody has taken the place since
		after, err = read(ctx)
	}
	if err != nil {
		return err
	}
	return s.AwaitHeld(ctx, trace.ActorKubelet, http.MethodPatch, world.AddBound(world.Fingerprints(before.Pods), after, f))
}

// boundAsFitting tells that as many pods have a node as there was found room for.
func (s *State) boundAsFitting(w world.Workload) bool {
	fits := map[string]bool{}
	for _, p := range s.pass.up.Fitting {
		fits[p.Pod] = true
	}
	waiting, without := 0, 0
	for _, p := range w.Active() {
		if p.Spec.NodeName == "" {
			waiting++
		}
		if p.Spec.NodeName == "" && !fits[p.Name] {
			without++
		}
	}
	return waiting <= without
}

func run(ctx context.Context, s *State, f *trace.Frame) error {
	return s.TurnKubelet(ctx, f, s.Target)
}
