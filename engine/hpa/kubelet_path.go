package hpa

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// cpuSample is one reading of a pod's cumulative CPU time from its kubelet.
type cpuSample struct {
	seconds float64
	at      time.Time
	lines   []string
}

// followMetric follows one pod's CPU from the kubelet's counter, read at two
// scrapes, over the Metrics Server's rate to the answer of metrics.k8s.io.
func followMetric(ctx context.Context, s *State, f *trace.Frame) error {
	_, w, err := s.target(ctx)
	if err != nil {
		return err
	}
	pod := firstReady(w)
	if pod == nil {
		f.Add("skipped", "Ready인 파드가 없어 따라갈 메트릭이 없습니다.", "")
		return nil
	}
	f.Kubectl = fmt.Sprintf("kubectl get pods.metrics.k8s.io %s -n %s -o yaml", pod.Name, s.Namespace)
	f.Add("pod", pod.Name, "")
	f.Add("node", pod.Spec.NodeName, "")
	var samples [2]cpuSample
	for i := range samples { // the first tick gives the counter to start from
		if err := s.tick(ctx); err != nil {
			return err
		}
		samples[i], err = s.readKubelet(ctx, pod.Spec.NodeName, pod.Name)
		if world.IsFault(err) {
			return err
		}
		if err != nil { // this hop cannot be seen here; the answer of metrics.k8s.io still can
			f.Add("kubeletError", err.Error(), "")
			break
		}
		addSample(f, i+1, samples[i])
	}
	if err == nil {
		addRate(f, samples[0], samples[1])
	}
	m, err := s.AsLearner().Metrics.MetricsV1beta1().PodMetricses(s.Namespace).Get(ctx, pod.Name, metav1.GetOptions{})
	if world.IsFault(err) {
		return err
	}
	if err != nil {
		f.Add("metricError", err.Error(), "")
		return nil
	}
	f.Add("metricsAPI", quantityOf("cpu", cpuOf(m)), "")
	f.Add("metricsAPITimestamp", m.Timestamp.UTC().Format(engine.ClockLayout), "")
	f.Add("metricsAPIWindow", m.Window.Duration.String(), "")
	return nil
}

func addSample(f *trace.Frame, n int, c cpuSample) {
	key := "kubelet" + strconv.Itoa(n)
	for i, line := range c.lines {
		f.Add(fmt.Sprintf("%sLine/%d", key, i+1), line, "")
	}
	f.Add(key+"CPUSeconds", formatSeconds(c.seconds), "")
	f.Add(key+"Time", c.at.UTC().Format(engine.ClockLayout+".000"), "")
}

// addRate is the Metrics Server's arithmetic: CPU seconds used between two
// scrapes over the time between them.
func addRate(f *trace.Frame, a, b cpuSample) {
	window := b.at.Sub(a.at)
	if window <= 0 {
		f.Add("skipped", "두 번 읽은 사이에 kubelet의 값이 새로워지지 않아 비율을 계산할 수 없습니다.", "")
		return
	}
	millis := (b.seconds - a.seconds) / window.Seconds() * 1000
	f.Add("window", window.String(), fmt.Sprintf("%s − %s", b.at.UTC().Format(engine.ClockLayout), a.at.UTC().Format(engine.ClockLayout)))
	f.Add("metricsServerRate", strconv.FormatFloat(millis, 'f', 0, 64)+"m",
		fmt.Sprintf("(%s − %s) / %s", formatSeconds(b.seconds), formatSeconds(a.seconds), formatSeconds(window.Seconds())))
}

func formatSeconds(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(v, 'f', 3, 64), "0"), ".") + "s"
}

// readKubelet reads and adds up the CPU counters of a pod's containers.
func (s *State) readKubelet(ctx context.Context, node, pod string) (cpuSample, error) {
	var c cpuSample
	reader := s.Kubelet
	if reader == nil {
		reader = nodeProxy{s.AsLearner()}
	}
	lines, err := reader.Read(ctx, node, s.Namespace, pod)
	if err != nil {
		return c, fmt.Errorf("노드 %s의 kubelet에서 메트릭을 읽지 못했습니다: %w", node, err)
	}
	return parseCPU(lines, s.Clock.Now())
}

// parseCPU adds up container_cpu_usage_seconds_total of the lines. A line
// without a timestamp was taken now.
func parseCPU(lines []string, now time.Time) (cpuSample, error) {
	c := cpuSample{at: now}
	for _, line := range lines {
		name, rest, ok := strings.Cut(line, "{")
		if !ok || name != "container_cpu_usage_seconds_total" {
			continue
		}
		_, values, ok := strings.Cut(rest, "}")
		fields := strings.Fields(values)
		if !ok || len(fields) == 0 {
			return c, fmt.Errorf("kubelet의 메트릭 줄을 읽을 수 없습니다: %q", line)
		}
		v, err := strconv.ParseFloat(fields[0], 64)
		if err != nil {
			return c, fmt.Errorf("kubelet의 메트릭 값을 읽을 수 없습니다: %q", line)
		}
		if len(fields) > 1 {
			ms, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				return c, fmt.Errorf("kubelet의 메트릭 시각을 읽을 수 없습니다: %q", line)
			}
			c.at = time.UnixMilli(ms)
		}
		c.seconds += v
		c.lines = append(c.lines, line)
	}
	if len(c.lines) == 0 {
		return c, fmt.Errorf("kubelet의 메트릭에 이 파드의 container_cpu_usage_seconds_total이 없습니다")
	}
	return c, nil
}

// nodeProxy reads a kubelet through the API server, which refuses nodes with a
// loopback address: the embedded cluster needs a reader of its own.
type nodeProxy struct{ clients world.Clients }

func (p nodeProxy) Read(ctx context.Context, node, namespace, pod string) ([]string, error) {
	body, err := p.clients.Kube.CoreV1().RESTClient().Get().
		AbsPath("/api/v1/nodes", node, "proxy/metrics/resource").SetHeader("Accept", "text/plain, application/json").DoRaw(ctx)
	if err != nil {
		return nil, err
	}
	return PodLines(string(body), namespace, pod), nil
}

// PodLines picks the samples of one pod out of an exposition.
func PodLines(body, namespace, pod string) []string {
	var lines []string
	for line := range strings.Lines(body) {
		if strings.Contains(line, fmt.Sprintf("namespace=%q", namespace)) && strings.Contains(line, fmt.Sprintf("pod=%q", pod)) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}
