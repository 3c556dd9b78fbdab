package embedded_test

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	upstream "k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
	metricsclient "k8s.io/metrics/pkg/client/clientset/versioned"
	"k8s.io/metrics/pkg/client/custom_metrics"
	"k8s.io/metrics/pkg/client/external_metrics"

	"github.com/stepscale/stepscale/clusters/embedded"
)

// gauged is a load with metrics: of the pods the seconds since it began, of a Service two
// that are added up, and three external series of a name.
type gauged struct{ flat }

func (gauged) Metrics(elapsed time.Duration, pods []*corev1.Pod) (list []embedded.Metric) {
	for _, p := range pods {
		list = append(list, embedded.Metric{Name: "age", Of: corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Name: p.Name}, Value: elapsed.Milliseconds()})
	}
	service := corev1.ObjectReference{APIVersion: "v1", Kind: "Service", Name: "web"}
	return append(list,
		embedded.Metric{Name: "hits", Of: service, Labels: map[string]string{"verb": "GET"}, Value: 1500},
		embedded.Metric{Name: "hits", Of: service, Labels: map[string]string{"verb": "PUT"}, Value: 250},
		embedded.Metric{Name: "queue", Labels: map[string]string{"queue": "orders", "zone": "a"}, Value: 7000},
		embedded.Metric{Name: "queue", Labels: map[string]string{"queue": "orders", "zone": "b"}, Value: 3000},
		embedded.Metric{Name: "queue", Labels: map[string]string{"queue": "mails"}, Value: 9000})
}

// controllerMetrics is upstream's own metrics client, as the HPA controller has it.
func controllerMetrics(t *testing.T) upstream.MetricsClient {
	t.Helper()
	cfg, err := cluster.Up(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:kube-system:horizontal-pod-autoscaler",
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"},
	}
	discovery := kubernetes.NewForConfigOrDie(cfg).Discovery()
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(discovery))
	return upstream.NewRESTMetricsClient(metricsclient.NewForConfigOrDie(cfg).MetricsV1beta1(),
		custom_metrics.NewForConfig(cfg, mapper, custom_metrics.NewAvailableAPIsGetter(discovery)), external_metrics.NewForConfigOrDie(cfg))
}

// TestAdapter asks for every kind of metric as upstream's HPA controller does, with its
// rights.
func TestAdapter(t *testing.T) {
	ns := newNamespace(t)
	pod := onePod(t, ns)
	before := listeners(t)
	if err := cluster.SetLoad(t.Context(), ns, gauged{100}); err != nil {
		t.Fatal(err)
	}
	began := cluster.Now()
	pass(t)
	asked := controllerMetrics(t)

	selector := labels.SelectorFromSet(pod.Labels)
	ages, at, err := asked.GetRawMetric("age", ns, selector, labels.Everything())
	if err != nil || len(ages) != 1 || ages[pod.Name].Value != 15_000 || !at.Equal(began.Add(15*time.Second)) {
		t.Errorf("age of pods is %+v at %s, %v: want 15 of %s at %s", ages, at, err, pod.Name, began.Add(15*time.Second))
	}
	_, _, err = asked.GetRawMetric("age", ns, labels.SelectorFromSet(labels.Set{"app": "other"}), labels.Everything())
	wantErr(t, err, "no metrics returned from custom metrics API")

	service := &autoscalingv2.CrossVersionObjectReference{APIVersion: "v1", Kind: "Service", Name: "web"}
	for verb, want := range map[string]int64{"": 1750, "GET": 1500} {
		if got, _, err := asked.GetObjectMetric("hits", ns, service, labels.SelectorFromSet(only("verb", verb))); err != nil || got != want {
			t.Errorf("hits of %q are %d, %v: want %d", verb, got, err, want)
		}
	}
	_, _, err = asked.GetObjectMetric("hits", ns, &autoscalingv2.CrossVersionObjectReference{APIVersion: "v1", Kind: "Service", Name: "api"}, labels.Everything())
	wantErr(t, err, "could not find the metric hits for services api")

	for queue, want := range map[string][]int64{"": {3000, 7000, 9000}, "orders": {3000, 7000}} {
		got, _, err := asked.GetExternalMetric("queue", ns, labels.SelectorFromSet(only("queue", queue)))
		if slices.Sort(got); err != nil || !slices.Equal(got, want) {
			t.Errorf("queue %q is %v, %v: want %v", queue, got, err, want)
		}
	}
	_, _, err = asked.GetExternalMetric("queue", ns, labels.SelectorFromSet(only("queue", "none")))
	wantErr(t, err, "no metrics returned from external metrics API")
	_, _, err = asked.GetExternalMetric("queues", ns, labels.Everything())
	wantErr(t, err, "could not find the metric queues")

	adapterIsOurs(t, ns, before)
	adapterEnds(t, ns, len(before))
}

func only(key, value string) labels.Set {
	if value == "" {
		return nil
	}
	return labels.Set{key: value}
}

func wantErr(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error is %v, want %q", err, want)
	}
}

// adapterIsOurs: it listens on loopback, tells a stranger nothing, and asks the API server
// what those may do on whose behalf it calls.
func adapterIsOurs(t *testing.T, ns string, before []listener) {
	t.Helper()
	added := slices.DeleteFunc(listeners(t), func(l listener) bool { return slices.Contains(before, l) })
	if len(added) != 1 || !strings.HasPrefix(added[0].Address, "127.0.0.1:") {
		t.Fatalf("new listeners are %v, want the adapter's on loopback", added)
	}
	for _, problem := range letIn(added[0]) {
		t.Error(problem)
	}
	cfg := &rest.Config{TLSClientConfig: rest.TLSClientConfig{Insecure: true}}
	cfg.CertFile = filepath.Join(filepath.Dir(cluster.Info().Kubeconfig), "front-proxy.crt")
	cfg.KeyFile = strings.TrimSuffix(cfg.CertFile, ".crt") + ".key"
	proxy, err := rest.HTTPClientFor(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for group, want := range map[string]int{"system:masters": http.StatusOK, "system:authenticated": http.StatusForbidden} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+added[0].Address+"/apis/external.metrics.k8s.io/v1beta1/namespaces/"+ns+"/queue", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Remote-User", "somebody")
		req.Header.Set("X-Remote-Group", group)
		resp, err := proxy.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("somebody of %s is answered %s, want %d", group, resp.Status, want)
		}
	}
}

// adapterEnds: it goes with the last namespace that has metrics, and comes again.
func adapterEnds(t *testing.T, ns string, before int) {
	t.Helper()
	other := newNamespace(t)
	served := func() (groups []string) {
		list, err := client.Discovery().ServerGroups()
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range list.Groups {
			if strings.HasSuffix(g.Name, "l.metrics.k8s.io") || strings.HasPrefix(g.Name, "custom.") {
				groups = append(groups, g.Name)
			}
		}
		slices.Sort(groups)
		return groups
	}
	both := "[custom.metrics.k8s.io external.metrics.k8s.io]"
	for range 2 {
		for _, n := range []string{ns, other} {
			if err := cluster.SetLoad(t.Context(), n, gauged{100}); err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(served()); got != both { // at once: who has looked in vain does not look again
				t.Errorf("discovery tells of %s", got)
			}
		}
		if err := cluster.Release(t.Context(), ns); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(served()); got != both {
			t.Fatalf("with one of two namespaces left %s are served", got)
		}
		if err := cluster.Release(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		eventually(t, "nobody serves the APIs", func(context.Context) bool { return len(served()) == 0 })
		if got := len(listeners(t)); got != before {
			t.Errorf("%d listeners, want the %d that were there before", got, before)
		}
	}
}
