package board

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/engine/outside"
)

// TestNewestVotes: what does not fit into an object are the oldest votes, and never the one
// that was just given.
func TestNewestVotes(t *testing.T) {
	votes := map[string]string{}
	for n := range 60 {
		votes[fmt.Sprintf("v%d/%d", n/2+1, n%2+1)] = "3"
	}
	got := newestVotes(votes, "v2/1", 1<<20)
	if len(got) != mostVotes || got["v30/2"] == "" || got["v2/1"] == "" || got["v2/2"] != "" || len(votes) != 60 {
		t.Errorf("%d are kept: %v", len(got), got)
	}
	for round := range votes {
		votes[round] = strings.Repeat("가", 60)
	}
	got = newestVotes(votes, "v1/1", 1000)
	if raw, _ := json.Marshal(got); len(raw) > 1000 || len(got) < 3 || got["v1/1"] == "" || got["v30/2"] == "" || got["v28/2"] != "" {
		t.Errorf("%d bytes: %v", len(raw), got)
	}
	if got := newestVotes(nil, "v1/1", 0); len(got) != 0 {
		t.Errorf("of none: %v", got)
	}
}

// TestManyVotes: a learner who has voted all day has the newest vote counted, with whatever
// else the report tells.
func TestManyVotes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		r := NewReporter(s, nil, nil)
		for n := range 100 {
			p := at(n)
			p.Vote, p.Choice = fmt.Sprintf("v%d/1", n+1), strings.Repeat("가", 50)
			r.Told(p)
			time.Sleep(time.Second)
			if got := s.last(); got.Votes[p.Vote] != p.Choice || got.Steps != n {
				t.Fatalf("vote %d: %+v", n, got)
			}
		}
		_ = r.Close(t.Context())
	})
}

// TestTroubleEnds: that nothing gets there is told once, and once that it does again.
func TestTroubleEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		var told []string
		r := NewReporter(s, nil, func(err error) { told = append(told, fmt.Sprint(err)) })
		for n := range 30 {
			if n%10 == 3 {
				s.is(errAway, false)
			}
			if n%10 == 7 {
				s.is(nil, false)
			}
			r.Told(at(n))
			time.Sleep(30 * time.Second)
		}
		_ = r.Close(t.Context())
		if got := strings.Join(told, " "); got != strings.TrimSpace(strings.Repeat("away <nil> ", 3)) {
			t.Errorf("told: %s", got)
		}
	})
}

type away string

func (a away) Error() string { return string(a) }

const errAway = away("away")

// TestVoteCheck: what cannot be told apart is not asked, and what was written is what everybody
// answers.
func TestVoteCheck(t *testing.T) {
	for choices, ok := range map[string]bool{
		"2|3": true, "2": false, "1|2|3|4|5|6|7|8|9": false, "a|A": false, "4|넷": false, "4|4개": false, "2|": false,
		"x|" + strings.Repeat("x", mostWord+1): false, "4|5": true,
	} {
		if why, got := (Vote{Question: "?", Choices: strings.Split(choices, "|")}).Check(); got != ok || (why == "") != ok {
			t.Errorf("%s: %v, %q", choices, got, why)
		}
	}
	if _, ok := (Vote{Question: strings.Repeat("x", mostQuestion+1), Choices: []string{"2", "3"}}).Check(); ok {
		t.Error("a question without end is asked")
	}
	v := Vote{ID: "v1", Round: 1, Question: "a  b\x1b", Choices: []string{"두  개", "3"}}
	given := []Report{{Votes: map[string]string{"v1/1": "두 개"}}}
	if got := v.Tidy().Count(1, given); got.Given() != 1 {
		t.Errorf("what learners see and answer does not count: %+v", got)
	}
	if !v.Asks(v.Tidy()) || v.Asks(Vote{Question: "a b", Choices: v.Choices}) {
		t.Error("the same vote is another one, or another the same")
	}
}

// TestRoundsAreFew: a vote that is asked again and again stays readable.
func TestRoundsAreFew(t *testing.T) {
	v := Vote{ID: "v1", Round: 1, Open: true, Question: strings.Repeat("<", mostQuestion)}
	for n := range mostChoices {
		v.Choices = append(v.Choices, fmt.Sprint(n)+strings.Repeat("\"", mostWord-2))
	}
	for range 20 {
		v = v.Show(v.Count(v.Round, nil)).Again()
	}
	raw, err := json.Marshal(v)
	if err != nil || len(raw) > MaxHome || len(v.Tallies) != mostTallies || v.Tallies[mostTallies-1].Round != 20 {
		t.Errorf("%d bytes, %d tallies, %v", len(raw), len(v.Tallies), err)
	}
}

// TestInstructorIsHeardWhole: a hint and a reason that may be sent are shown to their end.
func TestInstructorIsHeardWhole(t *testing.T) {
	hint := strings.Repeat("힌트를 끝까지 ", MostHint/20-1) + "끝."
	l := &Listener{class: "k8s", heard: map[string]bool{}, changed: make(chan struct{}), voted: func(string) string { return "" }}
	raw, _ := json.Marshal(Hint{ID: "1", Text: hint, At: time.Now()})
	l.hear(PartHint, &corev1.ConfigMap{Data: map[string]string{Key: string(raw)}})
	if got := fmt.Sprint(l.Now(play.Ahead{}).News); len(hint) > MostHint || !strings.Contains(got, hint) {
		t.Errorf("a hint of %d bytes: %s", len(hint), got)
	}
	for range 2 { // it is read anew, as after a break
		l.hear(PartHint, &corev1.ConfigMap{Data: map[string]string{Key: string(raw)}})
		if got := l.Now(play.Ahead{}).News; len(got) > 0 {
			t.Errorf("a hint is told again: %v", got)
		}
	}
	reason := strings.Repeat("가", MostReason/3-1) + "끝"
	if got := (Pace{Step: "3", Reason: reason}).Why("k8s"); !strings.Contains(got, reason) {
		t.Errorf("a reason of %d bytes: %s", len(reason), got)
	}
	old, _ := json.Marshal(Hint{ID: "2", Text: "어제", At: time.Now().Add(-2 * hintLasts)})
	l.hear(PartHint, &corev1.ConfigMap{Data: map[string]string{Key: string(old)}})
	if got := l.Now(play.Ahead{}).News; len(got) > 0 {
		t.Errorf("yesterday's hint, and one that was told: %v", got)
	}
}

// TestPaceIsHeld: exactly the steps behind the one that was named, in the lesson that was named
// and those behind it in its folder.
func TestPaceIsHeld(t *testing.T) {
	for _, c := range []struct {
		pace   Pace
		lesson string
		done   int
		want   bool
	}{
		{Pace{}, "hpa/02", 9, false},
		{Pace{Step: "step-2"}, "hpa/02", 2, false},
		{Pace{Step: "step-2"}, "hpa/02", 3, true},
		{Pace{Step: "nowhere"}, "hpa/02", 3, false},
		{Pace{Lesson: "hpa/02", Step: "step-2"}, "hpa/02", 3, true},
		{Pace{Lesson: "hpa/02", Step: "step-2"}, "hpa/01", 9, false},
		{Pace{Lesson: "hpa/02", Step: "step-2"}, "hpa/03", 0, true},
		{Pace{Lesson: "hpa/02", Step: "step-2"}, "vpa/03", 0, false},
	} {
		if got := c.pace.Holds(ahead(c.lesson, c.done)); got != c.want {
			t.Errorf("%+v holds step %d of %s: %v", c.pace, c.done, c.lesson, got)
		}
	}
}

// TestHostileVotes: a learner makes up no rounds.
func TestHostileVotes(t *testing.T) {
	r, err := ReadReport(&corev1.ConfigMap{Data: map[string]string{Key: `{"votes":{"v1/1":"2","x":"2","v1":"2","v1/1/1":"2","v0/1":"2","v-1/1":"2","v1/99999999999999999999":"2","=1+1":"2"}}`}})
	if err != nil || fmt.Sprint(r.Votes) != "map[v1/1:2]" {
		t.Errorf("%v, %v", r.Votes, err)
	}
}

// TestTalliesBefore: what was counted before a learner came is not told, and what comes then is,
// once.
func TestTalliesBefore(t *testing.T) {
	l := &Listener{class: "k8s", tallies: map[string]bool{}, changed: make(chan struct{}), voted: func(round string) string { return map[string]string{"v1/3": "2"}[round] }}
	v := Vote{ID: "v1", Round: 1, Question: "?", Choices: []string{"2", "3"}, Open: true}
	hear := func() play.Said {
		raw, _ := json.Marshal(v)
		l.hear(PartVote, &corev1.ConfigMap{Data: map[string]string{Key: string(raw)}})
		return l.Now(play.Ahead{})
	}
	v = v.Show(v.Count(1, nil)).Again()
	if said := hear(); len(said.News) > 0 || said.Ballot == nil || said.Ballot.Answered {
		t.Errorf("who comes to the second round: %+v", said)
	}
	v = v.Show(v.Count(2, nil))
	if said := hear(); len(said.News) != 1 || said.Ballot != nil {
		t.Errorf("the second round: %+v", said)
	}
	v = v.Again()
	if said := hear(); len(said.News) != 0 || said.Ballot == nil || said.Ballot.ID != "v1/3" || !said.Ballot.Answered {
		t.Errorf("the third round: %+v", said)
	}
}

// TestRemembersSoMuch: a learner who answers without end takes no memory without end.
func TestRemembersSoMuch(t *testing.T) {
	w := &Watch{answered: map[question]map[string]string{}, kept: map[string]int{}}
	for n := range 2 * mostRemembered {
		w.remember(question{"hpa/02", n, "desired"}, "k8s-s01", "3")
	}
	w.remember(question{"hpa/02", 0, "desired"}, "k8s-s01", "4") // another answer to the same
	w.remember(question{"hpa/02", 0, "desired"}, "k8s-s02", "5")
	if len(w.answered) != mostRemembered || w.answered[question{"hpa/02", 0, "desired"}]["k8s-s01"] != "4" || w.kept["k8s-s02"] != 1 {
		t.Errorf("%d answers are remembered", len(w.answered))
	}
}

// TestHomeIsBounded: what nobody could read is not written.
func TestHomeIsBounded(t *testing.T) {
	var size *outside.SizeError
	if err := (Desk{Class: "k8s"}).SetHint(t.Context(), "", Hint{Text: strings.Repeat("x", MaxHome)}); !errors.As(err, &size) {
		t.Errorf("%v", err)
	}
}
