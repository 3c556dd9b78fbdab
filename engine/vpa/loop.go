package vpa

import (
	"time"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// The steps whose frames have Inputs, or are read with them.
const (
	CollectStep   trace.StepID = "vpa/1-usage/collect"    // Fed
	RecommendStep trace.StepID = "vpa/2-recommend/policy" // tells what Fed comes to
	DecideStep    trace.StepID = "vpa/3-compare/decide"   // Judged
	UpdateStep    trace.StepID = "vpa/4-evict/act"        // may evict or resize pods
)

// What others write in the steps of the components.
var (
	// The request that made a pod is answered once the webhook has answered.
	created = []engine.Aside{{Actor: trace.ActorReplicaSet, Write: "POST pods"}}
	// Whoever installs a component gives it its roles, and the API server its webhook.
	installs = []engine.Aside{
		{Actor: trace.ActorLearner, Write: "POST serviceaccounts"},
		{Actor: trace.ActorLearner, Write: "POST roles"},
		{Actor: trace.ActorLearner, Write: "POST rolebindings"},
		{Actor: trace.ActorLearner, Write: "POST clusterroles"},
		{Actor: trace.ActorLearner, Write: "POST clusterrolebindings"},
	}
	registers = []engine.Aside{
		{Actor: trace.ActorLearner, Write: "POST mutatingwebhookconfigurations"},
		{Actor: trace.ActorLearner, Write: "PUT mutatingwebhookconfigurations"},
	}
)

// Loop is the VPA's control loop: the seed document's steps 1 to 8 with the
// phases of upstream's three components as their sub-steps.
func Loop() engine.Defined[State] {
	return define("vpa", true, []engine.Step[State]{
		{ID: "vpa/1-usage/scrape", Actor: trace.ActorMetrics, Do: scrape,
			Ref:   "metrics-server pkg/scraper: (*scraper).Scrape",
			Tells: []string{"interval", "scrapes", "scrapedPods"}},
		{ID: "vpa/1-usage/objects", Actor: ActorRecommender, Do: loadObjects,
			Ref:   "recommender/input/cluster_feeder.go: LoadVPAs, LoadPods",
			Tells: []string{"vpas", "updateMode", "podsListed", "request/<pod>"}},
		{ID: CollectStep, Actor: ActorRecommender, Do: collectUsage,
			Ref:   "recommender/input/cluster_feeder.go: LoadRealTimeMetrics",
			Tells: []string{"podMetric/<pod>", "matchedPods", "newSamples", "samples"}},
		{ID: "vpa/2-recommend/histogram", Actor: ActorRecommender, Do: showHistogram,
			Ref:   "recommender/util/decaying_histogram.go: AddSample",
			Tells: []string{"samples/<container>", "history/<container>", "halfLife/<container>", "bucket/<range>"}},
		{ID: "vpa/2-recommend/percentile", Actor: ActorRecommender, Do: layer(addPercentile),
			Ref:   "recommender/logic/estimator.go: percentileCPUEstimator",
			Tells: []string{"lowerBoundPercentile/<container>", "targetPercentile/<container>", "upperBoundPercentile/<container>"}},
		{ID: "vpa/2-recommend/margin", Actor: ActorRecommender, Do: layer(addMargin),
			Ref:   "recommender/logic/estimator.go: WithCPUMargin",
			Tells: []string{"lowerBoundMargin/<container>", "targetMargin/<container>", "upperBoundMargin/<container>"}},
		{ID: "vpa/2-recommend/confidence", Actor: ActorRecommender, Do: layer(addConfidence),
			Ref:   "recommender/logic/estimator.go: WithCPUConfidenceMultiplier",
			Tells: []string{"confidence/<container>", "lowerBoundConfident/<container>", "targetConfident/<container>", "upperBoundConfident/<container>"}},
		{ID: "vpa/2-recommend/minimum", Actor: ActorRecommender, Do: layer(addMinimum),
			Ref:   "recommender/logic/estimator.go: WithCPUMinResource",
			Tells: []string{"lowerBoundMinimum/<container>", "targetMinimum/<container>", "upperBoundMinimum/<container>", "targetRounded/<container>"}},
		{ID: RecommendStep, Actor: ActorRecommender, Do: applyPolicy,
			Ref:   "recommender/routines/capping_post_processor.go: Process",
			Tells: []string{"lowerBound/<container>", "target/<container>", "upperBound/<container>", "uncappedTarget/<container>"}},
		{ID: "vpa/2-recommend/status", Actor: ActorRecommender, Do: publish,
			Ref:   "recommender/routines/recommender.go: processVPAUpdate, MaintainCheckpoints",
			Tells: []string{"lowerBound/<container>", "target/<container>", "upperBound/<container>", "uncappedTarget/<container>", "condition/<type>", "checkpoints"}},
		{ID: "vpa/3-compare/read", Actor: ActorUpdater, Do: readRecommendation,
			Ref:   "updater/logic/updater.go: RunOnce",
			Tells: []string{"admissionAlive", "livePods", "controlledPods/<vpa>", "lowerBound/<container>", "target/<container>", "upperBound/<container>", "request/<pod>"}},
		{ID: DecideStep, Actor: ActorUpdater, Do: decide,
			Ref:   "updater/priority/update_priority_calculator.go: AddPod, GetSortedPods",
			Tells: []string{"podsToUpdate", "inBounds/<pod>", "resourceDiff/<pod>", "podAge/<pod>", "verdict/<pod>", "update/<pod>"}},
		{ID: UpdateStep, Actor: ActorUpdater, Do: act, Changes: true,
			Ref:   "updater/restriction/pods_eviction_restriction.go: Evict",
			Tells: []string{"action", "evictedPods"}},
		{ID: "vpa/5-recreate/create", Actor: trace.ActorReplicaSet, Do: recreate,
			Ref:   "replicaset/replica_set.go: manageReplicas",
			Tells: []string{"replicaSetReplicas", "absentPods", "terminatingPods", "admissionReviews"}},
		{ID: "vpa/6-admission/read", Actor: ActorAdmission, Do: readForPod,
			Ref:   "admission-controller/resource/vpa/matcher.go: GetMatchingVPA",
			Tells: []string{"matchedVPA", "requestBefore/<container>", "limitBefore/<container>", "target/<container>"}},
		{ID: "vpa/7-admit/patch", Actor: ActorAdmission, Do: admit, Asides: created,
			Ref:   "admission-controller/resource/pod/handler.go: GetPatches",
			Tells: []string{"createdPods", "patches", "newRequest/<container>", "newLimit/<container>", "requestAdded/<container>", "proportionalLimit/<container>"}},
		{ID: "vpa/7-admit/bind", Actor: trace.ActorScheduler, Do: bind,
			Ref:   "scheduler/schedule_one.go: bindingCycle",
			Tells: []string{"boundPods"}},
		{ID: "vpa/7-admit/run", Actor: trace.ActorKubelet, Do: run,
			Ref:   "kubelet/kubelet.go: SyncPod, HandlePodResourcesResize",
			Tells: []string{"readyPods"}},
		{ID: "vpa/8-conclusion/compare", Actor: trace.ActorLearner, Do: conclude,
			Ref:   "seed VPA 8): before and after",
			Tells: []string{"action", "podsTotal", "updatedPods", "usage", "usageOfRequest", "before/<container>", "after/<container>"}},
	})
}

// Architecture is the seed document's step 0: what is there before, and
// the four parts that deploying the VPA brings.
func Architecture() engine.Defined[State] {
	return define("vpa-architecture", true, []engine.Step[State]{
		{ID: "vpa-architecture/0-pods", Actor: trace.ActorLearner, Do: showPods,
			Ref:   "seed VPA 0): the Deployment's pods with CPU 100m",
			Tells: []string{"podsTotal", "requestBefore/<container>", "limitBefore/<container>"}},
		{ID: "vpa-architecture/0-metrics-server", Actor: trace.ActorMetrics, Do: showMetrics,
			Ref:   "seed VPA 0): the Metrics Server collects",
			Tells: []string{"scrapes", "podMetric/<pod>"}},
		{ID: "vpa-architecture/1-vpa", Actor: trace.ActorLearner, Do: showCRDs,
			Ref:   "seed VPA 0) 1): VPA",
			Tells: []string{"servedBefore", "servedResources", "hasRecommendation"}},
		{ID: "vpa-architecture/2-recommender", Actor: ActorRecommender, Do: showRecommender, Asides: installs,
			Ref:   "seed VPA 0) 2): Recommender",
			Tells: []string{"watches", "reads", "writes"}},
		{ID: "vpa-architecture/3-admission-controller", Actor: ActorAdmission, Do: showAdmission, Asides: registers,
			Ref:   "seed VPA 0) 3): Admission Controller",
			Tells: []string{"webhook", "failurePolicy", "timeoutSeconds", "watches"}},
		{ID: "vpa-architecture/4-updater", Actor: ActorUpdater, Do: showUpdater,
			Ref:   "seed VPA 0) 4): Updater",
			Tells: []string{"admissionAlive", "writes", "watches"}},
	})
}

// define makes a loop of the VPA; live says whether it can be played in real time.
func define(name string, live bool, table []engine.Step[State]) engine.Defined[State] {
	return engine.Define(engine.Definition{
		Name: name, Facts: facts, Needs: []string{engine.NeedsVPA}, Live: live,
	}, world.Framed(worldOf, table), (*State).subject, (*State).now)
}

func worldOf(s *State) *world.World { return &s.World }

func (s *State) subject() string { return s.Namespace + "/" + s.VPA }
func (s *State) now() time.Time  { return s.Clock.Now() }
