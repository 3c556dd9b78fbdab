package full

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/engine/trace"
)

// replays opens a recording of a lesson on the screen, and presses keys at every stop until
// there are none left.
func (l *learner) replays(name string, size tea.WindowSizeMsg, keys ...string) *play.Replay {
	t := l.t
	t.Helper()
	lesson, err := lessonOf(name)
	frames, err2 := opened(name)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	var b bytes.Buffer
	for _, f := range frames {
		if err := f.Write(&b); err != nil {
			t.Fatal(err)
		}
	}
	rec, err := recording.Open(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	loop := loops()[lesson.Loop]
	l.m = New(Setting{Loop: loop, Simulated: true, Replay: true, Title: "기록 되감기: x.jsonl"}, func(line string) { l.sent = append(l.sent, line) })
	l.update(size)
	const passes = 100 // more than there are: what a box of the map says may have been told long ago
	r := play.NewReplay(play.ReplayOptions{Recording: rec, Loop: loop, Before: passes, Chapters: play.Chapters(t.Context(), lesson, loop, frames, true)})
	for e := range r.Events(t.Context()) {
		l.update(Told{e})
		if _, ok := e.(play.Ask); !ok {
			continue
		}
		for sent := len(l.sent); len(l.sent) == sent && len(keys) > 0 && !l.done; keys = keys[1:] {
			if strings.HasPrefix(keys[0], "goto ") { // as the palette sends it
				l.sent = append(l.sent, keys[0])
				continue
			}
			l.press(keys[0])
		}
		if len(l.sent) > 0 {
			r.Type(l.sent[len(l.sent)-1])
			l.sent = l.sent[:0:0]
		}
	}
	return r
}

// place is where the screen stands in the recording.
func (l *learner) place() string { return l.m.place.Place.String() }

// TestReplayKeys: every key leads where its help says, and the map, the charts and the
// lesson's words are those of that moment.
func TestReplayKeys(t *testing.T) {
	for _, c := range []struct {
		keys  string
		place string
		shown []string
	}{
		{"", "1.1", []string{"기록 1.1", "Enter 다음 단계", "[기록]"}},
		{"enter enter", "1.8", []string{"하위 단계 5개를 지나왔습니다"}},
		{"right right left", "1.2", nil},
		{"ㄴ n", "1.8", nil},
		{"] ", "5.9", []string{"PUT deployments/scale  2 → 4", "디플로이먼트──⛔", "━━━━━━●──────"}},
		{"] ] [", "5.9", nil},
		{"] [", "5.9", []string{"그쪽에는 파드의 수나 크기가 바뀐 단계가 없습니다"}},
		{"] left", "5.8", nil},
		{"end", "6.13", []string{"· 끝 "}},
		{"end home", "1.1", nil},
		{"] tab", "5.9", []string{"3단계. 디플로이먼트에 쓰기", "쓰고 난 바로 그 순간, 디플로이먼트는 몇이라고 말할까요?"}},
		{"] v", "5.9", []string{"사용률 (%)과 목표", "안정화 구간 5분"}},
		{"] o", "5.9", []string{"deployment/web", "- replicas: 2", "+ replicas: 4"}},
		{"] a", "5.9", []string{"PUT", "/scale"}},
		{"] f", "5.9", []string{"hpa/3-scale/update", "이 단계가 읽고 계산한 값"}},
		{"] w", "5.9", []string{"왜: 패스 5에서"}},
		{"l", "1.1", []string{"이 패스의 단계", "▶ 1.1"}},
		{"? ", "1.1", []string{"도움말", "이동, goto, g 자리"}},
		{"g 5.9 enter", "5.9", nil},
		{"/ replicaSetReplicas enter", "1.9", nil},
		{": 이동 space 끝 enter", "6.13", nil},
		{": 없는명령 enter", "1.1", []string{"알 수 없는 명령입니다"}},
	} {
		t.Run(c.keys, func(t *testing.T) {
			l := &learner{t: t}
			l.replays("hpa-02-control-loop", sizes[1], strings.Fields(c.keys)...)
			if l.place() != c.place {
				t.Errorf("at %s, want %s", l.place(), c.place)
			}
			for _, text := range c.shown {
				if !strings.Contains(packed(plain(l.m)), packed(text)) {
					t.Errorf("%q is not on the screen:\n%s", text, plain(l.m))
				}
			}
			fits(t, l.m)
		})
	}
}

// TestReplayIsTheLesson: at the end of a step a recording shows what the lesson showed, and
// the verdicts stand where they stood; the map does not depend on the way that led there. Of a
// long one it is some of the moments that the lesson has shown, since each is laid out anew.
func TestReplayIsTheLesson(t *testing.T) {
	for _, name := range recordings(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			frames, err := opened(name)
			if err != nil {
				t.Fatal(err)
			}
			maps, at := map[string]string{}, -1
			l := &learner{t: t, seen: func(m Model) {
				if f, _, ok := m.frame(); ok && !m.past() && m.cursor != at {
					at, maps[fmt.Sprint(f.Pass, f.Step)] = m.cursor, strings.Join(m.actors(), "\n")
				}
			}}
			l.plays(name, sizes[1], nil)
			keys, wanted := slices.Repeat([]string{"right"}, 1000), len(maps)/2
			if len(frames) > 160 {
				keys = moments(frames, maps)
				wanted = len(keys) - 1
			}
			told, pages := 0, map[string]bool{}
			r := &learner{t: t}
			r.seen = func(m Model) {
				f, _, ok := m.frame()
				if !ok || !m.asking {
					return
				}
				if was, ok := maps[fmt.Sprint(f.Pass, f.Step)]; ok {
					if told++; strings.Join(m.actors(), "\n") != was {
						t.Errorf("%d %s:\n%s\nin the lesson:\n%s", f.Pass, f.Step, strings.Join(m.actors(), "\n"), was)
					}
				}
				pages[strings.Join(m.lines(story), "\n")] = true
				if told%10 == 0 {
					fits(t, m)
				}
				if m.place.Last {
					r.done = true
				}
			}
			r.replays(name, sizes[1], keys...)
			if told < wanted || len(pages) < 3 {
				t.Errorf("%d moments of %d, %d pages of the lesson", told, len(maps), len(pages))
			}
		})
	}
}

// moments are places of a recording that a lesson has shown, from its beginning to its end: every
// so many-th, and the end.
func moments(frames []trace.Frame, shown map[string]string) (keys []string) {
	const most = 40
	var all []string
	for i, first := 0, 0; i < len(frames); i++ {
		if frames[i].Pass != frames[first].Pass {
			first = i
		}
		if _, ok := shown[fmt.Sprint(frames[i].Pass, frames[i].Step)]; ok {
			all = append(all, fmt.Sprintf("goto %d.%d", frames[i].Pass, i-first+1))
		}
	}
	every := (len(all) + most - 1) / most
	for i := 0; i < len(all); i += max(every, 1) {
		keys = append(keys, all[i])
	}
	return append(keys, "goto end")
}

// TestPalette: a command is found by any of its names, in either language of the keyboard,
// and nothing is sent before Enter.
func TestPalette(t *testing.T) {
	m := New(Setting{Replay: true}, func(string) {})
	m.asking, m.stop = true, play.ForReplay
	m = m.replayed(play.Replayed{Frame: trace.Frame{Pass: 1, Step: "x/1"}})
	for typed, want := range map[string]string{
		"계": "계속", "con": "계속", "채ㅜ": "계속", "rPt": "계속", "c": "계속", "ㅊ": "계속", "WHY": "왜", "그래프": "그래프", "yaml": "오브젝트", "goto 3": "이동", "찾": "찾기", "xyzzy": "",
	} {
		p := m.opens(typed)
		got := ""
		if all := p.meant(); len(all) > 0 {
			got = all[0].names[0]
		}
		if got != want {
			t.Errorf("%q means %q, want %q", typed, got, want)
		}
	}
	l := &learner{t: t, m: m.opens("")}
	l.press("ㄱㅖㅅㅗㄱ")
	if got := l.m.palette.field.String(); got != "계속" {
		t.Errorf("the jamo are %q", got)
	}
	if _, caret := l.m.screen(); caret == nil || caret.X != 2+4 {
		t.Errorf("the caret is at %+v, behind two syllables", caret)
	}
	l.press("esc")
	if l.m.palette != nil || len(l.sent) > 0 {
		t.Errorf("Esc: %+v, sent %q", l.m.palette, l.sent)
	}
}
