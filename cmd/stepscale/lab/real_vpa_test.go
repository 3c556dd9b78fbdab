package lab

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
	metricsfake "k8s.io/metrics/pkg/client/clientset/versioned/fake"

	"github.com/stepscale/stepscale/engine/vpa"
)

// TestUntilSampled: a look of the VPA waits until the samples are a period after the last
// one's, and is not later than the first of them that is.
func TestUntilSampled(t *testing.T) {
	s, waits := paced(t)
	s.vpaState = &vpa.State{Params: vpa.DefaultParams()}
	begin := time.Now().Truncate(time.Second)
	var told []time.Duration // what the next lists say, the last one again and again
	s.metrics.(*metricsfake.Clientset).PrependReactor("list", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		at := begin.Add(told[0])
		if len(told) > 1 {
			told = told[1:]
		}
		list := &metricsv1beta1.PodMetricsList{}
		for _, older := range []time.Duration{9 * time.Second, 0} {
			list.Items = append(list.Items, metricsv1beta1.PodMetrics{ObjectMeta: metav1.ObjectMeta{Namespace: "x", Labels: s.targetLabels}, Timestamp: metav1.NewTime(at.Add(-older))})
		}
		return true, list, nil
	})
	for _, look := range []struct {
		what   string
		told   []time.Duration // seconds
		pause  time.Duration
		newest time.Duration // seconds
		busy   int
	}{
		{"the first takes what there is", []time.Duration{9}, 60 * time.Second, 9, 0}, // the other pod's is at 0
		{"there is a new one already", []time.Duration{41, 60}, 41 * time.Second, 41, 0},
		{"the next is waited for", []time.Duration{88, 88, 103, 118}, 41 * time.Second, 103, 1}, // at 101 at least
		{"it does not wander off", []time.Duration{160, 163}, 41 * time.Second, 163, 1},         // at 161
		{"somebody has read", []time.Duration{400}, 41 * time.Second, 400, 0},
		{"and a period later", []time.Duration{440, 441}, 41 * time.Second, 441, 1},
	} {
		told = nil
		for _, at := range look.told {
			told = append(told, at*time.Second)
		}
		waits.busy = 0
		if err := s.untilSampled(t.Context(), 60*time.Second); err != nil {
			t.Fatal(err)
		}
		if got := s.sampled.newest.Sub(begin); got != look.newest*time.Second || waits.waited != look.pause || waits.busy != look.busy {
			t.Errorf("%s: a sample of %s after %s, shown as busy %d times", look.what, got, waits.waited, waits.busy)
		}
	}
}

// phased notes what starts, and what took long.
type phased struct{ starts, slow []string }

func (p *phased) Phase(name string, took time.Duration) {
	if took == 0 {
		p.starts = append(p.starts, name)
	} else {
		p.slow = append(p.slow, name)
	}
}

func (*phased) Note(string) {}

// TestPartsOfTheVPAAreTold while they start, so that nobody wonders in silence.
func TestPartsOfTheVPAAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &phased{}
		s := &realSite{Stage: &Stage{Options: Options{Phases: p}}}
		s.starting("VPA의 권한")()
		done := s.starting("VPA의 CRD")
		time.Sleep(3 * time.Second)
		done()
		if strings.Join(p.starts, ",") != "VPA의 권한,VPA의 CRD" || strings.Join(p.slow, ",") != "VPA의 CRD" {
			t.Errorf("told %v, slow %v", p.starts, p.slow)
		}
	})
}
