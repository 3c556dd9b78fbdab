package cli

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/clusters/eks"
	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/lessons"
)

// blocks plays single blocks of a lesson, without a face.
type blocks struct {
	t     *testing.T
	stage stage
	loop  engine.Definition
	mend  func() // what is wrong, when the learner is told of it; nil: nobody is there
	told  strings.Builder
}

func (l *blocks) execute(b lessons.Block) ([]trace.Frame, error) {
	before := len(l.stage.Session().Frames())
	p := play.New(play.Options{Lesson: lessons.Lesson{Blocks: []lessons.Block{b}}, Loop: l.loop, Source: l.stage, Auto: l.mend == nil, Save: func(state.Lesson) {}, Word: wordedBy(l.stage)})
	for e := range p.Events(l.t.Context()) {
		switch e := e.(type) {
		case play.Ask:
			if e.Stop == play.ForRepair {
				l.mend()
			}
			p.Type("")
		case play.Trouble, play.Note:
			fmt.Fprintln(&l.told, e)
		}
	}
	return l.stage.Session().Frames()[before:], p.Err()
}

// openBehind opens a stage through a proxy, until the test ends.
func openBehind(t *testing.T) (liveCluster, *proxy, *clusterStage, *blocks) {
	t.Helper()
	a := testApp(t)
	m := newManaged(t, a)
	p := behind(t, a, m)
	s, closeStage, err := a.openStage(t.Context(), "hpa", "web-surge", silent{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := closeStage(); err != nil {
			t.Error(err)
		}
	})
	return m, p, s.(*clusterStage), &blocks{t: t, stage: s, loop: loops["hpa"]}
}

// TestFaultsInTheMiddleOfALesson: a step that fails waits for the learner, and runs
// again when the fault is mended.
func TestFaultsInTheMiddleOfALesson(t *testing.T) {
	t.Parallel()
	m, p, s, learner := openBehind(t)
	for _, c := range []struct {
		name  string
		fault int32
		ahead time.Duration // of the clock
		says  string
	}{
		{"expired token", http.StatusUnauthorized, 0, "토큰을 받아 주지 않습니다"},
		{"wrong clock", http.StatusUnauthorized, 7 * time.Minute, "이 컴퓨터의 시각이 약 7분 빠릅니다"},
		{"throttled", http.StatusTooManyRequests, 0, "요청이 너무 많다고"},
		{"shutting down", http.StatusServiceUnavailable, 0, "다시 시작되는 중이거나"},
		{"network gone", cut, 0, "연결이 끊겼습니다"},
	} {
		t.Run(c.name, func(t *testing.T) {
			learner.told.Reset()
			mended := false
			p.fault.Store(c.fault)
			p.ahead.Store(int64(c.ahead))
			learner.mend = func() { mended = true; p.fault.Store(0) }
			frames, err := learner.execute(lessons.Block{Kind: "step", Arg: "hpa/1-metrics/query"})
			if err != nil {
				t.Fatal(err)
			}
			if last := frames[len(frames)-1]; last.Err != "" || string(last.Step) != "hpa/1-metrics/query" {
				t.Errorf("the step was not run again: %+v", last)
			}
			if told := strings.Join(strings.Fields(learner.told.String()), " "); !mended || !strings.Contains(told, c.says) || strings.Contains(told, "빠릅니다") != (c.ahead > 0) || !strings.Contains(told, "다시 실행합니다") {
				t.Errorf("told: %s", told)
			}
			if _, err := learner.execute(lessons.Block{Kind: "step", Arg: string(hpaLast)}); err != nil {
				t.Fatal(err)
			}
		})
	}
	namespaceGone(t, m, s)
}

const hpaLast = "hpa/5-pods/run"

// TestAPIServerRestarts stops the API server as soon as the scale is written: the
// cluster goes on without us, the step waits until it answers again, and then steps
// 4 and 5 still see what happened meanwhile.
func TestAPIServerRestarts(t *testing.T) {
	t.Parallel()
	m, p, s, learner := openBehind(t)
	m.load(t, s.namespace)
	if _, err := learner.execute(lessons.Block{Kind: "continue", Arg: "change", Max: "2m"}); err != nil {
		t.Fatal(err)
	}
	p.stop()
	back := make(chan error, 1)
	time.AfterFunc(7*time.Second, func() { back <- p.start() })
	for i, want := range []struct{ step, actor, what string }{
		{"hpa/4-deployment/replicaset", "deployment-controller", "spec.replicas"}, {"hpa/5-pods/create", "replicaset-controller", "created"},
		{"hpa/5-pods/bind", "scheduler", "bound"}, {string(hpaLast), "kubelet", "ready"},
	} {
		frames, err := learner.execute(lessons.Block{Kind: "step", Arg: want.step})
		if err != nil {
			t.Fatal(err, errors.Unwrap(err))
		}
		if i == 0 {
			if err := <-back; err != nil {
				t.Fatal(err)
			}
		}
		f := frames[len(frames)-1]
		if f.Err != "" || len(f.Changes) == 0 || !slices.ContainsFunc(f.Seen, func(s trace.Sighting) bool { return s.Actor == want.actor && s.What == want.what }) {
			t.Errorf("%s: seen %+v, changes %v, %s", want.step, f.Seen, f.Changes, f.Err)
		}
	}
	if !strings.Contains(learner.told.String(), "연결이 끊겼습니다") {
		t.Errorf("told: %s", learner.told.String())
	}
}

// TestSignatureFaults: what keeps a token from being made is told as such, and not as
// an API server that does not answer.
func TestSignatureFaults(t *testing.T) {
	config := filepath.Join(t.TempDir(), "config")
	text := "[profile class]\nsso_start_url = https://example.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = 111122223333\nsso_role_name = student\nregion = us-east-1\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "HOME": t.TempDir()} {
		t.Setenv(name, value)
	}
	_, loggedOut := eks.New(eks.Options{Name: "class", Profile: "class"}).ExecCredential(t.Context())
	if loggedOut == nil {
		t.Fatal("a token without a login")
	}
	for says, err := range map[string]error{
		"AWS 자격 증명이 만료되었습니다":            errors.Unwrap(loggedOut),
		"AWS가 서명을 받아 주지 않습니다":           &smithy.GenericAPIError{Code: "InvalidSignatureException", Message: "Signature expired: 20260105T090000Z is now earlier than 20260105T090700Z"},
		"플러그인이 실패했습니다: aws (종료 코드 255)": errors.New("getting credentials: exec: executable aws failed with exit code 255"),
	} {
		err = &url.Error{Op: "Get", URL: "https://class", Err: err}
		if got := problem.OfStep(t.Context(), "x", err); !strings.Contains(got.Error(), says) || !problem.Retryable(err) {
			t.Errorf("%v is told as %v", err, got)
		}
	}
}

// namespaceGone deletes the namespace under the lesson.
func namespaceGone(t *testing.T, m liveCluster, s *clusterStage) {
	t.Helper()
	if err := m.kube.CoreV1().Namespaces().Delete(t.Context(), s.namespace, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	namespaceGoes(t, s)
}

// namespaceGoes plays on until the loop says so.
func namespaceGoes(t *testing.T, s *clusterStage) {
	t.Helper()
	var err error
	for until := time.Now().Add(time.Minute); err == nil && time.Now().Before(until); { // the namespace controller takes its time
		_, err = s.session.Next()
	}
	var u *problem.Error
	if err == nil || !errors.As(problem.OfStep(t.Context(), "x", err), &u) || !strings.Contains(u.What, "네임스페이스가 지워졌습니다") {
		t.Errorf("told as %v", err)
	}
}

// TestQuota: pods that a quota forbids are part of the lesson, not its end.
func TestQuota(t *testing.T) {
	t.Parallel()
	a := testApp(t)
	m := newManaged(t, a)
	namespace := m.shop(t, a)
	m.load(t, namespace)
	s, closeStage, err := a.openStage(t.Context(), "hpa", "web-surge", silent{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = closeStage() }()
	three := corev1.ResourceList{corev1.ResourcePods: resource.MustParse("3")} // two of the target, and soon the generator
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "class"}, Spec: corev1.ResourceQuotaSpec{Hard: three}}
	if _, err = m.kube.CoreV1().ResourceQuotas(namespace).Create(t.Context(), quota, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	within(t, 30*time.Second, "the quota is counted", func() bool {
		live, err := m.kube.CoreV1().ResourceQuotas(namespace).Get(t.Context(), "class", metav1.GetOptions{})
		return err == nil && live.Status.Used.Pods().Value() == 2
	})
	learner := &blocks{t: t, stage: s, loop: loops["hpa"]}
	if _, err := learner.execute(lessons.Block{Kind: "continue", Arg: "change", Max: "1m"}); err != nil {
		t.Fatal(err)
	}
	frames, err := learner.execute(lessons.Block{Kind: "step", Arg: "hpa/5-pods/create"})
	if err != nil {
		t.Fatal(err)
	}
	if why, _ := frames[len(frames)-1].Fact("replicaFailure"); !strings.Contains(why, "exceeded quota") {
		t.Errorf("facts %+v", frames[len(frames)-1].Facts)
	}
	if _, err := learner.execute(lessons.Block{Kind: "continue", Arg: "pass", Max: ""}); err != nil {
		t.Errorf("the lesson does not go on: %v", err)
	}
}
