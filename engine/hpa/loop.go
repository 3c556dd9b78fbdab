package hpa

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
)

// Steps is the HPA control loop: the seed document's steps 1 to 5 with the
// stages of upstream's reconcile (pkg/controller/podautoscaler/horizontal.go
// and replica_calculator.go) as their sub-steps.
func Steps() []engine.Step[State] {
	return framed([]engine.Step[State]{
		{ID: "hpa/1-metrics/scrape", Actor: ActorMetrics, Ref: "metrics-server pkg/scraper: (*scraper).Scrape", Do: scrape},
		{ID: "hpa/1-metrics/query", Actor: ActorHPA, Ref: "podautoscaler/metrics: (*resourceMetricsClient).GetResourceMetric", Do: query},
		{ID: "hpa/2-replicas/group", Actor: ActorHPA, Ref: "replica_calculator.go: groupPods", Do: decide(StageGroup)},
		{ID: "hpa/2-replicas/ratio", Actor: ActorHPA, Ref: "podautoscaler/metrics: GetResourceUtilizationRatio", Do: decide(StageRatio)},
		{ID: "hpa/2-replicas/tolerance", Actor: ActorHPA, Ref: "replica_calculator.go: (Tolerances).isWithin", Do: decide(StageTolerance)},
		{ID: "hpa/2-replicas/proposal", Actor: ActorHPA, Ref: "horizontal.go: computeReplicasForMetrics", Do: decide(StageProposal)},
		{ID: "hpa/2-replicas/stabilize", Actor: ActorHPA, Ref: "horizontal.go: stabilizeRecommendationWithBehaviors", Do: decide(StageStabilize)},
		{ID: "hpa/2-replicas/limit", Actor: ActorHPA, Ref: "horizontal.go: convertDesiredReplicasWithBehaviorRate", Do: decide(StageLimit)},
		{ID: "hpa/3-scale/update", Actor: ActorHPA, Ref: "horizontal.go: reconcileAutoscaler, Scales().Update", Do: update},
		{ID: "hpa/4-deployment/replicaset", Actor: ActorDeployment, Ref: "deployment/sync.go: scaleReplicaSet", Do: scaleReplicaSet},
		{ID: "hpa/5-pods/create", Actor: ActorReplicaSet, Ref: "replicaset/replica_set.go: manageReplicas", Do: createPods},
		{ID: "hpa/5-pods/bind", Actor: ActorScheduler, Ref: "scheduler/schedule_one.go: bindingCycle", Do: bindPods},
		{ID: "hpa/5-pods/run", Actor: ActorKubelet, Ref: "kubelet/kubelet.go: SyncPod", Do: runPods},
	})
}

// ArchitectureSteps are the seed document's points 1 to 5 of HPA's architecture.
func ArchitectureSteps() []engine.Step[State] {
	return framed([]engine.Step[State]{
		{ID: "hpa-architecture/1-replicaset", Actor: ActorLearner, Ref: "seed HPA 1) 1): ReplicaSet and pods", Do: showOwners},
		{ID: "hpa-architecture/2-deployment", Actor: ActorLearner, Ref: "seed HPA 1) 2): Deployment in between", Do: showDeployment},
		{ID: "hpa-architecture/3-metrics", Actor: ActorLearner, Ref: "seed HPA 1) 3): the metric decides", Do: showMetric},
		{ID: "hpa-architecture/4-watch", Actor: ActorLearner, Ref: "seed HPA 1) 4): who watches whom", Do: showWatches},
		{ID: "hpa-architecture/5-metrics-server", Actor: ActorMetrics, Ref: "seed HPA 1) 5): kubelet, Metrics Server, metrics.k8s.io", Do: followMetric},
	})
}

// IntroSteps are the seed document's introduction: scaling by hand, both ways.
func IntroSteps() []engine.Step[State] {
	return framed([]engine.Step[State]{
		{ID: "intro/1-horizontal", Actor: ActorLearner, Ref: "seed 스케일링: horizontal", Do: scaleByHand},
		{ID: "intro/2-vertical", Actor: ActorLearner, Ref: "seed 스케일링: vertical", Do: resizeByHand},
		{ID: "intro/3-autoscalers", Actor: ActorLearner, Ref: "seed 대상: HPA, VPA, Cluster Autoscaler, Karpenter", Do: findAutoscalers},
	})
}

// NewLoop joins a table of steps with the state.
func NewLoop(s *State, steps []engine.Step[State]) engine.Loop[State] {
	return engine.Loop[State]{Steps: steps, State: s, Subject: s.Namespace + "/" + s.HPA, Now: s.Clock.Now}
}

// framed completes the frame of every step with what all of them have: the
// calls that were made meanwhile and the actors that wait after it.
func framed(steps []engine.Step[State]) []engine.Step[State] {
	for i, step := range steps {
		do := step.Do
		steps[i].Do = func(ctx context.Context, s *State, f *trace.Frame) error {
			if err := s.takeCalls(ctx); err != nil {
				return fault(err)
			}
			s.calls = mutations(s.calls) // reads between two steps belong to none
			if !s.started {              // nor does what made the lesson's objects
				s.started, s.calls = true, nil
			}
			err := do(ctx, s, f)
			return fault(s.complete(ctx, f, err))
		}
	}
	return steps
}

// complete adds calls and waiting actors. When the step failed already, its
// error is the one that counts.
func (s *State) complete(ctx context.Context, f *trace.Frame, err error) error {
	if e := s.takeCalls(ctx); e != nil && err == nil {
		err = e
	}
	f.Calls, s.calls = s.calls, nil
	if s.Gate == nil {
		return err
	}
	waiting, e := s.Gate.Waiting(ctx)
	if e != nil && err == nil {
		err = e
	}
	slices.SortFunc(waiting, func(a, b trace.Waiting) int {
		return cmp.Or(cmp.Compare(a.Actor, b.Actor), cmp.Compare(a.Verb, b.Verb), cmp.Compare(a.Path, b.Path))
	})
	f.Waiting = waiting
	return err
}

// takeCalls moves the recorder's calls to the state, those about the lesson only.
func (s *State) takeCalls(ctx context.Context) error {
	if s.Recorder == nil {
		return nil
	}
	calls, err := s.Recorder.Calls(ctx)
	for _, c := range calls {
		if aboutLesson(c, s.Namespace) {
			s.calls = append(s.calls, c)
		}
	}
	return err
}

// aboutLesson tells the calls of a lesson from those that keep the cluster
// alive: the lesson's namespace, the kubelets' metrics, and what the learner did.
func aboutLesson(c trace.Call, namespace string) bool {
	if c.Actor == ActorLearner || strings.Contains(c.Path, "/metrics/resource") {
		return true
	}
	_, rest, ok := strings.Cut(c.Path, "/namespaces/")
	ns, _, _ := strings.Cut(rest, "/")
	return ok && ns == namespace
}

func mutations(calls []trace.Call) []trace.Call {
	var writes []trace.Call
	for _, c := range calls {
		if isWrite(c) {
			writes = append(writes, c)
		}
	}
	return writes
}

func isWrite(c trace.Call) bool {
	switch c.Verb {
	case "POST", "PUT", "PATCH", "DELETE":
		return true
	}
	return false
}

// decide runs one stage of the decision. Upstream decides in one go; here the
// stages are steps.
func decide(stage Stage) func(context.Context, *State, *trace.Frame) error {
	return func(_ context.Context, s *State, f *trace.Frame) error {
		f.Kubectl = kubectlFor(stage, s)
		if s.pass.decision == nil {
			f.Add("skipped", s.pass.skip, "")
			return nil
		}
		f.Facts = append(f.Facts, s.pass.decision.Run(stage)...)
		if stage == StageLimit {
			s.pass.result = s.pass.decision.Result()
		}
		return nil
	}
}

// kubectlFor is the command that shows what a stage of the decision reads.
func kubectlFor(stage Stage, s *State) string {
	hpa := "kubectl get hpa " + s.HPA + " -n " + s.Namespace
	switch stage {
	case StageGroup:
		return "kubectl get pods -n " + s.Namespace + " -o wide"
	case StageRatio:
		return "kubectl top pods -n " + s.Namespace
	case StageTolerance, StageProposal:
		return hpa + " -o jsonpath='{.spec.metrics}'"
	case StageStabilize:
		return hpa + " -o jsonpath='{.spec.behavior}'"
	}
	return hpa
}
