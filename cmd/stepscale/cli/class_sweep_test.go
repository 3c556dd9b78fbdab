package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
	"github.com/stepscale/stepscale/cmd/stepscale/class"
	"github.com/stepscale/stepscale/cmd/stepscale/lines"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
)

// taught is a class of two seats on the cluster, made as an instructor makes it.
func taught(t *testing.T, a *app, c *pooled, name string) (r room, s class.Spec, run func(want string, code int, argv ...string) string) {
	t.Helper()
	a.kubeconfig = c.Info().Kubeconfig
	c.dismiss(t)
	run = func(want string, code int, argv ...string) string {
		t.Helper()
		out, got := a.told("", append(argv, "--context", "stepscale")...)
		if out = strings.Join(strings.Fields(out), " "); got != code || !strings.Contains(out, want) {
			t.Errorf("%q: exit %d, no %q in %s", argv, got, want, out)
		}
		return out
	}
	run("만듦", problem.ExitOK, "class", "install", "--yes")
	run("자리 2개", problem.ExitOK, "class", "create", name, "--count", "2", "--ends", "2h", "--yes", "--file", filepath.Join(t.TempDir(), "x.class"))
	r, err := a.openRoom(t.Context(), attachTo(a, "stepscale"), name, "")
	if err == nil {
		s, err = r.load(t.Context(), name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r, s, run
}

// sweepNow looks once, and does what is to be done.
func sweepNow(t *testing.T, r room, s class.Spec, idle, grace time.Duration) string {
	t.Helper()
	all, err := r.Holdings(t.Context(), s, class.Idleness{Idle: idle, Grace: grace})
	if err == nil {
		err = r.Sweep(t.Context(), all)
	}
	if err != nil {
		t.Fatal(err)
	}
	var fates []string
	for _, h := range all.Seats {
		fates = append(fates, fmt.Sprintf("%s %s", h.Seat, h.State))
	}
	return strings.Join(fates, ", ")
}

// TestClassSweeps: a learner who does nothing is asked on the lesson's screen; who answers
// keeps the pods, who does not loses them, and goes on where the lesson stood.
func TestClassSweeps(t *testing.T) {
	t.Parallel()
	a := testApp(t)
	m := newManaged(t, a)
	r, s, run := taught(t, a, m.pooled, "swept")
	m.load(t, "swept-s01")
	run("파드를 차지한 자리가 없습니다", problem.ExitOK, "class", "sweep", "swept")
	l := attendLesson(t, a, "swept-s01")
	l.says("강사의 화면에 지금 하시는 수업과 단계")
	l.until("hpa/1-metrics/query", "")
	for _, want := range []string{"쓰는 중", "s01"} {
		run(want, problem.ExitOK, "class", "sweep", "swept")
	}
	asksLate(t, a, m)
	l.says("한 단계도 실행하지 않으셨습니다. 이 수업의 파드")
	run("하는 중·물어봄", problem.ExitOK, "class", "board", "swept", "--stuck", "2h")
	run("답을 기다림", problem.ExitOK, "class", "sweep", "swept", "--dry-run")
	l.types("남기기")
	l.says("파드를 그대로 둡니다")
	within(t, 20*time.Second, "the answer is heard", func() bool { return sweepNow(t, r, s, time.Hour, time.Hour) == "s01 kept" })
	run("쓰는 중", problem.ExitOK, "class", "sweep", "swept", "--dry-run")
	run("하는 중·남김", problem.ExitOK, "class", "board", "swept", "--stuck", "2h")
	if got := sweepNow(t, r, s, time.Nanosecond, time.Nanosecond); got != "s01 ask" {
		t.Fatal(got)
	}
	l.says("한 단계도 실행하지 않으셨습니다")
	time.Sleep(time.Second) // until is a whole second
	out := run("--yes", problem.ExitUsage, "class", "sweep", "swept")
	if !strings.Contains(out, "1개의 자리에서 파드") {
		t.Errorf("unasked: %s", out)
	}
	out = run(`"state": "sweep"`, problem.ExitOK, "class", "sweep", "swept", "--yes", "--output", "json")
	all := class.Holdings{}
	if err := json.Unmarshal([]byte(out[strings.Index(out, "{"):]), &all); err != nil || len(all.Seats) != 1 || all.Seats[0].Pods == 0 {
		t.Fatalf("%v: %s", err, out)
	}
	l.says("치웠습니다(디플로이먼트의 replicas를 0으로)")
	pods := func() int {
		list, err := m.kube.CoreV1().Pods("swept-s01").List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, p := range list.Items {
			if p.DeletionTimestamp == nil && p.Status.Phase == corev1.PodRunning {
				n++
			}
		}
		return n
	}
	within(t, 20*time.Second, "the pods are gone", func() bool { return pods() == 0 })
	run(`"sweep":"swept"`, problem.ExitOK, "class", "board", "swept", "--output", "json")
	l.types("")
	l.says("치워 둔 파드를 다시 띄웁니다")
	l.says("파드가 모두 돌아왔습니다. 이어서 실행합니다.")
	if got := pods(); got != all.Seats[0].Pods {
		t.Errorf("%d pods are back, of %d", got, all.Seats[0].Pods)
	}
	l.says("hpa/") // the next step
	l.types("q")
}

// asksLate sweeps with an instructor who takes a while to say yes: a learner who has done
// nothing for half an hour gets all the time for the answer, from then on.
func asksLate(t *testing.T, a *app, m liveCluster) {
	t.Helper()
	reports := m.kube.CoreV1().ConfigMaps("swept-s01")
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		cm, err := reports.Get(t.Context(), board.Object(board.PartReport), metav1.GetOptions{})
		if err != nil {
			return err
		}
		cm.Annotations = map[string]string{"test": "x"} // times alone are not taken
		for i := range cm.ManagedFields {
			cm.ManagedFields[i].Time = &metav1.Time{Time: time.Now().Add(-30 * time.Minute)}
		}
		cm, err = reports.Update(t.Context(), cm, metav1.UpdateOptions{FieldManager: "test"})
		if err == nil && time.Since(board.HeardAt(cm)) < 20*time.Minute {
			err = fmt.Errorf("the report is of %s", board.HeardAt(cm))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	in, typed := io.Pipe()
	out := &heard{}
	d := a.deps
	d.out, d.errOut, d.in, d.typed = out, out, in, lines.NewReader(in, out)
	ended := make(chan int, 1)
	go func() {
		ended <- d.execute(context.Background(), []string{"class", "sweep", "swept", "--grace", "1h", "--context", "stepscale"})
	}()
	asked := &sitting{t: t, out: out, typed: typed}
	asked.says("1개의 자리에 파드를 치워도 되는지 묻습니다")
	time.Sleep(3 * time.Second) // and thinks
	yes := time.Now()
	asked.types("예")
	if code := <-ended; code != problem.ExitOK {
		t.Fatalf("%d: %s", code, out)
	}
	cm, err := reports.Get(t.Context(), board.Object(board.PartHint), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if s := board.ReadSweep(cm); s.State != board.SweepAsked || s.Minutes != 30 || s.Until.Before(yes.Add(time.Hour-time.Second)) { // a whole second
		t.Errorf("asked at %s: %+v", yes, s)
	}
}

// TestClassSilent: nothing of a lesson is told to the instructor, and the sweep leaves it alone.
func TestClassSilent(t *testing.T) {
	t.Parallel()
	a := testApp(t)
	m := newManaged(t, a)
	r, s, run := taught(t, a, m.pooled, "silent")
	m.load(t, "silent-s01")
	l := attendLesson(t, a, "silent-s01", "--no-report")
	l.says("수업 silent: 보고하지 않습니다")
	l.until("hpa/1-metrics/query", "")
	l.types("!")
	l.says("손을 들 수 없습니다")
	run("s01 보고하지 않음", problem.ExitOK, "class", "board", "silent")
	if got := sweepNow(t, r, s, time.Nanosecond, time.Nanosecond); got != "s01 unknown" {
		t.Errorf("the sweep says %s", got)
	}
	run("보고가 없어 알 수 없음", problem.ExitOK, "class", "sweep", "silent", "--dry-run")
	run("모두에게 보냈습니다", problem.ExitOK, "class", "hint", "silent", "올림을 잊지 마세요")
	l.says("강사: 올림을 잊지 마세요")
	l.types("q")
}

// TestClassHandIn: a recording is handed in after a yes, received as a file that can be
// replayed, and withdrawn; another computer carries the class's key.
func TestClassHandIn(t *testing.T) {
	t.Parallel()
	c, a := simulated.take(t), testApp(t)
	a.found(c)
	_, s, run := taught(t, a, c, "handed")
	dir := t.TempDir()
	file := filepath.Join(dir, "web.jsonl")
	if out, code := a.told("", "run", "web-surge", "--for", "1m", "--record", file); code != problem.ExitOK {
		t.Fatal(out)
	}
	run("--yes", problem.ExitUsage, "class", "hand-in", file, "-n", "handed-s01")
	into := filepath.Join(dir, "got")
	run("기록을 내지 않은 자리 2개", problem.ExitOK, "class", "export", "handed", "--recordings", into)
	within(t, 20*time.Second, "a ConfigMap is taken", func() bool {
		_, code := a.told("", "class", "hand-in", file, "-n", "handed-s02", "--yes", "--context", "stepscale")
		return code == problem.ExitOK
	})
	run("자리 s02", problem.ExitOK, "class", "export", "handed", "--recordings", into)
	got := filepath.Join(into, "handed-s02.jsonl")
	if out, code := a.told("", "replay", got, "--at", "끝", "--output", "json"); code != problem.ExitOK {
		t.Errorf("it is not replayed: %s", out)
	}
	if info, err := os.Stat(got); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	hostile := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: board.Object(class.PartRecording)}, BinaryData: map[string][]byte{"packed": []byte("\x1b[2Jnonsense")}}
	if _, err := newKube(t, c).CoreV1().ConfigMaps(s.Seats[0].Namespace).Create(t.Context(), hostile, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	out := run("자리 s01: 기록이 아니거나 망가졌습니다", problem.ExitFailure, "class", "export", "handed", "--recordings", into)
	if left, _ := os.ReadDir(into); len(left) != 1 || strings.Contains(out, "nonsense") || !strings.Contains(out, "✔ 자리 s02") {
		t.Errorf("%v: %s", left, out)
	}
	run("거뒀습니다", problem.ExitOK, "class", "hand-in", "--withdraw", "-n", "handed-s02")
	run("내신 기록이 없습니다", problem.ExitOK, "class", "hand-in", "--withdraw", "-n", "handed-s02")
	carried(t, a, run, filepath.Join(dir, "handed.key"))
}

// carried brings the key of a class to another computer, which then deletes it; a key of
// another class of the same name is not lost by that.
func carried(t *testing.T, a *app, run func(string, int, ...string) string, key string) {
	t.Helper()
	run("열쇠를 적을 파일", problem.ExitUsage, "class", "key", "handed")
	run("수업 handed의 열쇠", problem.ExitOK, "class", "key", "handed", "--out", key)
	run("이미 있습니다", problem.ExitUsage, "class", "key", "handed", "--out", key)
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	other := testApp(t)
	other.kubeconfig = a.kubeconfig
	there := func(want string, code int, argv ...string) {
		t.Helper()
		out, got := other.told("", append(argv, "--context", "stepscale")...)
		if out = strings.Join(strings.Fields(out), " "); got != code || !strings.Contains(out, want) {
			t.Errorf("elsewhere, %q: exit %d, no %q in %s", argv, got, want, out)
		}
	}
	there("지운 것은 없습니다. 다른 컴퓨터에서", problem.ExitUsage, "class", "delete", "handed", "--yes")
	there("class adopt", problem.ExitUsage, "class", "sweep", "handed", "--yes")
	there("class adopt", problem.ExitUsage, "class", "renew", "handed", "--yes")
	there("다른 컴퓨터에서 만듦", problem.ExitOK, "class", "list")
	there("아무것도 저장하지 않았습니다", problem.ExitUsage, "class", "adopt", wrongKey(t, key))
	there("수업의 열쇠가 아닙니다", problem.ExitUsage, "class", "adopt", a.kubeconfig)
	there("열쇠를 가져왔습니다", problem.ExitOK, "class", "adopt", key)
	there("열쇠를 가져옴", problem.ExitOK, "class", "list")
	there("파드를 차지한 자리가 없습니다", problem.ExitOK, "class", "sweep", "handed", "--yes")
	run("남은 것이 없습니다", problem.ExitOK, "class", "delete", "handed", "--yes") // the other computer does not know, as with another cluster
	third, second := testApp(t), key+"2"
	third.kubeconfig = a.kubeconfig
	for _, argv := range [][]string{{"create", "handed", "--count", "1", "--ends", "2h", "--yes", "--file", filepath.Join(t.TempDir(), "x.class")}, {"key", "handed", "--out", second}} {
		if out, code := third.told("", append(append([]string{"class"}, argv...), "--context", "stepscale")...); code != problem.ExitOK {
			t.Fatalf("%q: %s", argv, out)
		}
	}
	there("class adopt", problem.ExitUsage, "class", "sweep", "handed", "--yes")
	there("열쇠를 가져왔습니다", problem.ExitOK, "class", "adopt", second)
	there("파드를 차지한 자리가 없습니다", problem.ExitOK, "class", "sweep", "handed", "--yes")
	there("남은 것이 없습니다", problem.ExitOK, "class", "delete", "handed", "--yes")
	_, first, err := state.ReadClassKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if keys, err := other.state.Adopted("handed"); len(keys) != 1 || err != nil || keys[0].Owner() != first.Owner() {
		t.Errorf("the first key is lost, or the second stays: %d, %v", len(keys), err)
	}
}

// wrongKey is a copy of a key file with another key.
func wrongKey(t *testing.T, key string) string {
	t.Helper()
	text, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "wrong.key")
	i := strings.Index(string(text), `"key": "`) + len(`"key": "`)
	wrong := string(text[:i]) + strings.Repeat("0", 64) + string(text[i+64:])
	if err := os.WriteFile(file, []byte(wrong), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
