package embedded

import (
	"net/http"
	"strings"
	"sync"

	"github.com/stepscale/stepscale/engine/trace"
)

// gate lets reads through and holds an actor's writes to a lesson's namespaces
// until the step that belongs to the actor. Nothing else of Kubernetes is
// touched: a held controller is one whose API server answers slowly.
type gate struct {
	mu         sync.Mutex
	cond       *sync.Cond
	namespaces map[string]bool
	open       map[string]bool
	held       map[*http.Request]trace.Waiting
	flying     map[string]int // writes by actor that were let through and are not answered
	changed    func()         // called when a write comes to the gate or leaves it
}

func newGate(changed func()) *gate {
	g := &gate{namespaces: map[string]bool{}, open: map[string]bool{}, held: map[*http.Request]trace.Waiting{}, flying: map[string]int{}, changed: changed}
	g.cond = sync.NewCond(&g.mu)
	return g
}

func (g *gate) wrap(actor string) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			if reads(req) {
				return next.RoundTrip(req)
			}
			if err := g.wait(actor, req); err != nil {
				return nil, err
			}
			defer g.land(actor)
			return next.RoundTrip(req)
		})
	}
}

// land notes that a write is answered which wait let through.
func (g *gate) land(actor string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.flying[actor]--
}

// wait blocks while the request is a write that its actor may not do yet. From then on it
// is under way.
func (g *gate) wait(actor string, req *http.Request) error {
	ns, held := heldNamespace(req)
	g.mu.Lock()
	defer g.mu.Unlock()
	if !held || !g.namespaces[ns] || g.open[actor] {
		g.flying[actor]++
		return nil
	}
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-req.Context().Done():
			g.mu.Lock()
			g.cond.Broadcast()
			g.mu.Unlock()
		case <-stop:
		}
	}()
	g.held[req] = trace.Waiting{Actor: actor, Verb: req.Method, Path: req.URL.Path}
	g.changed()
	defer func() {
		delete(g.held, req)
		g.changed()
	}()
	for g.namespaces[ns] && !g.open[actor] {
		if err := req.Context().Err(); err != nil {
			return err
		}
		g.cond.Wait()
	}
	g.flying[actor]++
	return nil
}

func reads(req *http.Request) bool {
	return req.Method == http.MethodGet || req.Method == http.MethodHead
}

// heldNamespace returns the namespace that a request writes to. Reads, events
// and the status that the workload controllers report pass freely: they tell
// about the world and do not move it. A pod's status does move it (Ready).
func heldNamespace(req *http.Request) (string, bool) {
	if reads(req) {
		return "", false
	}
	_, rest, ok := strings.Cut(req.URL.Path, "/namespaces/")
	if !ok {
		return "", false
	}
	parts := strings.Split(rest, "/") // NAMESPACE RESOURCE NAME SUBRESOURCE
	if len(parts) < 2 || parts[1] == "events" {
		return "", false
	}
	if len(parts) == 4 && parts[3] == "status" && parts[1] != "pods" {
		return "", false
	}
	return parts[0], true
}

func (g *gate) update(change func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change()
	g.cond.Broadcast()
}

func (g *gate) list() []trace.Waiting {
	g.mu.Lock()
	defer g.mu.Unlock()
	held := make([]trace.Waiting, 0, len(g.held))
	for _, h := range g.held {
		held = append(held, h)
	}
	return held
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
