package full

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/chain"
	"github.com/stepscale/stepscale/engine/clusterautoscaler"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/hpa/referee"
	"github.com/stepscale/stepscale/engine/hpavpa"
	"github.com/stepscale/stepscale/engine/karpenter"
	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/engine/recording/recordingtest"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/vpa"
	"github.com/stepscale/stepscale/lessons"
)

// loops are those of the recordings.
func loops() map[string]engine.Definition {
	all := map[string]engine.Definition{}
	for _, d := range []engine.Definition{
		hpa.Loop().Definition, hpa.Architecture().Definition, hpa.Intro().Definition, hpa.Observe().Definition, referee.Loop().Definition,
		vpa.Loop().Definition, vpa.Architecture().Definition, vpa.History().Definition, hpavpa.Loop().Definition,
		karpenter.Loop().Definition, karpenter.Disruption().Definition, clusterautoscaler.Loop().Definition, clusterautoscaler.Down().Definition,
		chain.WithKarpenter().Definition, chain.WithClusterAutoscaler().Definition, chain.Compare().Definition,
	} {
		all[d.Name] = d
	}
	return all
}

// opened are the frames of a recording of testdata: a lesson that was played once, with
// learn --auto.
func opened(name string) ([]trace.Frame, error) {
	b, err := recordingtest.Unpacked(filepath.Join("testdata", name+".jsonl.gz"))
	if err != nil {
		return nil, err
	}
	return recording.Read(bytes.NewReader(b))
}

// learner presses keys on a screen whose lesson comes from a recording.
type learner struct {
	t     *testing.T
	m     Model
	sent  []string
	seen  func(Model) // is told of every state
	told  func(play.Event)
	wrong bool // every question is answered wrongly first
	color bool
	done  bool // no more keys are pressed
}

func (l *learner) update(msg tea.Msg) {
	next, _ := l.m.Update(msg)
	l.m = next.(Model)
	if l.seen != nil {
		l.seen(l.m)
	}
}

// press is a key as bubbletea tells of it: a letter, or the name of one.
func (l *learner) press(key string) {
	l.t.Helper()
	codes := map[string]rune{"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "left": tea.KeyLeft, "right": tea.KeyRight, "end": tea.KeyEnd, "up": tea.KeyUp, "down": tea.KeyDown, "backspace": tea.KeyBackspace, "home": tea.KeyHome}
	if code, ok := codes[key]; ok {
		l.run(tea.KeyPressMsg{Code: code})
		return
	}
	if key == "space" {
		key = " "
	}
	for _, r := range key {
		l.run(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
}

// run carries out what a key has the screen send; what waits is not waited for.
func (l *learner) run(k tea.KeyPressMsg) {
	before := l.m.asking
	next, cmd := l.m.Update(k)
	l.m = next.(Model)
	if l.seen != nil {
		l.seen(l.m)
	}
	if before && !l.m.asking && cmd != nil {
		for batch, ok := cmd().(tea.BatchMsg); ok && len(batch) > 0; { // the line comes first; the rest are ticks
			batch, ok = batch[0]().(tea.BatchMsg)
		}
	}
}

// plays plays the lesson of the recording to its end, with the answers beside it. At a
// stop, keys are pressed before it goes on.
func (l *learner) plays(name string, size tea.WindowSizeMsg, keys func(*learner, play.Stop)) {
	t := l.t
	t.Helper()
	lesson, err := lessonOf(name)
	if err != nil {
		t.Fatal(err)
	}
	frames, err := opened(name)
	if err != nil {
		t.Fatal(err)
	}
	r := play.Retell(frames, true)
	defer r.Session().Close()
	l.m = New(Setting{Loop: loops()[lesson.Loop], Simulated: true, Color: l.color}, func(line string) { l.sent = append(l.sent, line) })
	l.update(size)
	r.Session().Heard = func(f trace.Frame) { l.update(Framed{f}) }
	p := play.New(play.Options{Lesson: lesson, Loop: loops()[lesson.Loop], Source: r, Save: func(state.Lesson) {}, After: "끝냅니다.", SecondTry: true})
	answers := lesson.Answers
	question := ""
	for e := range p.Events(t.Context()) {
		l.update(Told{e})
		if l.told != nil {
			l.told(e)
		}
		if _, ok := e.(play.Question); ok {
			question = answers[0].Text
			answers = answers[1:]
			if l.wrong {
				question = wrongly(question)
			}
		}
		ask, ok := e.(play.Ask)
		if !ok {
			continue
		}
		if keys != nil {
			keys(l, ask.Stop)
		}
		l.goOn(ask.Stop, question)
		p.Type(l.sent[len(l.sent)-1])
		if l.wrong && ask.Stop == play.ForAnswer {
			question = "" // the second try is given up
		}
	}
	if err := p.Err(); err != nil || len(p.Drift()) > 0 || len(answers) > 0 {
		t.Errorf("%s: %v, drift %v, %d answers are left", name, err, p.Drift(), len(answers))
	}
}

// goOn reads on until something is sent.
func (l *learner) goOn(stop play.Stop, answer string) {
	l.t.Helper()
	sent := len(l.sent)
	for range 1000 { // a screen of a few rows is read line by line
		if len(l.sent) > sent {
			return
		}
		if stop == play.ForAnswer && l.m.answering() && !l.m.more(story) && len(l.m.field.text) == 0 {
			l.press(answer)
		}
		l.press("enter")
	}
	l.t.Fatalf("Enter leads nowhere:\n%s", plain(l.m))
}

func lessonOf(name string) (lessons.Lesson, error) {
	all, err := lessons.Load(lessons.FS)
	for _, l := range all {
		if strings.ReplaceAll(l.ID, "/", "-") == name {
			return l, nil
		}
	}
	return lessons.Lesson{}, fmt.Errorf("no lesson %s: %w", name, err)
}

// wrongly is an answer of the same kind that is not right.
func wrongly(answer string) string {
	others := map[string]string{"유지": "확장", "확장": "축소", "축소": "유지", "예": "아니요", "아니요": "예", "재생성": "유지", "조정": "유지"}
	if other, ok := others[answer]; ok {
		return other
	}
	return "1" + answer
}
