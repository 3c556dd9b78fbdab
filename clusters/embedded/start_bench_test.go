package embedded_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/util/keyutil"

	"github.com/stepscale/stepscale/clusters/embedded"
)

// BenchmarkStart is a start up to the moment at which the cluster takes objects, against
// upstream's etcd and kube-apiserver as processes of their own: one of each in turn. What
// it takes of the processors tells more than the time where others use them too.
func BenchmarkStart(b *testing.B) {
	dir, err := os.MkdirTemp("", "start")
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(dir)
	var took, used, separately, usedSeparately time.Duration
	phases := map[string]time.Duration{}
	var mu sync.Mutex
	for b.Loop() {
		c := embedded.New(embedded.Options{Dir: dir, Progress: func(phase string, took time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			phases[phase] += took
		}})
		began, before := time.Now(), processorTime(b)
		if _, err := c.Up(b.Context()); err != nil {
			b.Fatal(err)
		}
		took += time.Since(began)
		used += processorTime(b) - before
		if err := c.Down(context.Background()); err != nil {
			b.Fatal(err)
		}
		t, u := startSeparate(b)
		separately, usedSeparately = separately+t, usedSeparately+u
	}
	n := float64(b.N)
	for phase, d := range phases {
		b.ReportMetric(d.Seconds()/n, "s/"+phase)
	}
	b.ReportMetric(took.Seconds()/n, "s/ready")
	b.ReportMetric(used.Seconds()/n, "cpu-s/ready")
	b.ReportMetric(separately.Seconds()/n, "s/separate")
	b.ReportMetric(usedSeparately.Seconds()/n, "cpu-s/separate")
	b.ReportMetric(took.Seconds()/separately.Seconds(), "ready/separate")
}

func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func writeKey(path string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	raw, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return err
	}
	return os.WriteFile(path, raw, 0o600)
}
