package hpa

import (
	"context"
	"slices"
	"time"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// UpdateStep is the step that may change the number of pods.
const UpdateStep trace.StepID = "hpa/3-scale/update"

// Loop is the HPA control loop: the seed document's steps 1 to 5 with the
// stages of upstream's reconcile (pkg/controller/podautoscaler/horizontal.go
// and replica_calculator.go) as their sub-steps.
func Loop() engine.Defined[State] {
	return define("hpa", slices.Concat([]engine.Step[State]{
		{ID: "hpa/1-metrics/scrape", Actor: trace.ActorMetrics, Do: scrape,
			Ref:   "metrics-server pkg/scraper: (*scraper).Scrape",
			Tells: []string{"scrapedPods", "syncPeriod"}},
		{ID: "hpa/1-metrics/query", Actor: trace.ActorHPA, Do: query,
			Ref:    "podautoscaler/metrics: (*resourceMetricsClient).GetResourceMetric",
			Cached: []string{"horizontalpodautoscalers", "pods"}, // horizontal.go: hpaLister, podLister
			Tells:  []string{"currentReplicas", "podsListed", "metricName", "podMetric/<pod>", "metricValue"}},
	}, decisionSteps("hpa", trace.ActorHPA), []engine.Step[State]{
		{ID: UpdateStep, Actor: trace.ActorHPA, Do: update, Changes: true,
			Ref:   "horizontal.go: reconcileAutoscaler, Scales().Update",
			Tells: []string{"action", "desiredReplicas", "deploymentReplicas", "replicaSetReplicas"}},
		{ID: "hpa/4-deployment/replicaset", Actor: trace.ActorDeployment, Do: scaleReplicaSet,
			Ref:   "deployment/sync.go: scaleReplicaSet",
			Tells: []string{"replicaSetReplicas"}},
		{ID: "hpa/5-pods/create", Actor: trace.ActorReplicaSet, Do: createPods,
			Ref:   "replicaset/replica_set.go: manageReplicas",
			Tells: []string{"createdPods", "deletedPods", "podsTotal", "replicaFailure"}},
		{ID: "hpa/5-pods/bind", Actor: trace.ActorScheduler, Do: bindPods,
			Ref:   "scheduler/schedule_one.go: bindingCycle",
			Tells: []string{"boundPods", "unschedulablePods"}},
		{ID: "hpa/5-pods/run", Actor: trace.ActorKubelet, Do: runPods,
			Ref:    "kubelet/kubelet.go: SyncPod",
			Asides: ordered,
			Tells:  []string{"readyPods", "usagePerReadyPod"}},
	}))
}

// ordered is what others do while a StatefulSet's pods start or end one after the other.
var ordered = []engine.Aside{
	{Actor: trace.ActorStatefulSet, Write: "POST pods"},
	{Actor: trace.ActorStatefulSet, Write: "DELETE pods"},
	{Actor: trace.ActorScheduler, Write: "POST pods/binding"},
}

// decisionSteps are the stages of the decision, which upstream takes in one go.
func decisionSteps(loop trace.StepID, actor string) []engine.Step[State] {
	return []engine.Step[State]{
		{ID: loop + "/2-replicas/group", Actor: actor, Do: decide(StageGroup),
			Ref:   "replica_calculator.go: groupPods",
			Tells: []string{"readyPods", "unreadyPods", "missingPods", "ignoredPods"}},
		{ID: loop + "/2-replicas/ratio", Actor: actor, Do: decide(StageRatio),
			Ref:   "podautoscaler/metrics: GetResourceUtilizationRatio",
			Tells: []string{"totalUsage", "totalRequests", "currentUtilization", "targetUtilization", "averageValue", "targetAverageValue", "metricValue", "targetValue", "usageRatio"}},
		{ID: loop + "/2-replicas/tolerance", Actor: actor, Do: decide(StageTolerance),
			Ref:   "replica_calculator.go: (Tolerances).isWithin",
			Tells: []string{"toleranceLow", "toleranceHigh", "withinTolerance"}},
		{ID: loop + "/2-replicas/proposal", Actor: actor, Do: decide(StageProposal),
			Ref:   "horizontal.go: computeReplicasForMetrics",
			Tells: []string{"proposal", "metricDesiredReplicas"}},
		{ID: loop + "/2-replicas/stabilize", Actor: actor, Do: decide(StageStabilize),
			Ref:   "horizontal.go: stabilizeRecommendationWithBehaviors",
			Tells: []string{"stabilizedReplicas", "stabilizationWindow", "recommendationMax", "recommendationMin"}},
		{ID: loop + "/2-replicas/limit", Actor: actor, Do: decide(StageLimit),
			Ref:   "horizontal.go: convertDesiredReplicasWithBehaviorRate",
			Tells: []string{"minReplicas", "maxReplicas", "scaleUpLimit", "scaleDownLimit", "scalingLimited", "desiredReplicas"}},
	}
}

// Architecture is the seed document's points 1 to 5 of HPA's architecture.
func Architecture() engine.Defined[State] {
	return define("hpa-architecture", []engine.Step[State]{
		{ID: "hpa-architecture/1-replicaset", Actor: trace.ActorLearner, Do: showOwners,
			Ref:   "seed HPA 1) 1): ReplicaSet and pods",
			Tells: []string{"podsTotal", "replicaSetReplicas"}},
		{ID: "hpa-architecture/2-deployment", Actor: trace.ActorLearner, Do: showDeployment,
			Ref:   "seed HPA 1) 2): Deployment in between",
			Tells: []string{"scaleReplicas", "replicaSets", "revision"}},
		{ID: "hpa-architecture/3-metrics", Actor: trace.ActorLearner, Do: showMetric,
			Ref:   "seed HPA 1) 3): the metric decides",
			Tells: []string{"request", "targetUtilization", "utilization"}},
		{ID: "hpa-architecture/4-watch", Actor: trace.ActorLearner, Do: showWatches,
			Ref:   "seed HPA 1) 4): who watches whom",
			Tells: []string{"watches"}},
		{ID: "hpa-architecture/5-metrics-server", Actor: trace.ActorMetrics, Do: followMetric,
			Ref:   "seed HPA 1) 5): kubelet, Metrics Server, metrics.k8s.io",
			Tells: []string{"metricsServerRate", "metricsAPI", "window"}},
	})
}

// Intro is the seed document's introduction: scaling by hand, both ways.
func Intro() engine.Defined[State] {
	return define("intro", []engine.Step[State]{
		{ID: "intro/1-horizontal", Actor: trace.ActorLearner, Do: scaleByHand, Changes: true, Asides: world.RollOutAsides,
			Ref:   "seed 스케일링: horizontal",
			Tells: []string{"currentReplicas", "desiredReplicas", "readyPods", "createdPods", "deletedPods", "keptPods", "totalRequests"}},
		{ID: "intro/2-vertical", Actor: trace.ActorLearner, Do: resizeByHand, Changes: true, Asides: world.RollOutAsides,
			Ref:   "seed 스케일링: vertical",
			Tells: []string{"currentRequest", "desiredRequest", "readyPods", "createdPods", "deletedPods", "keptPods", "totalRequests"}},
		{ID: "intro/3-autoscalers", Actor: trace.ActorLearner, Do: findAutoscalers,
			Ref:   "seed 대상: HPA, VPA, Cluster Autoscaler, Karpenter",
			Tells: []string{"servedAutoscalers"}},
	})
}

// define makes a loop of the HPA, which can be played on every cluster.
func define(name string, table []engine.Step[State]) engine.Defined[State] {
	return engine.Define(engine.Definition{
		Name: name, Facts: facts, Needs: []string{engine.NeedsHPA}, Live: true,
	}, world.Framed(worldOf, table), (*State).subject, (*State).now)
}

func (s *State) subject() string { return s.Namespace + "/" + s.HPA }
func (s *State) now() time.Time  { return s.Clock.Now() }

func worldOf(s *State) *world.World { return &s.World }

// decide runs one stage of the decision. Upstream decides in one go; here the
// stages are steps.
func decide(stage Stage) func(context.Context, *State, *trace.Frame) error {
	return func(_ context.Context, s *State, f *trace.Frame) error {
		f.Kubectl = kubectlFor(stage, s)
		if s.pass.decision == nil {
			f.Add("skipped", s.pass.skip, "")
			return nil
		}
		f.Facts = append(f.Facts, s.pass.decision.Run(stage).Facts()...)
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
		return "kubectl get pods -n " + s.Namespace
	case stage == StageRatio:
		return s.kubectlValues("kubectl top pods -n " + s.Namespace)
	case s.Mode == ModeDrive: // it is in the scenario's file only
	case stage == StageTolerance, stage == StageProposal:
		return hpa + " -o jsonpath='{.spec.metrics}'"
	case stage == StageStabilize:
		return "kubectl describe hpa " + s.HPA + " -n " + s.Namespace
	}
	return hpa
}
