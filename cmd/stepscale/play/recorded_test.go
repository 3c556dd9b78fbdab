package play

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/lessons"
)

// aboutRecording is a lesson about the recording of these tests.
func aboutRecording(t *testing.T, blocks ...lessons.Block) (*Play, *[]state.Lesson) {
	t.Helper()
	var saved []state.Lesson
	l := lessons.Lesson{Title: "기록", Blocks: blocks}
	fork := func(pass int, sets []string) (Forked, error) {
		return Forked{From: pass, Sets: sets, Other: []float64{2, 3}, Passes: []ForkedPass{{Pass: 4}}}, nil
	}
	p := New(Options{Lesson: l, Recorded: &ReplayOptions{Recording: recorded(t), Fork: fork}, Save: func(l state.Lesson) { saved = append(saved, l) }})
	return p, &saved
}

// answering sends lines to a play at its stops, and returns what is told, a line each.
func answering(t *testing.T, p *Play, lines ...string) string {
	t.Helper()
	var b strings.Builder
	for e := range p.Events(t.Context()) {
		switch e := e.(type) {
		case Ask:
			if len(lines) > 0 {
				p.Type(lines[0])
				lines = lines[1:]
			}
		case Replayed:
			fmt.Fprintf(&b, "at %s beside %t\n", e.Place, e.Beside)
		case Verdicts:
			for _, v := range e {
				fmt.Fprintf(&b, "verdict %d %s\n", v.Kind, v.Value)
			}
		default:
			fmt.Fprintf(&b, "%T %+v\n", e, e)
		}
	}
	return b.String()
}

func block(line int, kind, arg, text string) lessons.Block {
	return lessons.Block{Kind: kind, Arg: arg, Text: text, Line: line}
}

// TestLessonAboutARecording: the lesson's commands move its own cursor, questions are
// answered from where it stands then, and whoever looks around moves another.
func TestLessonAboutARecording(t *testing.T) {
	p, saved := aboutRecording(t,
		block(1, lessons.Prose, "", "글"),
		block(2, lessons.Replay, "계속 usageRatio>1", "비율까지 갑니다."),
		block(3, lessons.Predict, "proposal", "몇 개?"),
		block(4, lessons.Replay, "s", ""),
		block(5, lessons.Predict, "forkFirstPass", "어디서?"),
		block(6, lessons.Predict, "forkParts", "달라질까요?"),
		block(7, lessons.Replay, "갈래 target=70", ""),
	)
	got := answering(t, p, "이동 5", "k", "표시 여기", "/PUT", "이동 5", "뒤로", "", "4", "이동 여기", "4", "예")
	for _, want := range []string{
		"Text:기록> 계속 usageRatio>1 — 비율까지 갑니다.", "at 5.1 beside true", "클러스터가 없습니다", "끝까지 'PUT'", "at 4.4 beside true",
		"둘러보시던 4.4에서 수업이 있던 1.1로 돌아와", "at 2.2 beside false", "at 2.3 beside false", "verdict 0 4\n",
		"Text:둘러보시던 5.1에서 수업이 있던 2.3으로", "play.Result {Event:{From:2 Sets:[target=70]", "verdict 0 4\nverdict 0 true",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if back, _, _ := strings.Cut(got[strings.Index(got, "둘러보시던 5.1에서"):], "play.Result"); !strings.Contains(back, "at 2.3 beside false") {
		t.Errorf("what is shown is not what the lesson is about:\n%s", got)
	}
	if last := (*saved)[len(*saved)-1]; !last.Done || last.Total != 3 || len(p.Misses()) > 0 {
		t.Errorf("saved %+v, missed %v", last, p.Misses())
	}
}

// TestBothStandTogetherAfterAStep: whoever looks around begins where the lesson stands.
func TestBothStandTogetherAfterAStep(t *testing.T) {
	p, _ := aboutRecording(t, block(1, lessons.Replay, "이동 3", ""), block(2, lessons.Replay, "이동 2", ""), block(3, lessons.Replay, "이동 1", ""))
	got := answering(t, p, "속으로", "", "", "속으로", "")
	want := []string{"at 1.2 beside true", "둘러보시던 1.2에서 수업이 있던 1.1로", "at 3.1 beside false", "at 2.1 beside false", "at 2.2 beside true", "둘러보시던 2.2에서 수업이 있던 2.1로", "at 1.1 beside false"}
	rest := got
	for _, w := range want {
		_, after, ok := strings.Cut(rest, w)
		if !ok {
			t.Fatalf("no %q behind what comes before it in\n%s", w, got)
		}
		rest = after
	}
	if strings.Count(got, "둘러보시던") != 2 {
		t.Errorf("who has not moved is brought back:\n%s", got)
	}
}

// TestLessonAboutARecordingGoesOn where it was left, without showing what came before.
func TestLessonAboutARecordingGoesOn(t *testing.T) {
	p, _ := aboutRecording(t, block(1, lessons.Replay, "이동 3", ""), block(2, lessons.Replay, "s", ""))
	p.Skip = 1
	if got := answering(t, p, ""); strings.Contains(got, "at 3.1") || !strings.Contains(got, "at 3.2 beside false") || !strings.Contains(got, "앞의 1단계를 지나") {
		t.Errorf("%s", got)
	}
}

// TestSecondTryInARecording comes before the answer is told.
func TestSecondTryInARecording(t *testing.T) {
	p, _ := aboutRecording(t, block(1, lessons.Predict, "proposal", "?"), block(2, lessons.Hint, "", "!"), block(3, lessons.Replay, "이동 1.3", ""))
	p.SecondTry = true
	got := answering(t, p, "3", "2")
	if again, at := strings.Index(got, "play.Again"), strings.Index(got, "at 1.3"); again < 0 || at < again || !strings.Contains(got, "verdict 0 2") {
		t.Errorf("%s", got)
	}
}

// TestRehearse: what a lesson says and its recording does not have is told with its line.
func TestRehearse(t *testing.T) {
	for arg, want := range map[string]string{
		"이동 3": "", "목록": "", "계속": "", "계속 proposal>3": "", "비교 1 2": "", "찾기 PUT": "", "표시 x": "", "갈래 target=7": "",
		"banana": "알 수 없는 명령입니다: banana", "이동 9": "패스 9는", "이동": "자리를 적어", "계속 proposal>9": "그런 자리가 없습니다",
		"계속 nothing>1": "nothing 값도", "찾기 nowhere": "'nowhere'는", "출력 nothing": "nothing 값도", "비교 9": "패스 9는", "비교": "하나나 둘",
		"뒤로": "기록의 처음", "왜": "답할 결정이 없습니다", "표시 3": "한 낱말", "해제 1": "번호를", "끝내기": "할 수 없는 명령", "갈래": "무엇을 바꿀지", "중단점 x>1": "x 값도",
	} {
		p, _ := aboutRecording(t, block(7, lessons.Replay, arg, ""))
		misses := Rehearse(t.Context(), p.Options)
		switch {
		case want == "" && len(misses) > 0:
			t.Errorf("%s: %v", arg, misses)
		case want != "" && (len(misses) != 1 || misses[0].Line != 7 || !strings.Contains(misses[0].Text, want)):
			t.Errorf("%s: %v, want %q", arg, misses, want)
		}
	}
	p, _ := aboutRecording(t, block(3, lessons.Predict, "nothing", "?"), block(5, lessons.Replay, "이동 3", ""))
	if misses := Rehearse(t.Context(), p.Options); len(misses) != 1 || misses[0].Line != 3 || !strings.Contains(misses[0].Text, "질문한 값(nothing)") {
		t.Errorf("%v", misses)
	}
	end, _ := aboutRecording(t, block(3, lessons.Replay, "이동 끝", ""), block(5, lessons.Replay, "다음", ""))
	if misses := Rehearse(t.Context(), end.Options); len(misses) != 1 || misses[0].Line != 5 {
		t.Errorf("%v", misses)
	}
}

// TestLessonCommands: nothing is there twice, and nothing that quits or goes on by itself.
func TestLessonCommands(t *testing.T) {
	var names []string
	for _, c := range LessonCommands() {
		names = append(names, c.Names...)
	}
	for _, v := range LessonVerbs() {
		names = append(names, v.Names...)
	}
	slices.Sort(names)
	if all := len(names); len(slices.Compact(names)) != all {
		t.Errorf("twice: %v", names)
	}
	for _, want := range []string{"다음", "힌트", "왜", "계속", "이동", "끝"} {
		if !slices.Contains(names, want) {
			t.Errorf("no %s", want)
		}
	}
}

// answered is what a why has found.
type answered struct{}

func (answered) Facts() []trace.Fact { return []trace.Fact{{Name: "whyMore", Value: "3"}} }

// TestFactsOfWhatWasFound: a lesson may ask about what a why has answered, and what has no facts
// has none.
func TestFactsOfWhatWasFound(t *testing.T) {
	for want, e := range map[int]Event{1: Reasons{Answer: answered{}}, 2: Forked{Other: []float64{2}, Passes: nil}, 0: List{}} {
		if got := factsOf(e); len(got) < want || want == 0 && len(got) > 0 {
			t.Errorf("%T has %v", e, got)
		}
	}
}

// TestRealTimeOfARecording: what a lesson says of real time is told over a recording of it.
func TestRealTimeOfARecording(t *testing.T) {
	for virtual, want := range map[bool]string{true: "가상", false: "실제"} {
		p, _ := aboutRecording(t, lessons.Block{Kind: lessons.When, Arg: lessons.Real, Text: "실제"}, lessons.Block{Kind: lessons.When, Arg: lessons.Simulated, Text: "가상"})
		p.Recorded.Recording.Header.Virtual = virtual
		if got := answering(t, p); !strings.Contains(got, "play.Prose {Text:"+want+"}") || strings.Count(got, "play.Prose") != 1 {
			t.Errorf("virtual %t: %s", virtual, got)
		}
	}
}
