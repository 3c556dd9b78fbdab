package cli

import (
	"net/http"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/vpa"
)

// again runs the step until it succeeds, which it must once the fault is mended.
func again(t *testing.T, s stage, mend func()) trace.Frame {
	t.Helper()
	for tries := 0; ; tries++ {
		f, err := s.Session().Next()
		if err == nil {
			return f
		}
		if !problem.Retryable(err) || tries == 10 {
			t.Fatalf("%s: %v", f.Step, err)
		}
		mend()
		time.Sleep(100 * time.Millisecond)
	}
}

// TestVPACut lets the token expire before every step of the VPA's loop, and loses the
// answer to an eviction: steps run again write nothing twice, and tell what they did.
func TestVPACut(t *testing.T) {
	t.Parallel()
	a := testApp(t)
	m := newManaged(t, a)
	namespace := classOn(t, a, m)
	p := behind(t, a, m)
	a.target.vpaUpdate = updateRecreate
	s, closeStage, err := a.openStage(t.Context(), "vpa", "vpa-web", silent{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = closeStage() })
	steps, failed := map[trace.StepID]*trace.Frame{}, 0
	for changed := false; !changed || steps[vpaLast] == nil; {
		if changed = changed || steps[vpa.UpdateStep] != nil && scaled(*steps[vpa.UpdateStep]); !changed {
			delete(steps, vpaLast)
		}
		if p.fault.Store(http.StatusUnauthorized); last(s) == "vpa/3-compare/decide" {
			p.fault.Store(0)
			p.lose.Store("/eviction")
		}
		f := again(t, s, func() { failed++; p.fault.Store(0) })
		p.fault.Store(0)
		if steps[f.Step] = &f; f.Pass > 12 {
			t.Fatal("nothing was changed in 12 passes")
		}
	}
	if failed < 20 {
		t.Errorf("only %d steps failed", failed)
	}
	wantFact(t, *steps["vpa/4-evict/act"], "evictedPods", "1")
	wantFact(t, *steps["vpa/5-recreate/create"], "createdPods", "1")
	wantFact(t, *steps["vpa/7-admit/patch"], "newRequest/web.cpu", "300m")
	wantFact(t, *steps["vpa/7-admit/bind"], "boundPods", "1")
	wantFact(t, *steps[vpaLast], "updatedPods", "1")
	for _, step := range []trace.StepID{"vpa/4-evict/act", "vpa/5-recreate/create", "vpa/7-admit/bind", "vpa/7-admit/run"} {
		if f := steps[step]; len(f.Seen) == 0 || f.Seen[0].Actor != f.Actor {
			t.Errorf("%s of %s: seen %+v", step, f.Actor, f.Seen)
		}
	}
	if err := m.kube.CoreV1().Namespaces().Delete(t.Context(), namespace, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	namespaceGoes(t, s.(*clusterStage))
}

// last is the step executed last.
func last(s stage) trace.StepID {
	frames := s.Session().Frames()
	if len(frames) == 0 {
		return ""
	}
	return frames[len(frames)-1].Step
}
