package hpa

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/trace"
)

// ActualStep ends a pass of observation.
const ActualStep trace.StepID = "hpa-observe/3-scale/actual"

// ActorCluster is the cluster's own HPA controller
// (cmd/kube-controller-manager/names/controller_names.go).
const ActorCluster = "horizontal-pod-autoscaler-controller"

// Observe predicts what the cluster's own HPA controller is about to do, and then looks
// at what it did. Nothing is written.
func Observe() engine.Defined[State] {
	d := define("hpa-observe", slices.Concat([]engine.Step[State]{
		{ID: "hpa-observe/1-metrics/query", Actor: trace.ActorLearner, Do: query,
			Ref:   "podautoscaler/metrics: (*resourceMetricsClient).GetResourceMetric",
			Tells: []string{"currentReplicas", "podsListed", "podMetric/<pod>"}},
	}, decisionSteps("hpa-observe", trace.ActorLearner), []engine.Step[State]{
		{ID: ActualStep, Actor: ActorCluster, Do: actual, Changes: true,
			Ref:   "horizontal.go: reconcileAutoscaler",
			Tells: []string{"currentReplicas", "ourReplicas", "actualReplicas", "agrees"}},
	}))
	d.Observes = true
	return d
}

// actual waits for one sync of the cluster's controller and compares. Our memory
// follows what the controller did, not what we predicted.
func actual(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl, f.Inputs = "kubectl describe hpa "+s.HPA+" -n "+s.Namespace, s.pass.recorded
	if s.observed.IsZero() {
		s.observed = s.Clock.Now()
	}
	if _, err := s.Elapse(ctx, s.Params.SyncPeriod); err != nil {
		return err
	}
	if s.pass.decision == nil {
		f.Add("skipped", s.pass.skip, "")
		return nil
	}
	hpa, err := s.readHPA(ctx, s.Controller)
	if err != nil {
		return err
	}
	scale, _, err := scaleOf(ctx, s.Controller, hpa)
	if err != nil {
		return err
	}
	before, predicted, now := s.pass.input.SpecReplicas, s.pass.result.Desired, scale.Spec.Replicas
	if now != before { // at the time of our pass: the controller's next one is as long after its own
		s.history().storeScaleEvent(hpa.Spec.Behavior, before, now, s.pass.input.Now)
	}
	f.Add("currentReplicas", strconv.Itoa(int(before)), "")
	f.Add("ourReplicas", strconv.Itoa(int(predicted)), "")
	f.Add("actualReplicas", strconv.Itoa(int(now)), "")
	for _, c := range hpa.Status.Conditions {
		f.Add("condition/"+string(c.Type), string(c.Status)+" "+c.Reason, "")
	}
	f.Add("agrees", strconv.FormatBool(predicted == now), "")
	if now != before {
		f.Changes = append(f.Changes, change(s.targetObject(), "spec.replicas", before, now))
	}
	if predicted == now {
		return nil
	}
	why, err := s.whyDifferent(ctx, hpa, before, now)
	f.Add("difference", why, "")
	return err
}

// whyDifferent looks for what the controller knew and we did not.
func (s *State) whyDifferent(ctx context.Context, hpa *autoscalingv2.HorizontalPodAutoscaler, before, now int32) (string, error) {
	if hpa.Status.DesiredReplicas != now {
		return fmt.Sprintf("HPA의 status는 %d개를 원한다고 말합니다. HPA가 아닌 누군가가 scale을 바꾸었거나, 컨트롤러가 그사이에 두 번 움직였습니다.", hpa.Status.DesiredReplicas), nil
	}
	later := *s
	later.pass, later.History = pass{}, s.history().Clone()
	if err := query(ctx, &later, &trace.Frame{}); err != nil {
		return "", err
	}
	d := difference{before: before, predicted: s.pass.result.Desired, now: now, again: s.pass.result.Desired}
	if in := later.pass.input; later.pass.decision != nil {
		in.SpecReplicas = before
		d.again = Decide(s.Params, in, s.history().Clone()).Desired
	}
	if s.Clock.Since(s.observed) < s.Params.DownscaleStabilization {
		d.forgets = s.Params.DownscaleStabilization
	}
	return d.why(), nil
}

// difference is a number of replicas that was not predicted.
type difference struct {
	before, predicted, now int32
	again                  int32         // what would be predicted now
	forgets                time.Duration // the controller may know proposals so old, which we have not seen; 0: no longer
}

func (d difference) why() string {
	switch {
	case d.again == d.now:
		return "입력이 그사이에 바뀌었습니다. 컨트롤러는 우리보다 조금 늦게 읽었고, 지금의 입력으로 계산하면 같은 수가 나옵니다."
	case min(d.predicted, d.again) < d.now && d.now < max(d.predicted, d.again):
		return fmt.Sprintf("입력이 바뀌는 중입니다. 앞서 읽은 값으로는 %d개, 지금의 값으로는 %d개이고, 컨트롤러는 그 중간에 읽었습니다.", d.predicted, d.again)
	case d.forgets > 0 && d.predicted < d.now && d.now <= d.before: // what is remembered holds back, and adds nothing
		return fmt.Sprintf("컨트롤러는 우리가 보기 전의 제안도 기억합니다. %s 지나면 기억이 같아집니다.", korean.Subject(minutes(d.forgets)))
	}
	return "이유를 찾지 못했습니다. 그사이의 값이 잠깐 달랐거나, 이 클러스터의 컨트롤러가 다른 플래그나 다른 버전으로 돌고 있을 수 있습니다."
}

func minutes(d time.Duration) string { return fmt.Sprintf("%d분", int(d.Minutes())) }

// Exists tells whether the HPA can be read. The error is the API server's.
func (s *State) Exists(ctx context.Context) error {
	_, err := s.Controller.Kube.AutoscalingV2().HorizontalPodAutoscalers(s.Namespace).Get(ctx, s.HPA, metav1.GetOptions{})
	return err
}
