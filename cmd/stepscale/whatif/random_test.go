package whatif

import (
	"flag"
	"math/rand/v2"
	"testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/stepscale/stepscale/engine/recording"
)

var recordings = flag.Int("recordings", 100, "random recordings that are played with nothing set")

// TestNothingSetOfRandomRecordings: whatever the load and the HPA, nothing set decides what
// was recorded, from the beginning and from any pass on, and the model that goes on where
// courses part comes to most of it by itself.
func TestNothingSetOfRandomRecordings(t *testing.T) {
	scaled, agreed, decisions := 0, 0, 0
	for seed := range *recordings {
		rng := rand.New(rand.NewPCG(uint64(seed), 21))
		s, err := New(recording.Header{}, recordedBy(randomLoad(rng), func(spec *autoscalingv2.HorizontalPodAutoscalerSpec) { randomSpec(rng, spec) }))
		if err != nil {
			t.Fatal(seed, err)
		}
		for _, from := range []int{0, 1 + rng.IntN(len(s.decisions))} {
			c, err := s.Fork(&Edit{}, from)
			if err != nil {
				t.Fatal(seed, err)
			}
			if c.Parted != -1 || c.First != nil {
				t.Errorf("recording %d from pass %d: it parts at %d: %+v", seed, from, c.Parted, c.First)
			}
			if Sum(c) != Sum(s.Recorded()) {
				t.Errorf("recording %d from pass %d: %+v, want %+v", seed, from, Sum(c), Sum(s.Recorded()))
			}
		}
		a, n, err := s.Check()
		if err != nil {
			t.Fatal(seed, err)
		}
		agreed, decisions, scaled = agreed+a, decisions+n, scaled+Sum(s.Recorded()).Scalings
	}
	t.Logf("%d decisions, %d scalings; the model alone agrees with %d", decisions, scaled, agreed)
	if scaled < 2**recordings {
		t.Errorf("%d scalings in %d recordings: the generator is too tame", scaled, *recordings)
	}
	if agreed*5 < decisions*4 { // it shares a load evenly, and knows no remainders
		t.Errorf("the model alone comes to %d of %d decisions", agreed, decisions)
	}
}

// randomLoad has steps, and noise on some of them.
func randomLoad(rng *rand.Rand) (load []int64) {
	for n := 20 + rng.IntN(60); len(load) < n; {
		level, noise := rng.Int64N(1500), rng.Int64N(2)*rng.Int64N(100)
		for range 1 + rng.IntN(30) {
			load = append(load, level+rng.Int64N(noise+1))
		}
	}
	return load
}

func randomSpec(rng *rand.Rand, spec *autoscalingv2.HorizontalPodAutoscalerSpec) {
	spec.MinReplicas = new(1 + rng.Int32N(3))
	spec.MaxReplicas = *spec.MinReplicas + rng.Int32N(20)
	spec.Metrics[0].Resource.Target.AverageUtilization = new(10 + rng.Int32N(150))
	rules := func() *autoscalingv2.HPAScalingRules {
		r := &autoscalingv2.HPAScalingRules{StabilizationWindowSeconds: new(rng.Int32N(600)), SelectPolicy: new(autoscalingv2.MaxChangePolicySelect)}
		if rng.IntN(3) == 0 {
			r.Tolerance = resource.NewMilliQuantity(rng.Int64N(400), resource.DecimalSI)
		}
		for range 1 + rng.IntN(2) {
			kind := autoscalingv2.PodsScalingPolicy
			if rng.IntN(2) == 0 {
				kind = autoscalingv2.PercentScalingPolicy
			}
			r.Policies = append(r.Policies, autoscalingv2.HPAScalingPolicy{Type: kind, Value: 1 + rng.Int32N(100), PeriodSeconds: 15 * (1 + rng.Int32N(8))})
		}
		return r
	}
	if rng.IntN(2) == 0 {
		spec.Behavior = &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: rules(), ScaleDown: rules()}
	}
}
