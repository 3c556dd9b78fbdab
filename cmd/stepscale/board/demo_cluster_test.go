package board

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/engine/trace"
)

// stage is the object of a class's demos as `class create` makes it: empty.
func (s *school) stage(t *testing.T) {
	t.Helper()
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: Object(PartDemo)}, Data: map[string]string{Key: "{}"}}
	if _, err := s.Kube.CoreV1().ConfigMaps(Home(s.Class)).Create(t.Context(), cm, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// audience hears all that somebody who follows hears, until the demo is over.
type audience struct {
	*Follower
	mu    sync.Mutex
	heard []play.Event
	over  chan struct{}
}

func listenTo(t *testing.T, l Learner) *audience {
	a := &audience{Follower: l.Follow(), over: make(chan struct{})}
	t.Cleanup(a.Close)
	go func() {
		for {
			events, changed := a.Heard()
			a.mu.Lock()
			a.heard = append(a.heard, events...)
			a.mu.Unlock()
			if slices.Contains(events, play.Event(play.Over{})) {
				close(a.over)
				return
			}
			select {
			case <-changed:
			case <-t.Context().Done():
				return
			}
		}
	}()
	return a
}

// all is what was heard so far: frames by their pass, other things by name.
func (a *audience) all() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []string
	for _, e := range a.heard {
		switch e := e.(type) {
		case trace.Frame:
			all = append(all, fmt.Sprint(e.Pass))
		case play.Note:
			word, _, _ := strings.Cut(e.Text, " 않")
			all = append(all, word)
		case play.Begun:
			all = append(all, e.Title)
		case play.Shown, play.Question: // behind every frame
		default:
			all = append(all, strings.TrimPrefix(fmt.Sprintf("%T", e), "play."))
		}
	}
	return strings.Join(all, " ")
}

func (a *audience) awaits(t *testing.T, what string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !strings.Contains(a.all(), what); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %q in %s", what, a.all())
		}
	}
}

// watched is an instructor's desk whose requests are counted.
func (s *school) watched() (Desk, *counter) {
	cfg, c := rest.CopyConfig(s.cfg), &counter{}
	cfg.Wrap(c.wrap)
	return Desk{s.Class, kubernetes.NewForConfigOrDie(cfg)}, c
}

// numbers are those up to n, as they are heard.
func numbers(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprint(i+1))
	}
	return strings.Join(all, " ")
}

// demonstrated shows a lesson to twenty: everybody hears every step in order, who comes late
// and who was away, too; by one write a step, and one watch each.
func demonstrated(t *testing.T, s *school) {
	const steps, many = 16, 20
	s.stage(t)
	u, err := url.Parse(s.cfg.Host)
	if err != nil {
		t.Fatal(err)
	}
	line, direct := lay(t, u.Host), s.cfg
	pupils := s.pupils(t, many+1)
	s.cfg = line.over(direct)
	pupils = append(pupils, s.pupil(t, "s900"))
	s.cfg = direct
	s.calls.take()
	var all []*audience
	for _, p := range slices.Delete(slices.Clone(pupils), many, many+1) {
		all = append(all, listenTo(t, p))
	}
	away := all[many]
	waiting(t, s, many+1)
	desk, wrote := s.watched()
	d, err := desk.OpenDemo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d.Begin(play.Begun{Title: "hpa/02"})
	for n := 1; n <= steps; n++ {
		switch n {
		case 4:
			away.awaits(t, numbers(3))
			line.cut()
		case 9:
			away.awaits(t, "오지")
			line.mend()
		case 12:
			all = append(all, listenTo(t, pupils[many])) // late
		}
		d.Frame(frame(n, 700))
		d.Tell(play.Executed{})
		d.Tell(play.Question{Text: "몇?"})
		time.Sleep(settle * 3 / 2)
	}
	if err := d.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := wrote.take(); got["PATCH"] > steps+2 || len(got) != 1 {
		t.Errorf("%d steps: %v", steps, got)
	}
	for i, a := range all {
		select {
		case <-a.over:
		case <-time.After(30 * time.Second):
			t.Fatalf("%d has not heard the end: %s", i, a.all())
		}
		got := a.all()
		switch want := "hpa/02 " + numbers(steps) + " Over"; {
		case i == many: // away
			if before, after, ok := strings.Cut(got, "강사의 화면이 오지 "); !ok || strings.ReplaceAll(before+after, "다시 연결되었습니다. ", "") != want {
				t.Errorf("who was away: %s", got)
			}
		case i > many:
			if got != strings.Replace(want, "hpa/02", "hpa/02 Late", 1) {
				t.Errorf("who came late: %s", got)
			}
		case got != want:
			t.Errorf("%d: %s", i, got)
		}
	}
	if got := s.calls.take(); got["WATCH"] > many+2+5 || len(got) > 2 || got["GET"] > 20 { // of the one who is away
		t.Errorf("%d have asked %v", len(all), got)
	} else {
		t.Logf("%d have asked %v", len(all), got)
	}
	weighed(t, s)
}

// waiting waits until so many have their watches.
func waiting(t *testing.T, s *school, n int) {
	t.Helper()
	got := 0
	for end := time.Now().Add(30 * time.Second); got < n; time.Sleep(20 * time.Millisecond) {
		if got += s.calls.take()["WATCH"]; time.Now().After(end) {
			t.Fatalf("%d watches", got)
		}
	}
	if got > n {
		t.Errorf("%d watches of %d", got, n)
	}
	time.Sleep(300 * time.Millisecond) // until they are answered
}

// taken begins a demo while another runs, as on the instructor's second machine: the first
// one says so and writes no more. No student can.
func taken(t *testing.T, s *school) {
	s.stage(t)
	p := s.pupils(t, 1)[0]
	a := listenTo(t, p)
	waiting(t, s, 1)
	first, err := s.OpenDemo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first.Begin(play.Begun{Title: "first"})
	a.awaits(t, "first")
	second, err := s.OpenDemo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second.Begin(play.Begun{Title: "second"})
	a.awaits(t, "second")
	first.Frame(frame(7, 0))
	said := ""
	for end := time.Now().Add(30 * time.Second); said == "" && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		for _, e := range first.Now(play.Ahead{}).News {
			said += fmt.Sprint(e)
		}
	}
	if !strings.Contains(said, "새로 시작했습니다") {
		t.Errorf("the first has said %q", said)
	}
	if first.Close(t.Context()) == nil {
		t.Error("the first has written its end")
	}
	forgedDemo(t, s, p)
	second.Frame(frame(8, 0))
	a.awaits(t, "second 8")
	if err := second.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-a.over
	if got := a.all(); got != "first second 8 Over" {
		t.Error(got)
	}
}

// forgedDemo: a student can neither show, change nor delete a demo; one in the student's own
// namespace is nobody's.
func forgedDemo(t *testing.T, s *school, p Learner) {
	t.Helper()
	forged := reel{ID: "forged"}
	forged.add(play.Begun{Title: "forged"})
	if _, err := (Desk{s.Class, p.Kube}).OpenDemo(t.Context()); !apierrors.IsForbidden(err) {
		t.Errorf("a student shows: %v", err)
	}
	home := p.Kube.CoreV1().ConfigMaps(Home(s.Class))
	cm, err := home.Get(t.Context(), Object(PartDemo), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	cm.BinaryData[KeyDemo] = forged.encode()
	_, update := home.Update(t.Context(), cm, metav1.UpdateOptions{})
	_, patch := home.Patch(t.Context(), cm.Name, types.MergePatchType, []byte(`{"binaryData":null}`), metav1.PatchOptions{})
	_, all := home.List(t.Context(), metav1.ListOptions{})
	for what, err := range map[string]error{"update": update, "patch": patch, "delete": home.Delete(t.Context(), cm.Name, metav1.DeleteOptions{}), "list": all} {
		if !apierrors.IsForbidden(err) {
			t.Errorf("%s: %v", what, err)
		}
	}
	own := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: cm.Name, Labels: cm.Labels}, BinaryData: cm.BinaryData}
	if _, err := p.Kube.CoreV1().ConfigMaps(p.Namespace).Create(context.Background(), own, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}
