package vpa

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/input/history"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/model"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/trace"
)

// samplePeriod is how often the recommender asks for usage (--recommender-interval).
const samplePeriod = time.Minute

// History lets an hour, a day and eight days pass at once, and then restarts
// the recommender. The samples come from the scenario's load where upstream
// would ask a Prometheus (recommender/input/history).
func History() engine.Defined[State] {
	const ref = "recommender/input/cluster_feeder.go: InitFromHistoryProvider"
	return define("vpa-history", false, []engine.Step[State]{
		{ID: "vpa-history/1-hour", Actor: ActorRecommender, Do: after(time.Hour),
			Ref: ref, Tells: historyTells},
		{ID: "vpa-history/2-day", Actor: ActorRecommender, Do: after(24 * time.Hour),
			Ref: ref, Tells: historyTells},
		{ID: "vpa-history/3-week", Actor: ActorRecommender, Do: after(8 * 24 * time.Hour),
			Ref: ref, Tells: historyTells},
		{ID: "vpa-history/4-restart", Actor: ActorRecommender, Do: restart,
			Ref:   "recommender/input/cluster_feeder.go: InitFromCheckpoints",
			Tells: []string{"samplesBefore", "samples", "target/<container>", "recommendationChanged/<container>"}},
	})
}

// historyTells are the facts that lessons may ask about after some time.
var historyTells = []string{
	"historyLength", "samples/<container>", "confidence/<container>", "lowerBound/<container>", "target/<container>",
	"upperBound/<container>", "upperOverTarget/<container>", "bucket/<range>",
}

// after lets time pass until that long after the load began.
func after(age time.Duration) func(context.Context, *State, *trace.Frame) error {
	return func(ctx context.Context, s *State, f *trace.Frame) error {
		f.Kubectl = fmt.Sprintf("kubectl describe vpa %s -n %s", s.VPA, s.Namespace)
		if s.Past == nil || s.Simulation == nil {
			return errors.New("이 클러스터에서는 지난 사용량을 만들 수 없습니다. 임베디드 클러스터에서 실행해 주십시오")
		}
		left := age - s.Clock.Since(s.Begun)
		if left <= 0 {
			f.Add("skipped", fmt.Sprintf("이미 %s 지났습니다.", korean.Subject(plain(age))), "")
			return nil
		}
		if err := s.begin(ctx); err != nil {
			return err
		}
		if err := s.relive(ctx, left); err != nil {
			return err
		}
		f.Add("historyLength", plain(s.Clock.Since(s.Begun)), "")
		return s.concludeHistory(ctx, f)
	}
}

// begin reads the VPA and its pods, as the first steps of the loop do.
func (s *State) begin(ctx context.Context) error {
	s.pass = pass{}
	o, err := s.observer()
	if err != nil {
		return err
	}
	if err := s.recommender.load(ctx, &s.World, o); err != nil {
		return err
	}
	s.pass.vpa, err = o.vpa.AutoscalingV1().VerticalPodAutoscalers(s.Namespace).Get(ctx, s.VPA, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("VPA %s 네임스페이스 %s에 없습니다. 지웠다면 수업을 다시 시작해 주십시오", korean.Subject(s.VPA), s.Namespace)
	}
	return err
}

// relive lets time pass and feeds the recommender with a sample a minute.
func (s *State) relive(ctx context.Context, d time.Duration) error {
	pods, err := s.vpaPods(ctx)
	if err != nil {
		return err
	}
	start := s.Clock.Now()
	if err := s.Simulation.Advance(ctx, d); err != nil {
		return fmt.Errorf("가상 시간을 옮기지 못했습니다: %w", err)
	}
	past := podHistories{}
	for at := start.Add(samplePeriod); !at.After(start.Add(d)); at = at.Add(samplePeriod) {
		usage := s.Past(at.Sub(s.Begun), pods, at)
		for _, p := range pods {
			past.add(p, usage[p.Name], at)
		}
	}
	s.recommender.told(func(f *Feed) { f.Past = past.recorded(pods, start) })
	s.recommender.feeder.InitFromHistoryProvider(past)
	s.recommender.feeder.LoadPods() // the provider knows no phases
	s.pass.model = s.recommender.look(s.Namespace, s.VPA)
	return nil
}

// podHistories is a history.HistoryProvider.
type podHistories map[model.PodID]*history.PodHistory

func (h podHistories) GetClusterHistory() (map[model.PodID]*history.PodHistory, error) { return h, nil }

func (h podHistories) add(p *corev1.Pod, used map[string]Usage, at time.Time) {
	id := model.PodID{Namespace: p.Namespace, PodName: p.Name}
	one := h[id]
	if one == nil {
		one = &history.PodHistory{LastLabels: p.Labels, LastSeen: at, Samples: map[string][]model.ContainerUsageSample{}}
		h[id] = one
	}
	for _, c := range p.Spec.Containers {
		u := used[c.Name]
		one.Samples[c.Name] = append(one.Samples[c.Name],
			model.ContainerUsageSample{MeasureStart: at, Resource: model.ResourceCPU, Usage: model.ResourceAmount(u.CPU)})
		if u.Memory > 0 {
			one.Samples[c.Name] = append(one.Samples[c.Name],
				model.ContainerUsageSample{MeasureStart: at, Resource: model.ResourceMemory, Usage: model.ResourceAmount(u.Memory)})
		}
	}
}

// concludeHistory recommends, writes, and shows how far the bounds are apart.
func (s *State) concludeHistory(ctx context.Context, f *trace.Frame) error {
	f.Inputs = s.fed()
	computed := s.each(f, func(name string, r model.ResourceName, a *model.AggregateContainerState) {
		value, expr := confidence(a, s.Params.confidenceInterval(r))
		f.Add("confidence/"+of(name, r), ratio(value), expr)
	})
	if !computed {
		return nil
	}
	_, capped := s.recommender.recommend(s.pass.model, s.pass.vpa, s.Params)
	s.pass.recommended = true
	s.each(f, func(name string, r model.ResourceName, a *model.AggregateContainerState) {
		to := recommendedFor(capped, name)
		target, high := amountOf(r, list(to, "target")), amountOf(r, list(to, "upperBound"))
		for _, b := range []string{"lowerBound", "target", "upperBound"} {
			f.Add(b+"/"+of(name, r), text(r, amountOf(r, list(to, b))), "")
		}
		f.Add("upperOverTarget/"+of(name, r), ratio(float64(high)/float64(max(target, 1))), fmt.Sprintf("%s / %s", text(r, high), text(r, target)))
		if err := addHistogram(f, name, r, a); err != nil {
			f.Add("skipped", err.Error(), "")
		}
	})
	now := metav1.NewTime(s.Clock.Now())
	if err := s.recommender.publish(s.pass.model, s.pass.vpa, now); err != nil {
		return err
	}
	s.recommender.save(ctx, now)
	return nil
}

// restart throws the recommender away and starts another, which finds the
// checkpoints.
func restart(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = fmt.Sprintf("kubectl get vpacheckpoint -n %s -o yaml", s.Namespace)
	if err := s.begin(ctx); err != nil {
		return err
	}
	before := s.pass.vpa.Status.Recommendation
	f.Add("samplesBefore", strconv.Itoa(s.recommender.look(s.Namespace, s.VPA).samples()), "")
	s.recommender.stop()
	s.recommender = nil
	if err := s.startRecommender(ctx); err != nil {
		return err
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	s.pass.model = s.recommender.look(s.Namespace, s.VPA)
	f.Inputs = s.fed()
	f.Add("samples", strconv.Itoa(s.pass.model.samples()), "")
	if s.pass.model == nil || len(s.pass.model.names) == 0 {
		f.Add("skipped", "체크포인트를 찾지 못했습니다. 처음부터 다시 배웁니다.", "")
		return nil
	}
	_, now := s.recommender.recommend(s.pass.model, s.pass.vpa, s.Params)
	for _, name := range s.pass.model.names {
		for _, r := range s.pass.model.containers[name].GetControlledResources() {
			from, to := s.targetText(before, name, r), s.targetText(now, name, r)
			f.Add("target/"+of(name, r), to, "재시작하기 전 "+from)
			f.Add("recommendationChanged/"+of(name, r), strconv.FormatBool(from != to), "")
		}
	}
	return nil
}

func (s *State) targetText(r *vpav1.RecommendedPodResources, container string, name model.ResourceName) string {
	return text(name, amountOf(name, list(recommendedFor(r, container), "target")))
}
