package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	metricsclient "k8s.io/metrics/pkg/client/clientset/versioned"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/world"
	"github.com/stepscale/stepscale/scenarios"
)

// playableHere leaves out the lessons that cannot be played on the chosen cluster, and says
// so. It is an error when none is left.
func (a *app) playableHere(chosen []chosenLesson, screen *view.Screen) ([]chosenLesson, error) {
	var rest []chosenLesson
	real := a.target.attached() || a.target.cluster == clusterKind
	for _, c := range chosen {
		l := loops[c.Loop]
		s, err := scenarios.Load(a.scenarios, c.Scenario)
		switch {
		case l.Observes && !a.target.attached():
			screen.Note(fmt.Sprintf("수업 %s은(는) 스스로 움직이는 HPA 컨트롤러가 있는 클러스터에서 합니다. 예: stepscale learn %s --eks 이름 --image 이미지", c.ID, c.ID))
		case real && c.Loop != "" && !l.Live:
			screen.Note(fmt.Sprintf("수업 %s은(는) 가상 시간이 필요해 임베디드 클러스터에서만 합니다.", c.ID))
		case real && err == nil && needsMemory(s):
			screen.Note(fmt.Sprintf("수업 %s은(는) 메모리의 움직임이 필요해 임베디드 클러스터에서만 합니다.", c.ID))
		default:
			rest = append(rest, c)
		}
	}
	if len(rest) == 0 {
		return nil, problem.Usage("이 클러스터에서 할 수 있는 수업이 없습니다.", "위에 적힌 클러스터를 골라 다시 실행해 주십시오.")
	}
	return rest, nil
}

// checkLive refuses what needs a cluster whose time can be moved.
func checkLive(name string, l loop, s *scenarios.Scenario) error {
	hint := "--cluster 없이 실행하시면 임베디드 클러스터에서 볼 수 있습니다."
	switch {
	case !l.Live:
		return problem.Usage(fmt.Sprintf("루프 %s은(는) 가상 시간이 필요해 실제 클러스터에서는 실행하지 않습니다.", name), hint)
	case needsMemory(s):
		return problem.Usage(fmt.Sprintf("시나리오 %s은(는) 메모리의 움직임이 필요한데, 실제 클러스터의 워크로드는 CPU만 씁니다.", s.Name), hint)
	}
	return nil
}

// checkPermissions refuses a VPA loop before anything is written where the components, which
// are the caller, could not even watch.
func (a *app) checkPermissions(ctx context.Context, l loop) error {
	if !slices.Contains(l.Needs, engine.NeedsVPA) || a.conn.deniedVPA == nil {
		return nil
	}
	denied, err := a.conn.deniedVPA(ctx, a.conn.namespace)
	if err != nil {
		return problem.OfCluster(err)
	}
	if len(denied) > 0 {
		return &problem.Error{What: "VPA 수업에 필요한 권한이 없습니다: " + strings.Join(denied, "; "), Code: problem.ExitUsage,
			Hint: "아무것도 쓰지 않았습니다. 강사에게 stepscale-student 역할을 부탁하시고(stepscale class install), stepscale doctor에 같은 --eks나 --context와 -n을 적어 확인해 주십시오."}
	}
	return nil
}

// needsMemory: what burns CPU on a real cluster moves no memory.
func needsMemory(s *scenarios.Scenario) bool { return len(s.WorkingSet.Timeline.Segments) > 0 }

// goLive starts what a real cluster needs for a loop: somebody who watches, and the
// first value of the metrics API.
func (s *clusterStage) goLive(ctx context.Context, out Phases) error {
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.closers = append(s.closers, func(context.Context) error { stop(); return nil })
	var err error
	if s.witness, err = clusters.NewWitness(ctx, watching.Done(), s.conn.config, s.namespace); err != nil {
		return &problem.Error{What: "파드와 레플리카셋을 지켜볼 수 없습니다", Where: s.namespace, Cause: err,
			Hint: "stepscale doctor에 같은 --eks나 --context와 -n을 적어 모자라는 권한을 확인해 주십시오."}
	}
	begin := time.Now()
	out.Phase("첫 메트릭", 0)
	if err := s.awaitMetrics(ctx); err != nil {
		return err
	}
	out.Phase("첫 메트릭", time.Since(begin))
	return nil
}

// startLoad makes the generator, whose timeline begins with it.
func (s *clusterStage) startLoad(ctx context.Context) error {
	for _, obj := range s.loadObjects() {
		u, err := toUnstructured(obj)
		if err != nil {
			return err
		}
		if err := s.applied(u, s.applyOne(ctx, u)); err != nil {
			return err
		}
	}
	err := s.waitRunning(ctx)
	s.begun = s.conn.clock().Now()
	return err
}

// awaitMetrics waits until the Metrics Server has a value for every pod.
func (s *clusterStage) awaitMetrics(ctx context.Context) error {
	client, err := metricsclient.NewForConfig(s.conn.config)
	if err != nil {
		return err
	}
	var last error
	err = wait.PollUntilContextTimeout(ctx, time.Second, liveTimeout, true, func(ctx context.Context) (bool, error) {
		pods, err := s.kube.CoreV1().Pods(s.namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err
		}
		measured, err := client.MetricsV1beta1().PodMetricses(s.namespace).List(ctx, metav1.ListOptions{})
		if world.IsFault(err) {
			return false, err
		}
		last = err
		return err == nil && len(measured.Items) >= len(pods.Items), nil
	})
	if wait.Interrupted(err) && ctx.Err() == nil {
		return &problem.Error{What: "메트릭 서버가 파드의 값을 내놓지 않습니다", Cause: last, Where: s.namespace,
			Hint: "kubectl top pods와 kubectl get apiservice v1beta1.metrics.k8s.io로 확인해 주십시오."}
	}
	return err
}

// forRealNodes makes an object of a scenario one for a cluster where nothing is
// simulated. It reports false when the object is not to be applied.
func (s *clusterStage) forRealNodes(obj *unstructured.Unstructured) (bool, error) {
	switch obj.GetKind() {
	case "Deployment":
		return true, s.runWorkload(obj)
	case kindHPA:
		return s.besideManaged(obj)
	case "PodDisruptionBudget":
		s.budget = true
	}
	return true, nil
}

// besideManaged keeps the HPA from the cluster's own controller.
func (s *clusterStage) besideManaged(obj *unstructured.Unstructured) (bool, error) {
	if s.mode == hpa.ModeAlone {
		return true, nil
	}
	h := &autoscalingv2.HorizontalPodAutoscaler{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, h); err != nil {
		return false, err
	}
	if s.mode == hpa.ModeDrive {
		s.given = h
		return false, nil
	}
	disarmed, err := hpa.Disarm(h)
	if errors.Is(err, hpa.ErrScalesToZero) {
		return false, &problem.Error{What: fmt.Sprintf("HPA %s은(는) 0개까지 줄일 수 있어 무장 해제할 수 없습니다", h.Name), Code: problem.ExitUsage,
			Hint: "0개에서 깨우는 일은 클러스터의 컨트롤러가 behavior와 상관없이 합니다. --hpa-mode drive로 실행해 주십시오."}
	}
	if err != nil {
		return false, err
	}
	u, err := toUnstructured(disarmed)
	if err == nil {
		obj.Object = u.Object
	}
	return true, err
}

func toUnstructured(obj any) (*unstructured.Unstructured, error) {
	raw, err := json.Marshal(obj)
	if err != nil {
		return nil, err
	}
	u := &unstructured.Unstructured{}
	err = u.UnmarshalJSON(raw)
	unstructured.RemoveNestedField(u.Object, "status")
	return u, err
}
