package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/lines"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
)

// heard is what a command has said so far.
type heard struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.all.Write(p)
}

// String is all of it on one line.
func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(strings.Fields(h.all.String()), " ")
}

// TestClassRuns is a learner's lesson with an instructor: held and let go, a hint, a raised
// hand, a vote; all of it on the board, and nothing of it for somebody without a class.
func TestClassRuns(t *testing.T) {
	t.Parallel()
	c, a := simulated.take(t), testApp(t)
	a.kubeconfig = c.Info().Kubeconfig
	a.found(c)
	kube := newKube(t, c)
	for name, labels := range map[string]map[string]string{board.Home("k8s"): {board.LabelClass: "k8s"}, "k8s-s01": {board.LabelClass: "k8s"}, "k8s-s02": {board.LabelClass: "k8s"}, "plain": {board.LabelClass: "true"}} {
		if _, err := kube.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	run := func(want string, argv ...string) string {
		t.Helper()
		out, code := a.told("", append(argv, "--context", "stepscale")...)
		if out = strings.Join(strings.Fields(out), " "); code != problem.ExitOK || !strings.Contains(out, want) {
			t.Errorf("%q: exit %d, no %q in %s", argv, code, want, out)
		}
		return out
	}
	run("s01 아직 s02 아직", "class", "board", "k8s")
	run("2번째 단계까지만", "class", "pace", "k8s", "--to", "2", "--reason", "같이 해요")
	l := attendLesson(t, a, "k8s-s01")
	l.says("강사의 화면에 지금 하시는 수업과 단계")
	l.until("강사의 말: 같이 해요", "")
	board := func() board.Row {
		var b board.Board
		if err := json.Unmarshal([]byte(run(board.Schema, "class", "board", "k8s", "--output", "json")), &b); err != nil || len(b.Rows) != 2 {
			t.Fatal(err, b)
		}
		for _, r := range b.Rows {
			if r.Seat == "s01" {
				return r
			}
		}
		return board.Row{}
	}
	within(t, 20*time.Second, "the board knows that the learner waits", func() bool { r := board(); return r.Held && r.Steps == 2 })
	run("모두에게 보냈습니다", "class", "hint", "k8s", "올림을 잊지 마세요")
	l.says("강사: 올림을 잊지 마세요")
	l.types("c") // does not escape
	l.types("!")
	l.says("손을 들었습니다(도와주세요)")
	within(t, 20*time.Second, "the hand is on the board", func() bool { return board().Help })
	run("도와주세요", "class", "board", "k8s")
	run("투표를 열었습니다", "class", "vote", "k8s", "--question", "몇 개?", "--choices", "2,3,4")
	l.says("투표: 몇 개? (2 / 3 / 4)")
	l.types("셋")
	l.says("투표했습니다: 3")
	run("투표했습니다 (1차)", "class", "vote", "--answer", "4", "-n", "k8s-s02")
	within(t, 20*time.Second, "both votes are there", func() bool { return strings.Contains(run("", "class", "vote", "k8s"), "2명이 답했습니다") })
	run("3 1명", "class", "vote", "k8s", "--show")
	l.says("투표 1차: 몇 개?")
	run("2차를 열었습니다", "class", "vote", "k8s", "--again")
	l.says("투표: 몇 개? (2 / 3 / 4)")
	l.types("")
	run("투표를 닫았습니다", "class", "vote", "k8s", "--close")
	run("누구도 기다리지 않습니다", "class", "pace", "k8s", "--free")
	l.says("강사가 진행을 풀었습니다. 이어서 실행합니다.") // by itself
	within(t, 20*time.Second, "the lesson goes on", func() bool { r := board(); return !r.Held && r.Steps > 2 })
	l.until("저장했습니다", "q")
	if r := board(); r.Steps < 3 {
		t.Errorf("after the end: %+v", r)
	}
	if who, is, err := learner(t.Context(), target{attach: attachTo(a, "stepscale"), namespace: "plain"}); is || err != nil {
		t.Errorf("without a class: %+v %v", who, err)
	}
}

// TestClassRefuses says in Korean what is wrong, and writes nothing.
func TestClassRefuses(t *testing.T) {
	t.Parallel()
	a := testApp(t)
	for _, c := range []struct {
		want string
		argv []string
	}{
		{"그런 단계가 없습니다: banana", []string{"pace", "k8s", "--to", "banana"}},
		{"그런 수업이 없습니다: hpa/99", []string{"pace", "k8s", "--lesson", "hpa/99", "--to", "1"}},
		{"함께 쓸 수 없습니다", []string{"pace", "k8s", "--free", "--to", "1"}},
		{"--to로 적어", []string{"pace", "k8s", "--reason", "x"}},
		{"한 번에 하나만", []string{"vote", "k8s", "--show", "--again"}},
		{"함께 적어", []string{"vote", "k8s", "--question", "?"}},
		{"어느 수업의 자리인지", []string{"vote", "--answer", "3"}}, {"어느 수업의 자리인지", []string{"follow"}}, {"-n과 --image는 --here와", []string{"demo", "k8s", "hpa/02", "--context", "x", "-n", "s01"}},
		{"0보다 긴 시간", []string{"board", "k8s", "--stuck", "0s"}},
		{"--web은", []string{"board", "k8s", "--web", "--output", "json"}},
		{"--port", []string{"board", "k8s", "--port", "80"}},
		{"이름으로 쓸 수 없습니다", []string{"board", "K8S!"}},
		{"--eks와 --context 가운데", []string{"board", "k8s"}},
		{"수업의 이름", []string{"board"}},
		{"힌트", []string{"hint", "k8s"}},
	} {
		out, code := a.told("", append([]string{"class"}, c.argv...)...)
		if out = strings.Join(strings.Fields(out), " "); code != problem.ExitUsage || !strings.Contains(out, c.want) {
			t.Errorf("%q: exit %d, no %q in %s", c.argv, code, c.want, out)
		}
	}
}

// sitting is a lesson that runs while the instructor does something.
type sitting struct {
	t     *testing.T
	out   *heard
	typed *io.PipeWriter
	from  int // what was said before is told
}

func attendLesson(t *testing.T, a *app, namespace string) *sitting {
	in, typed := io.Pipe()
	out := &heard{}
	d := a.deps
	d.out, d.errOut, d.in = out, out, in
	d.typed = lines.NewReader(in, out)
	ended := make(chan int, 1)
	go func() {
		ended <- d.execute(context.Background(), []string{"learn", "hpa/02-control-loop", "--restart", "--context", "stepscale", "-n", namespace, "--image", "x", "--yes"})
	}()
	t.Cleanup(func() {
		_ = typed.Close()
		if code := <-ended; code != problem.ExitOK {
			t.Errorf("the lesson ends with %d: %s", code, out)
		}
	})
	return &sitting{t: t, out: out, typed: typed}
}

// says waits until something new is said.
func (l *sitting) says(want string) {
	l.t.Helper()
	late := time.Now().Add(60 * time.Second)
	for {
		text := l.out.String()
		if i := strings.Index(text[min(l.from, len(text)):], want); i >= 0 {
			l.from += i + len(want)
			return
		}
		if time.Now().After(late) {
			l.t.Fatalf("%q is not said: %s", want, text[min(l.from, len(text)):])
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (l *sitting) types(line string) {
	_, _ = io.WriteString(l.typed, line+"\n")
}

// until types a line again and again until something is said.
func (l *sitting) until(want, line string) {
	l.t.Helper()
	for range 60 {
		if text := l.out.String(); strings.Contains(text[min(l.from, len(text)):], want) {
			l.says(want)
			return
		}
		l.types(line)
		time.Sleep(500 * time.Millisecond)
	}
	l.t.Fatalf("%q is not said: %s", want, l.out)
}

func newKube(t *testing.T, c *pooled) kubernetes.Interface {
	t.Helper()
	kube, err := kubernetes.NewForConfig(c.config)
	if err != nil {
		t.Fatal(err)
	}
	return kube
}

func attachTo(a *app, name string) (o lab.Attachment) {
	o.Kubeconfig, o.Context = a.kubeconfig, name
	return o
}
