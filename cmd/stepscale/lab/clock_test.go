package lab

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// TestBeginComparesTheClocks: what a site waits for is timed by the cluster's clock, which
// the API server's answers tell.
func TestBeginComparesTheClocks(t *testing.T) {
	const behind = 10 * time.Minute
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Now().Add(-behind).UTC().Format(http.TimeFormat))
		w.Header().Set("Content-Type", "application/json")
		kind, version := "PodList", "v1"
		switch path := r.URL.Path; {
		case r.URL.Query().Get("watch") != "":
			w.WriteHeader(http.StatusUnprocessableEntity) // lists do
			fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Invalid","code":422}`)
			return
		case strings.HasSuffix(path, "/replicasets"):
			kind, version = "ReplicaSetList", "apps/v1"
		case strings.Contains(path, "metrics.k8s.io"):
			kind, version = "PodMetricsList", "metrics.k8s.io/v1beta1"
		}
		fmt.Fprintf(w, `{"kind":%q,"apiVersion":%q,"metadata":{"resourceVersion":"1"},"items":[]}`, kind, version)
	}))
	defer server.Close()
	cfg := &rest.Config{Host: server.URL}
	s, _ := paced(t)
	s.Phases, s.cluster.Config, s.objects.access.Config = &phased{}, cfg, cfg
	s.objects.kube = kubernetes.NewForConfigOrDie(cfg)
	s.seen = make(chan struct{})
	defer close(s.seen)
	if err := s.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := time.Since(s.pace.now()); (got - behind).Abs() > 5*time.Second {
		t.Errorf("the cluster's clock is %s behind, want %s", got, behind)
	}
}
