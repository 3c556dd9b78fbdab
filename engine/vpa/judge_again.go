package vpa

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/admission-controller/resource/pod/recommendation"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/updater/priority"
	vpautil "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/vpa"
)

// Verdict is what the updater thinks of one pod.
type Verdict struct {
	Pod    string
	Update bool
	Reason string // as the fact "verdict/<pod>" has it
	Text   string // Korean
}

// Decide decides again, with upstream's priority calculator: order are the pods that are
// updated, the most urgent first (updater/priority/update_priority_calculator.go: AddPod,
// GetSortedPods), and the verdicts say of every pod why.
func (j Judged) Decide() (order []string, verdicts []Verdict) {
	u := j.updater()
	var candidates []*corev1.Pod
	for _, p := range j.Pods {
		v := u.judge(p, j.VPA, j.Params, j.Now)
		if slices.Contains(j.Held, p.Name) {
			v.hold()
		} else {
			candidates = append(candidates, p)
		}
		verdicts = append(verdicts, Verdict{Pod: p.Name, Update: v.update, Reason: v.reason, Text: v.sentence(j.Params)})
	}
	return names(u.sorted(candidates, j.VPA, j.Params, j.Now)), verdicts
}

// updater is upstream's, as far as a decision needs it.
func (j Judged) updater() *updater {
	limits := recordedLimits{container: j.ContainerLimits, pod: j.PodLimits}
	u := &updater{
		processor: vpautil.NewCappingRecommendationProcessor(limits), priorities: priority.NewProcessor(),
		admission: priority.NewScalingDirectionPodEvictionAdmission(), limits: limits,
	}
	u.admission.LoopInit(j.Pods, map[*vpav1.VerticalPodAutoscaler][]*corev1.Pod{j.VPA: j.Pods})
	return u
}

// judged is what a decision reads, as a recording keeps it.
func (u *updater) judged(d *decided, p Params, now time.Time) Judged {
	j := Judged{Params: p, Now: now, VPA: slimVPA(d.vpa), Pods: slimPods(d.order)}
	// An error of these is one of the cache: then upstream decides without limits, too.
	j.ContainerLimits, _ = u.limits.GetContainerLimitRangeItem(d.vpa.Namespace)
	j.PodLimits, _ = u.limits.GetPodLimitRangeItem(d.vpa.Namespace)
	return j
}

// hold leaves a pod that cannot be spared.
func (v *verdict) hold() {
	if v.update {
		v.reason, v.update = verdictHeld, false
	}
}

// recordedLimits are the limits of a namespace as they were.
type recordedLimits struct{ container, pod *corev1.LimitRangeItem }

func (l recordedLimits) GetContainerLimitRangeItem(string) (*corev1.LimitRangeItem, error) {
	return l.container, nil
}

func (l recordedLimits) GetPodLimitRangeItem(string) (*corev1.LimitRangeItem, error) {
	return l.pod, nil
}

// Updates tells whether upstream would update a pod, be it one of the recorded or one like
// it, that is not held. Without a recommendation it is never asked: it would take any old
// pod with a threshold of 0, and stop where it logs that.
func (j Judged) Updates(p *corev1.Pod) bool {
	if j.VPA.Status.Recommendation == nil {
		return false
	}
	j.Pods = []*corev1.Pod{p}
	return len(j.updater().sorted(j.Pods, j.VPA, j.Params, j.Now)) > 0
}

// Again is Decide's order, for a recording that may have been written by hand.
func (j Judged) Again() (order []string, err error) {
	defer func() {
		if stopped := recover(); stopped != nil {
			err = fmt.Errorf("%w: %v", ErrStopped, stopped)
		}
	}()
	order, _ = j.Decide()
	return order, nil
}

// Spare is how many of so many pods, all running, may be updated in a pass
// (updater/restriction/pods_restriction_factory.go: GetCreatorMaps; isPodDisruptable).
func (j Judged) Spare(pods int) int {
	required := j.Params.MinReplicas
	if u := j.VPA.Spec.UpdatePolicy; u != nil && u.MinReplicas != nil {
		required = int(*u.MinReplicas)
	}
	if pods < required {
		return 0
	}
	return max(1, int(float64(pods)*j.Params.EvictionTolerance))
}

// Moves tells whether the updater moves at all in the mode of the VPA.
func (j Judged) Moves() bool { return updates(vpautil.GetUpdateMode(j.VPA)) }

// InPlace tells whether pods are resized before they are evicted.
func (j Judged) InPlace() bool {
	return vpautil.GetUpdateMode(j.VPA) == vpav1.UpdateModeInPlaceOrRecreate
}

// Sized is a copy of a pod with the requests and limits that the admission controller gives
// it (admission-controller/resource/pod/recommendation: GetContainersResourcesForPod).
func (j Judged) Sized(p *corev1.Pod) (*corev1.Pod, error) {
	u := j.updater()
	resources, _, err := recommendation.NewProvider(u.limits, u.processor).GetContainersResourcesForPod(p, j.VPA)
	if err != nil {
		return nil, err
	}
	p = p.DeepCopy()
	for i := range p.Spec.Containers {
		c := &p.Spec.Containers[i]
		c.Resources = *c.Resources.DeepCopy()
		if i >= len(resources) {
			continue
		}
		c.Resources.Requests = merged(c.Resources.Requests, resources[i].Requests)
		c.Resources.Limits = merged(c.Resources.Limits, resources[i].Limits)
	}
	for i := range p.Status.ContainerStatuses {
		p.Status.ContainerStatuses[i].Resources = nil // what is written holds
	}
	return p, nil
}

func merged(before, set corev1.ResourceList) corev1.ResourceList {
	after := before.DeepCopy()
	for name, q := range set {
		if after == nil {
			after = corev1.ResourceList{}
		}
		after[name] = q
	}
	return after
}
