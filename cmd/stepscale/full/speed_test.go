package full

import (
	"slices"
	"strconv"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/engine/trace"
)

// crowded is the largest screen, with fifty passes in which a hundred pods move.
func crowded() Model {
	m := New(Setting{Loop: loops()["hpa"], Simulated: true, Color: true}, func(string) {})
	m.width, m.height, m.asking = 200, 60, true
	for pass := 1; pass <= 50; pass++ {
		for _, s := range m.Loop.Steps {
			f := trace.Frame{Pass: pass, Step: s.ID, Actor: s.Actor}
			f.Add("currentUtilization", "95%", "190m × 100 / 200m")
			f.Add("podsTotal", "100", "")
			f.Add("readyPods", strconv.Itoa(pass), "")
			for pod := range 100 {
				f.Add("podMetric/web-"+strconv.Itoa(pod), "95m", "")
				f.Changes = append(f.Changes, trace.Change{Object: "pod/web-" + strconv.Itoa(pod), Field: "spec.nodeName", To: "node"})
			}
			m = m.framed(f)
		}
	}
	return m.reveal()
}

// BenchmarkKey is a key and the frame that it leads to, on a crowded screen. What counts is
// the slowest of twenty.
func BenchmarkKey(b *testing.B) {
	m := crowded()
	b.ReportAllocs()
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		began := time.Now()
		next, _ := m.Update(tea.KeyPressMsg{Code: []rune{tea.KeyLeft, tea.KeyRight}[i%2]})
		m = next.(Model)
		_ = m.View()
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
}

// BenchmarkReplayed is a step of a recording, of which the map and the charts are made anew.
func BenchmarkReplayed(b *testing.B) {
	all := crowded().frames
	m := New(Setting{Loop: loops()["hpa"], Simulated: true, Color: true, Replay: true}, func(string) {})
	m.width, m.height = 200, 60
	last := len(all) - 1
	for b.Loop() {
		m = m.replayed(play.Replayed{Frame: all[last], Before: all[last-40*len(m.Loop.Steps) : last]})
		_ = m.View()
	}
}

// TestIdle: while nothing happens, the screen asks for no message, and what it has asked
// for before dies out.
func TestIdle(t *testing.T) {
	m := crowded()
	if m.Init() != nil {
		t.Error("it begins to tick of itself")
	}
	for _, msg := range []tea.Msg{Told{play.Ask{Stop: play.ForNext}}, beat{}, calm{}, awaits(""), tea.WindowSizeMsg{Width: 80, Height: 24}, tea.KeyPressMsg{Code: tea.KeyLeft}, tea.KeyPressMsg{Code: 'g', Text: "g"}, tea.KeyPressMsg{Code: tea.KeyEscape}, tea.KeyPressMsg{Code: ':', Text: ":"}, tea.KeyPressMsg{Code: 'c', Text: "c"}} {
		next, cmd := m.Update(msg)
		if m = next.(Model); cmd != nil {
			t.Errorf("%+v is followed by a message", msg)
		}
	}
	m.asking = false
	if _, cmd := m.Update(beat{}); cmd == nil {
		t.Error("the spinner stands still while a step runs")
	}
}

// TestMouse: it is off until somebody asks for it; then its wheel scrolls.
func TestMouse(t *testing.T) {
	m := crowded()
	m.height = 24
	if m.View().MouseMode != tea.MouseModeNone {
		t.Error("the mouse is taken unasked")
	}
	next, _ := m.Update(tea.KeyPressMsg{Code: 't', Mod: tea.ModCtrl})
	m = next.(Model)
	if m.View().MouseMode != tea.MouseModeCellMotion {
		t.Error("Ctrl-T does not turn the mouse on")
	}
	m.overlay = m.over(play.Help{})
	m.width, m.height = 80, 14
	next, _ = m.Update(tea.MouseWheelMsg{Button: tea.MouseWheelDown})
	down := next.(Model).overlay.scroll
	next, _ = next.(Model).Update(tea.MouseWheelMsg{Button: tea.MouseWheelUp})
	if down == 0 || next.(Model).overlay.scroll != 0 {
		t.Errorf("the wheel scrolls by %d, and back to %d", down, next.(Model).overlay.scroll)
	}
}

// TestSpinnerOnly: what is drawn anew while an actor is awaited is the last row, and the screen
// is the one that is drawn from nothing: also where something has changed that was not drawn.
func TestSpinnerOnly(t *testing.T) {
	m := crowded()
	m.asking = false
	send := func(msg tea.Msg) {
		next, _ := m.Update(msg)
		m = next.(Model)
	}
	for _, c := range []struct {
		msg   tea.Msg
		looks bool
	}{{beat{}, true}, {tea.WindowSizeMsg{Width: 100, Height: 30}, false}, {beat{}, true}, {awaits("실제 시간으로 3초 더 기다립니다"), true}, {awaits(""), true}, {Framed{trace.Frame{Pass: 51, Step: m.Loop.Steps[0].ID}}, true}, {Told{play.Note{Text: "들어온 말"}}, false}, {beat{}, true}, {tea.WindowSizeMsg{Width: 10, Height: 3}, true}, {beat{}, true}} {
		if send(c.msg); !c.looks {
			continue
		}
		anew := m
		anew.drawn = &drawn{}
		if got, want := plain(m), plain(anew); got != want {
			t.Errorf("%+v: got\n%s\nwant\n%s", c.msg, got, want)
		}
	}
	m.width, m.height, m.drawn = 200, 60, &drawn{}
	_ = m.View()
	spent := func(msg tea.Msg) float64 {
		return testing.AllocsPerRun(20, func() {
			send(msg)
			_ = m.View()
		})
	}
	if beats, whole := spent(beat{}), spent(Told{play.Running{}}); beats*20 > whole {
		t.Errorf("%v allocations for the spinner, %v for a whole screen", beats, whole)
	}
}
