package cli

import (
	"os"
	"testing"
	"time"

	"github.com/stepscale/stepscale/engine/trace"
)

// The numbers of the README. A cluster is shared; every round has its own namespace.

func benchApp(b *testing.B) *app {
	b.Helper()
	dir, err := os.MkdirTemp("", "bench") // short: unix sockets live below it
	if err != nil {
		b.Fatal(err)
	}
	b.Setenv("STEPSCALE_STATE_DIR", dir)
	a := wire(newApp())
	b.Cleanup(func() {
		if err := a.finish(); err != nil {
			b.Error(err)
		}
		_ = os.RemoveAll(dir)
	})
	return a
}

type silent struct{}

func (silent) Phase(string, time.Duration) {}

// benchRounds times one part of a loop, every round on a stage of its own that
// was prepared before the clock runs.
func benchRounds(b *testing.B, loop, scenario string, prepare, timed func(*clusterStage)) {
	b.Helper()
	a := benchApp(b)
	for b.Loop() {
		b.StopTimer()
		s, closeStage := benchLoop(b, a, loop, scenario)
		prepare(s)
		b.StartTimer()
		timed(s)
		b.StopTimer()
		if err := closeStage(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

func benchLoop(b *testing.B, a *app, loop, scenario string) (*clusterStage, func() error) {
	b.Helper()
	s, closeStage, err := a.openStage(b.Context(), loop, scenario, silent{})
	if err != nil {
		b.Fatal(err)
	}
	return s.(*clusterStage), closeStage
}

// passes runs n whole passes, or fewer when a pass ends with stop.
func passes(b *testing.B, s *clusterStage, n int, stop func() bool) {
	b.Helper()
	for range n {
		_, err := s.Session().Continue(func(f trace.Frame) bool { return f.Step == "hpa/5-pods/run" || f.Step == "vpa/8-conclusion/compare" })
		if err != nil {
			b.Fatal(err)
		}
		if stop() {
			return
		}
	}
}

func never() bool { return false }

// BenchmarkScaleUpPass is one pass of the five steps, 2 to 4 pods, all Ready.
func BenchmarkScaleUpPass(b *testing.B) {
	benchRounds(b, "hpa", "web-surge", func(s *clusterStage) { passes(b, s, 20, s.LoadChanged) }, func(s *clusterStage) { passes(b, s, 1, never) })
}

// BenchmarkTwentyTicks is 20 passes that change nothing: five virtual minutes.
func BenchmarkTwentyTicks(b *testing.B) {
	a := benchApp(b)
	s, closeStage := benchLoop(b, a, "hpa", "web-surge")
	passes(b, s, 5, never) // past the scale-up
	for b.Loop() {
		passes(b, s, 20, never)
	}
	if err := closeStage(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkThousandPods is the pass that takes one Deployment from 110 pods to
// 1,000, and a pass that keeps them.
func BenchmarkThousandPods(b *testing.B) {
	benchRounds(b, "hpa", "big", func(s *clusterStage) { passes(b, s, 3, never) }, func(s *clusterStage) {
		start := time.Now()
		passes(b, s, 1, never)
		up := time.Since(start)
		passes(b, s, 1, never)
		b.ReportMetric(up.Seconds(), "s/scale-up")
		b.ReportMetric((time.Since(start) - up).Seconds(), "s/keep")
	})
}

// BenchmarkVPAPass is one pass of the VPA's steps that evicts a pod and ends with
// its successor Ready.
func BenchmarkVPAPass(b *testing.B) {
	keeping := func(s *clusterStage) { passes(b, s, 3, never) }
	benchRounds(b, "vpa", "vpa-web", keeping, func(s *clusterStage) { passes(b, s, 1, never) })
}

// BenchmarkVPAHistory is eight days of virtual history on the cluster, from the
// scenario's load to a recommendation in the VPA's status.
func BenchmarkVPAHistory(b *testing.B) {
	benchRounds(b, "vpa-history", "vpa-day", func(*clusterStage) {}, func(s *clusterStage) {
		for range 3 {
			if _, err := s.Session().Next(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
