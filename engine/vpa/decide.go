package vpa

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/model"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/updater/priority"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/annotations"
	resourcehelpers "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/resources"
	vpautil "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/vpa"

	"github.com/stepscale/stepscale/engine/korean"
)

// The verdicts on a pod, in the order in which upstream looks for them.
const (
	verdictHeld    = "heldBack"         // too few replicas, or too many gone already
	verdictNone    = "noRecommendation" // nothing to compare with
	verdictOutside = "outsideBounds"    // a request is outside of lowerBound..upperBound
	verdictOOM     = "quickOOM"         // killed for memory soon after its start, and lately
	verdictOld     = "longLived"        // lives long enough, and the difference is worth it
	verdictYoung   = "tooYoung"         // inside the bounds, and not long alive
	verdictClose   = "tooClose"         // inside the bounds, and hardly different
	verdictSame    = "sameResources"    // killed for memory, but nothing would change
	verdictRefused = "evictionRequirements"
)

// verdict is what the updater thinks of one pod, with its reason.
type verdict struct {
	pod    *corev1.Pod
	update bool
	reason string
	detail []comparison
	diff   float64 // sum over the resources of |request − target| / request
	age    time.Duration
}

// comparison is one request against its recommendation, in millicores or bytes.
type comparison struct {
	container           string
	resource            model.ResourceName
	request             model.ResourceAmount
	requested           bool
	lower, target, high model.ResourceAmount
}

func (c comparison) outside() bool {
	return !c.requested || c.request < c.lower || c.request > c.high
}

// judge says why UpdatePriorityCalculator.AddPod and GetSortedPods take a pod or
// leave it: upstream tells it to its log only. A test holds the two equal.
func (u *updater) judge(pod *corev1.Pod, vpa *vpav1.VerticalPodAutoscaler, p Params, now time.Time) verdict {
	v := verdict{pod: pod}
	if pod.Status.StartTime != nil {
		v.age = now.Sub(pod.Status.StartTime.Time)
	}
	r, _, err := u.processor.Apply(vpa, pod)
	if err != nil || vpa.Status.Recommendation == nil {
		v.reason = verdictNone
		return v
	}
	found := u.priorities.GetUpdatePriority(pod, vpa, r)
	v.diff, v.detail = found.ResourceDiff, compare(pod, r)
	oom := quickOOM(pod, vpa, p.Update.EvictAfterOOMThreshold, now)
	switch {
	case oom && found.ResourceDiff == 0:
		v.reason = verdictSame
	case found.OutsideRecommendedRange:
		v.reason, v.update = verdictOutside, true
	case oom:
		v.reason, v.update = verdictOOM, true
	case pod.Status.StartTime == nil || v.age < p.Update.PodLifetimeUpdateThreshold:
		v.reason = verdictYoung
	case found.ResourceDiff < p.Update.MinChangePriority:
		v.reason = verdictClose
	default:
		v.reason, v.update = verdictOld, true
	}
	if v.update && !u.admission.Admit(pod, r) {
		v.reason, v.update = verdictRefused, false
	}
	return v
}

// compare sets the requests of a pod's containers beside their recommendation,
// as defaultPriorityProcessor.GetUpdatePriority reads them.
func compare(pod *corev1.Pod, r *vpav1.RecommendedPodResources) []comparison {
	var all []comparison
	for _, c := range pod.Spec.Containers {
		recommended := recommendedFor(r, c.Name)
		if recommended == nil || !observed(pod, c.Name) {
			continue
		}
		requests, _ := resourcehelpers.ContainerRequestsAndLimits(c.Name, pod)
		for _, name := range resources {
			key := corev1.ResourceName(name)
			if _, ok := recommended.Target[key]; !ok {
				continue
			}
			_, requested := requests[key]
			one := comparison{
				container: c.Name, resource: name, requested: requested, request: amountOf(name, requests),
				target: amountOf(name, recommended.Target), high: model.MaxResourceAmount,
			}
			if _, ok := recommended.LowerBound[key]; ok {
				one.lower = amountOf(name, recommended.LowerBound)
			}
			if _, ok := recommended.UpperBound[key]; ok {
				one.high = amountOf(name, recommended.UpperBound)
			}
			all = append(all, one)
		}
	}
	return all
}

// observed tells whether the admission controller saw the container when the
// pod was made; without its note every container counts.
func observed(pod *corev1.Pod, container string) bool {
	note, ok := pod.Annotations[annotations.VpaObservedContainersLabel]
	if !ok {
		return true
	}
	names, err := annotations.ParseVpaObservedContainersValue(note)
	return err != nil || slices.Contains(names, container)
}

// quickOOM mirrors the loop over container statuses in AddPod.
func quickOOM(pod *corev1.Pod, vpa *vpav1.VerticalPodAutoscaler, limit time.Duration, now time.Time) bool {
	for _, c := range pod.Status.ContainerStatuses {
		policy := vpautil.GetContainerResourcePolicy(c.Name, vpa.Spec.ResourcePolicy)
		off := policy != nil && policy.Mode != nil && *policy.Mode == vpav1.ContainerScalingModeOff
		t := c.LastTerminationState.Terminated
		if off || !observed(pod, c.Name) || t == nil || t.Reason != "OOMKilled" {
			continue
		}
		if t.FinishedAt.Sub(t.StartedAt.Time) < limit && now.Sub(t.FinishedAt.Time) < limit {
			return true
		}
	}
	return false
}

// sorted asks upstream for the pods to update, in its order.
func (u *updater) sorted(pods []*corev1.Pod, vpa *vpav1.VerticalPodAutoscaler, p Params, now time.Time) []*corev1.Pod {
	calc := priority.NewUpdatePriorityCalculator(vpa, p.Update, u.processor, u.priorities)
	for _, pod := range pods {
		calc.AddPod(pod, now, nil)
	}
	return calc.GetSortedPods(u.admission)
}

// sentence says the verdict in Korean.
func (v verdict) sentence(p Params) string {
	switch v.reason {
	case verdictHeld:
		return fmt.Sprintf("지금 내보낼 수 있는 파드 수를 넘습니다(최소 %d개, 허용 비율 %s)", p.MinReplicas, ratio(p.EvictionTolerance))
	case verdictNone:
		return "추천값이 없습니다"
	case verdictOutside:
		return v.outsideText()
	case verdictOOM:
		return "시작한 지 10분 안에 OOMKilled되었습니다"
	case verdictOld:
		return fmt.Sprintf("%s 넘게 살았고, 차이 %s 기준 %s 이상입니다", plain(p.Update.PodLifetimeUpdateThreshold), korean.Subject(ratio(v.diff)), ratio(p.Update.MinChangePriority))
	case verdictYoung:
		return fmt.Sprintf("범위 안입니다. %s밖에 살지 않아 차이는 따지지 않습니다(%s부터)", plain(v.age), plain(p.Update.PodLifetimeUpdateThreshold))
	case verdictClose:
		return fmt.Sprintf("범위 안이고, 차이 %s 기준 %s보다 작습니다", korean.Subject(ratio(v.diff)), ratio(p.Update.MinChangePriority))
	case verdictSame:
		return "OOMKilled되었지만 바꿀 값이 없습니다"
	case verdictRefused:
		return "VPA의 evictionRequirements가 막습니다"
	}
	return ""
}

func (v verdict) outsideText() string {
	for _, c := range v.detail {
		name := of(c.container, c.resource)
		switch {
		case !c.requested:
			return name + "의 요청량이 없습니다"
		case c.request < c.lower:
			return fmt.Sprintf("%s %s < 하한 %s", name, text(c.resource, c.request), text(c.resource, c.lower))
		case c.request > c.high:
			return fmt.Sprintf("%s %s > 상한 %s", name, text(c.resource, c.request), text(c.resource, c.high))
		}
	}
	return "범위 밖입니다"
}
