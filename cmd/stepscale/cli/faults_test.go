package cli

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/stepscale/stepscale/clusters/eks"
	"github.com/stepscale/stepscale/cmd/stepscale/tui"
	"github.com/stepscale/stepscale/lessons"
)

// proxy stands between us and a managed cluster's API server, and answers in its
// place with a status code, or not at all.
type proxy struct{ fault atomic.Int32 }

const cut = -1 // the connection is gone

func (p *proxy) ServeHTTP(through http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch code := int(p.fault.Load()); code {
		case 0:
			through.ServeHTTP(w, r)
		case cut:
			panic(http.ErrAbortHandler)
		default:
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(code)
			_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"` + strings.ReplaceAll(http.StatusText(code), " ", "") + `","message":"no"}`))
		}
	}
}

// behind lets the app attach through a proxy.
func behind(t *testing.T, a *app, m liveCluster) *proxy {
	t.Helper()
	target, err := url.Parse(m.config.Host)
	if err != nil {
		t.Fatal(err)
	}
	through := httputil.NewSingleHostReverseProxy(target)
	if through.Transport, err = rest.TransportFor(m.config); err != nil {
		t.Fatal(err)
	}
	through.FlushInterval = -1 // watches
	p := &proxy{}
	server := httptest.NewUnstartedServer(p.ServeHTTP(through))
	server.Config.ErrorLog = nil
	server.StartTLS()
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	file := filepath.Join(t.TempDir(), "kubeconfig")
	err = clientcmd.WriteToFile(api.Config{
		CurrentContext: "proxy", Contexts: map[string]*api.Context{"proxy": {Cluster: "proxy"}},
		Clusters: map[string]*api.Cluster{"proxy": {Server: server.URL, InsecureSkipTLSVerify: true}},
	}, file)
	if err != nil {
		t.Fatal(err)
	}
	a.place.attach = eks.Options{Context: "proxy", Kubeconfig: file}
	return p
}

// healer is a learner who mends what is wrong, and then presses Enter.
type healer struct {
	mend  func()
	typed *strings.Reader
}

func (h *healer) Read(b []byte) (int, error) {
	h.mend()
	return h.typed.Read(b)
}

// TestFaultsInTheMiddleOfALesson: a step that fails waits for the learner, and runs
// again when the fault is mended.
func TestFaultsInTheMiddleOfALesson(t *testing.T) {
	a := testApp(t)
	m := newManaged(t, a)
	p := behind(t, a, m)
	s, closeStage, err := a.openStage(t.Context(), "hpa", "web-surge", silent{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := closeStage(); err != nil {
			t.Error(err)
		}
	}()
	var out bytes.Buffer
	play := &player{ctx: t.Context(), screen: tui.NewFixed(&out, 100, false), session: s.Session(), info: s.Info(), stage: s, last: hpaLast}
	for _, c := range []struct {
		name  string
		fault int32
		says  string
	}{
		{"expired token", http.StatusUnauthorized, "토큰을 받아 주지 않습니다"},
		{"throttled", http.StatusTooManyRequests, "요청이 너무 많다고"},
		{"network gone", cut, "연결이 끊겼습니다"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out.Reset()
			mended := false
			p.fault.Store(c.fault)
			play.in = newLineReader(&healer{func() { mended = true; p.fault.Store(0) }, strings.NewReader("\n")})
			frames, err := play.execute(lessons.Block{Kind: "step", Arg: "hpa/1-metrics/query"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if last := frames[len(frames)-1]; last.Err != "" || string(last.Step) != "hpa/1-metrics/query" {
				t.Errorf("the step was not run again: %+v", last)
			}
			if !mended || !strings.Contains(out.String(), c.says) || !strings.Contains(out.String(), "다시 실행합니다") {
				t.Errorf("told: %s", out.String())
			}
			if _, err := play.execute(lessons.Block{Kind: "step", Arg: string(hpaLast)}, nil); err != nil {
				t.Fatal(err)
			}
		})
	}
	namespaceGone(t, m, s.(*clusterStage))
}

const hpaLast = "hpa/5-pods/run"

// namespaceGone deletes the namespace under the lesson.
func namespaceGone(t *testing.T, m liveCluster, s *clusterStage) {
	t.Helper()
	if err := m.kube.CoreV1().Namespaces().Delete(t.Context(), s.namespace, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	var err error
	for until := time.Now().Add(time.Minute); err == nil && time.Now().Before(until); { // the namespace controller takes its time
		_, err = s.session.Next()
	}
	var u *userError
	if err == nil || !errors.As(stageError(t.Context(), "x", err), &u) || !strings.Contains(u.what, "네임스페이스가 지워졌습니다") {
		t.Errorf("told as %v", err)
	}
}

// TestQuota: pods that a quota forbids are part of the lesson, not its end.
func TestQuota(t *testing.T) {
	a := testApp(t)
	m := newManaged(t, a)
	const namespace = "shop"
	a.place.namespace = namespace
	if _, err := m.kube.CoreV1().Namespaces().Create(t.Context(), namespaceObject(namespace), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	m.load(t, namespace)
	s, closeStage, err := a.openStage(t.Context(), "hpa", "web-surge", silent{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = closeStage() }()
	three := corev1.ResourceList{corev1.ResourcePods: resource.MustParse("3")} // two of the target and the generator
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "class"}, Spec: corev1.ResourceQuotaSpec{Hard: three}}
	if quota, err = m.kube.CoreV1().ResourceQuotas(namespace).Create(t.Context(), quota, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	quota.Status = corev1.ResourceQuotaStatus{Hard: three, Used: three} // as the quota controller does, which no cluster of ours has
	if _, err = m.kube.CoreV1().ResourceQuotas(namespace).UpdateStatus(t.Context(), quota, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	play := &player{ctx: t.Context(), screen: tui.NewFixed(&bytes.Buffer{}, 100, false), session: s.Session(), info: s.Info(), stage: s, last: hpaLast}
	if _, err := play.execute(lessons.Block{Kind: "continue", Arg: "change", Max: "1m"}, nil); err != nil {
		t.Fatal(err)
	}
	frames, err := play.execute(lessons.Block{Kind: "step", Arg: "hpa/5-pods/create"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if why, _ := frames[len(frames)-1].Fact("replicaFailure"); !strings.Contains(why, "exceeded quota") {
		t.Errorf("facts %+v", frames[len(frames)-1].Facts)
	}
	if _, err := play.execute(lessons.Block{Kind: "continue", Arg: "pass", Max: ""}, nil); err != nil {
		t.Errorf("the lesson does not go on: %v", err)
	}
}
