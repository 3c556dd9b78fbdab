package cli

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/recording"
)

// methods notes how the API is called.
type methods struct {
	http.RoundTripper
	mu   *sync.Mutex
	seen *[]string
}

func (m methods) RoundTrip(r *http.Request) (*http.Response, error) {
	m.mu.Lock()
	*m.seen = append(*m.seen, r.Method)
	m.mu.Unlock()
	return m.RoundTripper.RoundTrip(r)
}

// TestRecordCommand records a cluster's HPA and VPA through a kubeconfig: it only reads,
// an interruption leaves a whole file, and upstream says the same of what is in it.
func TestRecordCommand(t *testing.T) {
	t.Parallel()
	a := appFor(t, "vpa")
	s := testStage(t, a, t.Context(), "vpa", "vpa-web")
	for range 19 * 3 { // until there is a recommendation, and before anything is evicted
		if _, err := s.Session().Next(); err != nil {
			t.Fatal(err)
		}
	}
	var out, errOut bytes.Buffer
	a.out, a.errOut = &out, &errOut
	o := recordOptions{namespace: s.namespace, file: filepath.Join(t.TempDir(), "vpa.jsonl"), period: time.Second, length: time.Millisecond, cluster: lab.Attachment{Kubeconfig: s.info.Kubeconfig}}
	if err := a.record(t.Context(), "vpa/web", o); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if said := strings.Join(strings.Fields(out.String()), " "); !strings.Contains(said, "클러스터에 쓴 것은 없습니다") || !strings.Contains(said, "패스 1: 바꿀 것으로 계산한 파드") {
		t.Errorf("it says %s", said)
	}
	if code, said := verifyFile(t, t.Context(), o.file); code != problem.ExitOK || !strings.Contains(said, "파드의 판정") {
		t.Errorf("exit code %d\n%s", code, said)
	}
	if code, out, errOut := replayed(t, "", o.file, "--at", "1", "--why"); code != problem.ExitOK || !strings.Contains(out, "왜: 패스 1에서 파드 2개") {
		t.Errorf("exit code %d\n%s%s", code, out, errOut)
	}
	recordStopped(t, a, o)
	readsOnly(t, s.config, s.namespace)
	for what, says := range map[string]string{"vpa/none": "VPA none이 없습니다", "hpa/web": "HPA web이 없습니다", "web": "무엇을 기록할지"} {
		if err := a.record(t.Context(), what, o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func recordStopped(t *testing.T, a *app, o recordOptions) {
	t.Helper()
	var out, errOut bytes.Buffer
	a.out, a.errOut = &out, &errOut
	o.length = 0
	ctx, stop := context.WithCancel(t.Context())
	time.AfterFunc(4*time.Second, stop)
	if code := a.report(ctx, a.deps.record(ctx, "vpa/web", o)); code != problem.ExitInterrupted {
		t.Errorf("exit code %d\n%s%s", code, out.String(), errOut.String())
	}
	b, err := os.ReadFile(o.file)
	if err != nil {
		t.Fatal(err)
	}
	if frames, err := recording.Read(bytes.NewReader(b)); err != nil || len(frames) < 4 {
		t.Errorf("%d frames, %v", len(frames), err)
	}
}

func readsOnly(t *testing.T, cfg *rest.Config, namespace string) {
	t.Helper()
	var mu sync.Mutex
	var seen []string
	cfg = rest.CopyConfig(cfg)
	cfg.Wrap(func(rt http.RoundTripper) http.RoundTripper { return methods{rt, &mu, &seen} })
	tp, err := tape("vpa", "web", namespace, cfg, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	for f, err := range tp.run(t.Context(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Step == tp.last {
			break
		}
	}
	if err := tp.close(); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(seen) < 5 || slices.ContainsFunc(seen, func(m string) bool { return m != http.MethodGet }) {
		t.Errorf("the API was called with %v", seen)
	}
}
