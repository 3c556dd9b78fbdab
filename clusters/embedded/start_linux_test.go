package embedded_test

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stepscale/stepscale/clusters/embedded"
)

// BenchmarkStart is a start up to the moment at which the cluster takes objects. What it
// takes of the processors tells more than the time where others use them too.
func BenchmarkStart(b *testing.B) {
	dir, err := os.MkdirTemp("", "start")
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(dir)
	var took, used time.Duration
	for b.Loop() {
		c := embedded.New(embedded.Options{Dir: dir})
		began, before := time.Now(), processorTime(b)
		if _, err := c.Up(b.Context()); err != nil {
			b.Fatal(err)
		}
		took += time.Since(began)
		used += processorTime(b) - before
		if err := c.Down(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(took.Seconds()/float64(b.N), "s/ready")
	b.ReportMetric(used.Seconds()/float64(b.N), "cpu-s/ready")
}

func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
