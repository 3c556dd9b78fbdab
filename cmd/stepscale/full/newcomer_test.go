package full

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
)

func (m Model) hears(all ...play.Event) Model {
	for _, e := range all {
		next, _ := m.Update(Told{e})
		m = next.(Model)
	}
	return m
}

// TestBranchIsMarked: on a branch the screen says so all the time, what the lesson told of its own
// cluster is gone, and a lesson that is over does not end with the branch's Enter.
func TestBranchIsMarked(t *testing.T) {
	m := crowded().hears(play.Prose{Text: "수업의 글"}, play.Finished{Text: "끝났습니다"}, play.Ask{Stop: play.ForNext})
	if at := m.enters(); at != "끝" {
		t.Errorf("Enter at the end: %s", at)
	}
	f := m.frames[0]
	m = m.hears(play.Branched{})
	next, _ := m.Update(Framed{f})
	m = next.(Model).hears(play.Executed{Frame: f}, play.Ask{Stop: play.ForNext})
	if text := plain(m); !strings.Contains(text, "[되감은 자리]") || strings.Contains(text, "수업의 글") || strings.Contains(m.enters(), "끝") {
		t.Errorf("Enter %s; the branch is not marked:\n%s", m.enters(), text)
	}
	m = m.hears(play.Branched{Ends: true}, play.Ask{Stop: play.ForNext})
	if text := plain(m); strings.Contains(text, "되감은 자리") || m.enters() != "끝" {
		t.Errorf("Enter %s; back from it:\n%s", m.enters(), text)
	}
}

// TestNothingChanged: the keys that look for a change say where there is none, until the next key.
func TestNothingChanged(t *testing.T) {
	m := crowded()
	m.frames, m.now, m.cursor = m.frames[:1], 0, 0
	m = m.verbed("[")
	if !strings.Contains(plain(m), "바뀐 단계가 없습니다") {
		t.Errorf("nothing is said:\n%s", plain(m))
	}
	if m = m.verbed("g"); strings.Contains(plain(m.verbed("g")), "바뀐 단계가 없습니다") {
		t.Error("it is said for ever")
	}
}

// TestAnswerIsTakenBack: while an answer is typed the keys below are those that edit it.
func TestAnswerIsTakenBack(t *testing.T) {
	m := crowded()
	m.stop, m.questions, m.deeds, m.focus = play.ForAnswer, []asked{{text: "몇 개?"}}, nil, story
	m = m.verbed("7")
	if line := m.keysLine(); !strings.Contains(line, "Enter 답하기") || !strings.Contains(line, "Esc 지우기") || strings.Contains(line, "kubectl") {
		t.Errorf("offered: %s", line)
	}
	next, _ := m.Update(tea.KeyPressMsg{Code: tea.KeyEscape})
	if m = next.(Model); m.field.String() != "" || !strings.Contains(m.keysLine(), "답 없이") {
		t.Errorf("Esc leaves %q, %s", m.field.String(), m.keysLine())
	}
}

// TestPaletteAsksForMore: a command that is about something says what is missing.
func TestPaletteAsksForMore(t *testing.T) {
	m := crowded()
	for typed, want := range map[string]string{"되감기": "이어서 적을 것: 자리", "되감기 5": "Enter 실행", "도움말": "Enter 실행"} {
		if line := m.opens(typed).keysLine(); !strings.Contains(line, want) {
			t.Errorf("%s: %s", typed, line)
		}
	}
}

// TestNoChart: a loop that tells nothing to draw says so.
func TestNoChart(t *testing.T) {
	m := New(Setting{Loop: loops()["karpenter"]}, func(string) {})
	m.width, m.height, m.asking = 80, 24, true
	f := trace.Frame{Pass: 1, Step: m.Loop.Steps[0].ID, Actor: m.Loop.Steps[0].Actor}
	next, _ := m.Update(Framed{f})
	if text := strings.Join(next.(Model).hears(play.Executed{Frame: f}).charts().lines(80, false), "\n"); !strings.Contains(text, "그릴 값") {
		t.Errorf("charts of nothing:\n%s", text)
	}
}

// TestPodsOfTheMap: pods that one step makes and starts are counted once; who waits for a node
// waits on when others are ready; a number of one object of several stands for none.
func TestPodsOfTheMap(t *testing.T) {
	frame := func(actor string, facts ...string) trace.Frame {
		f := trace.Frame{Pass: 1, Actor: actor}
		for i := 0; i < len(facts); i += 2 {
			f.Add(facts[i], facts[i+1], "")
		}
		return f
	}
	whole := world{}.with(frame(trace.ActorLearner, "createdPods", "4", "deletedPods", "4", "readyPods", "4"), loops()["intro"])
	if p := whole.row(); p.Ready != 4 || p.Pending+p.Starting+p.Ending+p.Untold != 0 {
		t.Errorf("all in one step: %+v", p)
	}
	loop := loops()["cluster-autoscaler"]
	w := world{}.with(frame(trace.ActorReplicaSet, "createdPods", "4", "podsTotal", "10"), loop)
	if p := w.row(); p.Pending != 4 || p.Untold != 6 {
		t.Errorf("made: %+v", p)
	}
	if p := w.with(frame(trace.ActorKubelet, "readyPods", "6"), loop).row(); p.Pending != 4 || p.Ready != 6 || p.Untold != 0 {
		t.Errorf("who waits for a node: %+v", p)
	}
	w = w.with(frame("cluster-autoscaler", "groupFits/general", "4", "groupFits/arm", "0"), loop)
	if got := w.said["cluster-autoscaler"]; got.value != "" {
		t.Errorf("one group stands for all: %+v", got)
	}
	kubelet := w.with(frame(trace.ActorKubelet, "readyPods", "6"), loop)
	if got := kubelet.with(frame("vpa-updater", "evictedPods", "1"), loop).said[trace.ActorKubelet]; got.value != "" {
		t.Errorf("the kubelet still counts pods that are gone: %+v", got)
	}
}

// TestCommandsBreakBetweenArguments: what is wider than its place can still be typed as it stands.
func TestCommandsBreakBetweenArguments(t *testing.T) {
	command := "kubectl get hpa web -n stepscale-hpa -o jsonpath='{.status.desiredReplicas} of {.spec.maxReplicas}' --context realnode"
	for _, width := range []int{28, 40, 60, 76} {
		var rows []string
		for _, l := range written(width, true, func(s *view.Screen) { s.Kubectl(trace.Frame{Kubectl: command}) }) {
			if ansi.StringWidth(l) > width {
				t.Errorf("%d columns: %q", width, l)
			}
			rows = append(rows, strings.TrimSpace(ansi.Strip(l)))
		}
		_, typed, _ := strings.Cut(strings.Join(rows, "\n"), "kubectl")
		if typed = "kubectl" + strings.ReplaceAll(typed, " \\\n", " "); width > 60 && typed != command {
			t.Errorf("%d columns: a shell would read %q", width, typed)
		}
		if !strings.Contains(typed, "-n stepscale-hpa -o") {
			t.Errorf("%d columns: broken inside an argument: %q", width, typed)
		}
	}
}

// TestNoPageForABlankLine: blank lines give way where they alone would cost one more Enter, and
// nothing else does.
func TestNoPageForABlankLine(t *testing.T) {
	lines := strings.Split("a\n\nb\nc\n\nd\ne\nf", "\n")
	for height, want := range map[int]string{
		8: "a\n\nb\nc\n\nd\ne\nf", // fits
		7: "a\n\nb\nc\nd\ne\nf",
		6: "a\nb\nc\nd\ne\nf",
		5: "a\n\nb\nc\n\nd\ne\nf", // there are no three to give way
		4: "a\n\nb\nc\nd\ne\nf",   // two pages instead of three
	} {
		if got := strings.Join(squeezed(lines, height), "\n"); got != want {
			t.Errorf("%d rows: %q, want %q", height, got, want)
		}
	}
	if strings.Join(lines, "\n") != "a\n\nb\nc\n\nd\ne\nf" {
		t.Error("the page itself has changed")
	}
}

// TestSizesOfTheMap: the requests drawn are those of the pods that are there: one that is evicted
// takes its own away, and one that is made has none until somebody has said it.
func TestSizesOfTheMap(t *testing.T) {
	w := world{}
	for _, c := range []struct {
		f    trace.Frame
		want string
	}{
		{trace.Frame{Actor: "vpa-recommender", Facts: []trace.Fact{{Name: "podsListed", Value: "2"}, {Name: "request/web-1.cpu", Value: "100m"}, {Name: "request/web-2.cpu", Value: "100m"}}}, "100m×2"},
		{trace.Frame{Actor: "vpa-updater", Changes: []trace.Change{{Object: "pod/web-1", Field: "metadata.deletionTimestamp", To: "축출(Eviction)"}}}, "100m×1"},
		{trace.Frame{Actor: trace.ActorReplicaSet, Changes: []trace.Change{{Object: "pod/web-3", Field: "metadata.name", To: "web-3"}}}, "100m×1"},
		{trace.Frame{Actor: "vpa-admission-controller", Facts: []trace.Fact{{Name: "newRequest/web.cpu", Value: "300m"}}}, "100m×1 300m×1"},
		{trace.Frame{Actor: "vpa-recommender", Facts: []trace.Fact{{Name: "podsListed", Value: "1"}, {Name: "request/web-3.cpu", Value: "300m"}}}, "300m×1"},
	} {
		if w = w.with(c.f, engine.Definition{}); strings.Join(w.tally(), " ") != c.want {
			t.Errorf("after %s: %q, want %q", c.f.Actor, w.tally(), c.want)
		}
	}
}
