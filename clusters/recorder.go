package clusters

import (
	"io"
	"net/http"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/stepscale/stepscale/engine/trace"
)

// maxCalls bounds what a Recorder keeps between two reads; older calls go first.
const maxCalls = 4096

// Recorder notes the requests of several actors and the watches that they hold
// open. Headers and bodies are never looked at, so no credential is recorded.
type Recorder struct {
	Noted func() // called after every call that is noted; may be nil

	mu      sync.Mutex
	calls   []trace.Call
	watches map[*watchBody]trace.Watch
}

// Wrap returns a transport wrapper for one actor, to be set as
// rest.Config.WrapTransport.
func (r *Recorder) Wrap(actor string) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			return r.roundTrip(actor, next, req)
		})
	}
}

// Take returns the calls since the last Take, oldest first.
func (r *Recorder) Take() []trace.Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls := r.calls
	r.calls = nil
	return calls
}

// Watches returns the watches that are open now, by actor and path.
func (r *Recorder) Watches() []trace.Watch {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := map[trace.Watch]bool{}
	var open []trace.Watch
	for _, w := range r.watches {
		if !seen[w] {
			seen[w] = true
			open = append(open, w)
		}
	}
	sort.Slice(open, func(i, j int) bool {
		return open[i].Actor+open[i].Path < open[j].Actor+open[j].Path
	})
	return open
}

// precision of a latency: what is below it is noise, which a recording would be full of.
const precision = 100 * time.Microsecond

func (r *Recorder) roundTrip(actor string, next http.RoundTripper, req *http.Request) (*http.Response, error) {
	start := time.Now()
	resp, err := next.RoundTrip(req)
	if isBackground(req) {
		return resp, err
	}
	if q := req.URL.Query(); q.Get("watch") == "true" {
		if err == nil && resp.StatusCode == http.StatusOK {
			resp.Body = r.openWatch(trace.Watch{Actor: actor, Path: req.URL.Path}, resp.Body)
		}
		return resp, err
	}
	call := trace.Call{Actor: actor, Verb: req.Method, Path: req.URL.Path, Latency: time.Since(start).Round(precision)}
	if err == nil {
		call.Status = resp.StatusCode
	}
	r.note(call)
	return resp, err
}

func (r *Recorder) note(call trace.Call) {
	r.mu.Lock()
	r.calls = append(r.calls, call)
	if len(r.calls) > maxCalls {
		r.calls = r.calls[len(r.calls)-maxCalls:]
	}
	r.mu.Unlock()
	if r.Noted != nil {
		r.Noted()
	}
}

// isBackground tells requests apart that keep a component alive and say nothing
// about the loop: leases and discovery.
func isBackground(req *http.Request) bool {
	p := req.URL.Path
	return strings.Contains(p, "/leases") || strings.HasPrefix(p, "/openapi") ||
		p == "/api" || p == "/apis" || strings.HasSuffix(p, "/healthz") || strings.HasSuffix(p, "/readyz")
}

func (r *Recorder) openWatch(w trace.Watch, body io.ReadCloser) io.ReadCloser {
	b := &watchBody{ReadCloser: body, recorder: r}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.watches == nil {
		r.watches = map[*watchBody]trace.Watch{}
	}
	r.watches[b] = w
	return b
}

type watchBody struct {
	io.ReadCloser
	recorder *Recorder
}

func (b *watchBody) Close() error {
	b.recorder.mu.Lock()
	delete(b.recorder.watches, b)
	b.recorder.mu.Unlock()
	return b.ReadCloser.Close()
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
