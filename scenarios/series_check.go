package scenarios

import (
	"path"
	"slices"
	"strconv"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/stepscale/stepscale/engine/korean"
)

// ask is a metric of an HPA that an adapter has to answer.
type ask struct {
	source   autoscalingv2.MetricSourceType
	name     string
	of       autoscalingv2.CrossVersionObjectReference // Pods: the HPA's target; Object: what has it
	selector labels.Selector
}

// askOf is what an HPA asks by one of its metrics; false for a resource, and for what the
// API server refuses.
func askOf(h *autoscalingv2.HorizontalPodAutoscaler, m autoscalingv2.MetricSpec) (a ask, ok bool) {
	var id autoscalingv2.MetricIdentifier
	switch {
	case m.Pods != nil:
		id, a.of = m.Pods.Metric, h.Spec.ScaleTargetRef
	case m.Object != nil:
		id, a.of = m.Object.Metric, m.Object.DescribedObject
	case m.External != nil:
		id = m.External.Metric
	default:
		return a, false
	}
	selector, err := metav1.LabelSelectorAsSelector(id.Selector)
	if id.Selector == nil { // LabelSelectorAsSelector makes nothing of it, the metrics client everything
		selector = labels.Everything()
	}
	a.source, a.name, a.selector = m.Type, id.Name, selector
	return a, err == nil
}

// answers tells whether the series is what was asked for.
func (x Series) answers(a ask) bool {
	switch {
	case x.Source != a.source || x.Name != a.name || !a.selector.Matches(labels.Set(x.Labels)):
		return false
	case x.Source == autoscalingv2.PodsMetricSourceType:
		return x.Target == a.of.Name
	}
	return x.Of.Kind == a.of.Kind && x.Of.Name == a.of.Name
}

// checkSeries checks that every series is of something and that an HPA asks for it: one
// of the scenario's, or one that an event makes.
func (r *reader) checkSeries(objects, ever []object, s *Scenario) {
	told := &reader{file: path.Join(path.Dir(r.file), scenarioFile)}
	defer func() { r.problems = append(r.problems, told.problems...) }()
	var asked []ask
	for _, o := range ever {
		if h, ok := o.value.(*autoscalingv2.HorizontalPodAutoscaler); ok {
			for _, m := range h.Spec.Metrics {
				if a, ok := askOf(h, m); ok {
					asked = append(asked, a)
				}
			}
		}
	}
	for _, x := range s.series {
		if x.Source == "" || x.Name == "" || !told.seriesOf(x, objects, s) {
			continue
		}
		if !slices.ContainsFunc(asked, x.answers) {
			told.add(x.line, hintOf(asked), "이 메트릭을 묻는 HPA가 없습니다: %s", x.Name)
		}
	}
}

func hintOf(asked []ask) string {
	if len(asked) == 0 {
		return "objects.yaml의 HPA에 그 메트릭을 적거나, metrics에서 지워 주십시오."
	}
	var names []string
	for _, a := range asked {
		name := strings.ToLower(string(a.source)) + ": " + a.name
		if a.source == autoscalingv2.ObjectMetricSourceType {
			name += " (" + a.of.Kind + "/" + a.of.Name + ")"
		}
		if !a.selector.Empty() {
			name += " (" + a.selector.String() + ")"
		}
		names = append(names, name)
	}
	return "이름, of, labels를 HPA와 같게 적어 주십시오. HPA가 묻는 메트릭: " + strings.Join(names, ", ")
}

// seriesOf checks that what has a metric is there, as far as a scenario may have it.
func (r *reader) seriesOf(x Series, objects []object, s *Scenario) bool {
	there := func(is func(object) bool) bool { return slices.ContainsFunc(objects, is) }
	switch {
	case x.Source == autoscalingv2.PodsMetricSourceType && x.Target != s.Target: // which is checked with its HPA
		if there(func(o object) bool { w, ok := workloadOf(o); return ok && w.name == x.Target }) {
			return true
		}
		r.add(x.line, "objects.yaml에 있는 디플로이먼트나 스테이트풀셋의 이름을 적어 주십시오.", "metrics의 target이 objects.yaml에 없습니다: %s", x.Target)
		return false
	case x.Of.Kind == "Namespace":
		r.add(x.line, "네임스페이스의 이름은 stepscale이 정합니다. 서비스나 디플로이먼트의 메트릭으로 적어 주십시오.", "네임스페이스의 메트릭은 쓸 수 없습니다: %s", x.Name)
		return false
	case x.Of.APIVersion != "" && !there(func(o object) bool { return o.content.GetKind() == x.Of.Kind && o.content.GetName() == x.Of.Name }):
		r.add(x.line, "objects.yaml에 적거나 of를 고쳐 주십시오.", "메트릭 %s의 오브젝트가 objects.yaml에 없습니다: %s %s", x.Name, x.Of.Kind, x.Of.Name)
		return false
	}
	return true
}

// checkAnswers checks what the HPA will find nobody to answer.
func (r *reader) checkAnswers(s *Scenario, broken bool, h *autoscalingv2.HorizontalPodAutoscaler, o object) {
	line, msg, missing := o.line("spec", "metrics"), "", false
	for i, m := range h.Spec.Metrics {
		a, ok := askOf(h, m)
		if !ok || missing || slices.ContainsFunc(s.series, func(x Series) bool { return x.answers(a) }) {
			continue
		}
		missing, line = true, o.line("spec", "metrics", strconv.Itoa(i))
		msg = "HPA가 묻는 메트릭 " + korean.Subject(a.name) + " scenario.yaml의 metrics에 없습니다."
	}
	r.fault(s, FaultMissingMetrics, missing, broken, line,
		"scenario.yaml의 metrics에 그 값을 적거나, 일부러 뺐다면 faults: [missing-metrics]를 적어 주십시오.", msg)
}
