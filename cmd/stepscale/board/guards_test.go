package board

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestHeardAt: a vote beside a lesson is heard of, too, and what others write is not.
func TestHeardAt(t *testing.T) {
	at := func(d time.Duration) *metav1.Time { return &metav1.Time{Time: noon.Add(d)} }
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{ManagedFields: []metav1.ManagedFieldsEntry{{Manager: voteManager, Time: at(time.Minute)}, {Manager: reportManager, Time: at(0)}, {Manager: "kubectl", Time: at(time.Hour)}}}}
	if got := HeardAt(cm); !got.Equal(noon.Add(time.Minute)) {
		t.Errorf("heard at %s", got)
	}
}

// TestVotesFollow: a round is shown once, and no vote bears the name of one before Home was
// made anew.
func TestVotesFollow(t *testing.T) {
	v := Vote{ID: "v7", Round: 1, Choices: []string{"2", "3"}}
	if v = v.Show(v.Count(1, nil)); len(v.Show(v.Count(1, nil)).Tallies) != 1 {
		t.Error("one round has two tallies")
	}
	if got := NextVote(v, noon); got != "v8" {
		t.Error(got)
	}
	if NextVote(Vote{}, noon) == NextVote(Vote{}, noon.Add(time.Second)) {
		t.Error("two first votes bear one name")
	}
	if _, ok := numbersOf("v1/0"); ok {
		t.Error("a round before the first")
	}
}

// TestKinds: what is urgent about a learner has its color on the page; who is done is not stuck.
func TestKinds(t *testing.T) {
	for want, r := range map[string]Row{"help": {Help: true, Reported: true}, "stuck": {Stuck: true, Reported: true}, "done": {Done: true, Reported: true}, "away": {}} {
		if got := r.kind(); got != want {
			t.Errorf("%+v is %q", r, got)
		}
	}
	b := board(BoardOptions{Stuck: time.Minute}, noon, map[string]string{"k-s01": "s01"}, map[string]reported{"k-s01": {Report: Report{Done: true}, since: noon.Add(-time.Hour)}}, nil)
	if b.Rows[0].Stuck {
		t.Error("who is done is stuck")
	}
}

// TestPageHides: the first page keeps the answers back, and is kept by nobody.
func TestPageHides(t *testing.T) {
	w := served(t, func(show bool) Board { return someBoard(BoardOptions{Show: show}) }, func() <-chan struct{} { return nil })
	got, text := get(t, w.URL(), "")
	if !strings.Contains(text, `"hidden":true`) || got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", got.Header)
	}
}
