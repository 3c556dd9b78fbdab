package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/inspect"
)

// conversation is what somebody asked an API server.
type conversation struct {
	mu  sync.Mutex
	all []string // "GET /path"
	on  bool     // a watch was opened
}

func (q *conversation) wrap(cfg *rest.Config) {
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return overheard(func(r *http.Request) (*http.Response, error) {
			q.mu.Lock()
			q.all = append(q.all, r.Method+" "+r.URL.Path)
			q.on = q.on || r.URL.Query().Has("watch")
			q.mu.Unlock()
			return next.RoundTrip(r)
		})
	})
}

type overheard func(*http.Request) (*http.Response, error)

func (a overheard) RoundTrip(r *http.Request) (*http.Response, error) { return a(r) }

// inspected runs the command and returns its exit code and what it asked.
func inspected(t *testing.T, a *app, o inspectOptions) (out string, code int, q *conversation) {
	t.Helper()
	var written, errOut bytes.Buffer
	a.out, a.errOut, q = &written, &errOut, &conversation{}
	o.wrap = q.wrap
	code = a.report(t.Context(), a.inspect(t.Context(), o))
	if code == problem.ExitUsage {
		return errOut.String(), code, q
	}
	if errOut.Len() > 0 {
		t.Errorf("on the standard error: %s", errOut.String())
	}
	return written.String(), code, q
}

// TestInspectCommand reads a cluster whose HPA nobody has driven yet, so that the applied
// manifest still owns the replicas, and then with more faults. It only ever gets and lists.
func TestInspectCommand(t *testing.T) {
	t.Parallel()
	a := simulatedApp(t)
	s := testStage(t, a, t.Context(), "hpa", "web-surge")
	o := inspectOptions{namespace: s.namespace, output: "json", checklist: true, cluster: lab.Attachment{Kubeconfig: s.info.Kubeconfig}}
	out, code, q := inspected(t, a, o)
	var r inspect.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != problem.ExitFailure || r.Schema != inspect.Schema || len(r.Findings) != 1 || r.Findings[0].Rule != "replicas-in-manifest" || len(r.HPAs) != 1 || len(r.Checklist) == 0 {
		t.Errorf("exit code %d, %v:\n%s", code, err, out)
	}
	readOnly(t, q, "/apis/autoscaling/v2/namespaces/"+s.namespace+"/horizontalpodautoscalers", "/apis/apps/v1/namespaces/"+s.namespace+"/deployments/web/scale", "/apis/metrics.k8s.io/v1beta1/namespaces/"+s.namespace+"/pods", "/api/v1/nodes")
	if h := r.HPAs[0]; h.CurrentReplicas == nil || h.Recomputed == nil || *h.CurrentReplicas != 2 || *h.Recomputed != 2 {
		t.Errorf("decision %+v", h)
	}

	fixed := &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Name: "fixed"}, Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
		ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"}, MinReplicas: new(int32(3)), MaxReplicas: 3}}
	lost := fixed.DeepCopy()
	lost.Name, lost.Spec.ScaleTargetRef.Name, lost.Spec.MaxReplicas = "lost", "absent", 9
	for _, h := range []*autoscalingv2.HorizontalPodAutoscaler{fixed, lost} {
		if _, err := s.kube.AutoscalingV2().HorizontalPodAutoscalers(s.namespace).Create(t.Context(), h, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = s.kube.AutoscalingV2().HorizontalPodAutoscalers(s.namespace).Delete(context.Background(), h.Name, metav1.DeleteOptions{})
		})
	}
	o.output, o.checklist = "text", true
	out, code, q = inspected(t, a, o)
	readOnly(t, q)
	words := strings.Join(strings.Fields(out), " ")
	for _, want := range []string{"[min-equals-max]", "[missing-target]", "[ambiguous-selector]", "관측", "다시 계산", "알 수 없음", "쓴 것은 없습니다", "kubectl get hpa fixed -n " + s.namespace, "아마존 EKS에 오토스케일링 구축하기", "이 클러스터는 EKS가 아닙니다"} {
		if !strings.Contains(words, want) {
			t.Errorf("%q is not said:\n%s", want, out)
		}
	}
	if code != problem.ExitFailure {
		t.Errorf("exit code %d", code)
	}
	inspectedOtherwise(t, a, o)
}

// inspectedOtherwise: all namespaces, SARIF, a namespace without HPAs, and what cannot be.
func inspectedOtherwise(t *testing.T, a *app, o inspectOptions) {
	t.Helper()
	o.checklist = false
	all := o
	all.namespace, all.all, all.output = "", true, outputSARIF
	if out, code, q := inspected(t, a, all); code != problem.ExitFailure || !json.Valid([]byte(out)) || !strings.Contains(out, "missing-target") {
		t.Errorf("SARIF of all: exit code %d\n%s", code, out)
	} else {
		readOnly(t, q, "/apis/autoscaling/v2/horizontalpodautoscalers")
	}
	none := o
	none.namespace = "kube-node-lease"
	if out, code, _ := inspected(t, a, none); code != problem.ExitOK || !strings.Contains(out, "살펴볼 것이 없습니다") {
		t.Errorf("without HPAs: exit code %d\n%s", code, out)
	}
	for name, change := range map[string]func(*inspectOptions){
		"format":       func(o *inspectOptions) { o.output = "yaml" },
		"two places":   func(o *inspectOptions) { o.all = true },
		"sarif list":   func(o *inspectOptions) { o.output, o.checklist = outputSARIF, true },
		"no namespace": func(o *inspectOptions) { o.namespace = "absent" },
		"no context":   func(o *inspectOptions) { o.cluster.Context = "absent" },
	} {
		bad := o
		change(&bad)
		if out, code, _ := inspected(t, a, bad); code != problem.ExitUsage || !strings.Contains(out, "도움:") {
			t.Errorf("%s: exit code %d\n%s", name, code, out)
		}
	}
}

// readOnly demands that nothing but GET was sent, no watch was opened, and these were read.
func readOnly(t *testing.T, q *conversation, paths ...string) {
	t.Helper()
	if q.on || len(q.all) == 0 {
		t.Errorf("watch opened: %v, %d requests", q.on, len(q.all))
	}
	for _, r := range q.all {
		if !strings.HasPrefix(r, "GET ") {
			t.Errorf("not only read: %s", r)
		}
	}
	for _, path := range paths {
		if !slices.Contains(q.all, "GET "+path) {
			t.Errorf("%s was not read: %v", path, q.all)
		}
	}
}

// TestInspectInterrupted ends as every command does.
func TestInspectInterrupted(t *testing.T) {
	t.Parallel()
	a := simulatedApp(t)
	s := testStage(t, a, t.Context(), "hpa", "web-surge")
	ctx, stop := context.WithTimeout(t.Context(), time.Hour)
	var out, errOut bytes.Buffer
	a.out, a.errOut = &out, &errOut
	o := inspectOptions{namespace: s.namespace, output: "text", cluster: lab.Attachment{Kubeconfig: s.info.Kubeconfig}, wrap: func(*rest.Config) { stop() }}
	if code := a.report(ctx, a.inspect(ctx, o)); code != problem.ExitInterrupted || out.Len() > 0 {
		t.Errorf("exit code %d, %s%s", code, out.String(), errOut.String())
	}
}
