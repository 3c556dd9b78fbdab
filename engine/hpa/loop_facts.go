package hpa

import (
	"slices"
	"strconv"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
)

// addPodMetrics adds the facts of one metric, sorted by pod, and returns the sum.
func addPodMetrics(f *trace.Frame, suffix string, name corev1.ResourceName, data MetricData) int64 {
	var total int64
	for _, pod := range sortedPods(data.Pods) {
		m := data.Pods[pod]
		total += m.Value
		f.Add("podMetric/"+pod+suffix, quantityOf(string(name), m.Value), "")
		f.Add("podTimestamp/"+pod+suffix, m.Timestamp.UTC().Format(engine.ClockLayout), "")
		f.Add("podWindow/"+pod+suffix, m.Window.String(), "")
	}
	return total
}

// addValues adds the facts of a metric that has no pods: an object's one value,
// or an external metric's series and their sum.
func addValues(f *trace.Frame, suffix string, data MetricData) {
	if len(data.Values) == 0 {
		return
	}
	var terms []string
	for _, v := range data.Values {
		terms = append(terms, quantityOf("", v))
	}
	expr := ""
	if len(terms) > 1 {
		expr = strings.Join(terms, " + ")
	}
	f.Add("metricValue"+suffix, quantityOf("", sumSeries(data.Values, false)), expr)
}

func sortedPods(pods map[string]PodMetric) []string {
	names := make([]string, 0, len(pods))
	for pod := range pods {
		names = append(names, pod)
	}
	slices.Sort(names)
	return names
}

// ResourceOf returns the resource and container that a metric reads; false for
// the metric types that are no resource of a pod.
func ResourceOf(m autoscalingv2.MetricSpec) (corev1.ResourceName, string, bool) {
	switch {
	case m.Type == autoscalingv2.ResourceMetricSourceType && m.Resource != nil:
		return m.Resource.Name, "", true
	case m.Type == autoscalingv2.ContainerResourceMetricSourceType && m.ContainerResource != nil:
		return m.ContainerResource.Name, m.ContainerResource.Container, true
	}
	return "", "", false
}

// suffix tells the facts of the second and later metrics apart.
func suffix(i int) string {
	if i == 0 {
		return ""
	}
	return "#" + strconv.Itoa(i+1)
}

// quantityOf writes milli-units in the resource's own unit: "180m", "48Mi".
func quantityOf(name string, milli int64) string {
	if name == string(corev1.ResourceMemory) {
		return resource.NewQuantity(milli/1000, resource.BinarySI).String()
	}
	if name == string(corev1.ResourceCPU) {
		return strconv.FormatInt(milli, 10) + "m"
	}
	return resource.NewMilliQuantity(milli, resource.DecimalSI).String()
}

// slimPod keeps what the decision reads, so that a recording stays small.
func slimPod(p *corev1.Pod) *corev1.Pod {
	slim := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: p.Name, Namespace: p.Namespace, UID: p.UID, Labels: p.Labels, DeletionTimestamp: p.DeletionTimestamp},
		Spec:       corev1.PodSpec{Resources: p.Spec.Resources, Overhead: p.Spec.Overhead},
		Status:     corev1.PodStatus{Phase: p.Status.Phase, StartTime: p.Status.StartTime},
	}
	for _, c := range p.Spec.Containers {
		slim.Spec.Containers = append(slim.Spec.Containers, slimContainer(c))
	}
	for _, c := range p.Spec.InitContainers {
		slim.Spec.InitContainers = append(slim.Spec.InitContainers, slimContainer(c))
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			slim.Status.Conditions = append(slim.Status.Conditions, c)
		}
	}
	return slim
}

func slimContainer(c corev1.Container) corev1.Container {
	return corev1.Container{Name: c.Name, Resources: c.Resources, RestartPolicy: c.RestartPolicy}
}
