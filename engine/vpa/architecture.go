package vpa

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/status"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// showPods is the state before: a Deployment's pods with the requests that
// somebody once wrote down.
func showPods(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = fmt.Sprintf("kubectl get deployment,pods -n %s", s.Namespace)
	for _, o := range s.Objects {
		if o.Name == s.VPA {
			s.pass.vpa = o // not on the cluster yet; its target is
		}
	}
	pods, err := s.vpaPods(ctx)
	if err != nil {
		return err
	}
	if len(pods) == 0 {
		return errors.New("VPA의 대상 디플로이먼트에 파드가 없습니다. 시나리오의 targetRef를 확인하십시오")
	}
	f.Add("podsTotal", strconv.Itoa(len(pods)), "")
	addSizes(f, pods[0].Spec.Containers, "requestBefore", "limitBefore")
	return nil
}

// showMetrics lets an interval pass and shows what the Metrics Server has.
func showMetrics(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl top pods -n " + s.Namespace
	n, err := s.Elapse(ctx, s.Params.Interval)
	if err != nil {
		return err
	}
	if n > 0 {
		f.Add("scrapes", strconv.Itoa(n), fmt.Sprintf("%s / %s", plain(s.Params.Interval), plain(world.MetricResolution)))
	}
	metrics, err := s.podMetrics(ctx)
	if err != nil {
		return err
	}
	pods, err := s.vpaPods(ctx)
	if err != nil {
		return err
	}
	s.addUsage(f, metrics, pods)
	return nil
}

// showCRDs brings the resource types and the VPA object.
func showCRDs(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl api-resources --api-group=autoscaling.k8s.io"
	before, err := s.servedResources()
	if err != nil {
		return err
	}
	remark := ""
	if s.Shared {
		remark = "클러스터 전체에 걸친 것이라 강사가 미리 만들어 두었습니다"
	}
	f.Add("servedBefore", strconv.Itoa(len(before)), remark)
	if err := s.installCRDs(ctx); err != nil {
		return err
	}
	if err := s.createObjects(ctx); err != nil {
		return err
	}
	after, err := s.servedResources()
	if err != nil {
		return err
	}
	f.Add("servedResources", strconv.Itoa(len(after)), world.SomeNames(after))
	o, err := s.observer()
	if err != nil {
		return err
	}
	vpa, err := o.vpa.AutoscalingV1().VerticalPodAutoscalers(s.Namespace).Get(ctx, s.VPA, metav1.GetOptions{})
	if err != nil {
		return err
	}
	f.Add("hasRecommendation", strconv.FormatBool(vpa.Status.Recommendation != nil), "")
	for _, name := range after {
		if slices.Contains(before, name) {
			continue
		}
		f.Changes = append(f.Changes, trace.Change{Object: "crd/" + name + ".autoscaling.k8s.io", Field: "metadata.name", To: name})
	}
	f.Changes = append(f.Changes, trace.Change{Object: "vpa/" + s.VPA, Field: "metadata.name", To: s.VPA})
	return nil
}

// showRecommender starts the recommender, with upstream's roles.
func showRecommender(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = s.kubectlRoles("system:vpa-status-actor system:vpa-checkpoint-actor system:metrics-reader")
	if err := s.installRBAC(ctx); err != nil {
		return err
	}
	if err := s.startRecommender(ctx); err != nil {
		return err
	}
	s.addRunsAs(f)
	f.Add("reads", "verticalpodautoscalers, pods, metrics.k8s.io", "")
	f.Add("writes", "verticalpodautoscalers/status, verticalpodautoscalercheckpoints", "")
	return s.addWatches(ctx, f, ActorRecommender)
}

// showAdmission starts the webhook and registers it.
func showAdmission(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = kubectlWebhook
	if err := s.startAdmission(ctx); err != nil {
		return err
	}
	if s.admission == nil {
		f.Actor, f.Kubectl = s.Admission.actor(), "kubectl get mutatingadmissionpolicies,mutatingwebhookconfigurations"
		f.Add("admissionBy", string(s.Admission), s.whyAdmission())
		return nil
	}
	config, err := s.AsObserver().Kube.AdmissionregistrationV1().MutatingWebhookConfigurations().Get(ctx, webhookConfig, metav1.GetOptions{})
	if err != nil {
		return err
	}
	hook := config.Webhooks[0]
	f.Add("webhook", hook.Name, "")
	f.Add("webhookURL", *hook.ClientConfig.URL, "")
	for _, r := range hook.Rules {
		f.Add("webhookRule/"+r.Resources[0], fmt.Sprint(r.Operations), "")
	}
	f.Add("failurePolicy", string(*hook.FailurePolicy), "")
	f.Add("timeoutSeconds", strconv.Itoa(int(*hook.TimeoutSeconds)), "")
	f.Add("lease", "kube-system/"+status.AdmissionControllerStatusName, "")
	f.Changes = append(f.Changes, trace.Change{Object: "mutatingwebhookconfiguration/" + webhookConfig, Field: "metadata.name", To: webhookConfig})
	return s.addWatches(ctx, f, ActorAdmission)
}

// showUpdater starts the updater.
func showUpdater(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = s.kubectlRoles("system:evictioner system:vpa-updater-in-place")
	if err := s.startUpdater(ctx); err != nil {
		return err
	}
	if s.Admission == AdmissionWebhook {
		alive, err := s.updater.alive.IsStatusValid(ctx, status.AdmissionControllerStatusTimeout)
		if err != nil {
			return err
		}
		f.Add("admissionAlive", strconv.FormatBool(alive), "")
	} else {
		f.Add("admissionBy", string(s.Admission), "")
	}
	s.addRunsAs(f)
	f.Add("writes", "pods/eviction, pods/resize", "")
	return s.addWatches(ctx, f, ActorUpdater)
}

// kubectlRoles shows what a component may do.
func (s *State) kubectlRoles(roles string) string {
	if s.Shared {
		return "kubectl auth can-i --list -n " + s.Namespace
	}
	return "kubectl describe clusterrole " + roles
}

// addRunsAs tells on a shared cluster, where nobody may make service accounts for a
// lesson, that a component has the learner's own identity.
func (s *State) addRunsAs(f *trace.Frame) {
	if s.Shared {
		f.Add("runsAs", "수업을 실행한 사람 자신", "다른 사람의 클러스터에는 서비스 어카운트와 역할을 만들지 않습니다")
	}
}

// addWatches tells what one component watches.
func (s *State) addWatches(ctx context.Context, f *trace.Frame, actor string) error {
	if s.Watches == nil {
		f.Add("skipped", "이 클러스터에서는 컴포넌트가 연 watch를 셀 수 없습니다.", "")
		return nil
	}
	var open []trace.Watch
	err := s.Settle(ctx, func(ctx context.Context) (bool, error) { // informers list first and watch a moment later
		all, err := s.Watches.Watches(ctx)
		open = slices.DeleteFunc(all, func(w trace.Watch) bool { return w.Actor != actor })
		return len(open) >= componentWatches, err
	})
	world.AddWatches(f, open)
	return err
}

// componentWatches is how many watches every component has at least: pods, VPA
// objects and the workloads that may own a pod.
const componentWatches = 9
