package cli

import (
	"bytes"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/stepscale/stepscale/engine/trace"
)

// TestVerifyMetrics records a run with a Pods and one with an External metric, and lets
// upstream's controller decide them again.
func TestVerifyMetrics(t *testing.T) {
	t.Parallel()
	for scenario, c := range map[string]struct {
		until string
		says  []string
	}{
		"web-requests": {"pass=6", []string{"결정 6개가 모두 같습니다", "레플리카 쓰기 1번", "2 → 4 → 4"}},
		"queue-zero":   {"pass=12", []string{"결정 12개가 모두 같습니다", "레플리카 쓰기 2번", "2 → 0 → 0", "0 → 3 → 3"}},
	} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			a := simulatedApp(t)
			var out bytes.Buffer
			a.out, a.errOut = &out, &out
			file := filepath.Join(t.TempDir(), "run.jsonl")
			if err := a.run(t.Context(), scenario, runOptions{loop: "hpa", output: "json", until: c.until, record: file}); err != nil {
				t.Fatal(err)
			}
			out.Reset()
			if err := a.verify(t.Context(), file, "text"); err != nil {
				t.Errorf("%v\n%s", err, out.String())
			}
			for _, want := range c.says {
				if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), want) {
					t.Errorf("%q is not said:\n%s", want, out.String())
				}
			}
		})
	}
}

// TestUpstreamBesideMetrics: upstream's controller, beside ours as they go, takes the pods
// to none and back as ours does.
func TestUpstreamBesideMetrics(t *testing.T) {
	t.Parallel()
	s := testStage(t, simulatedApp(t), t.Context(), "hpa-beside", "queue-zero")
	var replicas []string
	for pass := 1; pass <= 11; pass++ {
		f := toStep(t, s, pass, "hpa-beside/3-scale/compare")
		wantFact(t, f, "agrees", "true")
		n, _ := f.Fact("upstreamReplicas")
		replicas = append(replicas, n)
	}
	if got := strings.Join(slices.Compact(replicas), " "); got != "2 0 3" {
		t.Errorf("upstream has gone through %s replicas, want 2, 0 and 3", got)
	}
}

// objectMetric replaces the metric of web-requests by that of a Service, with a selector.
var objectMetric = []string{
	"  - type: Pods\n    pods:\n      metric: {name: http_requests_per_second}\n      target:\n        type: AverageValue\n        averageValue: \"100\"\n",
	"  - type: Object\n    object:\n      describedObject: {apiVersion: v1, kind: Service, name: web}\n      metric: {name: hits, selector: {matchLabels: {verb: GET}}}\n      target: {type: Value, value: \"100\"}\n" +
		"---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n",
	"- pods: http_requests_per_second", "- object: hits\n  of: {kind: Service, name: web}\n  labels: {verb: GET}",
}

// TestMetricsAreRead: what the controller reads is told with its name and where it comes
// from, the call is its own, and the command that is offered reads the same.
func TestMetricsAreRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		scenario, path, metric, from, value string
		replace                             []string
	}{
		"pods": {"web-requests", "/apis/custom.metrics.k8s.io/v1beta2/namespaces/$NS/pods/*/http_requests_per_second",
			"http_requests_per_second", "custom.metrics.k8s.io, 파드마다", `"value":"100"`, nil},
		"external": {"queue-zero", "/apis/external.metrics.k8s.io/v1beta1/namespaces/$NS/queue_length",
			"queue_length", "external.metrics.k8s.io, 클러스터 밖", `"value":"20"`, nil},
		"object": {"web-requests", "/apis/custom.metrics.k8s.io/v1beta2/namespaces/$NS/services/web/hits",
			"hits", "custom.metrics.k8s.io, Service web", `"value":"200"`, objectMetric},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := simulatedApp(t)
			if c.replace != nil {
				c.scenario = "hpa-object"
				withScenario(t, a, c.scenario, "web-requests", c.replace...)
			}
			s := testStage(t, a, t.Context(), "hpa", c.scenario)
			f := toStep(t, s, 1, "hpa/1-metrics/query")
			path := strings.ReplaceAll(c.path, "$NS", s.namespace)
			if !slices.ContainsFunc(f.Calls, func(call trace.Call) bool {
				return call.Actor == trace.ActorHPA && call.Verb == "GET" && call.Path == path && call.Status == 200
			}) {
				t.Errorf("%s is not among the controller's calls: %+v", path, f.Calls)
			}
			wantFact(t, f, "metricName", c.metric)
			if i := slices.IndexFunc(f.Facts, func(x trace.Fact) bool { return x.Name == "metricName" }); !strings.HasPrefix(f.Facts[i].Expr, c.from+"; ") || !strings.Contains(f.Facts[i].Expr, "시뮬레이션") {
				t.Errorf("it comes from %q", f.Facts[i].Expr)
			}
			m := regexp.MustCompile(`^kubectl get --raw '([^']+)'$`).FindStringSubmatch(f.Kubectl)
			if m == nil {
				t.Fatalf("offered is %q", f.Kubectl)
			}
			body, err := kubernetes.NewForConfigOrDie(s.Cluster.Access().Config).RESTClient().Get().RequestURI(m[1]).DoRaw(t.Context())
			if err != nil || !strings.Contains(string(body), c.value) {
				t.Errorf("%s answers %s, %v: want %s", m[1], body, err, c.value)
			}
			if notes := strings.Join(s.Info().Notes, " "); !strings.Contains(notes, "메트릭은 시뮬레이션입니다") {
				t.Errorf("told at the start: %s", notes)
			}
		})
	}
}

// TestObjectMetricScales: a Value is compared as it is, and not shared by the pods.
func TestObjectMetricScales(t *testing.T) {
	t.Parallel()
	a := simulatedApp(t)
	withScenario(t, a, "hpa-object", "web-requests", objectMetric...)
	s := testStage(t, a, t.Context(), "hpa", "hpa-object")
	wantFact(t, toStep(t, s, 1, "hpa/2-replicas/ratio"), "usageRatio", "2")
	wantFact(t, toStep(t, s, 1, "hpa/3-scale/update"), "desiredReplicas", "4")
}

// TestZeroIsTold: without pods there is no average, and what upstream writes into the
// status instead is told before a learner finds it in kubectl get hpa.
func TestZeroIsTold(t *testing.T) {
	t.Parallel()
	s := testStage(t, simulatedApp(t), t.Context(), "hpa", "queue-zero")
	f := toStep(t, s, 8, "hpa/2-replicas/ratio")
	wantFact(t, f, "usageRatio", "0/0")
	told, _ := f.Fact("statusAverage")
	toStep(t, s, 8, "hpa/3-scale/update")
	h, err := kubernetes.NewForConfigOrDie(s.Cluster.Access().Config).AutoscalingV2().HorizontalPodAutoscalers(s.namespace).Get(t.Context(), "worker", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if written := h.Status.CurrentMetrics[0].External.Current.AverageValue.String(); told == "" || told != written {
		t.Errorf("told is %q, and written %q", told, written)
	}
	wantFact(t, toStep(t, s, 10, "hpa/2-replicas/ratio"), "usageRatio", "∞")
	wantFact(t, toStep(t, s, 10, "hpa/2-replicas/proposal"), "proposal", "3")
}

// TestMetricsOnKind are refused before a cluster is looked for: there is none here.
func TestMetricsOnKind(t *testing.T) {
	t.Parallel()
	a := testApp(t)
	a.target.cluster = clusterKind
	_, _, err := a.openStage(t.Context(), "hpa", "queue-zero", silent{})
	if err == nil || !strings.Contains(err.Error(), "어댑터") {
		t.Errorf("on kind: %v", err)
	}
}
