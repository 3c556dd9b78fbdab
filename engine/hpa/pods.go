package hpa

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	resourcehelpers "k8s.io/component-helpers/resource"
)

var (
	errNoPods    = errors.New("no pods returned by selector while calculating replica count")
	errNoMetrics = errors.New("did not receive metrics for targeted pods (pods might be unready)")
)

// group sorts the pods of every metric into those that count and those that
// do not (replica_calculator.go, groupPods).
func (d *Decision) group() {
	for _, m := range d.metrics {
		if m.single != nil { // one value for all pods
			if m.err != nil {
				d.fact("metricError"+m.suffix, m.err.Error(), "")
				continue
			}
			d.fact("readyPods"+m.suffix, fmt.Sprint(d.readyPods()), "")
			continue
		}
		d.groupFor(m)
		if m.err != nil {
			d.fact("metricError"+m.suffix, m.err.Error(), "")
			continue
		}
		d.fact("readyPods"+m.suffix, fmt.Sprint(m.ready), "")
		for _, g := range []struct {
			name string
			pods []string
		}{{"unreadyPods", m.unready}, {"missingPods", m.missing}, {"ignoredPods", m.ignored}} {
			d.fact(g.name+m.suffix, fmt.Sprint(len(g.pods)), strings.Join(g.pods, ", "))
		}
	}
}

func (d *Decision) groupFor(m *metric) {
	if m.err != nil {
		return
	}
	if len(d.in.Pods) == 0 {
		m.fail(errNoPods)
		return
	}
	for _, pod := range d.in.Pods {
		sample, found := m.values[pod.Name]
		switch {
		case pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodFailed:
			m.ignored = append(m.ignored, pod.Name)
			delete(m.values, pod.Name)
		case pod.Status.Phase == corev1.PodPending:
			m.unready = append(m.unready, pod.Name)
			delete(m.values, pod.Name)
		case !found:
			m.missing = append(m.missing, pod.Name)
		case m.resource == corev1.ResourceCPU && d.cpuUnready(pod, sample):
			m.unready = append(m.unready, pod.Name)
			delete(m.values, pod.Name)
		default:
			m.ready++
		}
	}
	for _, names := range [][]string{m.unready, m.missing, m.ignored} {
		slices.Sort(names)
	}
	if len(m.values) == 0 {
		m.fail(errNoMetrics)
	}
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

// podRequests is the request of every pod in milli-units
// (replica_calculator.go, calculateRequests). One missing request fails the
// whole metric.
func podRequests(pods []*corev1.Pod, container string, name corev1.ResourceName) (map[string]int64, error) {
	requests := make(map[string]int64, len(pods))
	for _, pod := range pods {
		request, err := podRequest(pod, container, name)
		if err != nil {
			return nil, err
		}
		requests[pod.Name] = request
	}
	return requests, nil
}

func podRequest(pod *corev1.Pod, container string, name corev1.ResourceName) (int64, error) {
	if container == "" && resourcehelpers.IsPodLevelRequestsSet(pod) {
		q, ok := resourcehelpers.PodRequests(pod, resourcehelpers.PodResourcesOptions{})[name]
		if !ok {
			return 0, fmt.Errorf("missing pod-level request for %s in Pod %s", name, pod.Name)
		}
		return q.MilliValue(), nil
	}
	var sum int64
	for _, c := range longRunning(pod) {
		if container != "" && container != c.Name {
			continue
		}
		q, ok := c.Resources.Requests[name]
		if !ok {
			return 0, fmt.Errorf("missing request for %s in container %s of Pod %s", name, c.Name, pod.Name)
		}
		sum += q.MilliValue()
	}
	return sum, nil
}

// longRunning are the containers and the sidecars: init containers that restart.
func longRunning(pod *corev1.Pod) []corev1.Container {
	all := slices.Clone(pod.Spec.Containers)
	for _, c := range pod.Spec.InitContainers {
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			all = append(all, c)
		}
	}
	return all
}

func secondsText(d time.Duration) string { return fmt.Sprintf("%.0fs", d.Seconds()) }
