package hpa

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/rest"
	custom "k8s.io/metrics/pkg/apis/custom_metrics/v1beta2"
	external "k8s.io/metrics/pkg/apis/external_metrics/v1beta1"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// metricsAPI answers discovery and the two metrics APIs that an adapter would
// serve. Nothing else of a cluster is behind it.
func metricsAPI(t *testing.T, asked *[]string) world.Clients {
	t.Helper()
	at := metav1.Unix(1000, 0)
	value := func(name, q string) custom.MetricValue {
		return custom.MetricValue{
			DescribedObject: corev1.ObjectReference{Name: name}, Timestamp: at, Value: resource.MustParse(q),
			WindowSeconds: new(int64(30)),
		}
	}
	const base = "/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop/"
	kind := metav1.TypeMeta{Kind: "MetricValueList", APIVersion: custom.SchemeGroupVersion.String()}
	answers := map[string]any{
		"/api":    metav1.APIVersions{TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{"v1"}},
		"/api/v1": metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList"}, GroupVersion: "v1", APIResources: []metav1.APIResource{{Name: "pods", Kind: "Pod", Namespaced: true}, {Name: "services", Kind: "Service", Namespaced: true}}},
		"/apis": metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList"}, Groups: []metav1.APIGroup{{
			Name:             "custom.metrics.k8s.io",
			Versions:         []metav1.GroupVersionForDiscovery{{GroupVersion: "custom.metrics.k8s.io/v1beta2", Version: "v1beta2"}},
			PreferredVersion: metav1.GroupVersionForDiscovery{GroupVersion: "custom.metrics.k8s.io/v1beta2", Version: "v1beta2"},
		}}},
		"/apis/custom.metrics.k8s.io/v1beta2": metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList"}, GroupVersion: "custom.metrics.k8s.io/v1beta2"},
		base + "pods/*/requests":              custom.MetricValueList{TypeMeta: kind, Items: []custom.MetricValue{value("a", "120"), value("b", "80500m")}},
		base + "services/front/hits":          custom.MetricValueList{TypeMeta: kind, Items: []custom.MetricValue{value("front", "900")}},
		"/apis/external.metrics.k8s.io/v1beta1/namespaces/shop/queue": external.ExternalMetricValueList{
			TypeMeta: metav1.TypeMeta{Kind: "ExternalMetricValueList", APIVersion: external.SchemeGroupVersion.String()},
			Items:    []external.ExternalMetricValue{{Timestamp: at, Value: resource.MustParse("7")}, {Timestamp: at, Value: resource.MustParse("5")}},
		},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/shop/") {
			*asked = append(*asked, r.URL.RequestURI())
		}
		answer, ok := answers[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(server.Close)
	clients, err := world.NewClients(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	return clients
}

func TestReadMetricsOfAdapters(t *testing.T) {
	var asked []string
	s := &State{World: world.World{Controller: metricsAPI(t, &asked), Namespace: "shop"}}
	id := func(name string) autoscalingv2.MetricIdentifier {
		return autoscalingv2.MetricIdentifier{Name: name, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"verb": "get"}}}
	}
	in := Input{HPA: &autoscalingv2.HorizontalPodAutoscaler{Spec: autoscalingv2.HorizontalPodAutoscalerSpec{Metrics: []autoscalingv2.MetricSpec{
		{Type: autoscalingv2.PodsMetricSourceType, Pods: &autoscalingv2.PodsMetricSource{Metric: id("requests")}},
		{Type: autoscalingv2.ObjectMetricSourceType, Object: &autoscalingv2.ObjectMetricSource{Metric: id("hits"), DescribedObject: autoscalingv2.CrossVersionObjectReference{Kind: "Service", Name: "front", APIVersion: "v1"}}},
		{Type: autoscalingv2.ExternalMetricSourceType, External: &autoscalingv2.ExternalMetricSource{Metric: id("queue")}},
		{Type: autoscalingv2.ExternalMetricSourceType, External: &autoscalingv2.ExternalMetricSource{Metric: id("nobody")}},
	}}}}
	var f trace.Frame
	if err := s.readMetrics(t.Context(), &f, labels.SelectorFromSet(labels.Set{"app": "web"}), &in); err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1000, 0)
	pods := in.Metrics[0].Pods
	if a, b := pods["a"], pods["b"]; a.Value != 120_000 || b.Value != 80_500 || !a.Timestamp.Equal(at) || a.Window != 30*time.Second {
		t.Errorf("pods metric: %+v", pods)
	}
	if got := in.Metrics[1].Values; !slices.Equal(got, []int64{900_000}) {
		t.Errorf("object metric: %v", got)
	}
	if got := in.Metrics[2].Values; !slices.Equal(got, []int64{7_000, 5_000}) {
		t.Errorf("external metric: %v", got)
	}
	if err := in.Metrics[3].Err; err == nil || !strings.Contains(err.Error(), "external metrics API") {
		t.Errorf("a metric that nobody serves: %v", err)
	}
	for name, want := range map[string]string{"podMetric/a": "120", "metricValue#2": "900", "metricValue#3": "12"} {
		if got, _ := f.Fact(name); got != want {
			t.Errorf("fact %s is %q, want %q", name, got, want)
		}
	}
	want := []string{
		"/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop/pods/%2A/requests?labelSelector=app%3Dweb&metricLabelSelector=verb%3Dget",
		"/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop/services/front/hits?metricLabelSelector=verb%3Dget",
		"/apis/external.metrics.k8s.io/v1beta1/namespaces/shop/queue?labelSelector=verb%3Dget",
		"/apis/external.metrics.k8s.io/v1beta1/namespaces/shop/nobody?labelSelector=verb%3Dget",
	}
	if !slices.Equal(asked, want) {
		t.Errorf("asked\n%s\nwant\n%s", strings.Join(asked, "\n"), strings.Join(want, "\n"))
	}
}

func TestExternalMetricTellsItsArithmetic(t *testing.T) {
	in := Input{
		Now: time.Unix(1000, 0), Selector: "app=web", SpecReplicas: 1, StatusReplicas: 1,
		HPA: &autoscalingv2.HorizontalPodAutoscaler{Spec: autoscalingv2.HorizontalPodAutoscalerSpec{MaxReplicas: 5, Metrics: []autoscalingv2.MetricSpec{{
			Type: autoscalingv2.ExternalMetricSourceType, External: &autoscalingv2.ExternalMetricSource{
				Metric: autoscalingv2.MetricIdentifier{Name: "queue"},
				Target: autoscalingv2.MetricTarget{Type: autoscalingv2.ValueMetricType, Value: new(resource.MustParse("10"))},
			},
		}}}},
		Pods: []*corev1.Pod{{Status: corev1.PodStatus{
			Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
		}}},
		Metrics: []MetricData{{Values: []int64{7_000, 5_000}}},
	}
	d := NewDecision(DefaultParams(), in, &History{})
	facts := map[string]string{}
	for _, s := range stages {
		for _, f := range d.Run(s.name).Facts() {
			facts[f.Name] = f.Value
		}
	}
	for name, want := range map[string]string{"metricValue": "12", "targetValue": "10", "usageRatio": "1.2", "proposal": "2", "desiredReplicas": "2"} {
		if facts[name] != want {
			t.Errorf("fact %s is %q, want %q", name, facts[name], want)
		}
	}
	silent := Decide(DefaultParams(), in, &History{})
	if told := d.Result(); told.Desired != silent.Desired || len(told.Status.Conditions) != len(silent.Status.Conditions) {
		t.Errorf("with the trace %+v, without %+v", told, silent)
	}
}
