package cli

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
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
	a := newApp()
	b.Cleanup(func() {
		if err := a.disconnect(); err != nil {
			b.Error(err)
		}
		_ = os.RemoveAll(dir)
	})
	return a
}

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

// passes runs n whole passes, or fewer when a pass ends with stop, and returns the frames.
func passes(b *testing.B, s *clusterStage, n int, stop func() bool) []trace.Frame {
	b.Helper()
	var frames []trace.Frame
	for range n {
		more, err := s.Session().Continue(func(f trace.Frame) bool { return f.Step == "hpa/5-pods/run" || f.Step == "vpa/8-conclusion/compare" })
		if err != nil {
			b.Fatal(err)
		}
		frames = append(frames, more...)
		if stop() {
			break
		}
	}
	return frames
}

func never() bool { return false }

// benchPass times one pass of a loop, and holds it against what its calls took together.
func benchPass(b *testing.B, loop, scenario string, before int, stop func(*clusterStage) func() bool) {
	var took, called time.Duration
	var calls int
	benchRounds(b, loop, scenario, func(s *clusterStage) { passes(b, s, before, stop(s)) }, func(s *clusterStage) {
		start := time.Now()
		frames := passes(b, s, 1, never)
		took += time.Since(start)
		sum, n := callTime(frames)
		called, calls = called+sum, calls+n
	})
	b.ReportMetric(called.Seconds()*1000/float64(b.N), "ms-calls/pass")
	b.ReportMetric(float64(calls)/float64(b.N), "calls/pass")
	b.ReportMetric(took.Seconds()/called.Seconds(), "pass/calls")
}

// BenchmarkScaleUpPass is one pass of the five steps, 2 to 4 pods, all Ready.
func BenchmarkScaleUpPass(b *testing.B) {
	benchPass(b, "hpa", "web-surge", 20, func(s *clusterStage) func() bool { return s.LoadChanged })
}

// BenchmarkVPAPass is one pass of the VPA's steps that evicts a pod and ends with
// its successor Ready.
func BenchmarkVPAPass(b *testing.B) {
	benchPass(b, "vpa", "vpa-web", 3, func(*clusterStage) func() bool { return never })
}

// BenchmarkTick is a pass that changes nothing: 15 virtual seconds.
func BenchmarkTick(b *testing.B) { benchTicks(b, 1) }

// BenchmarkVirtualDay is a day of such passes on the control plane.
func BenchmarkVirtualDay(b *testing.B) { benchTicks(b, 24*60*4) }

func benchTicks(b *testing.B, ticks int) {
	a := benchApp(b)
	requests := counted(b, a)
	s, closeStage := benchLoop(b, a, "hpa", "web-surge")
	passes(b, s, 5, never) // past the scale-up
	var called time.Duration
	var calls int
	before := requests.n.Load()
	for b.Loop() {
		for range ticks {
			sum, n := callTime(passes(b, s, 1, never))
			called, calls = called+sum, calls+n
		}
	}
	n := float64(b.N * ticks)
	b.ReportMetric(b.Elapsed().Seconds()*1000/n, "ms/tick")
	b.ReportMetric(float64(requests.n.Load()-before)/n, "requests/tick")
	b.ReportMetric(float64(calls)/n, "calls/tick")
	b.ReportMetric(called.Seconds()*1000/n, "ms-calls/tick")
	reportMemory(b)
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
		reportMemory(b)
	})
}

// BenchmarkFiveThousandPods goes on to 5,000: as many passes as it takes, and one that
// keeps them.
func BenchmarkFiveThousandPods(b *testing.B) {
	a := benchApp(b)
	a.scenarios = larger(b, a.scenarios, 5000)
	for b.Loop() {
		s, closeStage := benchLoop(b, a, "hpa", "big")
		start, ready := time.Now(), ""
		for n := 0; ready != "5000"; n++ {
			if n == 20 {
				b.Fatalf("%s pods after %d passes", ready, n)
			}
			frames := passes(b, s, 1, never)
			ready, _ = frames[len(frames)-1].Fact("readyPods")
		}
		up := time.Now()
		passes(b, s, 1, never)
		b.ReportMetric(up.Sub(start).Seconds(), "s/up")
		b.ReportMetric(time.Since(up).Seconds(), "s/keep")
		reportMemory(b)
		if err := closeStage(); err != nil {
			b.Fatal(err)
		}
	}
}

// larger is the scenario "big" with that many pods.
func larger(b *testing.B, from fs.FS, pods int) fs.FS {
	b.Helper()
	to := fstest.MapFS{}
	for file, change := range map[string][2]string{
		"big/objects.yaml":  {"maxReplicas: 1000", fmt.Sprintf("maxReplicas: %d", pods)},
		"big/scenario.yaml": {"step: 5000m", fmt.Sprintf("step: %dm", 5*pods)},
	} {
		raw, err := fs.ReadFile(from, file)
		if err != nil {
			b.Fatal(err)
		}
		changed := strings.Replace(string(raw), change[0], change[1], 1)
		if changed == string(raw) {
			b.Fatalf("%s has no %q", file, change[0])
		}
		to[file] = &fstest.MapFile{Data: []byte(changed)}
	}
	return to
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

// BenchmarkKarpenterScaleOut is the whole way of four pods to a new node: a pass of
// Karpenter's loop, from the pods' making to their running. Its virtual minute is free.
func BenchmarkKarpenterScaleOut(b *testing.B) { benchScaleOut(b, "karpenter", "karpenter-web", 1) }

// BenchmarkClusterAutoscalerScaleOut is the same with Cluster Autoscaler: five passes, in
// which it waits for more pods, orders, waits for the machines, and the nodes come.
func BenchmarkClusterAutoscalerScaleOut(b *testing.B) {
	benchScaleOut(b, "cluster-autoscaler", "ca-web", 5)
}

// benchScaleOut times so many passes, and what their calls took.
func benchScaleOut(b *testing.B, loop, scenario string, passes int) {
	var took, called time.Duration
	benchRounds(b, loop, scenario, func(*clusterStage) {}, func(s *clusterStage) {
		start := time.Now()
		var frames []trace.Frame
		for range passes * len(loops[loop].Steps) {
			f, err := s.Session().Next()
			if err != nil {
				b.Fatal(err)
			}
			frames = append(frames, f)
		}
		took += time.Since(start)
		sum, _ := callTime(frames)
		called += sum
	})
	b.ReportMetric(took.Seconds()/float64(b.N), "s/scale-out")
	b.ReportMetric(took.Seconds()/called.Seconds(), "scale-out/calls")
}
