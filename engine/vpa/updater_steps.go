package vpa

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/updater/restriction"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/updater/utils"
	vpautil "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/vpa"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// decided is what the updater's decision hands to its act.
type decided struct {
	vpa      *vpav1.VerticalPodAutoscaler
	mode     vpav1.UpdateMode
	eviction restriction.PodsEvictionRestriction
	inPlace  restriction.PodsInPlaceRestriction
	order    []*corev1.Pod // to update, most urgent first
}

// readRecommendation is the updater's look: VPA objects, pods, and whether the
// admission controller is there to receive what it evicts.
func readRecommendation(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = fmt.Sprintf("kubectl get vpa,pods -n %s", s.Namespace)
	o, err := s.observer()
	if err != nil {
		return err
	}
	u := s.updater
	if err := u.sync(ctx, &s.World, o); err != nil {
		return err
	}
	ready, err := s.admissionReady(ctx, f)
	if err != nil {
		return err
	}
	if !ready && !s.resizesFirst() {
		s.skipPass(f, s.whyNoAdmission())
		return nil
	}
	s.pass.inPlaceOnly = !ready
	live, byVPA, err := u.controlledPods(ctx)
	if err != nil {
		return err
	}
	u.admission.LoopInit(live, byVPA)
	f.Add("livePods", strconv.Itoa(len(live)), "")
	for v, pods := range byVPA {
		f.Add("controlledPods/"+v.Name, strconv.Itoa(len(pods)), "")
		if v.Name == s.VPA {
			s.pass.decided = &decided{vpa: v, mode: vpautil.GetUpdateMode(v), order: pods}
		}
	}
	if s.pass.decided == nil {
		s.skipPass(f, s.whyNoPods())
		return nil
	}
	s.addRecommendation(f, s.pass.decided.vpa)
	return s.addRequests(ctx, f)
}

// resizesFirst tells whether there is something to do without anybody's admission.
func (s *State) resizesFirst() bool {
	return s.Admission != AdmissionWebhook && s.pass.vpa != nil && vpautil.GetUpdateMode(s.pass.vpa) == vpav1.UpdateModeInPlaceOrRecreate
}

func (s *State) whyNoAdmission() string {
	if s.Admission == AdmissionWebhook {
		return "Admission Controller가 살아 있다는 표시(lease)가 오래되었습니다. 내보낸 파드가 예전 크기로 다시 생기므로 Updater는 이번 회차를 쉽니다."
	}
	return "dry-run으로 만든 파드가 추천을 받지 못했습니다. 내보낸 파드가 예전 크기로 다시 생기므로 Updater는 이번 회차를 쉽니다. 강사가 stepscale class install로 정책을 설치하면 됩니다."
}

// whyNoPods says why the updater has nothing to do with this VPA.
func (s *State) whyNoPods() string {
	switch {
	case s.pass.vpa == nil:
		return s.pass.skip
	case !updates(vpautil.GetUpdateMode(s.pass.vpa)):
		return fmt.Sprintf("updateMode가 %s이므로 Updater는 이 VPA를 건드리지 않습니다. 추천값은 status에만 있습니다.", vpautil.GetUpdateMode(s.pass.vpa))
	}
	return "이 VPA가 맡은 파드가 없습니다. 대상이 없거나, 더 먼저 만들어진 VPA가 같은 파드를 맡고 있습니다."
}

func (s *State) addRecommendation(f *trace.Frame, v *vpav1.VerticalPodAutoscaler) {
	if v.Status.Recommendation == nil {
		f.Add("skipped", "VPA의 status에 아직 추천값이 없습니다.", "")
		return
	}
	for _, c := range v.Status.Recommendation.ContainerRecommendations {
		for _, r := range resources {
			if _, ok := c.Target[corev1.ResourceName(r)]; !ok {
				continue
			}
			for _, b := range []string{"lowerBound", "target", "upperBound"} {
				f.Add(b+"/"+of(c.ContainerName, r), text(r, amountOf(r, list(&c, b))), "")
			}
		}
	}
}

// decide compares every pod with its recommendation.
func decide(_ context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = fmt.Sprintf("kubectl get pods -n %s -o custom-columns=NAME:.metadata.name,CPU:.spec.containers[*].resources.requests.cpu,MEMORY:.spec.containers[*].resources.requests.memory,STARTED:.status.startTime", s.Namespace)
	d := s.pass.decided
	if d == nil {
		f.Add("skipped", s.pass.skip, "")
		return nil
	}
	u, now := s.updater, s.Clock.Now()
	creators, groups, err := u.restrictions.GetCreatorMaps(d.order, d.vpa)
	if err != nil {
		return err
	}
	d.eviction, d.inPlace = u.restrictions.NewPodsEvictionRestriction(creators, groups), u.restrictions.NewPodsInPlaceRestriction(creators, groups)
	var candidates []*corev1.Pod
	for _, p := range d.order {
		v := u.judge(p, d.vpa, s.Params, now)
		may := d.may(p)
		if may {
			candidates = append(candidates, p)
		} else if v.update {
			v.reason, v.update = verdictHeld, false
		}
		s.addVerdict(f, v)
	}
	d.order = u.sorted(candidates, d.vpa, s.Params, now)
	f.Add("podsToUpdate", strconv.Itoa(len(d.order)), world.SomeNames(names(d.order)))
	return nil
}

// may mirrors filterNonEvictablePods and filterNonInPlaceUpdatablePods.
func (d *decided) may(p *corev1.Pod) bool {
	if d.mode != vpav1.UpdateModeInPlaceOrRecreate {
		return d.eviction.CanEvict(p)
	}
	switch d.inPlace.CanInPlaceUpdate(p, d.vpa, nil) {
	case utils.InPlaceApproved, utils.InPlaceEvict:
		return true
	}
	return false
}

func (s *State) addVerdict(f *trace.Frame, v verdict) {
	for _, c := range v.detail {
		f.Add("inBounds/"+v.pod.Name+"."+string(c.resource), strconv.FormatBool(!c.outside()),
			fmt.Sprintf("%s ≤ %s ≤ %s", text(c.resource, c.lower), text(c.resource, c.request), text(c.resource, c.high)))
	}
	f.Add("resourceDiff/"+v.pod.Name, ratio(v.diff), v.diffExpr())
	f.Add("podAge/"+v.pod.Name, plain(v.age), "")
	f.Add("verdict/"+v.pod.Name, v.reason, v.sentence(s.Params))
	f.Add("update/"+v.pod.Name, strconv.FormatBool(v.update), "")
}

func (v verdict) diffExpr() string {
	if len(v.detail) != 1 || !v.detail[0].requested {
		return ""
	}
	c := v.detail[0]
	return fmt.Sprintf("|%s − %s| / %s", text(c.resource, c.request), text(c.resource, c.target), text(c.resource, c.request))
}

func names(pods []*corev1.Pod) []string {
	list := make([]string, len(pods))
	for i, p := range pods {
		list[i] = p.Name
	}
	return list
}

// act resizes in place or evicts, as the second half of upstream's RunOnce.
func act(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = fmt.Sprintf("kubectl get pods,replicasets -n %s", s.Namespace)
	if err := s.remember(ctx); err != nil {
		return err
	}
	d := s.pass.decided
	if d == nil || len(d.order) == 0 {
		f.Add("action", actionKeep, "")
		f.Add("skipped", s.whyKeep(), "")
		return nil
	}
	s.Mark()
	evict := d.order
	if d.mode == vpav1.UpdateModeInPlaceOrRecreate {
		evict = s.resize(f, d)
	}
	if err := s.evict(f, d, evict); err != nil {
		return err
	}
	f.Add("evictedPods", strconv.Itoa(s.pass.disrupted), "")
	f.Add("action", s.action(), "")
	return s.afterAct(ctx)
}

// evict evicts as many as may go at once.
func (s *State) evict(f *trace.Frame, d *decided, pods []*corev1.Pod) error {
	if s.Gate == nil && s.admission != nil && len(pods) > 0 { // the next actor does not wait, its request can
		s.admission.arm()
		defer func() {
			if s.pass.disrupted == 0 {
				s.admission.release()
			}
		}()
	}
	for _, p := range pods {
		switch {
		case s.pass.inPlaceOnly:
			f.Add("evictionHeld/"+p.Name, "새 파드에 추천을 넣어 줄 것이 없어 내보내지 않습니다", "")
			continue
		case !d.eviction.CanEvict(p):
			f.Add("evictionHeld/"+p.Name, "이번 회차에 내보낼 수 있는 파드 수를 채웠습니다", "")
			continue
		}
		err := d.eviction.Evict(p, d.vpa, s.updater.events)
		if world.IsFault(err) {
			return err
		}
		if err != nil {
			f.Add("evictionRefused/"+p.Name, refusal(err), err.Error())
			continue
		}
		s.pass.disrupted++
		s.Did(ActorUpdater, "pod/"+p.Name)
		f.Changes = append(f.Changes, trace.Change{Object: "pod/" + p.Name, Field: "metadata.deletionTimestamp", To: "축출(Eviction)"})
	}
	return nil
}

// refusal is the reason of an API server's no.
func refusal(err error) string {
	if apierrors.IsTooManyRequests(err) {
		return "TooManyRequests"
	}
	if reason := apierrors.ReasonForError(err); reason != "" {
		return string(reason)
	}
	return "Error"
}

// afterAct gives the next actors the time to come to the gate.
func (s *State) afterAct(ctx context.Context) error {
	if err := s.AwaitHeld(ctx, world.ActorKubelet, http.MethodPatch, len(s.pass.resized)); err != nil {
		return err
	}
	if s.pass.disrupted == 0 {
		return nil
	}
	if err := s.AwaitHeld(ctx, world.ActorKubelet, http.MethodDelete, s.pass.disrupted); err != nil {
		return err
	}
	return s.AwaitWaiting(ctx, world.ActorReplicaSet)
}

// remember notes how the pods are before the updater moves.
func (s *State) remember(ctx context.Context) error {
	w, err := s.workload(ctx)
	if err != nil {
		return err
	}
	s.pass.known, s.pass.before = world.Fingerprints(w.Pods), map[string]corev1.ResourceList{}
	for _, p := range w.Pods {
		for _, c := range p.Spec.Containers {
			s.pass.before[p.Name+"/"+c.Name] = c.Resources.Requests
		}
	}
	s.Crowd = len(w.Pods)
	return nil
}

func (s *State) whyKeep() string {
	if s.pass.decided == nil {
		return s.pass.skip
	}
	return "유지: 이번 회차에 바꿀 파드가 없습니다."
}

// The values of the fact "action".
const (
	actionKeep   = "keep"
	actionEvict  = "evict"
	actionResize = "resize"
)

func (s *State) action() string {
	switch {
	case s.pass.disrupted > 0:
		return actionEvict
	case len(s.pass.resized) > 0:
		return actionResize
	}
	return actionKeep
}
