package full

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
)

// class is a screen in a class; what is typed is what the play gets.
type class struct {
	t     *testing.T
	m     Model
	typed []string
}

func newClass(t *testing.T) *class {
	c := &class{t: t}
	c.m = New(Setting{Simulated: true, Title: "수업"}, func(line string) { c.typed = append(c.typed, line) })
	c.send(tea.WindowSizeMsg{Width: 80, Height: 24})
	return c
}

func (c *class) send(msg tea.Msg) {
	next, cmd := c.m.Update(msg)
	c.m = next.(Model)
	if _, key := msg.(tea.KeyPressMsg); key {
		if batch, ok := run(cmd).(tea.BatchMsg); ok {
			run(batch[0])
		}
	} else if _, wakes := msg.(woken); wakes {
		run(cmd)
	}
}

func run(cmd tea.Cmd) tea.Msg {
	if cmd == nil {
		return nil
	}
	return cmd()
}

func (c *class) tells(all ...play.Event) {
	for _, e := range all {
		c.send(Told{e})
	}
}

func (c *class) press(keys ...string) {
	for _, k := range keys {
		msg := tea.KeyPressMsg{Text: k}
		if k == "enter" {
			msg = tea.KeyPressMsg{Code: tea.KeyEnter}
		}
		if k == "esc" {
			msg = tea.KeyPressMsg{Code: tea.KeyEscape}
		}
		c.send(msg)
	}
}

func (c *class) shows(want string, is bool) {
	c.t.Helper()
	if strings.Contains(packed(plain(c.m)), packed(want)) != is {
		c.t.Errorf("%q is shown: %v in\n%s", want, !is, plain(c.m))
	}
}

// TestHeldOnTheScreen: why the step waits is seen, what was answered, and that Enter only
// looks again; keys are alive, and when it is over nothing of it is left.
func TestHeldOnTheScreen(t *testing.T) {
	c := newClass(t)
	c.tells(play.Prose{Text: "글"}, play.Coming{Text: "단계를 실행합니다."}, play.Question{Text: "몇 개입니까?"}, play.Ask{Stop: play.ForAnswer})
	c.press("4", "enter")
	c.tells(play.Note{Text: "강사가 멈춰 두었습니다."}, play.Ask{Stop: play.ForPace})
	c.shows("강사가 멈춰 두었습니다.", true)
	c.shows("몇 개입니까? → 4", true)
	c.shows("예측>", false)
	c.shows("다시 확인", true)
	c.press("!")
	c.press("q")
	if got := strings.Join(c.typed, " "); got != "4 !" { // the play has not asked again
		t.Errorf("typed %q", got)
	}
	c.tells(play.Ask{Stop: play.ForPace})
	asked := make(chan bool, 1)
	c.send(woken{asked})
	if !<-asked || c.m.asking {
		t.Error("the stop is not over")
	}
	c.shows("강사가 멈춰 두었습니다.", false)
	c.press("n")
	if got := strings.Join(c.typed, " "); got != "4 !" {
		t.Errorf("a key after the end of the stop: %q", got)
	}
}

// TestWokenBehindAKey: a key that came before is what the play gets.
func TestWokenBehindAKey(t *testing.T) {
	c := newClass(t)
	c.tells(play.Prose{Text: "글"}, play.Ask{Stop: play.ForNext})
	c.press("enter")
	asked := make(chan bool, 1)
	c.send(woken{asked})
	if <-asked || len(c.typed) != 1 {
		t.Errorf("typed %q", c.typed)
	}
}

// TestWhatWasSaidWhileItWaited: when a stop ends without a key, why it waited is not true any more;
// a hint at a stop that only gives way to a vote is.
func TestWhatWasSaidWhileItWaited(t *testing.T) {
	for stop, stays := range map[play.Stop]bool{play.ForPace: false, play.ForDemo: false, play.ForNext: true, play.ForAnswer: true} {
		c := newClass(t)
		c.tells(play.Prose{Text: "글"}, play.Coming{Text: "단계를 실행합니다."}, play.Question{Text: "몇 개입니까?"}, play.Note{Text: "들어온 말"}, play.Ask{Stop: stop})
		c.shows("들어온 말", true)
		c.send(woken{make(chan bool, 1)})
		c.tells(play.Ask{Stop: stop})
		c.shows("들어온 말", stays)
	}
}

// TestBallotOnTheScreen: a vote takes the place of the question, and gives it back; what was
// typed for the one is not an answer to the other.
func TestBallotOnTheScreen(t *testing.T) {
	c := newClass(t)
	c.tells(play.Prose{Text: "글"}, play.Coming{Text: "단계를 실행합니다."}, play.Question{Text: "몇 개입니까?"}, play.Ask{Stop: play.ForAnswer})
	c.press("7")
	c.send(woken{make(chan bool, 1)})
	c.tells(play.Ballot{ID: "v1/1", Text: "무엇을 고릅니까?", Choices: []string{"2", "3"}}, play.Ask{Stop: play.ForVote})
	c.shows("투표: 무엇을 고릅니까? (2 / 3)", true)
	c.shows("투표> 7", false)
	c.press("3", "enter")
	c.tells(play.Note{Text: "투표했습니다."}, play.Ask{Stop: play.ForAnswer})
	c.shows("투표: 무엇을 고릅니까?", false)
	c.shows("몇 개입니까?", true)
	c.press("enter")
	if got := strings.Join(c.typed, ","); got != "3," {
		t.Errorf("typed %q", got)
	}
	c.tells(play.Tally{Text: "무엇을 고릅니까?", Round: 1, Counts: []play.Count{{Answer: "3", Count: 12}}}, play.Ask{Stop: play.ForNext})
	c.shows("투표 1차: 무엇을 고릅니까?", true)
	c.shows("12명", true)
	for _, size := range sizes {
		c.m.width, c.m.height = size.Width, size.Height
		fits(t, c.m)
	}
}

// TestBallotBeforeAnyQuestion: keys do what they do at any stop, and a letter with which a choice
// begins is typed.
func TestBallotBeforeAnyQuestion(t *testing.T) {
	c := newClass(t)
	c.tells(play.Prose{Text: "글"}, play.Ballot{ID: "v1/1", Text: "어느 그룹입니까?", Choices: []string{"general", "large"}}, play.Ask{Stop: play.ForVote})
	c.press("?")
	c.tells(play.Help{}, play.Ask{Stop: play.ForVote})
	c.shows("강사의 화면에 손을 들거나 내립니다", true)
	c.press("esc", "g")
	c.shows("투표> g", true)
	c.press("enter")
	if got := strings.Join(c.typed, ","); got != "?,g" {
		t.Errorf("typed %q", got)
	}
}
