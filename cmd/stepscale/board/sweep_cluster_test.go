package board

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
)

// quiet is a learner who does not want to report: nothing of the lesson is written, what was
// reported before is gone, and the instructor is heard all the same.
func quiet(t *testing.T, s *school) {
	p := s.pupils(t, 2)[0]
	w, _ := s.watch(t)
	loud := p.Open(t.Context())
	loud.Told(at(3))
	until(t, w, "a report", func(b Board) bool { return row(b, p.Namespace).Steps == 3 })
	if err := loud.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.SetVote(t.Context(), Vote{ID: "v1", Round: 1, Question: "몇?", Choices: []string{"2", "3"}, Open: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Answer(t.Context(), "2"); err != nil { // beside the lesson
		t.Fatal(err)
	}
	if cm, r := reportOrNone(t, p); cm.Data[KeyVotes] == "" || r.Votes["v1/1"] != "2" {
		t.Fatalf("the vote is not written: %v", cm.Data)
	}
	l := p.Listen(t.Context())
	for n := range 5 {
		next := at(n + 4)
		next.Help, next.Question, next.Answer, next.Vote, next.Choice = true, "desired", "4", "v1/1", "2"
		l.Told(next)
	}
	b := until(t, w, "silence", func(b Board) bool { return row(b, p.Namespace).Silent })
	r := row(b, p.Namespace)
	if r.State() != "보고하지 않음" || r.Reported || r.Help || r.Steps != 0 || r.Lesson != "" || !strings.Contains(b.head(), "보고하지 않음 1 · 아직 1") {
		t.Errorf("%+v, %s", r, b.head())
	}
	if err := s.SetPace(t.Context(), Pace{Step: "step-2"}); err != nil {
		t.Fatal(err)
	}
	if err := s.SetHint(t.Context(), "", Hint{ID: "1", Text: "모두에게", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	news := ""
	hears(t, l, ahead("hpa/02", 3), "the pace and a hint", func(said play.Said) bool {
		news += fmt.Sprint(said.News)
		return said.Held != "" && strings.Contains(news, "모두에게") && said.Unseen
	})
	for end := time.Now().Add(20 * time.Second); l.Listener.Now(ahead("", 0)).Ballot == nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the vote is not heard")
		}
	}
	if said := l.Now(ahead("", 0)); said.Ballot != nil {
		t.Errorf("who does not report is asked to vote: %+v", said)
	}
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	cm, got := reportOrNone(t, p)
	if _, there := cm.Data[KeyVotes]; there {
		t.Errorf("what was voted before stays: %v", cm.Data)
	}
	if text := cm.Data[Key]; !got.Silent || strings.Contains(text, "step") || strings.Contains(text, "desired") || strings.Contains(text, "v1/1") {
		t.Errorf("what is written is %s", text)
	}
	again := p.Open(t.Context()) // and reports again
	defer func() { _ = again.Close(context.Background()) }()
	again.Told(at(1))
	until(t, w, "a report again", func(b Board) bool { r := row(b, p.Namespace); return r.Reported && !r.Silent && r.Steps == 1 })
}

// sweptAway: what is said about a learner's pods is said once, and only to that learner; what
// was over before a lesson began is not about it.
func sweptAway(t *testing.T, s *school) {
	pupils := s.pupils(t, 2)
	w, _ := s.watch(t)
	stands := func(want string) {
		t.Helper()
		until(t, w, "a board that says "+want, func(b Board) bool { return row(b, pupils[0].Namespace).Sweep == want })
	}
	p, other := pupils[0].Open(t.Context()), pupils[1].Open(t.Context())
	defer func() { _ = other.Close(context.Background()) }()
	write := func(w Sweep) {
		t.Helper()
		if err := w.Write(t.Context(), s.Kube, s.Class, pupils[0].Namespace); err != nil {
			t.Fatal(err)
		}
	}
	p.Told(play.Progress{Steps: 1, Total: 9})
	until(t, w, "a report", func(b Board) bool { return row(b, pupils[0].Namespace).Steps == 1 })
	cm, _ := reportOrNone(t, pupils[0])
	asked := Sweep{ID: "a", State: SweepAsked, Minutes: 25, Pods: 3, Until: time.Now().Add(time.Minute), Seen: cm.ResourceVersion}
	write(asked)
	stands(SweepAsked)
	told := ""
	hears(t, p, ahead("", 0), "the question", func(said play.Said) bool { told += fmt.Sprint(said.News); return said.Asked == "a" })
	if !strings.Contains(told, "25분째 한 단계도 실행하지 않으셨습니다. 이 수업의 파드 3개를") || len(p.Now(ahead("", 0)).News) > 0 {
		t.Errorf("told %s", told)
	}
	if err := s.SetHint(t.Context(), "s001", Hint{ID: "1", Text: "힌트", At: time.Now()}); err != nil { // the same object
		t.Fatal(err)
	}
	hears(t, p, ahead("", 0), "a hint beside it", func(said play.Said) bool { return fmt.Sprint(said.News) == "[{강사: 힌트}]" && said.Asked == "a" })
	if err := s.SetHint(t.Context(), "", Hint{ID: "2", Text: "모두에게", At: time.Now()}); err != nil { // another object
		t.Fatal(err)
	}
	hears(t, p, ahead("", 0), "a hint to all", func(said play.Said) bool { return fmt.Sprint(said.News) == "[{강사: 모두에게}]" })
	if said := p.Now(ahead("", 0)); said.Asked != "a" {
		t.Errorf("a hint to all ends the question: %+v", said)
	}
	hears(t, other, ahead("", 0), "a hint to all", func(said play.Said) bool { return len(said.News) == 1 })
	if said := other.Now(ahead("", 0)); said.Asked != "" || len(said.News) > 0 {
		t.Errorf("somebody else hears %+v", said)
	}
	before, _ := reportOrNone(t, pupils[0])
	p.Told(play.Progress{Kept: "a"})
	if said := p.Now(ahead("", 0)); said.Asked != "" {
		t.Errorf("asked again: %+v", said)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		cm, r := reportOrNone(t, pupils[0])
		if cm.ResourceVersion != before.ResourceVersion && r.Kept == "a" && time.Since(HeardAt(cm)) < time.Minute {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the answer is not written: %v", cm.Data)
		}
	}
	stands(SweepKept)
	asked.State = SweepDone
	asked.ID = "b"
	write(asked)
	stands(SweepDone)
	told = ""
	hears(t, p, ahead("", 0), "the end", func(said play.Said) bool { told += fmt.Sprint(said.News); return said.Swept == "b" })
	if !strings.Contains(told, "파드 3개를 치웠습니다") {
		t.Errorf("told %s", told)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	p = pupils[0].Open(t.Context()) // another lesson, with pods of its own
	if said := p.Now(ahead("", 0)); said.Swept != "" || strings.Contains(fmt.Sprint(said.News), "치웠습니다") {
		t.Errorf("an earlier lesson's is told: %+v", said)
	}
	p.Told(play.Progress{Steps: 2, Total: 9})
	stands("") // which has pods of its own
	if b := w.Board(BoardOptions{}); row(b, pupils[1].Namespace).Sweep != "" {
		t.Errorf("somebody else's: %+v", b.Rows)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	write(Sweep{ID: "c", State: SweepAsked, Pods: 1})
	p = pupils[0].Listen(t.Context())
	defer func() { _ = p.Close(context.Background()) }()
	if said := p.Now(ahead("", 0)); said.Asked != "" || strings.Contains(fmt.Sprint(said.News), "치워도 될까요") {
		t.Errorf("who cannot answer is asked: %+v", said)
	}
}

// reportOrNone is the report, empty where there is none yet.
func reportOrNone(t *testing.T, p Learner) (*corev1.ConfigMap, Report) {
	t.Helper()
	cm, err := p.Kube.CoreV1().ConfigMaps(p.Namespace).Get(t.Context(), Object(PartReport), metav1.GetOptions{})
	if err != nil {
		return &corev1.ConfigMap{}, Report{}
	}
	r, err := ReadReport(cm)
	if err != nil {
		t.Fatal(err)
	}
	return cm, r
}
