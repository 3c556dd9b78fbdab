package vpa

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	vpautil "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/vpa"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// The steps of an observation that are read with their Inputs.
const (
	SeenDecideStep trace.StepID = "vpa-observe/3-compare/decide" // Judged
	SeenActStep    trace.StepID = "vpa-observe/4-evict/actual"   // ends a pass
)

// Observe looks at what the cluster's own recommender has recommended, predicts with
// upstream's priority calculator what its updater does about it, and then looks at what it
// did. Nothing is written.
func Observe() engine.Defined[State] {
	d := define("vpa-observe", true, []engine.Step[State]{
		{ID: "vpa-observe/1-usage/read", Actor: trace.ActorLearner, Do: watchUsage,
			Ref:   "recommender/input/cluster_feeder.go: LoadRealTimeMetrics",
			Tells: []string{"updateMode", "podsListed", "request/<pod>", "podMetric/<pod>"}},
		{ID: "vpa-observe/2-recommend/status", Actor: trace.ActorLearner, Do: watchRecommendation,
			Ref:   "recommender/routines/recommender.go: processVPAUpdate",
			Tells: []string{"lowerBound/<container>", "target/<container>", "upperBound/<container>", "condition/<type>"}},
		{ID: SeenDecideStep, Actor: trace.ActorLearner, Do: predict,
			Ref:   "updater/priority/update_priority_calculator.go: AddPod, GetSortedPods",
			Tells: []string{"podsToUpdate", "inBounds/<pod>", "resourceDiff/<pod>", "podAge/<pod>", "verdict/<pod>", "update/<pod>"}},
		{ID: SeenActStep, Actor: ActorUpdater, Do: watchUpdates, Changes: true,
			Ref:   "updater/logic/updater.go: RunOnce",
			Tells: []string{"podsToUpdate", "evictedPods", "resizedPods"}},
	})
	d.Observes = true
	return d
}

// watchUsage reads the VPA, its pods, and what they use.
func watchUsage(ctx context.Context, s *State, f *trace.Frame) error {
	s.pass = pass{}
	f.Kubectl = s.KubectlMetrics()
	if err := s.startUpdater(ctx); err != nil { // informers alone: it evicts nothing by itself
		return err
	}
	o, err := s.observer()
	if err != nil {
		return err
	}
	if err := s.updater.sync(ctx, &s.World, o); err != nil {
		return err
	}
	s.pass.vpa, err = o.vpa.AutoscalingV1().VerticalPodAutoscalers(s.Namespace).Get(ctx, s.VPA, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		s.skipPass(f, fmt.Sprintf("VPA %s 네임스페이스 %s에 없습니다.", korean.Subject(s.VPA), s.Namespace))
		return nil
	}
	if err != nil {
		return err
	}
	f.Add("updateMode", string(vpautil.GetUpdateMode(s.pass.vpa)), modeRemark(s.pass.vpa))
	live, byVPA, err := s.updater.controlledPods(ctx)
	if err != nil {
		return err
	}
	s.updater.admission.LoopInit(live, byVPA)
	for v, pods := range byVPA {
		if v.Name == s.VPA {
			s.pass.decided = &decided{vpa: v, mode: vpautil.GetUpdateMode(v), order: pods}
		}
	}
	if s.pass.decided == nil {
		s.skipPass(f, s.whyNoPods())
		return nil
	}
	pods := s.pass.decided.order
	addRequestsOf(f, pods)
	list, err := s.podMetrics(ctx)
	if world.IsFault(err) {
		return err
	}
	if err != nil {
		f.Add("metricError", err.Error(), "")
		return nil
	}
	s.addUsage(f, list, pods)
	return nil
}

// watchRecommendation tells what the cluster's recommender has written.
func watchRecommendation(_ context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = fmt.Sprintf("kubectl describe vpa %s -n %s", s.VPA, s.Namespace)
	if s.pass.vpa == nil {
		f.Add("skipped", s.pass.skip, "")
		return nil
	}
	for _, c := range s.pass.vpa.Status.Conditions {
		f.Add("condition/"+string(c.Type), string(c.Status), c.Message)
	}
	s.addRecommendation(f, s.pass.vpa)
	return nil
}

// predict is decide, and remembers how the pods were.
func predict(ctx context.Context, s *State, f *trace.Frame) error {
	if s.pass.decided != nil {
		s.rememberPods(s.pass.decided.order)
	}
	return decide(ctx, s, f)
}

// watchUpdates waits for a turn of the cluster's updater, and looks which pods have gone or
// have got another size. Whoever deletes pods at that moment is taken for it: their events
// say who it was.
func watchUpdates(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = fmt.Sprintf("kubectl get events -n %s", s.Namespace)
	if _, err := s.Elapse(ctx, s.Params.Interval); err != nil {
		return err
	}
	if s.pass.decided == nil {
		f.Add("skipped", s.pass.skip, "")
		return nil
	}
	o, err := s.observer()
	if err != nil {
		return err
	}
	if err := s.updater.sync(ctx, &s.World, o); err != nil {
		return err
	}
	live, err := s.updater.livePods()
	if err != nil {
		return err
	}
	left := map[types.UID]*corev1.Pod{}
	for _, p := range live {
		left[p.UID] = p
	}
	var gone, resized []string
	for uid, was := range s.pass.known {
		switch p := left[uid]; {
		case p == nil:
			gone = append(gone, was.Name)
			f.Changes = append(f.Changes, trace.Change{Object: "pod/" + was.Name, Field: "metadata.deletionTimestamp", To: "삭제됨"})
		case s.addOtherSize(f, p):
			resized = append(resized, was.Name)
		}
	}
	slices.Sort(gone)
	slices.Sort(resized)
	slices.SortFunc(f.Changes, func(a, b trace.Change) int { return strings.Compare(a.Object+a.Field, b.Object+b.Field) })
	f.Add("podsToUpdate", strconv.Itoa(len(s.pass.decided.order)), world.SomeNames(names(s.pass.decided.order)))
	f.Add("evictedPods", strconv.Itoa(len(gone)), world.SomeNames(gone))
	f.Add("resizedPods", strconv.Itoa(len(resized)), world.SomeNames(resized))
	return nil
}

// addOtherSize tells of requests that are others than before.
func (s *State) addOtherSize(f *trace.Frame, p *corev1.Pod) (other bool) {
	for _, c := range p.Spec.Containers {
		before := s.pass.before[p.Name+"/"+c.Name]
		for _, r := range resources {
			from, to := text(r, amountOf(r, before)), text(r, amountOf(r, c.Resources.Requests))
			if from != to {
				other = true
				f.Changes = append(f.Changes, trace.Change{Object: "pod/" + p.Name, Field: "spec.containers[].resources.requests." + string(r), From: from, To: to})
			}
		}
	}
	return other
}

// Exists tells whether the VPA can be read. The error is the API server's.
func (s *State) Exists(ctx context.Context) error {
	o, err := s.observer()
	if err != nil {
		return err
	}
	_, err = o.vpa.AutoscalingV1().VerticalPodAutoscalers(s.Namespace).Get(ctx, s.VPA, metav1.GetOptions{})
	return err
}
