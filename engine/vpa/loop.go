package vpa

import (
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// UpdateStep is the step that may evict or resize pods.
const UpdateStep trace.StepID = "vpa/4-evict/act"

// Steps is the VPA's control loop: the seed document's steps 1 to 8 with the
// phases of upstream's three components as their sub-steps.
func Steps() []engine.Step[State] {
	return world.Framed(worldOf, []engine.Step[State]{
		{ID: "vpa/1-usage/scrape", Actor: trace.ActorMetrics, Ref: "metrics-server pkg/scraper: (*scraper).Scrape", Do: scrape},
		{ID: "vpa/1-usage/objects", Actor: ActorRecommender, Ref: "recommender/input/cluster_feeder.go: LoadVPAs, LoadPods", Do: loadObjects},
		{ID: "vpa/1-usage/collect", Actor: ActorRecommender, Ref: "recommender/input/cluster_feeder.go: LoadRealTimeMetrics", Do: collectUsage},
		{ID: "vpa/2-recommend/histogram", Actor: ActorRecommender, Ref: "recommender/util/decaying_histogram.go: AddSample", Do: showHistogram},
		{ID: "vpa/2-recommend/percentile", Actor: ActorRecommender, Ref: "recommender/logic/estimator.go: percentileCPUEstimator", Do: layer(addPercentile)},
		{ID: "vpa/2-recommend/margin", Actor: ActorRecommender, Ref: "recommender/logic/estimator.go: WithCPUMargin", Do: layer(addMargin)},
		{ID: "vpa/2-recommend/confidence", Actor: ActorRecommender, Ref: "recommender/logic/estimator.go: WithCPUConfidenceMultiplier", Do: layer(addConfidence)},
		{ID: "vpa/2-recommend/minimum", Actor: ActorRecommender, Ref: "recommender/logic/estimator.go: WithCPUMinResource", Do: layer(addMinimum)},
		{ID: "vpa/2-recommend/policy", Actor: ActorRecommender, Ref: "recommender/routines/capping_post_processor.go: Process", Do: applyPolicy},
		{ID: "vpa/2-recommend/status", Actor: ActorRecommender, Ref: "recommender/routines/recommender.go: processVPAUpdate, MaintainCheckpoints", Do: publish},
		{ID: "vpa/3-compare/read", Actor: ActorUpdater, Ref: "updater/logic/updater.go: RunOnce", Do: readRecommendation},
		{ID: "vpa/3-compare/decide", Actor: ActorUpdater, Ref: "updater/priority/update_priority_calculator.go: AddPod, GetSortedPods", Do: decide},
		{ID: UpdateStep, Actor: ActorUpdater, Ref: "updater/restriction/pods_eviction_restriction.go: Evict", Do: act},
		{ID: "vpa/5-recreate/create", Actor: trace.ActorReplicaSet, Ref: "replicaset/replica_set.go: manageReplicas", Do: recreate},
		{ID: "vpa/6-admission/read", Actor: ActorAdmission, Ref: "admission-controller/resource/vpa/matcher.go: GetMatchingVPA", Do: readForPod},
		{ID: "vpa/7-admit/patch", Actor: ActorAdmission, Ref: "admission-controller/resource/pod/handler.go: GetPatches", Do: admit},
		{ID: "vpa/7-admit/bind", Actor: trace.ActorScheduler, Ref: "scheduler/schedule_one.go: bindingCycle", Do: bind},
		{ID: "vpa/7-admit/run", Actor: trace.ActorKubelet, Ref: "kubelet/kubelet.go: SyncPod, HandlePodResourcesResize", Do: run},
		{ID: "vpa/8-conclusion/compare", Actor: trace.ActorLearner, Ref: "seed VPA 8): before and after", Do: conclude},
	})
}

// ArchitectureSteps are the seed document's step 0: what is there before, and
// the four parts that deploying the VPA brings.
func ArchitectureSteps() []engine.Step[State] {
	return world.Framed(worldOf, []engine.Step[State]{
		{ID: "vpa-architecture/0-pods", Actor: trace.ActorLearner, Ref: "seed VPA 0): the Deployment's pods with CPU 100m", Do: showPods},
		{ID: "vpa-architecture/0-metrics-server", Actor: trace.ActorMetrics, Ref: "seed VPA 0): the Metrics Server collects", Do: showMetrics},
		{ID: "vpa-architecture/1-vpa", Actor: trace.ActorLearner, Ref: "seed VPA 0) 1): VPA", Do: showCRDs},
		{ID: "vpa-architecture/2-recommender", Actor: ActorRecommender, Ref: "seed VPA 0) 2): Recommender", Do: showRecommender},
		{ID: "vpa-architecture/3-admission-controller", Actor: ActorAdmission, Ref: "seed VPA 0) 3): Admission Controller", Do: showAdmission},
		{ID: "vpa-architecture/4-updater", Actor: ActorUpdater, Ref: "seed VPA 0) 4): Updater", Do: showUpdater},
	})
}

func worldOf(s *State) *world.World { return &s.World }

// NewLoop joins a table of steps with the state. Close the state after it.
func NewLoop(s *State, steps []engine.Step[State]) engine.Loop[State] {
	return engine.Loop[State]{Steps: steps, State: s, Subject: s.Namespace + "/" + s.VPA, Now: s.Clock.Now}
}
