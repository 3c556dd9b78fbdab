package hpa

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	resourcehelpers "k8s.io/component-helpers/resource"
)

var (
	errNoPods    = errors.New("no pods returned by selector while calculating replica count")
	errNoMetrics = errors.New("did not receive metrics for targeted pods (pods might be unready)")
)

var groups = []struct {
	name  string
	class podClass
}{{"unreadyPods", unready}, {"missingPods", missing}, {"ignoredPods", ignored}}

// group sorts the pods of every metric into those that count and those that
// do not (replica_calculator.go, groupPods).
func (d *Decision) group() {
	for _, m := range d.metrics {
		if m.single != nil { // one value for all pods
			if m.err != nil {
				d.fact("metricError"+m.suffix, m.err.Error(), "")
				continue
			}
			d.intFact("readyPods"+m.suffix, int32(d.readyPods()), "")
			continue
		}
		d.groupFor(m)
		if m.err != nil {
			d.fact("metricError"+m.suffix, m.err.Error(), "")
			continue
		}
		d.tellGroups(m)
	}
}

func (d *Decision) tellGroups(m *metric) {
	if d.silent {
		return
	}
	pods, class, ready, suffix := d.in.Pods, m.class, m.ready, m.suffix
	d.tell(func(w *wording) {
		w.number("readyPods"+suffix, int32(ready), "")
		for _, g := range groups {
			names := namesOf(pods, class, g.class)
			w.add(g.name+suffix, strconv.Itoa(len(names)), strings.Join(names, ", "))
		}
	})
}

// podClass says what a pod means to one metric.
type podClass uint8

const (
	counted podClass = iota // its value is used
	unready                 // not yet, or its CPU value is not believed yet
	missing                 // no value
	ignored                 // on its way out, or failed
	assumed                 // unready or missing, and given a careful value
)

func (d *Decision) groupFor(m *metric) {
	if m.err != nil {
		return
	}
	if len(d.in.Pods) == 0 {
		m.fail(errNoPods)
		return
	}
	m.class, m.values = make([]podClass, len(d.in.Pods)), make([]int64, len(d.in.Pods))
	var known int
	var knownTotal int64
	for i, pod := range d.in.Pods {
		sample, found := m.samples[pod.Name]
		if found {
			known++
			knownTotal += sample.Value
		}
		m.values[i], m.class[i] = sample.Value, d.classOf(m, pod, sample, found)
		m.ready += boolInt(m.class[i] == counted)
		m.unready += boolInt(m.class[i] == unready)
		m.missing += boolInt(m.class[i] == missing)
	}
	m.countStrangers(known, knownTotal)
	if m.ready+m.strangers == 0 {
		m.fail(errNoMetrics)
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (d *Decision) classOf(m *metric, pod *corev1.Pod, sample PodMetric, found bool) podClass {
	switch {
	case pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodFailed:
		return ignored
	case pod.Status.Phase == corev1.PodPending:
		return unready
	case !found:
		return missing
	case m.resource == corev1.ResourceCPU && d.cpuUnready(pod, sample):
		return unready
	}
	return counted
}

// countStrangers adds up the values of pods that the list does not have: they
// were deleted since, or not seen yet. AverageValue counts them, as upstream does.
func (m *metric) countStrangers(known int, knownTotal int64) {
	m.strangers = len(m.samples) - known
	if m.strangers == 0 {
		return
	}
	for _, s := range m.samples {
		m.strangersTotal += s.Value
	}
	m.strangersTotal -= knownTotal
}

// namesOf lists the pods of a class.
func namesOf(pods []*corev1.Pod, of []podClass, class podClass) []string {
	var names []string
	for i, c := range of {
		if c == class {
			names = append(names, pods[i].Name)
		}
	}
	slices.Sort(names)
	return names
}

// cpuUnready tells whether a pod's CPU value must not be believed yet: while it
// starts, a container uses more than it will.
func (d *Decision) cpuUnready(pod *corev1.Pod, sample PodMetric) bool {
	ready := readyCondition(pod)
	if ready == nil || pod.Status.StartTime == nil {
		return true
	}
	start := pod.Status.StartTime.Time
	if start.Add(d.params.CPUInitializationPeriod).After(d.in.Now) {
		return ready.Status == corev1.ConditionFalse || sample.Timestamp.Before(ready.LastTransitionTime.Add(sample.Window))
	}
	return ready.Status == corev1.ConditionFalse && start.Add(d.params.InitialReadinessDelay).After(ready.LastTransitionTime.Time)
}

func readyCondition(pod *corev1.Pod) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == corev1.PodReady {
			return &pod.Status.Conditions[i]
		}
	}
	return nil
}

// requestKey names what the requests of the pods are added up for.
type requestKey struct {
	resource  corev1.ResourceName
	container string
}

type podRequests struct {
	key   requestKey
	milli []int64 // of each pod of the input
	err   error
}

// requestsFor is the request of every pod in milli-units
// (replica_calculator.go, calculateRequests). One missing request fails the
// whole metric. Metrics of one resource share the answer.
func (d *Decision) requestsFor(m *metric) ([]int64, error) {
	key := requestKey{m.resource, m.container}
	for _, r := range d.requests {
		if r.key == key {
			return r.milli, r.err
		}
	}
	r := podRequests{key: key, milli: make([]int64, len(d.in.Pods))}
	for i, pod := range d.in.Pods {
		if r.milli[i], r.err = podRequest(pod, key.container, key.resource); r.err != nil {
			break
		}
	}
	d.requests = append(d.requests, r)
	return r.milli, r.err
}

// podRequest mirrors calculatePodLevelRequests and calculatePodRequestsFromContainers.
func podRequest(pod *corev1.Pod, container string, name corev1.ResourceName) (int64, error) {
	if container == "" && resourcehelpers.IsPodLevelRequestsSet(pod) {
		q, ok := resourcehelpers.PodRequests(pod, resourcehelpers.PodResourcesOptions{})[name]
		if !ok {
			return 0, fmt.Errorf("missing pod-level request for %s in Pod %s", name, pod.Name)
		}
		return q.MilliValue(), nil
	}
	var sum int64
	for c := range LongRunning(&pod.Spec) {
		if container != "" && container != c.Name {
			continue
		}
		q, ok := c.Resources.Requests[name]
		if !ok {
			return 0, fmt.Errorf("missing request for %s in container %s of Pod %s", name, c.Name, pod.Name)
		}
		if container != "" {
			return q.MilliValue(), nil
		}
		sum += q.MilliValue()
	}
	if container != "" {
		return 0, fmt.Errorf("container %s not found in Pod %s", container, pod.Name)
	}
	return sum, nil
}

// LongRunning are the containers that run as long as a pod of that spec, sidecars last.
func LongRunning(spec *corev1.PodSpec) iter.Seq[*corev1.Container] {
	return func(yield func(*corev1.Container) bool) {
		for i := range spec.Containers {
			if !yield(&spec.Containers[i]) {
				return
			}
		}
		for i := range spec.InitContainers {
			if c := &spec.InitContainers[i]; isSidecar(c) && !yield(c) {
				return
			}
		}
	}
}

// isSidecar is true for an init container that restarts: it runs as long as the pod.
func isSidecar(c *corev1.Container) bool {
	return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

func secondsText(d time.Duration) string { return fmt.Sprintf("%.0fs", d.Seconds()) }
