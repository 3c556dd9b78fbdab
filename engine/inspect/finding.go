package inspect

import "fmt"

// Mark says where a line comes from.
type Mark string

// The marks, as they are in JSON.
const (
	Observed   Mark = "observed"   // an object of the API says so
	Recomputed Mark = "recomputed" // computed from what was observed
	Unknown    Mark = "unknown"    // one look cannot tell
)

// String is the mark as it is on screen.
func (m Mark) String() string {
	return map[Mark]string{Observed: "관측", Recomputed: "다시 계산", Unknown: "알 수 없음"}[m]
}

// Line is one thing that is known, or is not.
type Line struct {
	Mark Mark   `json:"mark"`
	Text string `json:"text"`
}

func observed(format string, a ...any) Line   { return Line{Observed, fmt.Sprintf(format, a...)} }
func recomputed(format string, a ...any) Line { return Line{Recomputed, fmt.Sprintf(format, a...)} }
func unknown(format string, a ...any) Line    { return Line{Unknown, fmt.Sprintf(format, a...)} }

// Level is how much a finding matters; the names are SARIF's.
type Level string

// The levels.
const (
	LevelError   Level = "error"   // the autoscaler does not work
	LevelWarning Level = "warning" // it will not, or not as the spec says
	LevelNote    Level = "note"
)

// Object is what a finding is about.
type Object struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

// String is "HorizontalPodAutoscaler shop/web".
func (o Object) String() string {
	if o.Namespace == "" {
		return o.Kind + " " + o.Name
	}
	return o.Kind + " " + o.Namespace + "/" + o.Name
}

// Finding is something that is wrong, why that is known, and what to do.
type Finding struct {
	Rule     string   `json:"rule"`
	Level    Level    `json:"level"`
	Object   Object   `json:"object"`
	Also     []Object `json:"also,omitempty"` // others that it concerns
	What     string   `json:"what"`
	Evidence []Line   `json:"evidence"` // at least one
	Fix      string   `json:"fix"`
	Command  string   `json:"command"` // shows the evidence; reads only
	Ref      string   `json:"ref"`     // upstream's file and function, or the text that says so
}

// Rule is one fault that is looked for.
type Rule struct {
	ID, Title string
	Level     Level
	Ref       string
	find      func(*Snapshot) []Finding
}

// Rules is every fault that is looked for, in the order in which they are told.
var Rules = []Rule{
	{"dead-metrics-api", "메트릭 API가 답하지 않음", LevelError, "kube-aggregator pkg/controllers/status/remote/remote_available_controller.go: sync", deadMetricsAPI},
	{"missing-target", "HPA의 대상이 없음", LevelError, "pkg/controller/podautoscaler/horizontal.go: scaleForResourceMappings", eachHPA(missingTarget)},
	{"ambiguous-selector", "여러 HPA가 같은 파드를 고름", LevelError, "pkg/controller/podautoscaler/horizontal.go: validateAndParseSelector", eachHPA(ambiguousSelector)},
	{"no-requests", "requests가 없어 사용률을 계산할 수 없음", LevelError, "pkg/controller/podautoscaler/replica_calculator.go: calculatePodRequestsFromContainers", eachHPA(noRequests)},
	{"container-not-found", "메트릭의 컨테이너가 파드에 없음", LevelError, "pkg/controller/podautoscaler/replica_calculator.go: calculatePodRequestsFromContainers", eachHPA(containerNotFound)},
	{"metric-unread", "메트릭을 읽지 못함", LevelError, "pkg/controller/podautoscaler/horizontal.go: computeReplicasForMetrics", eachHPA(metricUnread)},
	{"disabled-at-zero", "레플리카가 0이어서 HPA가 꺼짐", LevelError, "pkg/controller/podautoscaler/horizontal.go: reconcileAutoscaler (ScalingDisabled)", eachHPA(disabledAtZero)},
	{"stale-status", "HPA의 status가 낡음", LevelError, "pkg/controller/podautoscaler/horizontal.go: setStatus", eachHPA(staleStatus)},
	{"unreachable-target", "limits 때문에 목표에 닿을 수 없음", LevelError, "pkg/controller/podautoscaler/metrics/utilization.go: GetResourceUtilizationRatio", eachHPA(unreachableTarget)},
	{"tolerance-never-reached", "허용 오차를 넘을 수 없음", LevelError, "pkg/controller/podautoscaler/replica_calculator.go: Tolerances.isWithin", eachHPA(toleranceNeverReached)},
	{"min-equals-max", "minReplicas와 maxReplicas가 같음", LevelWarning, "pkg/controller/podautoscaler/horizontal.go: convertDesiredReplicasWithRules", eachHPA(minEqualsMax)},
	{"hpa-and-vpa", "HPA와 VPA가 같은 리소스를 움직임", LevelError, "vertical-pod-autoscaler/docs/known-limitations.md", eachHPA(hpaAndVPA)},
	{"at-max", "오래 maxReplicas에 머묾", LevelWarning, "pkg/controller/podautoscaler/horizontal.go: convertDesiredReplicasWithRules (TooManyReplicas)", eachHPA(atMax)},
	{"flapping", "늘렸다 줄였다를 되풀이함", LevelWarning, "pkg/controller/podautoscaler/horizontal.go: reconcileAutoscaler (SuccessfulRescale)", eachHPA(flapping)},
	{"window-too-long", "안정화 구간이 부하보다 긺", LevelWarning, "pkg/controller/podautoscaler/horizontal.go: stabilizeRecommendationWithBehaviors", eachHPA(windowTooLong)},
	{"replicas-in-manifest", "적용하는 매니페스트에 spec.replicas가 있음", LevelWarning, "apimachinery pkg/util/managedfields; kubectl pkg/cmd/apply (last-applied-configuration)", eachHPA(replicasInManifest)},
	{"quota-below-max", "ResourceQuota가 maxReplicas보다 작음", LevelWarning, "plugin/pkg/admission/resourcequota; pkg/quota/v1/evaluator/core/pods.go: PodUsageFunc", eachHPA(quotaBelowMax)},
	{"capacity-below-max", "노드의 자리가 maxReplicas보다 모자람", LevelWarning, "pkg/scheduler/framework/plugins/noderesources/fit.go: fitsRequest", eachHPA(capacityBelowMax)},
	{"no-pdb", "축출하는 것이 있는데 PDB가 없음", LevelWarning, "pkg/registry/core/pod/storage/eviction.go: (*EvictionREST).Create", eachHPA(noPDB)},
	{"vpa-no-target", "VPA의 대상을 쓸 수 없음", LevelError, "vertical-pod-autoscaler/pkg/recommender/input/cluster_feeder.go: getSelector", vpaNoTarget},
	{"vpa-no-pods", "VPA가 고르는 파드가 없음", LevelWarning, "vertical-pod-autoscaler/pkg/recommender/model/vpa.go: UpdateConditions (NoPodsMatched)", vpaNoPods},
	{"vpa-no-recommendation", "VPA의 추천이 없음", LevelWarning, "vertical-pod-autoscaler/pkg/recommender/model/vpa.go: UpdateConditions", vpaNoRecommendation},
	{"two-vpas", "VPA 둘이 한 대상을 가리킴", LevelError, "vertical-pod-autoscaler/pkg/utils/vpa/api.go: Stronger", twoVPAs},
	{"nodepool-not-ready", "카펜터의 NodePool이 준비되지 않음", LevelError, "sigs.k8s.io/karpenter pkg/controllers/provisioning/provisioner.go: NewScheduler", nodePoolNotReady},
	{"nodepool-at-limit", "카펜터의 NodePool이 한도에 닿음", LevelWarning, "sigs.k8s.io/karpenter pkg/apis/v1/nodepool.go: Limits.ExceededBy", nodePoolAtLimit},
	{"ca-unhealthy", "클러스터 오토스케일러가 건강하지 않음", LevelError, "cluster-autoscaler clusterstate/clusterstate.go: IsClusterHealthy", caUnhealthy},
}

// find runs every rule.
func find(s *Snapshot) []Finding {
	all := []Finding{} // an empty list in JSON, and not null
	for _, r := range Rules {
		for _, f := range r.find(s) {
			f.Rule, f.Level, f.Ref = r.ID, r.Level, r.Ref
			all = append(all, f)
		}
	}
	return all
}

// eachHPA is a rule about one HPA.
func eachHPA(rule func(*Snapshot, *HPA) *Finding) func(*Snapshot) []Finding {
	return func(s *Snapshot) []Finding {
		var all []Finding
		for i := range s.HPAs {
			h := &s.HPAs[i]
			if f := rule(s, h); f != nil {
				f.Object = objectOf(h)
				all = append(all, *f)
			}
		}
		return all
	}
}

func objectOf(h *HPA) Object { return Object{"HorizontalPodAutoscaler", h.Namespace, h.Name} }
