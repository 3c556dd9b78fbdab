package vpa

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/updater/restriction"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/updater/utils"
	vpautil "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/vpa"

	"github.com/stepscale/stepscale/clusters/manifest"
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
		return "Admission Controller가 살아 있다는 표시(lease)가 오래되었습니다. 내보낸 파드가 예전 크기로 다시 생기므로 Updater는 이번 패스를 쉽니다."
	}
	return "dry-run으로 만든 파드가 추천을 받지 못했습니다. 내보낸 파드가 예전 크기로 다시 생기므로 Updater는 이번 패스를 쉽니다. 강사에게 정책(stepscale class install)과 네임스페이스의 " + manifest.LabelManaged + "=true 레이블을 확인해 달라고 하십시오. 정책은 이름이 web인 VPA만 봅니다."
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
	f.Kubectl = fmt.Sprintf("kubectl get pods -n %s -o custom-columns='NAME:.metadata.name,CPU:.spec.containers[*].resources.requests.cpu,MEMORY:.spec.containers[*].resources.requests.memory,STARTED:.status.startTime'", s.Namespace)
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
	judged, candidates := u.judged(d, s.Params, now), []*corev1.Pod(nil)
	for _, p := range d.order {
		v := u.judge(p, d.vpa, s.Params, now)
		may := d.may(p)
		if may {
			candidates = append(candidates, p)
		} else {
			judged.Held = append(judged.Held, p.Name)
			v.hold()
		}
		s.addVerdict(f, v)
	}
	d.order = u.sorted(candidates, d.vpa, s.Params, now)
	f.Add("podsToUpdate", strconv.Itoa(len(d.order)), world.SomeNames(names(d.order)))
	f.Inputs, err = json.Marshal(judged)
	return err
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
