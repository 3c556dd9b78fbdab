package clusters

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	testingclock "k8s.io/utils/clock/testing"
)

func TestSkew(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	defer server.Close()
	for _, off := range []time.Duration{0, 7 * time.Minute, -7 * time.Minute} {
		got, err := Skew(t.Context(), &rest.Config{Host: server.URL}, testingclock.NewFakePassiveClock(time.Now().Add(off)))
		if err != nil || (got-off).Abs() > 5*time.Second || off == 0 && got != 0 {
			t.Errorf("off by %s: %s, %v", off, got, err)
		}
	}
}

// TestSkewLeavesTheRoundTripOut: a slow answer is no wrong clock.
func TestSkewLeavesTheRoundTripOut(t *testing.T) {
	at := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct{ asked, answered, want time.Duration }{
		{-30 * time.Second, 30 * time.Second, 0},
		{time.Second / 2, time.Second / 2, 0},
		{61 * time.Second, 90 * time.Second, time.Minute},
		{-90 * time.Second, -time.Minute, -time.Minute},
	} {
		if got, err := SkewOf(at.Add(c.asked), at.Add(c.answered), http.Header{"Date": {at.Format(http.TimeFormat)}}); err != nil || got != c.want {
			t.Errorf("%+v: %s, %v", c, got, err)
		}
	}
	if _, err := SkewOf(at, at, nil); err == nil {
		t.Error("no date is no error")
	}
}
