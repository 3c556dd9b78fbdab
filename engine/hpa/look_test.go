package hpa_test

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"

	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/hpa/referee"
)

type agreement struct{ n, fresh, supposed, free, within, plain, plainClamped, moved, movedSupposed, movedPlain int }

func lookHistory(t *testing.T, s shape, a *agreement) {
	ctx, cancel := context.WithCancel(t.Context())
	w := newWorld(s, time.Now())
	h := &history{world: w, seen: map[string]int{}, told: map[string]int{}, ours: w.hpa.DeepCopy(), memory: &hpa.History{}}
	upstream, stop := referee.Start(ctx, hpa.DefaultParams(), w, w.hpa.Spec.ScaleTargetRef)
	defer func() { cancel(); stop() }()
	h.upstream = upstream
	h.show(t)
	sync := func() {
		synctest.Wait()
		h.mu.Lock()
		defer h.mu.Unlock()
		in := inputOf(w, h.ours, time.Now())
		p := hpa.DefaultParams()
		did := h.upstream.Take()
		want := did.Replicas(in.SpecReplicas)
		fresh := hpa.Decide(p, in, &hpa.History{}).Desired
		supposed := hpa.Decide(p, in, hpa.Supposed(p, in)).Desired
		free := hpa.Decide(p, in, &hpa.History{Recommendations: []hpa.Recommendation{}}).Desired
		a.n++
		b := func(x bool) int {
			if x {
				return 1
			}
			return 0
		}
		a.fresh += b(fresh == want)
		a.supposed += b(supposed == want)
		a.free += b(free == want)
		a.within += b(min(supposed, free, fresh) <= want && want <= max(supposed, free, fresh))
		pl := plainEstimate(in)
		a.plain += b(pl == want)
		cl := min(max(pl, *in.HPA.Spec.MinReplicas), in.HPA.Spec.MaxReplicas)
		a.plainClamped += b(cl == want)
		if want != in.SpecReplicas {
			a.moved++
			a.movedSupposed += b(supposed == want)
			a.movedPlain += b(cl == want)
		}
		got := hpa.Decide(p, in, h.memory)
		_ = got
		if n := len(did.Writes); n > 0 {
			h.replicas = did.Writes[n-1]
		}
		if did.Status != nil {
			h.ours.Status = *did.Status
		}
	}
	for range s.Ticks {
		sync()
		time.Sleep(changeAfter)
		if h.change(t) {
			sync()
		}
		synctest.Wait()
		time.Sleep(hpa.DefaultParams().SyncPeriod - changeAfter)
	}
}

// plainEstimate is ceil(current × ratio) of the metric that asks for the most.
func plainEstimate(in hpa.Input) int32 {
	best, any := int32(0), false
	for i, m := range in.HPA.Spec.Metrics {
		ratio, ok := plainRatio(in, i, m)
		if !ok {
			continue
		}
		any = true
		best = max(best, int32(math.Ceil(min(float64(in.SpecReplicas)*ratio, 1e9))))
	}
	if !any {
		return in.SpecReplicas
	}
	return best
}

func plainRatio(in hpa.Input, i int, m autoscalingv2.MetricSpec) (float64, bool) {
	d := in.Metrics[i]
	if d.Err != nil {
		return 0, false
	}
	var sum int64
	for _, p := range d.Pods {
		sum += p.Value
	}
	var values int64
	for _, v := range d.Values {
		values += v
	}
	n := float64(len(d.Pods))
	switch {
	case m.Resource != nil:
		return targetRatio(m.Resource.Target, float64(sum), n, 200)
	case m.ContainerResource != nil:
		return targetRatio(m.ContainerResource.Target, float64(sum), n, 100)
	case m.Pods != nil:
		return targetRatio(m.Pods.Target, float64(sum), n, 1)
	case m.Object != nil:
		return targetRatio(m.Object.Target, float64(values), float64(in.SpecReplicas), 1)
	case m.External != nil:
		return targetRatio(m.External.Target, float64(values), float64(in.SpecReplicas), 1)
	}
	return 0, false
}

func targetRatio(t autoscalingv2.MetricTarget, sum, n, request float64) (float64, bool) {
	switch {
	case n == 0:
		return 0, false
	case t.AverageValue != nil:
		return sum / n / float64(t.AverageValue.MilliValue()), true
	case t.Value != nil:
		return sum / float64(t.Value.MilliValue()), true
	case t.AverageUtilization != nil:
		return sum / n / request * 100 / float64(*t.AverageUtilization), true
	}
	return 0, false
}

func TestLook(t *testing.T) {
	var a agreement
	for i := range 300 {
		synctest.Test(t, func(t *testing.T) { lookHistory(t, wholeShape(uint64(50000+i)), &a) })
	}
	t.Logf("%+v", a)
}
