package vpa_test

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/stepscale/stepscale/engine/otherwise"
	"github.com/stepscale/stepscale/engine/vpa"
	"github.com/stepscale/stepscale/engine/vpa/why"
)

var whys = flag.Int("whys", 120, "random VPAs that are asked why")

// TestWhyIsTrue: for random VPAs and pods, what is named as the smallest change turns what
// upstream does with the pod, and one unit less, or any that is near and less, does not.
func TestWhyIsTrue(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(11, 5))
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	told := map[why.Kind]int{}
	for n := range *whys {
		j := vpa.Judged{Params: vpa.DefaultParams(), Now: now, VPA: vpa.RandomVPA(rng)}
		for i := range 1 + rng.IntN(3) {
			j.Pods = append(j.Pods, vpa.RandomPod(rng, string(rune('p'+i)), now))
		}
		before := vpa.ToJSON(j)
		a := why.Of(j)
		if vpa.ToJSON(j) != before {
			t.Fatalf("%d: what was recorded is changed", n)
		}
		for i, p := range a.Pods {
			if got := j.Updates(j.Pods[i]); got != p.Update {
				t.Fatalf("%d: it says %v, and upstream %v", n, p.Update, got)
			}
			for _, c := range p.Changes {
				told[c.Kind]++
				turns(t, j, j.Pods[i], p, c)
			}
		}
	}
	t.Logf("%v", told)
	for _, k := range []why.Kind{why.Request, why.LowerBound, why.Target, why.UpperBound, why.Later, why.Lifetime, why.Threshold} {
		if told[k] < 5 {
			t.Errorf("%s turns %d decisions: the generator is too tame", k, told[k])
		}
	}
}

func turns(t *testing.T, j vpa.Judged, pod *corev1.Pod, p why.Pod, c why.Change) {
	t.Helper()
	step := int64(1)
	if c.To < c.From {
		step = -1
	}
	if got := byHand(j, pod, c); got != c.Update || got == p.Update {
		t.Fatalf("%+v gives %v, and %v was decided\n%s", c, got, p.Update, vpa.ToJSON(j))
	}
	for v, n := c.To-step, 0; v != c.From && n < otherwise.EveryWithin; v, n = v-step, n+1 {
		if got := c.Try(j, pod, v); (n == 0 || (v-c.From)*step <= otherwise.EveryWithin) && got != p.Update {
			t.Fatalf("%+v: %d gives %v already\n%s", c, v, got, vpa.ToJSON(j))
		}
	}
}

// byHand makes the change by other code where that is one line, so that it is not the same
// that says and that confirms.
func byHand(j vpa.Judged, pod *corev1.Pod, c why.Change) bool {
	switch c.Kind {
	case why.Later:
		j.Now = j.Now.Add(time.Duration(c.To) * time.Second)
	case why.Lifetime:
		j.Params.Update.PodLifetimeUpdateThreshold = time.Duration(c.To) * time.Second
	case why.Threshold:
		j.Params.Update.MinChangePriority = float64(c.To) / 1000
	default:
		return c.Try(j, pod, c.To)
	}
	return j.Updates(pod)
}
