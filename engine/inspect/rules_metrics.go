package inspect

import (
	"fmt"
	"slices"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"

	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/korean"
)

// groupOf is the API group that answers a metric.
func groupOf(m autoscalingv2.MetricSpec) string {
	switch m.Type {
	case autoscalingv2.ResourceMetricSourceType, autoscalingv2.ContainerResourceMetricSourceType:
		return "metrics.k8s.io"
	case autoscalingv2.ExternalMetricSourceType:
		return "external.metrics.k8s.io"
	}
	return "custom.metrics.k8s.io"
}

// deadMetricsAPI finds APIServices that do not answer, and all HPAs that ask them.
func deadMetricsAPI(s *Snapshot) []Finding {
	if s.Unread[KindAPIs] != "" {
		return nil
	}
	var all []Finding
	for _, group := range []string{"metrics.k8s.io", "custom.metrics.k8s.io", "external.metrics.k8s.io"} {
		starving := s.askers(group)
		name, why := s.unserved(group)
		if len(starving) == 0 || why == "" {
			continue
		}
		f := Finding{Object: Object{Kind: "APIService", Name: name}, Also: starving, Evidence: []Line{observed("%s", why)},
			What:    fmt.Sprintf("%s에 답이 없어 HPA %d개가 메트릭을 읽지 못합니다.", group, len(starving)),
			Fix:     "이 API를 답하는 파드(metrics.k8s.io라면 Metrics Server)가 Ready인지, 그 Service에 엔드포인트가 있는지 확인하십시오. EKS라면 클러스터 보안 그룹이 API 서버에서 파드로 가는 포트를 막지 않는지도 보십시오.",
			Command: "kubectl get apiservice " + name + " -o yaml"}
		if why == noAPIService {
			f.Command = "kubectl get apiservices"
		}
		for _, o := range starving {
			f.Evidence = append(f.Evidence, observed("이 API에 묻는 HPA: %s/%s", o.Namespace, o.Name))
		}
		all = append(all, f)
	}
	return all
}

const noAPIService = "이 그룹의 APIService가 없습니다"

// askers are the HPAs that ask a group.
func (s *Snapshot) askers(group string) []Object {
	var all []Object
	for i := range s.HPAs {
		if slices.ContainsFunc(s.HPAs[i].Spec.Metrics, func(m autoscalingv2.MetricSpec) bool { return groupOf(m) == group }) {
			all = append(all, objectOf(&s.HPAs[i]))
		}
	}
	return all
}

// unserved says why no version of the group is available; empty when one is.
func (s *Snapshot) unserved(group string) (name, why string) {
	name, why = "v1beta1."+group, noAPIService
	for _, a := range s.APIs {
		if a.Spec.Group != group {
			continue
		}
		i := slices.IndexFunc(a.Status.Conditions, func(c apiregistration.APIServiceCondition) bool { return c.Type == apiregistration.Available })
		if i < 0 || a.Status.Conditions[i].Status != apiregistration.ConditionFalse {
			return a.Name, "" // one without the condition was made just now
		}
		c := a.Status.Conditions[i]
		name, why = a.Name, fmt.Sprintf("APIService %s Available=%s %s: %s", a.Name, c.Status, c.Reason, c.Message)
	}
	return name, why
}

// dead tells that a metric's API is known not to answer.
func (s *Snapshot) dead(m autoscalingv2.MetricSpec) bool {
	if s.Unread[KindAPIs] != "" {
		return false
	}
	_, why := s.unserved(groupOf(m))
	return why != ""
}

func missingTarget(s *Snapshot, h *HPA) *Finding {
	if h.Target != nil || !notFound(h.TargetErr) {
		return nil
	}
	ref := h.Spec.ScaleTargetRef
	f := &Finding{What: fmt.Sprintf("HPA가 가리키는 %s 없습니다. 레플리카 수를 바꿀 수 없습니다.", korean.Subject(h.target())),
		Evidence: []Line{observed("scale을 읽은 API의 답: %v", h.TargetErr)},
		Fix:      "scaleTargetRef의 apiVersion, kind, name이 실제 대상과 같은지 확인하십시오. 대상을 지우셨다면 HPA도 지우십시오.",
		Command:  fmt.Sprintf("kubectl get hpa %s -n %s -o jsonpath='{.spec.scaleTargetRef}'", h.Name, h.Namespace)}
	if ref.APIVersion == "" {
		f.Evidence = append(f.Evidence, observed("scaleTargetRef에 apiVersion이 없습니다"))
	}
	return f
}

func ambiguousSelector(s *Snapshot, h *HPA) *Finding {
	if h.Target == nil {
		return nil
	}
	pods := s.podsOf(h)
	rivals := s.rivals(h, pods)
	if len(rivals) == 0 {
		return nil
	}
	f := &Finding{What: fmt.Sprintf("HPA %d개가 같은 파드를 고릅니다(AmbiguousSelector). 이 HPA들은 모두 아무것도 하지 않습니다.", len(rivals)),
		Fix:     "대상마다 셀렉터가 서로 다른 파드를 고르게 하시거나, 한 대상에 HPA를 하나만 두십시오.",
		Command: fmt.Sprintf("kubectl get pods -n %s -l '%s' --show-labels", h.Namespace, h.Target.Scale.Status.Selector)}
	for _, r := range rivals {
		if r.Name != h.Name {
			f.Also = append(f.Also, Object{"HorizontalPodAutoscaler", r.Namespace, r.Name})
			f.Evidence = append(f.Evidence, recomputed("HPA %s의 대상도 셀렉터 %s의 파드를 고릅니다", r.Name, h.Target.Scale.Status.Selector))
		}
	}
	if c := h.condition(autoscalingv2.ScalingActive); c != nil && c.Reason == "AmbiguousSelector" {
		f.Evidence = append(f.Evidence, observed("%s=%s %s", c.Type, c.Status, c.Reason))
	}
	return f
}

// unrequested is the first metric of which a request is missing in a pod. A template tells
// nothing: a LimitRange or a webhook may fill it in.
func (s *Snapshot) unrequested(h *HPA) (m autoscalingv2.MetricSpec, err error) {
	if h.Target == nil {
		return m, nil
	}
	in := s.input(h)
	for _, m := range h.Spec.Metrics {
		if percent(m) == nil {
			continue
		}
		if err := hpa.MissingRequest(in, m); err != nil {
			return m, err
		}
	}
	return m, nil
}

// percent is the utilization that a metric asks for; nil where it asks for none.
func percent(m autoscalingv2.MetricSpec) *int32 {
	if _, _, ok := hpa.ResourceOf(m); !ok {
		return nil
	}
	t := hpa.TargetOf(&m)
	if t.AverageValue != nil {
		return nil
	}
	return t.AverageUtilization
}

func noRequests(s *Snapshot, h *HPA) *Finding {
	m, err := s.unrequested(h)
	if err == nil || strings.Contains(err.Error(), "not found in Pod") {
		return nil
	}
	name := resourceName(m)
	f := &Finding{What: fmt.Sprintf("%s requests가 없는 컨테이너가 있어 사용률을 계산할 수 없습니다.", name),
		Evidence: []Line{recomputed("%v", err)},
		Fix:      fmt.Sprintf("사이드카까지 모든 컨테이너에 resources.requests.%s 적으시거나, 컨테이너 하나만 보는 ContainerResource 메트릭을 쓰십시오.", korean.Object(name)),
		Command:  requestsCommand(h)}
	f.failing(h)
	return f
}

func containerNotFound(s *Snapshot, h *HPA) *Finding {
	_, err := s.unrequested(h)
	if err == nil || !strings.Contains(err.Error(), "not found in Pod") {
		return nil
	}
	f := &Finding{What: "ContainerResource 메트릭이 가리키는 컨테이너가 파드에 없습니다.", Evidence: []Line{recomputed("%v", err)},
		Fix: "메트릭의 container를 파드 템플릿의 컨테이너 이름에 맞추십시오. 이름을 바꾸실 때에는 새 이름의 메트릭을 먼저 더해 두십시오.", Command: requestsCommand(h)}
	f.failing(h)
	return f
}

// failing adds the controller's own word.
func (f *Finding) failing(h *HPA) {
	if c := h.condition(autoscalingv2.ScalingActive); c != nil && c.Status == corev1.ConditionFalse {
		f.Evidence = append(f.Evidence, observed("%s=%s %s: %s", c.Type, c.Status, c.Reason, c.Message))
	}
}

func requestsCommand(h *HPA) string {
	return fmt.Sprintf("kubectl get pods -n %s -l '%s' -o custom-columns='POD:.metadata.name,CONTAINERS:.spec.containers[*].name,REQUESTS:.spec.containers[*].resources.requests'", h.Namespace, h.Target.Scale.Status.Selector)
}

func resourceName(m autoscalingv2.MetricSpec) string {
	name, _, _ := hpa.ResourceOf(m)
	return string(name)
}

// metricUnread is a metric without an answer, where no other rule knows why.
func metricUnread(s *Snapshot, h *HPA) *Finding {
	if h.Target == nil || len(s.podsOf(h)) == 0 {
		return nil
	}
	for i, m := range h.Spec.Metrics {
		if i >= len(h.Metrics) || h.Metrics[i].Err == nil || s.dead(m) {
			continue
		}
		c := h.condition(autoscalingv2.ScalingActive)
		if c == nil || c.Status != corev1.ConditionFalse {
			continue // it may have started just now, or be over at once: the controller still reads it
		}
		return &Finding{What: fmt.Sprintf("%d번째 메트릭을 읽지 못합니다(%s).", i+1, m.Type),
			Evidence: []Line{observed("API의 답: %v", h.Metrics[i].Err), observed("%s=%s %s: %s", c.Type, c.Status, c.Reason, c.Message)},
			Fix:      "메트릭의 이름과 셀렉터가 어댑터가 내는 것과 같은지, 파드가 Ready인지 확인하십시오.",
			Command:  fmt.Sprintf("kubectl describe hpa %s -n %s", h.Name, h.Namespace)}
	}
	return nil
}
