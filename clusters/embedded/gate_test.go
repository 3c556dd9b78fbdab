package embedded

import (
	"net/http"
	"testing"
)

func TestHeldNamespace(t *testing.T) {
	for _, c := range []struct {
		method, path, want string
		held               bool
	}{
		{"GET", "/api/v1/namespaces/a/pods", "", false},
		{"POST", "/api/v1/namespaces/a/pods", "a", true},
		{"POST", "/api/v1/namespaces/a/pods/x/binding", "a", true},
		{"PATCH", "/api/v1/namespaces/a/pods/x/status", "a", true},
		{"PUT", "/apis/apps/v1/namespaces/a/replicasets/x", "a", true},
		{"PUT", "/apis/apps/v1/namespaces/a/replicasets/x/status", "", false},
		{"POST", "/api/v1/namespaces/a/events", "", false},
		{"POST", "/apis/events.k8s.io/v1/namespaces/a/events", "", false},
		{"POST", "/api/v1/nodes", "", false},
		{"DELETE", "/api/v1/namespaces/a", "", false},
	} {
		req, err := http.NewRequest(c.method, "https://x"+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if ns, held := heldNamespace(req); ns != c.want || held != c.held {
			t.Errorf("%s %s: %q %v, want %q %v", c.method, c.path, ns, held, c.want, c.held)
		}
	}
}
