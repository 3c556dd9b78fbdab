package class

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkCreate makes a class of 200 with a token for everybody: the seconds, and how
// often a seat asks the API server.
func BenchmarkCreate(b *testing.B) {
	var calls atomic.Int32
	for n := 0; b.Loop(); n++ {
		c := newClassroom(b, fmt.Sprintf("bench%d", n), Most)
		cfg := cluster(b)
		cfg.Wrap(func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				calls.Add(1)
				return next.RoundTrip(r)
			})
		})
		c.Room = c.room(b, cfg)
		begin := time.Now()
		if _, err := c.Survey(b.Context(), c.spec); err != nil {
			b.Fatal(err)
		}
		c.create(b)
		made := time.Since(begin)
		if _, err := c.Hand(b.Context(), c.spec, c.spec.Seats, NewFile(c.spec.Class, c.spec.Ends), time.Now()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(made.Seconds(), "s-made")
		b.ReportMetric((time.Since(begin) - made).Seconds(), "s-handed")
		b.ReportMetric(float64(calls.Swap(0))/Most, "calls/seat")
	}
}
