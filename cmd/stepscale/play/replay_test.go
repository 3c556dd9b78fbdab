package play

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/engine/trace"
)

var began = time.Date(2026, 1, 2, 23, 59, 0, 0, time.UTC)

// recorded are five passes of four steps, 15 seconds apart, over midnight; the third
// scales from 2 to 4, and the fifth has no last step.
func recorded(t *testing.T) *recording.Recording { return recordedFrom(t, began) }

func recordedFrom(t *testing.T, began time.Time) *recording.Recording {
	t.Helper()
	var b bytes.Buffer
	for pass := 1; pass <= 5; pass++ {
		for i, step := range []trace.StepID{"hpa/1-metrics/scrape", "hpa/2-replicas/ratio", "hpa/2-replicas/proposal", "hpa/3-scale/update"} {
			if pass == 5 && i == 3 {
				continue
			}
			f := trace.Frame{Pass: pass, Step: step, Subject: "ns/web", Actor: "hpa-controller", At: began.Add(time.Duration(pass-1) * 15 * time.Second), Kubectl: "kubectl get hpa"}
			switch i {
			case 0:
				f.Add("podTimestamp", f.At.Format(engine.ClockLayout), "")
			case 1:
				f.Add("usageRatio", fmt.Sprint(min(pass, 3)), fmt.Sprintf("%d / 1", min(pass, 3)))
			case 2:
				f.Add("proposal", fmt.Sprint(2*min(pass, 2)), "")
			case 3:
				f.Calls = []trace.Call{{Actor: "hpa-controller", Verb: "PUT", Path: "/deployments/web/scale", Status: 200}}
				f.Changes = []trace.Change{{Object: "hpa/web", Field: "status.currentReplicas", From: "1", To: "2"}}
				if pass == 3 {
					f.Changes = append(f.Changes, trace.Change{Object: "deployment/web", Field: "spec.replicas", From: "2", To: "4"})
				}
			}
			if err := f.Write(&b); err != nil {
				t.Fatal(err)
			}
		}
	}
	r, err := recording.Open(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// typing sends lines to a replay, and returns what was told after each of them: places as
// "3.4", and everything else as Go writes it.
func typing(t *testing.T, r *Replay, lines ...string) [][]string {
	t.Helper()
	told := make([][]string, 1)
	for e := range r.Events(t.Context()) {
		last := len(told) - 1
		switch e := e.(type) {
		case Ask:
			if e.Stop != ForReplay {
				t.Errorf("it asks for %v", e.Stop)
			}
			if len(told) <= len(lines) {
				r.Type(lines[len(told)-1])
				told = append(told, nil)
			}
		case Replayed:
			if e.Frame.Kubectl != "" {
				t.Errorf("a command is offered that shows another moment: %s", e.Frame.Kubectl)
			}
			told[last] = append(told[last], fmt.Sprintf("%d.%d", e.Place.Pass, e.Place.Step))
		default:
			told[last] = append(told[last], fmt.Sprintf("%+v", e))
		}
	}
	if r.Err() != ErrQuit {
		t.Errorf("it ended with %v", r.Err())
	}
	return told
}

func TestReplayMoves(t *testing.T) {
	for _, c := range []struct{ lines, want string }{
		{"s|s|s|s", "1.1 1.2 1.3 1.4 2.1"},
		{"n|n|n|n", "1.1 1.3 1.4 2.1 2.3"},
		{"다음|뒤로|b|b", "1.1 1.3 1.2 1.1 -"},
		{"ㅜ|ㄴ", "1.1 1.3 1.4"},
		{"s|||b|", "1.1 1.2 1.3 1.4 1.3 1.2"}, // nothing is Enter
		{"", "1.1 1.3"},
		{"c|c", "1.1 3.4 -"},
		{"c proposal>2|c proposal>2", "1.1 2.3 3.3"},
		{"c usageRatio=3|c usageRatio changed", "1.1 3.2 -"},
		{"c 3-scale/update|", "1.1 1.4 2.4"},
		{"c update|c hpa/2-replicas/ratio", "1.1 1.4 2.2"},
		{"break proposal>2|c|c|c|c", "1.1 - 2.3 3.3 3.4 4.3"},
		{"break proposal>2|clear 1|c", "1.1 - - 3.4"},
		{"clear 2|clear x", "1.1 - -"},
		{"g 3|g 4.3|g 끝|g 처음|g 5.3|n", "1.1 3.1 4.3 5.3 1.1 5.3 -"},
		{"g 9|g 2.9|g 0|g 5.4|g x|g", "1.1 - - - - - -"},
		{"g +30s|g -15s|g +1h|g -1h|g +x", "1.1 3.1 2.1 - - -"},
		{"g 23:59:30|g 23:59|g 00:00:00|g 00:00|g 24:61|g 12:00", "1.1 3.1 1.1 5.1 5.1 - -"},
		{"g 3.4|m here|g 1|g here|m|m 3|m +x|m|m two words", "1.1 3.4 - 1.1 3.4 - - - - -"},
		{"/put||/PUT|/nothing|찾기 3 / 1", "1.1 1.4 2.4 3.4 - 4.2"},
		{"search", "1.1 -"},
		{"p proposal|d 3|d 1 3|l|f|?|없는명령|contnue", "1.1 - - - - - - - -"},
	} {
		told := typing(t, NewReplay(ReplayOptions{Recording: recorded(t)}), strings.Split(c.lines, "|")...)
		var places []string
		for _, events := range told {
			place := "-"
			if i := slices.IndexFunc(events, isPlace); i >= 0 {
				place = events[i]
			} else if len(events) == 0 {
				t.Errorf("%s: a line is answered with nothing: %q", c.lines, told)
			}
			places = append(places, place)
		}
		if got := strings.Join(places, " "); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.lines, got, c.want)
		}
	}
}

func isPlace(s string) bool { return passAt.MatchString(s) }

func TestReplayTells(t *testing.T) {
	facts := engine.Facts{engine.Clock: {"podTimestamp"}}
	for line, want := range map[string][]string{
		"p proposal":        {"Fact:proposal", "Pass:1 After:0s Text:2", "Pass:2 After:15s Text:4"},
		"p propsal":         {"propsal", "혹시 'proposal'"},
		"p":                 {"출력할 값"},
		"d 1 3":             {"A:1 B:3", "Fact:usageRatio ValueA:1 ExprA:1 / 1 ValueB:3 ExprB:3 / 1", "Fact:proposal ValueA:2 ExprA: ValueB:4"},
		"d 4":               {"A:4 B:1"},
		"d 4 5":             {"A:4 B:5 All:[{Step:hpa/3-scale/update Fact: ValueA: ExprA: ValueB: ExprB: OnlyA:true"},
		"d 9":               {"패스 9는", "1부터 5까지"},
		"d 1 2 3":           {"하나나 둘"},
		"d":                 {"하나나 둘"},
		"f":                 {"podTimestamp"},
		"c wether=3":        {"wether"},
		"c proposal>many":   {"수를 적어"},
		"c pdate":           {"조건을 읽을 수 없습니다"},
		"c nonsense":        {"조건을 읽을 수 없습니다"},
		"c proposal>9":      {"그런 자리가 없습니다: proposal>9"},
		"break proposal>>1": {"조건을 읽을 수 없습니다"},
		"비겨":                {"알 수 없는 명령입니다: 비겨", "혹시 '비교'"},
		"clear 1":           {"번호"},
		"b":                 {"기록의 처음입니다"},
	} {
		told := fmt.Sprint(typing(t, NewReplay(ReplayOptions{Recording: recorded(t), Loop: engine.Definition{Facts: facts}}), line)[1])
		for _, w := range want {
			if !strings.Contains(told, w) {
				t.Errorf("%s: %q is not told:\n%s", line, w, told)
			}
		}
		if strings.HasPrefix(line, "d") && strings.Contains(told, "podTimestamp") {
			t.Errorf("%s: a time of the day is told as a difference", line)
		}
	}
	if told := fmt.Sprint(typing(t, NewReplay(ReplayOptions{Recording: recorded(t)}), "g 끝", "n")[2]); !strings.Contains(told, "기록의 끝") {
		t.Error(told)
	}
	// A break where something changes anyhow is named, too.
	if told := fmt.Sprint(typing(t, NewReplay(ReplayOptions{Recording: recorded(t)}), "g 3.3", "break update", "c")[3]); !strings.Contains(told, "중단점에서 멈췄습니다: hpa/3-scale/update") || !strings.Contains(told, "3.4") {
		t.Error(told)
	}
}

// TestReplayStopsOnlyWhereItsLoopChanges: of a loop that is known, only what its steps
// declare counts.
func TestReplayStopsOnlyWhereItsLoopChanges(t *testing.T) {
	for changes, want := range map[bool]string{true: "3.4", false: "바뀌지 않고"} {
		loop := engine.Definition{Name: "hpa", Steps: []engine.Row{{ID: "hpa/3-scale/update", Changes: changes}}}
		if told := fmt.Sprint(typing(t, NewReplay(ReplayOptions{Recording: recorded(t), Loop: loop}), "c")[1]); !strings.Contains(told, want) {
			t.Errorf("changes %t: %s", changes, told)
		}
	}
}

// TestReplayTellsTheLesson: what the lesson said before its steps is told once, and once more for
// who was elsewhere in between; what came behind them is told at the last of them.
func TestReplayTellsTheLesson(t *testing.T) {
	chapters := []Chapter{{From: 0, To: 2, Before: []Event{Prose{"하나"}}, After: []Event{Verdicts{}}}, {From: 4, To: 6, Before: []Event{Prose{"둘"}}, After: []Event{Prose{"끝"}}}}
	r := NewReplay(ReplayOptions{Recording: recorded(t), Chapters: chapters})
	var told []string
	lines := []string{"s", "b", "s", "s", "b", "g 2.1", "s", "b", "g 3"}
	for e := range r.Events(t.Context()) {
		switch e := e.(type) {
		case Prose:
			told = append(told, e.Text)
		case Replayed:
			told = append(told, fmt.Sprintf("%s+%d", e.Place, len(e.After)))
		case Ask:
			if len(lines) > 0 {
				r.Type(lines[0])
				lines = lines[1:]
			}
		}
	}
	const want = "하나 1.1+0 1.2+1 1.1+0 1.2+1 1.3+0 하나 1.2+1 둘 2.1+0 2.2+1 2.1+0 3.1+0"
	if got := strings.Join(told, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestReplayBeginsElsewhere(t *testing.T) {
	r := NewReplay(ReplayOptions{Recording: recorded(t)})
	if err := r.Begin("2.2"); err != nil {
		t.Fatal(err)
	}
	if ok, err := r.Until("usageRatio>=2"); err != nil || !ok || r.Place().Pass != 2 || r.Place().Step != 2 {
		t.Errorf("the frame itself counts: %t, %v, %+v", ok, err, r.Place())
	}
	if ok, err := r.Until("usageRatio>=4"); err != nil || ok {
		t.Errorf("%t, %v", ok, err)
	}
	if f, err := r.Here(); err != nil || f.Step != "hpa/2-replicas/ratio" || f.Pass != 2 {
		t.Errorf("%+v, %v", f, err)
	}
	if err := r.Begin("nowhere"); err == nil {
		t.Error("it begins nowhere")
	}
}

// TestReplayFindsTheSecondOnScreen: on a real cluster the first frame is somewhere within it.
func TestReplayFindsTheSecondOnScreen(t *testing.T) {
	r := NewReplay(ReplayOptions{Recording: recordedFrom(t, began.Add(400*time.Millisecond))})
	for _, clock := range []string{"23:59:00", "23:59"} {
		if at, err := r.Find(clock); err != nil || at != 0 {
			t.Errorf("%s: %d, %v", clock, at, err)
		}
	}
}

// TestReplayGuessesNoSingleLetter: everything is near to one.
func TestReplayGuessesNoSingleLetter(t *testing.T) {
	for line, want := range map[string]bool{"값임": true, "갑": false, "y": false} {
		told := fmt.Sprint(typing(t, NewReplay(ReplayOptions{Recording: recorded(t)}), line)[1])
		if !strings.Contains(told, "알 수 없는 명령") || strings.Contains(told, "혹시") != want {
			t.Errorf("%s: %s", line, told)
		}
	}
}

func TestReplayEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := NewReplay(ReplayOptions{Recording: recorded(t)})
	for e := range r.Events(ctx) {
		if _, ok := e.(Ask); ok {
			cancel()
			r.Type("n")
		}
	}
	if r.Err() != context.Canceled {
		t.Error(r.Err())
	}
}
