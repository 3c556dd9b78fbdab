package hpa

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/metrics/pkg/apis/custom_metrics"
	"k8s.io/metrics/pkg/apis/external_metrics"

	"github.com/stepscale/stepscale/engine/trace"
)

// named is the identifier of a metric that is no resource, and what has it.
func named(m autoscalingv2.MetricSpec) (id autoscalingv2.MetricIdentifier, of string, ok bool) {
	switch {
	case m.Type == autoscalingv2.PodsMetricSourceType && m.Pods != nil:
		return m.Pods.Metric, custom_metrics.GroupName + ", 파드마다", true
	case m.Type == autoscalingv2.ObjectMetricSourceType && m.Object != nil:
		o := m.Object.DescribedObject
		return m.Object.Metric, fmt.Sprintf("%s, %s %s", custom_metrics.GroupName, o.Kind, o.Name), true
	case m.Type == autoscalingv2.ExternalMetricSourceType && m.External != nil:
		return m.External.Metric, external_metrics.GroupName + ", 클러스터 밖", true
	}
	return id, "", false
}

// addSource tells of a metric that is no resource what it is called, which API answers it,
// and that an adapter makes it up where the load is simulated.
func (s *State) addSource(f *trace.Frame, suffix string, m autoscalingv2.MetricSpec) {
	id, of, ok := named(m)
	if !ok {
		return
	}
	if s.Simulation != nil {
		of += "; 시나리오의 값을 어댑터가 답합니다(시뮬레이션)"
	}
	f.Add("metricName"+suffix, id.Name, of)
}

// kubectlValues is the command that shows what the controller reads: resources, by the
// command that is given, and what is no resource at the API's own address.
func (s *State) kubectlValues(resources string) string {
	if s.pass.hpa == nil {
		return resources
	}
	var lines []string
	for _, m := range s.pass.hpa.Spec.Metrics {
		line := resources
		if _, _, ok := named(m); ok {
			line = s.kubectlNamed(m)
		}
		if line != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return resources
	}
	return strings.Join(lines, "\n")
}

// kubectlNamed asks as upstream's clients do (k8s.io/metrics/pkg/client). Which version a
// real cluster's adapter serves is its own affair, and no command is offered for it.
func (s *State) kubectlNamed(m autoscalingv2.MetricSpec) string {
	if s.Simulation == nil {
		return ""
	}
	id, _, _ := named(m)
	group, of, query := custom_metrics.GroupName+"/v1beta2", "", url.Values{}
	metricSelector := "metricLabelSelector"
	switch m.Type {
	case autoscalingv2.PodsMetricSourceType:
		of = "pods/*/"
		if s.pass.scale != nil {
			query.Set("labelSelector", s.pass.scale.Status.Selector)
		}
	case autoscalingv2.ObjectMetricSourceType:
		o := m.Object.DescribedObject
		mapping, err := s.AsObserver().Mapper.RESTMapping(schema.FromAPIVersionAndKind(o.APIVersion, o.Kind).GroupKind())
		if err != nil {
			return ""
		}
		of = mapping.Resource.GroupResource().String() + "/" + o.Name + "/"
	default:
		group, metricSelector = external_metrics.GroupName+"/v1beta1", "labelSelector"
	}
	if id.Selector != nil {
		query.Set(metricSelector, metav1.FormatLabelSelector(id.Selector))
	}
	path := fmt.Sprintf("/apis/%s/namespaces/%s/%s%s", group, s.Namespace, of, id.Name)
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return "kubectl get --raw '" + path + "'"
}
