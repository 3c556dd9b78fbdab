package full

import (
	"fmt"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/cmd/stepscale/wording"
	"github.com/stepscale/stepscale/engine/trace"
)

// told is the state after an event of the play.
func (m Model) told(e play.Event) (tea.Model, tea.Cmd) {
	switch e := e.(type) {
	case play.Ask:
		m.asking, m.stop = true, e.Stop
		if e.Stop != play.ForAnswer && e.Stop != play.ForVote && e.Stop != play.ForDemo { // a demo shows what it shows
			m = m.reveal()
		}
	case play.Title:
		m.title = view.OneLine(e.Text)
	case play.Prose:
		m = m.says(text(e))
	case play.Coming:
		if len(m.opening) > 0 {
			m = m.says(m.opening...)
			m.opening = nil
		}
		if m.coming, m.questions = wording.Coming(e), nil; m.retells() { // it has come
			m = m.says(text(e))
		}
	case play.Question:
		m = m.reveal()
		if m.retells() {
			m = m.says(text(e))
		}
		m.questions = append(m.questions[:len(m.questions):len(m.questions)], asked{text: e.Text, hinted: e.Hinted})
		m.current = len(m.questions) - 1
	case play.Again:
		m.questions = slices.Clone(m.questions)
		m.current, m.coming = e.Index, ""
		m.questions[e.Index].wrong, m.questions[e.Index].hinted = e.Guess, e.Hinted
	case play.Ballot:
		m = m.present()
		m.ballot, m.field, m.focus, m.overlay, m.palette = &e, field{}, story, nil, nil
	case play.Note, play.Hint, play.Tally, play.Parting:
		m.notes = append(m.notes[:len(m.notes):len(m.notes)], text(e))
	case play.Executed, play.Running, play.Pass, play.Passed, play.Verdicts, play.Trouble:
		return m.executed(e), nil
	case play.Replayed:
		m = m.replayed(e)
	case play.Branched:
		m = m.branched(e)
	case play.Result:
		m.deeds = append(m.deeds, page{}.with(text(e)))
		m.fresh, m.focus, m.scroll[deed] = true, deed, 0
	case play.Finished:
		m.finished = e.Text
		m = m.says(m.ending(e)...)
		m.coming, m.questions = "", nil
	default:
		m.overlay = m.over(e)
	}
	return m, nil
}

// text is an event as the face of lines writes it.
func text(e play.Event) block {
	return func(s *view.Screen) { wording.Write(s, e) }
}

// says puts something into the story, on a page of its own after a step.
func (m Model) says(b ...block) Model {
	if m.fresh {
		m.fresh = false
		m.stories = append(m.stories, page{behind: len(m.frames) - 1})
		m.scroll[story], m.leaf = 0, 0
	}
	m.stories = renew(m.stories, last(m.stories).with(b...))
	return m
}

// executed takes in what a step has done, and what became of the predictions.
func (m Model) executed(e play.Event) Model {
	switch e := e.(type) {
	case play.Executed:
		m = m.reveal().lastPage()
		p := page{}
		if len(m.passes) > 0 {
			p, m.passes = last(m.deeds), nil
			p.blocks = p.blocks[:1:1]
		} else {
			m.deeds = append(m.deeds, p)
		}
		m.deeds = renew(m.deeds, p.with(deedBlock(m.stepView(e.Frame))))
		m.fresh, m.focus = true, deed
		m = m.fromTop()
	case play.Running:
		m.passes = nil
	case play.Pass:
		if len(m.passes) == 0 {
			m.deeds = append(m.deeds, page{})
		}
		m = m.reveal()
		m.passes = append(m.passes[:len(m.passes):len(m.passes)], e)
		m.deeds = renew(m.deeds, page{}.with(passBlock(m.passes)))
		m.focus = deed
		m = m.fromTop()
	case play.Verdicts:
		m = m.judged(e)
	case play.Trouble:
		m.deeds = append(m.deeds, page{}.with(text(e)))
		m.focus, m.scroll[deed] = deed, 0
	}
	return m
}

// fromTop shows what was done from its beginning, but to who follows and looks back.
func (m Model) fromTop() Model {
	if !m.Follows || !m.past() {
		m.scroll[deed] = 0
	}
	return m
}

// judged puts the verdicts before what the step did, each behind its question.
func (m Model) judged(all play.Verdicts) Model {
	var blocks []block
	for i, v := range all {
		question := ""
		if i < len(m.questions) {
			question = m.questions[i].text
			blocks = append(blocks, text(play.Question{Text: question}))
		}
		blocks = append(blocks, text(play.Verdicts{v}))
		m.results = append(m.results[:len(m.results):len(m.results)], result{question, v})
	}
	m.questions = nil
	m.deeds = renew(m.deeds, last(m.deeds).before(blocks...))
	return m
}

// stepView is a frame as a screen shows it.
func (m Model) stepView(f trace.Frame) view.StepView {
	return view.StepView{Frame: f, Start: m.start(), Simulated: m.Simulated}
}

func deedBlock(v view.StepView) block { return func(s *view.Screen) { s.Deed(v) } }

// mostTicks is how many passes are written one by one, those of the end.
const mostTicks = 12

func passBlock(passes []play.Pass) block {
	return func(s *view.Screen) {
		shown := passes[max(len(passes)-mostTicks, 0):]
		s.TickHeader(view.NewTick(shown[0].Frames))
		if hidden := len(passes) - len(shown); hidden > 0 {
			s.Note(fmt.Sprintf("앞의 패스 %d번은 ←로 볼 수 있습니다.", hidden))
		}
		for _, p := range shown {
			s.Tick(view.NewTick(p.Frames), p.Start)
		}
		s.Blank()
	}
}

// over is the page over the screen that an event asks for.
func (m Model) over(e play.Event) *overlay {
	o := &overlay{}
	switch e := e.(type) {
	case play.Facts:
		f := e
		if shown, _, ok := m.frame(); ok {
			f.Frame = shown
		}
		o.page = page{name: "이 단계가 읽고 계산한 값"}.with(func(s *view.Screen) { s.Moment(m.stepView(f.Frame)) }, text(f))
	case play.Kubectl:
		o.page, o.copied = page{name: "다른 터미널에서 (y를 누르시면 복사합니다)"}.with(text(e), func(s *view.Screen) { s.Clocks(m.stepView(e.Frame)) }), copied(e)
	case play.Help, play.ReplayHelp:
		o.page = page{name: "도움말"}.with(m.helpBlock())
	default:
		o.page = page{name: "기록에서"}.with(text(e))
	}
	return o
}

// calls are all requests of the step that is shown.
func (m Model) calls() *overlay {
	f, _, _ := m.frame()
	return &overlay{page: page{name: "이 단계의 API 호출"}.with(func(s *view.Screen) { s.Calls(f) })}
}

// yaml is what that step changed, in the objects.
func (m Model) yaml() *overlay {
	f, _, _ := m.frame()
	return &overlay{page: page{name: "이 단계가 바꾼 오브젝트"}.with(func(s *view.Screen) { s.YAML(f) })}
}

// copied are the lines of a terminal that show the same state.
func copied(e play.Kubectl) string {
	all := ""
	for _, l := range e.Access {
		all += l + "\n"
	}
	if e.Executed && e.Frame.Kubectl != "" {
		all += e.Frame.Kubectl + "\n"
	}
	return all
}

// tick moves the spinner on.
func tick() tea.Cmd {
	return tea.Tick(time.Second, func(time.Time) tea.Msg { return beat{} })
}

// branched is the state in which a branch begins, with nothing executed yet; and the one in
// which the play stood before, when it is over.
func (m Model) branched(e play.Branched) Model {
	if !e.Ends {
		trunk := m
		m.trunk = &trunk
		m.frames, m.worlds, m.ticks, m.now, m.cursor = nil, nil, nil, -1, -1
		m.stories, m.questions, m.leaf, m.finished = nil, nil, 0, "" // the lesson speaks of its own cluster
		return m
	}
	if m.trunk == nil {
		return m
	}
	back := *m.trunk
	back.width, back.height, back.asking, back.notes, back.overlay = m.width, m.height, m.asking, m.notes, m.overlay
	return back
}
