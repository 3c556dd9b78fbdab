package embedded

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	aggregator "k8s.io/kube-aggregator/pkg/client/clientset_generated/clientset"
	"k8s.io/metrics/pkg/apis/metrics"
	"sigs.k8s.io/metrics-server/pkg/storage"
)

// unlessAway answers as nobody does behind a Service without endpoints.
func unlessAway(away *atomic.Bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if away.Load() {
			http.Error(w, "service unavailable", http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, req)
	})
}

// setMetricsAway takes the Metrics Server away, or starts a new one, which remembers
// nothing. It returns when the API server has noticed: its availability controller looks
// at once when the APIService is written to, and after seconds of machine time otherwise.
func (c *Cluster) setMetricsAway(ctx context.Context, away bool) error {
	if !c.metrics.away.CompareAndSwap(!away, away) {
		return nil
	}
	c.metrics.memory.forget()
	agg, err := aggregator.NewForConfig(c.admin)
	if err != nil {
		return err
	}
	want := apiregistrationv1.ConditionTrue
	if away {
		want = apiregistrationv1.ConditionFalse
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{"stepscale.io/metrics-server-up": string(want)}}})
	if err != nil {
		return err
	}
	if _, err := agg.ApiregistrationV1().APIServices().Patch(ctx, metricsAPIService, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		return err
	}
	return waitAPIService(ctx, agg, metricsAPIService, want)
}

// scrapes are what the Metrics Server remembers, in upstream's storage, and loses when it
// starts anew.
type scrapes struct {
	mu  sync.Mutex
	now storage.Storage
}

func newScrapes() *scrapes {
	m := &scrapes{}
	m.forget()
	return m
}

func (m *scrapes) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = storage.NewStorage(metricResolution)
}

func (m *scrapes) storage() storage.Storage {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Store, GetPodMetrics and GetNodeMetrics are those of the storage of now.
func (m *scrapes) Store(batch *storage.MetricsBatch) { m.storage().Store(batch) }

func (m *scrapes) GetPodMetrics(pods ...*metav1.PartialObjectMetadata) ([]metrics.PodMetrics, error) {
	return m.storage().GetPodMetrics(pods...)
}

func (m *scrapes) GetNodeMetrics(nodes ...*corev1.Node) ([]metrics.NodeMetrics, error) {
	return m.storage().GetNodeMetrics(nodes...)
}
