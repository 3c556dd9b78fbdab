package cli

import (
	"net/http"
	"os"
	"regexp"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stepscale/stepscale/engine/trace"
)

// asked counts the requests that the loop and its screen send to the API server, and not
// what the cluster's own actors do.
type asked struct{ n atomic.Int64 }

func (a *asked) wrap(next http.RoundTripper) http.RoundTripper {
	return sent(func(req *http.Request) (*http.Response, error) {
		a.n.Add(1)
		return next.RoundTrip(req)
	})
}

type sent func(*http.Request) (*http.Response, error)

func (f sent) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// counted connects with every request counted.
func counted(b *testing.B, a *app) *asked {
	b.Helper()
	var err error
	a.session = newSession(a.deps, a.target, a.scenarios).(*session)
	if a.session.cluster, err = a.session.connect(b.Context(), silent{}); err != nil {
		b.Fatal(err)
	}
	n := &asked{}
	a.session.cluster.Access().Config.Wrap(n.wrap)
	return n
}

// callTime is what the recorded calls of the frames took together.
func callTime(frames []trace.Frame) (sum time.Duration, calls int) {
	for _, f := range frames {
		for _, c := range f.Calls {
			sum += c.Latency
			calls++
		}
	}
	return sum, calls
}

var statusLine = regexp.MustCompile(`(?m)^(VmRSS|VmHWM):\s+(\d+) kB$`)

// reportMemory reports what this process has in memory, and has had at most; nothing
// where the system does not tell.
func reportMemory(b *testing.B) {
	raw, _ := os.ReadFile("/proc/self/status")
	for _, m := range statusLine.FindAllSubmatch(raw, -1) {
		kb, _ := strconv.ParseFloat(string(m[2]), 64)
		b.ReportMetric(kb/1024, "MB-"+string(m[1]))
	}
}
