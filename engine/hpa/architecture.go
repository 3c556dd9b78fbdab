package hpa

import (
	"context"
	"fmt"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// firstEvent bounds how long the watch step waits for the first event.
const firstEvent = 2 * time.Second

// target reads the HPA and the Deployment that it scales, as the learner.
func (s *State) target(ctx context.Context) (*autoscalingv2.HorizontalPodAutoscaler, world.Workload, error) {
	hpa, err := s.readHPA(ctx, s.AsLearner())
	if apierrors.IsNotFound(err) {
		return nil, world.Workload{}, fmt.Errorf("HPA %s 네임스페이스 %s에 없습니다. 시나리오의 오브젝트를 적용했는지 확인하십시오: %w", korean.Subject(s.HPA), s.Namespace, err)
	}
	if err != nil {
		return nil, world.Workload{}, err
	}
	ref := hpa.Spec.ScaleTargetRef
	if ref.Kind != "Deployment" {
		return nil, world.Workload{}, fmt.Errorf("이 단계는 Deployment를 가리키는 HPA가 필요하지만 %s/%s 가리킵니다", ref.Kind, korean.Object(ref.Name))
	}
	w, err := world.ReadDeployment(ctx, s.AsLearner(), s.Namespace, ref.Name)
	if apierrors.IsNotFound(err) {
		return nil, w, fmt.Errorf("디플로이먼트 %s 네임스페이스 %s에 없습니다. HPA의 scaleTargetRef를 확인하십시오: %w", korean.Subject(ref.Name), s.Namespace, err)
	}
	return hpa, w, err
}

// showOwners follows the owner references from a pod up to the Deployment.
func showOwners(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = fmt.Sprintf("kubectl get pods,replicasets -n %s -o custom-columns='KIND:.kind,NAME:.metadata.name,OWNER:.metadata.ownerReferences[0].kind,OWNER_NAME:.metadata.ownerReferences[0].name'", s.Namespace)
	_, w, err := s.target(ctx)
	if err != nil {
		return err
	}
	f.Add("podsTotal", strconv.Itoa(len(w.Active())), "")
	for i, p := range w.Active() {
		if i == world.ShownNames {
			break
		}
		f.Add("owner/pod/"+p.Name, ownerOf(p), "")
	}
	for _, rs := range w.ReplicaSets {
		f.Add("owner/replicaset/"+rs.Name, ownerOf(rs), "")
	}
	if rs := w.Newest(); rs != nil {
		f.Add("replicaSetReplicas", strconv.Itoa(int(world.ReplicasOf(rs))), "")
	}
	f.Add("owner/deployment/"+w.Deployment.Name, ownerOf(w.Deployment), "")
	return nil
}

// ownerOf names the controller of an object: "replicaset/web-6d4f".
func ownerOf(o metav1.Object) string {
	owner := metav1.GetControllerOf(o)
	if owner == nil {
		return "없음"
	}
	return world.ObjectName(owner.Kind, owner.Name)
}

// showDeployment shows what the Deployment adds between the HPA and the ReplicaSet.
func showDeployment(ctx context.Context, s *State, f *trace.Frame) error {
	hpa, w, err := s.target(ctx)
	if err != nil {
		return err
	}
	name := hpa.Spec.ScaleTargetRef.Name
	path := fmt.Sprintf("/apis/apps/v1/namespaces/%s/deployments/%s/scale", s.Namespace, name)
	f.Kubectl = fmt.Sprintf("kubectl get deployment %s -n %s --subresource=scale", name, s.Namespace)
	scale, err := s.AsLearner().Kube.AppsV1().Deployments(s.Namespace).GetScale(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	f.Add("scaleTarget", world.ObjectName(hpa.Spec.ScaleTargetRef.Kind, name), "")
	f.Add("scalePath", path, "")
	f.Add("scaleReplicas", strconv.Itoa(int(scale.Spec.Replicas)), "")
	f.Add("scaleSelector", scale.Status.Selector, "")
	f.Add("revision", w.Deployment.Annotations[world.RevisionAnnotation], "")
	f.Add("replicaSets", strconv.Itoa(len(w.ReplicaSets)), "")
	if rs := w.Newest(); rs != nil {
		f.Add("podTemplateHash", rs.Labels[appsv1.DefaultDeploymentUniqueLabelKey], "")
		f.Add("replicaSetReplicas", strconv.Itoa(int(world.ReplicasOf(rs))), "")
	}
	return nil
}

// showMetric sets one number from metrics.k8s.io against the HPA's target.
func showMetric(ctx context.Context, s *State, f *trace.Frame) error {
	hpa, w, err := s.target(ctx)
	if err != nil {
		return err
	}
	f.Kubectl = "kubectl top pods -n " + s.Namespace
	pod := firstReady(w)
	if pod == nil {
		f.Add("skipped", "Ready인 파드가 없어 읽을 메트릭이 없습니다.", "")
		return nil
	}
	m, err := s.podMetrics(ctx, pod.Name)
	if world.IsFault(err) {
		return err
	}
	if err != nil {
		f.Add("skipped", "metrics.k8s.io에 아직 이 파드의 메트릭이 없습니다: "+err.Error(), "")
		return nil
	}
	used := cpuOf(m)
	f.Add("pod", pod.Name, "")
	f.Add("podMetric/"+pod.Name, quantityOf("cpu", used), "")
	f.Add("podTimestamp/"+pod.Name, m.Timestamp.UTC().Format(engine.ClockLayout), "")
	f.Add("podWindow/"+pod.Name, m.Window.Duration.String(), "")
	request := cpuRequest(pod)
	if request > 0 {
		f.Add("request", quantityOf("cpu", request), "")
		f.Add("utilization", strconv.FormatInt(used*100/request, 10)+"%", fmt.Sprintf("%dm / %dm × 100", used, request))
	}
	if target := cpuTarget(hpa); target != "" {
		f.Add("targetUtilization", target, "")
	}
	return nil
}

func firstReady(w world.Workload) *corev1.Pod {
	for _, p := range w.Active() {
		if world.IsReady(p) && p.Spec.NodeName != "" {
			return p
		}
	}
	return nil
}

// podMetrics reads one pod's metrics; a cluster that has just started gets the
// scrapes that the Metrics Server needs for its first rate.
func (s *State) podMetrics(ctx context.Context, pod string) (*metricsv1beta1.PodMetrics, error) {
	const scrapes = 3
	for try := 0; ; try++ {
		m, err := s.AsLearner().Metrics.MetricsV1beta1().PodMetricses(s.Namespace).Get(ctx, pod, metav1.GetOptions{})
		if err == nil || world.IsFault(err) || try == scrapes || s.Simulation == nil {
			return m, err
		}
		if err := s.tick(ctx); err != nil {
			return nil, err
		}
	}
}

func cpuOf(m *metricsv1beta1.PodMetrics) int64 {
	var sum int64
	for _, c := range m.Containers {
		sum += c.Usage.Cpu().MilliValue()
	}
	return sum
}

func cpuRequest(p *corev1.Pod) int64 {
	var sum int64
	for _, c := range p.Spec.Containers {
		sum += c.Resources.Requests.Cpu().MilliValue()
	}
	return sum
}

// cpuTarget writes the HPA's first CPU target: "50%" or "100m".
func cpuTarget(hpa *autoscalingv2.HorizontalPodAutoscaler) string {
	for _, m := range hpa.Spec.Metrics {
		if m.Type != autoscalingv2.ResourceMetricSourceType || m.Resource == nil || m.Resource.Name != corev1.ResourceCPU {
			continue
		}
		if m.Resource.Target.AverageValue != nil {
			return m.Resource.Target.AverageValue.String()
		}
		if m.Resource.Target.AverageUtilization != nil {
			return fmt.Sprintf("%d%%", *m.Resource.Target.AverageUtilization)
		}
	}
	return ""
}

// showWatches lists the watches that are really open, by actor. The engine
// reads the HPA when a step asks for it, so it opens the watch that upstream's
// controller would hold for as long as this step takes.
func showWatches(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = fmt.Sprintf("kubectl get hpa %s -n %s --watch", s.HPA, s.Namespace)
	w, err := s.Controller.Kube.AutoscalingV2().HorizontalPodAutoscalers(s.Namespace).Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	defer w.Stop()
	timer := time.NewTimer(firstEvent)
	defer timer.Stop()
	select {
	case e := <-w.ResultChan():
		if hpa, ok := e.Object.(*autoscalingv2.HorizontalPodAutoscaler); ok {
			f.Add("watchEvent", string(e.Type)+" hpa/"+hpa.Name, "")
		}
	case <-timer.C:
		f.Add("watchEvent", "없음", "")
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.Watches == nil {
		f.Add("skipped", "이 클러스터에서는 다른 컨트롤러가 연 watch를 셀 수 없습니다.", "")
		return nil
	}
	open, err := s.Watches.Watches(ctx)
	if err != nil {
		return err
	}
	world.AddWatches(f, open)
	return nil
}
