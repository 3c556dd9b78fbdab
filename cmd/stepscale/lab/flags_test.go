package lab

import (
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/stepscale/stepscale/engine/clusterautoscaler"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/vpa"
	"github.com/stepscale/stepscale/scenarios"
)

// TestEveryFlagHasAController: what a scenario may set is a flag of one of them, and of
// theirs none is forgotten.
func TestEveryFlagHasAController(t *testing.T) {
	h, v, c := hpa.DefaultParams(), vpa.DefaultParams(), clusterautoscaler.DefaultOptions()
	theirs := map[string]bool{}
	for _, add := range []func(*pflag.FlagSet){h.AddFlags, v.AddFlags, c.AddFlags} {
		fs := pflag.NewFlagSet("", pflag.ContinueOnError)
		add(fs)
		fs.VisitAll(func(f *pflag.Flag) { theirs[f.Name] = true })
	}
	for _, name := range scenarios.FlagNames() {
		if !theirs[name] {
			t.Errorf("no controller has --%s", name)
		}
		delete(theirs, name)
	}
	for name := range theirs {
		t.Errorf("no scenario can set --%s", name)
	}
}

// TestFlagsDecide: with a tolerance of 1 a load of 95 % against 50 % is none to act on,
// and passes come every 30 seconds.
func TestFlagsDecide(t *testing.T) {
	ctx := t.Context()
	o := eventful(t, "flags: {horizontal-pod-autoscaler-tolerance: 1, horizontal-pod-autoscaler-initial-readiness-delay: 30s, horizontal-pod-autoscaler-sync-period: 30s}\n", "")
	s, err := Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	}()
	if got, want := s.Info().Flags, "--horizontal-pod-autoscaler-tolerance=1(기본값 0.1), --horizontal-pod-autoscaler-sync-period=30s(기본값 15s)"; !strings.HasSuffix(got, ": "+want) {
		t.Errorf("told %q, want %q: what is as it was is no news", got, want)
	}
	var utilization, desired []string
	var at []time.Time
	for {
		f, err := s.Session().Next()
		if err != nil {
			t.Fatal(err)
		}
		if f.Pass > 4 {
			break
		}
		if n, ok := f.Fact("desiredReplicas"); ok && len(desired) < f.Pass {
			desired = append(desired, n)
			at = append(at, f.At)
		}
		if n, ok := f.Fact("currentUtilization"); ok && len(utilization) < f.Pass {
			utilization = append(utilization, n)
		}
	}
	if got := strings.Join(desired, " "); got != "2 2 2 2" {
		t.Errorf("decided for %s", got)
	}
	if got := strings.Join(utilization, " "); !strings.HasSuffix(got, "95%") {
		t.Errorf("measured %s", got)
	}
	for i := 1; i < len(at); i++ {
		if d := at[i].Sub(at[i-1]); d != 30*time.Second {
			t.Errorf("pass %d comes after %s", i+1, d)
		}
	}
}
