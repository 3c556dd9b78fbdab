package full

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
)

// Setting is what a play is shown with; it does not change.
type Setting struct {
	Loop      engine.Definition // of the frames
	Simulated bool              // time, nodes and load are
	Cluster   string            // what it is called, where it is a real one
	Notes     []string          // what is to be known before the lesson begins
	Replay    bool              // a recording is played
	Lesson    bool              // that a lesson is about, which is played too
	Follows   bool              // somebody else's steps are followed
	Title     string            // until the play tells another
	Color     bool
}

// pane is a part of the screen that can be scrolled.
type pane int

const (
	story pane = iota // what the lesson says, and the question
	deed              // what the last step did
)

// Model is the whole state of the screen: Update and View are functions of their arguments.
type Model struct {
	Setting
	send func(line string) // to the play

	width, height int

	frames []trace.Frame // executed so far
	worlds []world       // after each of them
	ticks  []view.Tick   // of the passes that are over
	now    int           // the last frame that was told; -1 before the first
	cursor int           // the frame that is shown: now, unless somebody looks back

	trunk *Model         // what was shown before a branch began; nil outside of one
	place *play.Replayed // the moment of a recording; nil outside of one

	title          string
	stories, deeds []page
	passes         []play.Pass // of a row of passes that is told
	fresh          bool        // what the lesson says next begins a page
	focus          pane
	tabbed         bool   // the learner has chosen the pane
	scroll         [2]int // of each pane
	leaf           int    // how many pages before the last one the story is read
	overlay        *overlay
	palette        *palette

	coming    string
	questions []asked // of the step that is about to come, or has just gone by
	current   int     // the question that is asked
	notes     []block // what the play answers to a key, and hints
	aside     []block // what the screen itself answers to a key, until the next one
	opening   []block // what is to be known: the end of the lesson's first page
	results   []result
	finished  string // how the lesson ended

	asking  bool // the play waits for what the learner does
	stop    play.Stop
	mouse   bool   // its wheel scrolls
	quiet   bool   // no Enter is taken: it belongs to the jamo before it
	beats   int    // of the spinner
	awaited string // what takes real time while a step runs
	drawn   *drawn // since something else than the last row has changed
	spun    bool   // nothing but that row has
	field   field

	ballot *play.Ballot // that is asked for
}

// asked is a question with what the learner has answered.
type asked struct {
	text, guess string
	wrong       string // the first guess, where a second try is asked for
	hinted      bool   // there is a hint
}

// result is what became of a question.
type result struct {
	question string
	verdict  play.Verdict
}

// overlay is a page over both panes.
type overlay struct {
	page
	scroll int
	copied string // what y copies; empty where there is nothing to copy
}

// drawn is the screen as it was drawn last. While an actor is awaited it is drawn every second,
// and all of it but the last row is as it was.
type drawn struct {
	rows  []string
	caret *tea.Cursor
}

// New is the screen before anything was told.
func New(s Setting, send func(line string)) Model {
	m := Model{Setting: s, send: send, title: view.OneLine(s.Title), now: -1, cursor: -1, width: 80, height: 24, fresh: true, drawn: &drawn{}}
	for _, n := range s.Notes {
		m.opening = append(m.opening, text(play.Note{Text: n}))
	}
	if m.retells() {
		m.notes, m.opening = m.opening, nil
	}
	return m
}

// What is sent to the model beside keys and sizes.
type (
	// Told is an event of the play.
	Told struct{ Event play.Event }
	// Framed is a frame that was executed, told or not.
	Framed struct{ Frame trace.Frame }
	// ended closes the screen.
	ended struct{}
	// beat moves the spinner.
	beat struct{}
	// awaits is what takes real time; empty when it is over.
	awaits string
	// calm ends the moment after a jamo.
	calm struct{}
	// woken ends a stop without a key; asked takes whether one had come before.
	woken struct{ asked chan<- bool }
)

// Init starts nothing.
func (m Model) Init() tea.Cmd { return nil }

// Update is the state after a message.
func (m Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg.(type) {
	case beat, awaits:
		m.spun = true
	default:
		m.spun, m.drawn = false, &drawn{}
	}
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case Framed:
		m = m.framed(msg.Frame)
	case Told:
		return m.told(msg.Event)
	case tea.KeyPressMsg:
		return m.key(msg)
	case tea.MouseWheelMsg:
		return m.wheel(msg.Button), nil
	case tea.PasteMsg:
		switch {
		case m.palette != nil:
			m.palette = &palette{field: m.palette.field.typed(msg.Content)}
		case m.answering():
			m.field = m.field.typed(msg.Content)
		}
	case beat:
		m.beats++
		if !m.asking {
			return m, tick()
		}
	case awaits:
		m.awaited = string(msg)
	case calm:
		m.quiet = false
	case woken:
		was := m.asking
		if m.asking = false; m.stop == play.ForPace || m.stop == play.ForDemo {
			m.notes = nil // why the step waited, and what was said of the last one
		}
		return m, func() tea.Msg { msg.asked <- was; return nil }
	case ended:
		return m, tea.Quit
	}
	return m, nil
}

// framed takes a frame in. It is shown when the play tells of it.
func (m Model) framed(f trace.Frame) Model {
	var last world
	if n := len(m.worlds); n > 0 {
		last = m.worlds[n-1]
	}
	if n := len(m.frames); n > 0 && m.frames[n-1].Pass != f.Pass {
		m.ticks = append(m.ticks, view.NewTick(play.OfPass(m.frames, m.frames[n-1].Pass)))
	}
	m.frames = append(m.frames, f)
	m.worlds = append(m.worlds, last.with(f, m.Loop))
	return m
}

// reveal shows all frames that there are. Who follows others and looks back goes on doing so.
func (m Model) reveal() Model {
	if last := len(m.frames) - 1; m.now != last {
		if !m.Follows || !m.past() {
			m.cursor = last
		}
		m.now = last
	}
	return m
}

// past tells whether the learner looks at a frame before the last one.
func (m Model) past() bool { return m.cursor < m.now }

// start is the loop time of the first frame.
func (m Model) start() (at time.Time) {
	switch {
	case m.place != nil:
		return m.place.Start
	case len(m.frames) > 0:
		return m.frames[0].At
	}
	return at
}

// frame is the one that is shown.
func (m Model) frame() (trace.Frame, world, bool) {
	if m.cursor < 0 || m.cursor >= len(m.frames) {
		return trace.Frame{}, world{}, false
	}
	return m.frames[m.cursor], m.worlds[m.cursor], true
}

// answering tells whether what is typed goes into the field.
func (m Model) answering() bool {
	return m.asking && (m.stop == play.ForAnswer || m.stop == play.ForVote) && m.asksHere() && m.overlay == nil && m.palette == nil && !m.past()
}
