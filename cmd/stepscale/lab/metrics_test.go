package lab

import (
	"context"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/stepscale/stepscale/scenarios"
)

// landlord is a host that counts what it is asked to agree to.
type landlord struct {
	Host
	asked int
}

func (l *landlord) permit(context.Context, Loop) error { return nil }

func (l *landlord) agree(context.Context, []string, demand) error {
	l.asked++
	return nil
}

// TestMetricsAreRefusedOnRealClusters: nobody would answer them there; it is told before
// anybody is asked whether something may be written.
func TestMetricsAreRefusedOnRealClusters(t *testing.T) {
	for _, name := range []string{"web-requests", "queue-zero", "web-surge"} {
		s, err := scenarios.Load(scenarios.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		host := &landlord{}
		site := &realSite{Stage: &Stage{Options: Options{Loop: loops["hpa"], Scenario: s}}, cluster: &Real{Host: host}}
		err = site.admit(t.Context())
		if len(s.Series()) == 0 {
			if err != nil || host.asked != 1 {
				t.Errorf("%s: %v, asked %d times", name, err, host.asked)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), "어댑터") || !strings.Contains(err.Error(), name) || host.asked != 0 {
			t.Errorf("%s: %v, asked %d times", name, err, host.asked)
		}
	}
}

// TestLoadChangedWithAMetric: where a lesson goes on until the load changes, a metric of
// an adapter is a load too.
func TestLoadChangedWithAMetric(t *testing.T) {
	s, err := scenarios.Parse("x/scenario.yaml", []byte("title: t\nhpa: web\ntarget: web\nload: {segments: [{at: 0s, step: 1m}]}\nmetrics: [{external: queue, segments: [{at: 0s, step: 1}, {at: 1m, step: 2}]}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	for elapsed, want := range map[time.Duration]bool{30 * time.Second: false, time.Minute: true, 75 * time.Second: false} {
		now := time.Now()
		stage := &Stage{Options: Options{Scenario: s}, begun: now.Add(-elapsed)}
		stage.objects.access.Clock = clocktesting.NewFakePassiveClock(now)
		if got := (&simulatedSite{Stage: stage}).loadChanged(); got != want {
			t.Errorf("after %s the load has changed: %v", elapsed, got)
		}
	}
}
