package vpa

import (
	"context"
	"sync"
	"testing"
	"time"
)

func testAdmission(patience time.Duration) *admission {
	a := &admission{patient: patience}
	a.cond = sync.NewCond(&a.mu)
	a.arm()
	return a
}

// wait runs waitFor and tells when it has ended.
func (a *admission) wait(ctx context.Context, r *review, ready func() bool) chan struct{} {
	ended := make(chan struct{})
	go func() {
		a.waitFor(ctx, r, ready)
		close(ended)
	}()
	return ended
}

func ended(t *testing.T, what string, c chan struct{}, want bool) {
	t.Helper()
	select {
	case <-c:
		if !want {
			t.Errorf("%s: it did not wait", what)
		}
	case <-time.After(30 * time.Millisecond):
		if want {
			select {
			case <-c:
			case <-time.After(5 * time.Second):
				t.Errorf("%s: it waits on", what)
			}
		}
	}
}

func TestAdmissionWaitsForItsSteps(t *testing.T) {
	a := testAdmission(time.Minute)
	r := &review{}
	a.arrive(r)
	reading := a.wait(t.Context(), r, func() bool { return a.reading })
	ended(t, "before step 6", reading, false)
	a.let(true, false)
	ended(t, "step 6", reading, true)
	answering := a.wait(t.Context(), r, func() bool { return a.answers })
	ended(t, "before step 7", answering, false)
	a.let(true, true)
	ended(t, "step 7", answering, true)
	if r.late || a.count(anyReview) != 1 || len(a.take()) != 1 || len(a.take()) != 0 {
		t.Errorf("late %v, %d reviews left", r.late, a.count(anyReview))
	}
}

// TestAdmissionAnswersBeforeTheAPIServerGivesUp is the learner who reads on.
func TestAdmissionAnswersBeforeTheAPIServerGivesUp(t *testing.T) {
	a := testAdmission(20 * time.Millisecond)
	r := &review{}
	ended(t, "patience", a.wait(t.Context(), r, func() bool { return false }), true)
	if !r.late {
		t.Error("the frame would not tell")
	}
}

func TestAdmissionEndsWithItsRequestAndWithTheLesson(t *testing.T) {
	a := testAdmission(time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	c := a.wait(ctx, &review{}, func() bool { return false })
	cancel()
	ended(t, "the API server hung up", c, true)
	c = a.wait(t.Context(), &review{}, func() bool { return false })
	a.release()
	ended(t, "the lesson ended", c, true)
	ended(t, "nobody holds", a.wait(t.Context(), &review{}, func() bool { return false }), true)
}

func TestPodReview(t *testing.T) {
	for body, want := range map[string]string{
		`{"request":{"namespace":"shop","resource":{"resource":"pods"},"userInfo":{"username":"u"},"object":{"metadata":{"generateName":"web-"}}}}`: "web-",
		`{"request":{"resource":{"resource":"verticalpodautoscalers"},"object":{}}}`:                                                                "",
		`{"request":{"resource":{"resource":"pods"},"object":"x"}}`:                                                                                 "",
		`{}`: "", `no json`: "",
	} {
		r := podReview([]byte(body))
		if got := r != nil; got != (want != "") || got && (r.name != want || r.user != "u" || r.before.Namespace != "shop") {
			t.Errorf("%s: %+v", body, r)
		}
	}
}
