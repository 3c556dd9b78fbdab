package scenarios

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apicontent "k8s.io/apimachinery/pkg/api/validate/content"
	unversioned "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	validation "k8s.io/apimachinery/pkg/util/validation/field"
)

// Series is a metric that is no resource of a pod, over time: what a monitoring system
// would know, and an adapter answer.
type Series struct {
	Source autoscalingv2.MetricSourceType // of the HPA's metric: Pods, Object or External
	Name   string
	Target string                 // Pods: the workload whose Ready pods share the amount
	Of     corev1.ObjectReference // Object: what has it; without a version where a scenario has none of its kind
	Labels map[string]string      // that the metric's selector may ask for
	Amount Timeline               // thousandths
	line   int
}

// Gauge is the value of a series now.
type Gauge struct {
	Name   string
	Labels map[string]string
	Of     corev1.ObjectReference // zero: nothing in the cluster
	Value  int64                  // thousandths
}

// Series are the scenario's, in the order of the file.
func (s *Scenario) Series() []Series { return s.series }

// Gauges are the values of all series, elapsed after the load began. A pod that runs and
// is not Ready gets no share of what its workload has, and says so.
func (s *Scenario) Gauges(elapsed time.Duration, pods []*corev1.Pod) (list []Gauge) {
	for _, x := range s.series {
		amount := x.Amount.At(elapsed)
		if x.Source == autoscalingv2.PodsMetricSourceType {
			list = append(list, x.share(amount, pods)...)
			continue
		}
		list = append(list, Gauge{Name: x.Name, Labels: x.Labels, Of: x.Of, Value: amount})
	}
	return list
}

// share lays an amount evenly on the Ready pods of the target; the thousandths that
// cannot be shared go to the first by name, so that the sum stays what it is.
func (x Series) share(amount int64, pods []*corev1.Pod) (list []Gauge) {
	ready := int64(0)
	for _, p := range pods {
		if workloadName(p) == x.Target {
			list = append(list, Gauge{Name: x.Name, Labels: x.Labels, Of: corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Name: p.Name}, Value: -1})
			if isReady(p) {
				list[len(list)-1].Value = 0
				ready++
			}
		}
	}
	slices.SortFunc(list, func(a, b Gauge) int { return cmp.Compare(a.Of.Name, b.Of.Name) })
	for i := range list {
		if list[i].Value < 0 {
			list[i].Value = 0
			continue
		}
		list[i].Value = (amount + ready - 1) / ready
		amount -= list[i].Value
		ready--
	}
	return list
}

const seriesHint = "{pods: http_requests_per_second, segments: [{at: 0s, step: 120}]}처럼 적어 주십시오. pods(파드마다), object(of의 오브젝트), external(클러스터 밖) 가운데 하나에 메트릭의 이름을 적습니다."

// metrics reads the series. target is the scenario's, which a Pods metric has unless it
// says otherwise.
func (r *reader) metrics(n *yaml.Node, target string) (list []Series) {
	if !r.hasItems(n, "metrics", seriesHint) {
		return nil
	}
	for _, item := range n.Content {
		x := r.metric(item)
		if x.Source == autoscalingv2.PodsMetricSourceType {
			x.Target = cmp.Or(x.Target, target)
		}
		list = append(list, x)
	}
	return list
}

// metric reads one; its Source stays empty where it does not say which it is.
func (r *reader) metric(n *yaml.Node) Series {
	x := Series{line: n.Line}
	var sources []string
	source := func(name string, is autoscalingv2.MetricSourceType) field {
		return field{name, false, func(n *yaml.Node) {
			x.Source, sources = is, append(sources, name)
			r.metricName(&x.Name, name)(n)
		}}
	}
	has := map[string]bool{}
	note := func(name string, read func(*yaml.Node)) field {
		return field{name, false, func(n *yaml.Node) { has[name] = true; read(n) }}
	}
	r.mapping(n, "metrics의 항목", []field{
		source("pods", autoscalingv2.PodsMetricSourceType),
		source("object", autoscalingv2.ObjectMetricSourceType),
		source("external", autoscalingv2.ExternalMetricSourceType),
		note("target", r.text(&x.Target, "target")),
		note("of", func(n *yaml.Node) {
			r.mapping(n, "of", []field{{"kind", true, r.text(&x.Of.Kind, "kind")}, {"name", true, r.text(&x.Of.Name, "name")}})
		}),
		{"labels", false, func(n *yaml.Node) { x.Labels = r.labels(n) }},
		{"noise", false, func(n *yaml.Node) { x.Amount.Noise = r.noise(n) }},
		{"segments", true, func(n *yaml.Node) { x.Amount.Segments = r.segments(n, amounts{"120", r.gauge}) }},
	})
	if n.Kind != yaml.MappingNode {
		return Series{}
	}
	if len(sources) != 1 {
		r.add(n.Line, seriesHint, "metrics의 항목 하나에는 pods, object, external 가운데 하나만 적어야 합니다: %d개 있습니다.", len(sources))
		return Series{}
	}
	if has["target"] && sources[0] != "pods" {
		r.add(n.Line, "지워 주십시오. target은 파드들이 나누어 갖는 pods에만 씁니다.", "%s에는 target을 쓸 수 없습니다.", sources[0])
	}
	if has["of"] != (sources[0] == "object") {
		r.add(n.Line, "of: {kind: Service, name: web}은 object에만, 꼭 적습니다.", "of가 있어야 하는 것은 object뿐입니다: %s", sources[0])
	}
	if i := slices.IndexFunc(accepted, func(k Kind) bool { return k.Kind == x.Of.Kind }); i >= 0 {
		x.Of.APIVersion = accepted[i].GroupVersion().String()
	}
	return x
}

// metricName reads what may stand in a path of the API.
func (r *reader) metricName(to *string, what string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		text, ok := r.scalar(n, what)
		if bad := apicontent.IsPathSegmentName(text); ok && len(bad) > 0 {
			r.add(n.Line, "http_requests_per_second처럼 영문자와 숫자, 밑줄, 하이픈, 점으로 적어 주십시오.", "메트릭의 이름으로 쓸 수 없습니다: %s", text)
			return
		}
		*to = text
	}
}

// labels reads those of a series, by the API's rules.
func (r *reader) labels(n *yaml.Node) map[string]string {
	if n.Kind != yaml.MappingNode {
		r.add(n.Line, "labels: {queue: orders}처럼 적어 주십시오.", "labels에는 키와 값을 적어야 합니다.")
		return nil
	}
	all := map[string]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		value, ok := r.scalar(n.Content[i+1], "labels")
		if _, again := all[key.Value]; again {
			r.add(key.Line, "하나만 남겨 주십시오.", "labels에 같은 키가 두 번 있습니다: %s", key.Value)
		}
		if all[key.Value] = value; !ok {
			continue
		}
		if errs := unversioned.ValidateLabels(map[string]string{key.Value: value}, validation.NewPath("labels")); len(errs) > 0 {
			r.add(key.Line, "키와 값은 영문자와 숫자로 시작하고 끝나야 하고, 그 사이에 하이픈, 밑줄, 점을 쓸 수 있습니다.", "레이블로 쓸 수 없습니다: %s: %s", key.Value, value)
		}
	}
	return all
}

// gauge reads a number without a unit, in thousandths.
func (r *reader) gauge(to *float64, what string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		text, ok := r.scalar(n, what)
		if !ok {
			return
		}
		v, ok := thousandths(strings.TrimSpace(text), true)
		if !ok {
			r.add(n.Line, "120, 7.5, 500m(0.5)처럼 단위 없는 수를 적어 주십시오. 무엇을 센 것인지는 메트릭의 이름이 말합니다.", "%s에 쓸 수 없는 메트릭 값입니다: %s", what, text)
			return
		}
		*to = float64(v)
	}
}
