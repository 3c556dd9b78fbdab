package hpa_test

import (
	"flag"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"

	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/hpa/why"
	"github.com/stepscale/stepscale/engine/otherwise"
)

var whys = flag.Int("whys", 2000, "random histories whose last decision is asked why")

// lastOf is the last decision of a random history, as a recording has it.
func lastOf(s shape) hpa.Recorded {
	now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	w := newWorld(s, now)
	memory, object := hpa.History{}, w.hpa.DeepCopy()
	for tick := 0; ; tick++ {
		now = now.Add(hpa.DefaultParams().SyncPeriod)
		r := hpa.Recorded{Params: hpa.DefaultParams(), Input: inputOf(w, object, now), History: *memory.Clone()}
		if tick == s.Ticks {
			return r
		}
		result := hpa.DecideAndWrite(r.Params, r.Input, &memory, nil)
		if result.Rescale {
			w.replicas = result.Desired
		}
		w.step(now)
		w.edit()
		object = w.hpa.DeepCopy()
		object.Status = result.Status
	}
}

// TestWhyIsTrue: in every history, what is named as the smallest change flips the decision,
// and one unit less, or any that is near and less, does not.
func TestWhyIsTrue(t *testing.T) {
	t.Parallel()
	told, held := map[why.Kind]int{}, 0
	var mu sync.Mutex
	var all sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		all.Go(func() {
			for i := w; i < *whys && !t.Failed(); i += workers {
				a := askedWhy(t, i)
				mu.Lock()
				if a.Held != nil {
					held++
				}
				for _, c := range a.Changes {
					told[c.Kind]++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	t.Logf("%d held, %v", held, told)
	for _, k := range []why.Kind{why.Usage, why.Target, why.MinReplicas, why.MaxReplicas, why.Tolerance, why.ToleranceUp, why.ToleranceLow, why.ReadyPods, why.Window, why.PolicyValue, why.PolicyPeriod, why.Ticks} {
		if *whys >= 1000 && told[k] < *whys/1000 {
			t.Errorf("%s changes %d of %d decisions: the generator is too tame", k, told[k], *whys)
		}
	}
	if *whys >= 1000 && held < *whys/100 {
		t.Errorf("%d decisions are held", held)
	}
}

// askedWhy is the answer for a random history, after it was held against the engine.
func askedWhy(t *testing.T, i int) why.Answer {
	s := wholeShape(*seed + uint64(i))
	s.Ticks = 1 + i%30
	r := lastOf(s)
	before := toJSON(r)
	a := why.Of(r)
	if toJSON(r) != before {
		t.Errorf("%s: what was recorded is changed", toJSON(s))
	}
	if want := hpa.Decide(r.Params, r.Input, r.History.Clone()).Desired; a.Desired != want {
		t.Errorf("%s: it says %d was decided, and it was %d", toJSON(s), a.Desired, want)
	}
	for _, c := range a.Changes {
		holds(t, s, r, a, c)
	}
	return a
}

func holds(t *testing.T, s shape, r hpa.Recorded, a why.Answer, c why.Change) {
	t.Helper()
	step := int64(1)
	if c.To < c.From {
		step = -1
	}
	if got := decidedWith(r, c); got != c.Desired || got == a.Desired {
		t.Errorf("%s: %+v gives %d, and %d was decided", toJSON(s), c, got, a.Desired)
	}
	for v, n := c.To-step, 0; v != c.From && n < otherwise.EveryWithin; v, n = v-step, n+1 {
		if n == 0 || (v-c.From)*step <= otherwise.EveryWithin {
			if got := c.Try(r, v); got != a.Desired {
				t.Errorf("%s: %+v: %d gives %d already, and %d was decided", toJSON(s), c, v, got, a.Desired)
			}
		}
	}
}

// decidedWith makes the change by hand where that is one line, so that it is not the same
// code that says and that confirms.
func decidedWith(r hpa.Recorded, c why.Change) int32 {
	object := r.Input.HPA.DeepCopy()
	n := int32(c.To)
	switch c.Kind {
	case why.MinReplicas:
		object.Spec.MinReplicas = &n
	case why.MaxReplicas:
		object.Spec.MaxReplicas = n
	case why.Tolerance:
		r.Params.Tolerance = float64(c.To) / 1000
	case why.Target:
		i := int(c.Field[len("metrics[")] - '0')
		if m := object.Spec.Metrics[i]; m.Resource == nil || m.Resource.Target.AverageUtilization == nil {
			return c.Try(r, c.To)
		}
		object.Spec.Metrics[i].Resource.Target.AverageUtilization = &n
	case why.Window:
		if b := object.Spec.Behavior; b != nil {
			rules := map[string]*autoscalingv2.HPAScalingRules{"behavior.scaleUp.stabilizationWindowSeconds": b.ScaleUp, "behavior.scaleDown.stabilizationWindowSeconds": b.ScaleDown}[c.Field]
			rules.StabilizationWindowSeconds = &n
		} else {
			r.Params.DownscaleStabilization = time.Duration(n) * time.Second
		}
	default:
		return c.Try(r, c.To)
	}
	r.Input.HPA = object
	return hpa.Decide(r.Params, r.Input, r.History.Clone()).Desired
}

// TestWhyNamesTheNumbers of a decision that anybody can check: 2 pods at 50 % of 100m and
// a target of 50 % stay, because 55 % is within the tolerance and 56 % is not.
func TestWhyNamesTheNumbers(t *testing.T) {
	in := benchInput(2, 1)
	in.HPA.Spec.Metrics[0].Resource.Target.AverageUtilization = new(int32(50))
	for name, sample := range in.Metrics[0].Pods {
		sample.Value = 50
		in.Metrics[0].Pods[name] = sample
	}
	r := hpa.Recorded{Params: hpa.DefaultParams(), Input: in}
	in.HPA.Spec.MinReplicas, in.HPA.Spec.MaxReplicas = new(int32(1)), 10
	a := why.Of(r)
	if a.Desired != 2 || a.Held != nil {
		t.Fatalf("%+v", a)
	}
	want := []why.Change{
		{Kind: why.Usage, Metric: "cpu", Unit: why.Percent, From: 50, To: 56, Desired: 3},
		{Kind: why.Target, Metric: "cpu", Field: "metrics[0]", Unit: why.Percent, From: 50, To: 45, Desired: 3},
		{Kind: why.MinReplicas, Field: "minReplicas", Unit: why.Count, From: 1, To: 3, Desired: 3},
		{Kind: why.MaxReplicas, Field: "maxReplicas", Unit: why.Count, From: 10, To: 1, Desired: 1},
	}
	for _, w := range want {
		if !slices.ContainsFunc(a.Changes, func(c why.Change) bool {
			return c.Kind == w.Kind && c.Metric == w.Metric && c.Field == w.Field && c.Unit == w.Unit && c.From == w.From && c.To == w.To && c.Desired == w.Desired
		}) {
			t.Errorf("%+v is not said: %+v", w, a.Changes)
		}
	}
}

// TestWhyNamesTheTick at which what holds a decision leaves the window.
func TestWhyNamesTheTick(t *testing.T) {
	in := benchInput(4, 1)
	in.HPA.Spec.Metrics[0].Resource.Target.AverageUtilization = new(int32(50))
	for name, sample := range in.Metrics[0].Pods {
		sample.Value = 23
		in.Metrics[0].Pods[name] = sample
	}
	made := in.Now.Add(-2 * time.Minute)
	r := hpa.Recorded{Params: hpa.DefaultParams(), Input: in, History: hpa.History{Recommendations: []hpa.Recommendation{{Replicas: 4, Time: made.Add(-time.Minute)}, {Replicas: 4, Time: made}}}}
	a := why.Of(r)
	if a.Desired != 4 || a.Held == nil || a.Held.Replicas != 4 || !a.Held.At.Equal(made) || a.Held.Window != 5*time.Minute || a.Held.Up {
		t.Fatalf("%+v, held %+v", a, a.Held)
	}
	for _, c := range a.Changes {
		if c.Kind == why.Ticks && c.To == 13 && c.Desired == 2 { // 180 s to be as old as the window, which counts still, and a tick
			return
		}
	}
	t.Errorf("13 ticks are not named: %+v", a.Changes)
}
