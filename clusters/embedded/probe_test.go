package embedded

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// TestReadyAfter: the ticks of kubelet/prober/worker.go, with the API server's defaults
// filled in.
func TestReadyAfter(t *testing.T) {
	probe := func(delay, period, successes int32) *corev1.Probe {
		return &corev1.Probe{InitialDelaySeconds: delay, PeriodSeconds: period, SuccessThreshold: successes}
	}
	for name, c := range map[string]struct {
		readiness, startup *corev1.Probe
		warming, want      time.Duration
	}{
		"at once":                   {probe(0, 10, 1), nil, 0, 0},
		"after the delay":           {probe(60, 10, 1), nil, 0, 60 * time.Second},
		"at the tick after it":      {probe(5, 10, 1), nil, 0, 10 * time.Second},
		"when the process answers":  {probe(0, 10, 1), nil, 85 * time.Second, 90 * time.Second},
		"often enough":              {probe(0, 10, 3), nil, 0, 20 * time.Second},
		"startup probe alone":       {nil, probe(0, 5, 1), 12 * time.Second, 15 * time.Second},
		"asked as soon as started":  {probe(0, 60, 1), probe(0, 5, 1), 12 * time.Second, 15 * time.Second},
		"started before the delay":  {probe(60, 10, 1), probe(0, 5, 1), 12 * time.Second, 60 * time.Second},
		"a period of 0 is a second": {probe(3, 0, 0), nil, 0, 3 * time.Second},
	} {
		if got := readyAfter(corev1.Container{ReadinessProbe: c.readiness, StartupProbe: c.startup}, c.warming); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestDemand: a controller starts once, at the first write of its kind, and not for a
// deletion, a read, or what the system writes.
func TestDemand(t *testing.T) {
	var d demand
	started := 0
	d.when("statefulsets", func() { started++ })
	for _, path := range []string{"/apis/apps/v1/namespaces/kube-system/statefulsets", "/apis/apps/v1/namespaces/x/deployments/statefulsets", "/apis/apps/v1/statefulsets", "/healthz"} {
		if d.written(path); started != 0 {
			t.Fatalf("%s started it", path)
		}
	}
	d.written("/apis/apps/v1/namespaces/x/statefulsets/web")
	if d.written("/apis/apps/v1/namespaces/y/statefulsets"); started != 1 {
		t.Errorf("started %d times", started)
	}
}
