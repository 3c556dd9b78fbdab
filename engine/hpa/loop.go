package hpa

import (
	"context"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// UpdateStep is the step that may change the number of pods.
const UpdateStep trace.StepID = "hpa/3-scale/update"

// Steps is the HPA control loop: the seed document's steps 1 to 5 with the
// stages of upstream's reconcile (pkg/controller/podautoscaler/horizontal.go
// and replica_calculator.go) as their sub-steps.
func Steps() []engine.Step[State] {
	return world.Framed(worldOf, []engine.Step[State]{
		{ID: "hpa/1-metrics/scrape", Actor: trace.ActorMetrics, Ref: "metrics-server pkg/scraper: (*scraper).Scrape", Do: scrape},
		{ID: "hpa/1-metrics/query", Actor: trace.ActorHPA, Ref: "podautoscaler/metrics: (*resourceMetricsClient).GetResourceMetric", Do: query},
		{ID: "hpa/2-replicas/group", Actor: trace.ActorHPA, Ref: "replica_calculator.go: groupPods", Do: decide(StageGroup)},
		{ID: "hpa/2-replicas/ratio", Actor: trace.ActorHPA, Ref: "podautoscaler/metrics: GetResourceUtilizationRatio", Do: decide(StageRatio)},
		{ID: "hpa/2-replicas/tolerance", Actor: trace.ActorHPA, Ref: "replica_calculator.go: (Tolerances).isWithin", Do: decide(StageTolerance)},
		{ID: "hpa/2-replicas/proposal", Actor: trace.ActorHPA, Ref: "horizontal.go: computeReplicasForMetrics", Do: decide(StageProposal)},
		{ID: "hpa/2-replicas/stabilize", Actor: trace.ActorHPA, Ref: "horizontal.go: stabilizeRecommendationWithBehaviors", Do: decide(StageStabilize)},
		{ID: "hpa/2-replicas/limit", Actor: trace.ActorHPA, Ref: "horizontal.go: convertDesiredReplicasWithBehaviorRate", Do: decide(StageLimit)},
		{ID: UpdateStep, Actor: trace.ActorHPA, Ref: "horizontal.go: reconcileAutoscaler, Scales().Update", Do: update},
		{ID: "hpa/4-deployment/replicaset", Actor: trace.ActorDeployment, Ref: "deployment/sync.go: scaleReplicaSet", Do: scaleReplicaSet},
		{ID: "hpa/5-pods/create", Actor: trace.ActorReplicaSet, Ref: "replicaset/replica_set.go: manageReplicas", Do: createPods},
		{ID: "hpa/5-pods/bind", Actor: trace.ActorScheduler, Ref: "scheduler/schedule_one.go: bindingCycle", Do: bindPods},
		{ID: "hpa/5-pods/run", Actor: trace.ActorKubelet, Ref: "kubelet/kubelet.go: SyncPod", Do: runPods},
	})
}

// ArchitectureSteps are the seed document's points 1 to 5 of HPA's architecture.
func ArchitectureSteps() []engine.Step[State] {
	return world.Framed(worldOf, []engine.Step[State]{
		{ID: "hpa-architecture/1-replicaset", Actor: trace.ActorLearner, Ref: "seed HPA 1) 1): ReplicaSet and pods", Do: showOwners},
		{ID: "hpa-architecture/2-deployment", Actor: trace.ActorLearner, Ref: "seed HPA 1) 2): Deployment in between", Do: showDeployment},
		{ID: "hpa-architecture/3-metrics", Actor: trace.ActorLearner, Ref: "seed HPA 1) 3): the metric decides", Do: showMetric},
		{ID: "hpa-architecture/4-watch", Actor: trace.ActorLearner, Ref: "seed HPA 1) 4): who watches whom", Do: showWatches},
		{ID: "hpa-architecture/5-metrics-server", Actor: trace.ActorMetrics, Ref: "seed HPA 1) 5): kubelet, Metrics Server, metrics.k8s.io", Do: followMetric},
	})
}

// IntroSteps are the seed document's introduction: scaling by hand, both ways.
func IntroSteps() []engine.Step[State] {
	return world.Framed(worldOf, []engine.Step[State]{
		{ID: "intro/1-horizontal", Actor: trace.ActorLearner, Ref: "seed 스케일링: horizontal", Do: scaleByHand},
		{ID: "intro/2-vertical", Actor: trace.ActorLearner, Ref: "seed 스케일링: vertical", Do: resizeByHand},
		{ID: "intro/3-autoscalers", Actor: trace.ActorLearner, Ref: "seed 대상: HPA, VPA, Cluster Autoscaler, Karpenter", Do: findAutoscalers},
	})
}

func worldOf(s *State) *world.World { return &s.World }

// NewLoop joins a table of steps with the state.
func NewLoop(s *State, steps []engine.Step[State]) engine.Loop[State] {
	return engine.Loop[State]{Steps: steps, State: s, Subject: s.Namespace + "/" + s.HPA, Now: s.Clock.Now}
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
	hpa := s.kubectlHPA()
	switch {
	case stage == StageGroup:
		return "kubectl get pods -n " + s.Namespace + " -o wide"
	case stage == StageRatio:
		return "kubectl top pods -n " + s.Namespace
	case s.Mode == ModeDrive: // it is in the scenario's file only
	case stage == StageTolerance, stage == StageProposal:
		return hpa + " -o jsonpath='{.spec.metrics}'"
	case stage == StageStabilize:
		return hpa + " -o jsonpath='{.spec.behavior}'"
	}
	return hpa
}
