package whatif

import (
	"cmp"
	"math"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/scenarios"
)

// scenarioFeed lays the scenario's load on the pods second by second, as the simulated
// kubelets of an embedded cluster do, and measures as its Metrics Server does.
type scenarioFeed struct{ *scenarios.Scenario }

const (
	slice       = time.Second
	freshEnough = 10 * time.Second // metrics-server pkg/storage/pod.go: freshContainerMinMetricsResolution
	restBytes   = 48 << 20         // of a container whose scenario says nothing about memory
)

func (s scenarioFeed) flow(m *model, until time.Time) {
	for at := m.scraped; at.Before(until); at = at.Add(slice) {
		long := min(slice, until.Sub(at))
		var running []*corev1.Pod
		byName := map[string]*pod{}
		for _, p := range m.pods {
			if p.starts.After(at) {
				continue
			}
			p.show(at)
			running = append(running, p.object)
			byName[p.object.Name] = p
		}
		s.EachUse(at.Sub(m.begun), running, at, func(name, container string, u scenarios.Use) {
			if c := byName[name].used[container]; c != nil {
				c.cpu += u.CPU / 1000 * long.Seconds()
				c.memory = u.Memory
			}
		})
	}
}

func (s scenarioFeed) answer(m *model, i int, in hpa.Input) hpa.MetricData {
	spec := in.HPA.Spec.Metrics[i]
	switch {
	case spec.Resource != nil:
		return measured(m, spec.Resource.Name, "", in.Now)
	case spec.ContainerResource != nil:
		return measured(m, spec.ContainerResource.Name, spec.ContainerResource.Container, in.Now)
	}
	return s.gauged(m, spec, in.Now)
}

// measured is what metrics.k8s.io says of the pods, and the HPA's client makes of it: the
// sum of the containers, each rounded up to a millicore.
func measured(m *model, resource corev1.ResourceName, container string, now time.Time) hpa.MetricData {
	data := hpa.MetricData{Timestamp: now, Pods: map[string]hpa.PodMetric{}}
	for _, p := range m.pods {
		sample, known := hpa.PodMetric{Timestamp: now}, true
		for name, c := range p.used {
			window := now.Sub(c.since)
			if known = known && window >= freshEnough; !known || container != "" && name != container {
				continue
			}
			sample.Window = window
			if resource == corev1.ResourceMemory {
				sample.Value += cmp.Or(c.memory, restBytes) * 1000
				continue
			}
			nanocores := uint64(float64(uint64(c.cpu*1e9)-c.before) / window.Seconds())
			sample.Value += int64(math.Ceil(float64(nanocores) / 1e6))
		}
		if known && sample.Window > 0 {
			data.Pods[p.object.Name] = sample
		}
	}
	return data
}

// scrape lets the Metrics Server take what it has read as what was before.
func (m *model) scrape(now time.Time) {
	for _, p := range m.pods {
		for _, c := range p.used {
			if !c.since.After(now) {
				c.before, c.since = uint64(c.cpu*1e9), now
			}
		}
	}
	m.scraped = now
}

// gauged is what an adapter says.
func (s scenarioFeed) gauged(m *model, spec autoscalingv2.MetricSpec, now time.Time) hpa.MetricData {
	data := hpa.MetricData{Timestamp: now}
	var running []*corev1.Pod
	for _, p := range m.pods {
		if !p.starts.After(now) {
			running = append(running, p.object)
		}
	}
	for _, g := range s.Gauges(now.Sub(m.begun), running) {
		switch {
		case spec.Pods != nil && g.Of.Kind == "Pod" && answers(g, spec.Pods.Metric):
			if data.Pods == nil {
				data.Pods = map[string]hpa.PodMetric{}
			}
			data.Pods[g.Of.Name] = hpa.PodMetric{Timestamp: now, Window: time.Minute, Value: g.Value}
		case spec.Object != nil && g.Of.Kind == spec.Object.DescribedObject.Kind && g.Of.Name == spec.Object.DescribedObject.Name && answers(g, spec.Object.Metric),
			spec.External != nil && g.Of.Kind == "" && answers(g, spec.External.Metric):
			data.Values = append(data.Values, g.Value)
		}
	}
	return data
}

// answers tells whether a gauge is one that the HPA asks for.
func answers(g scenarios.Gauge, id autoscalingv2.MetricIdentifier) bool {
	selector, err := metav1.LabelSelectorAsSelector(id.Selector)
	if id.Selector == nil {
		selector = labels.Everything()
	}
	return err == nil && g.Name == id.Name && selector.Matches(labels.Set(g.Labels))
}

// recordedFeed has no scenario: the usage that was recorded at a decision is what there
// was to do, and is shared by the pods that are Ready. What pods use for themselves is
// taken for load, and what a limit kept from being used is not known.
type recordedFeed struct{}

func (recordedFeed) flow(*model, time.Time) {}

func (recordedFeed) answer(m *model, i int, in hpa.Input) hpa.MetricData {
	if i >= len(in.Metrics) {
		return hpa.MetricData{Timestamp: in.Now}
	}
	data := in.Metrics[i]
	if data.Pods == nil {
		return data
	}
	var total int64
	var window time.Duration
	for _, sample := range data.Pods {
		total += sample.Value
		window = sample.Window
	}
	data.Pods = map[string]hpa.PodMetric{}
	var ready []*pod
	for _, p := range m.pods {
		if !in.Now.Before(p.ready) {
			ready = append(ready, p)
		}
	}
	for n, p := range ready {
		share := total / int64(len(ready)-n)
		total -= share
		if limit := limitOf(p.object); limit > 0 && in.HPA.Spec.Metrics[i].Resource != nil && in.HPA.Spec.Metrics[i].Resource.Name == corev1.ResourceCPU {
			share = min(share, limit)
		}
		data.Pods[p.object.Name] = hpa.PodMetric{Timestamp: in.Now, Window: window, Value: share}
	}
	return data
}
