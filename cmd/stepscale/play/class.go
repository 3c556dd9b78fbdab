package play

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stepscale/stepscale/engine/trace"
)

// Class is the class that a play is part of: somebody looks on, and sets the pace. Neither
// method waits for anything.
type Class interface {
	// Told takes in where the learner stands.
	Told(Progress)
	// Now is what the instructor says at this moment about a step that is about to come.
	Now(Ahead) Said
}

// Progress is what the instructor sees of a learner.
type Progress struct {
	Lesson   string
	Step     string // executed last; empty before the first
	Steps    int    // executed
	Total    int
	Question string // the fact that is asked about, or was asked about last
	Answer   string // the learner's, as Canonical has it; empty without one
	Open     bool   // the question's step is still to come
	Held     bool   // waits for the pace
	Help     bool   // the hand is raised
	Done     bool
	Replicas *int32 // nil where no step has told
	Vote     string // the ballot that Choice answers; empty before one
	Choice   string
}

// Ahead is the step that comes next.
type Ahead struct {
	Lesson string
	Done   int // steps executed before it
	// Find is how many steps come before the one of that name or number.
	Find func(step string) (int, bool)
}

// Said is what the instructor says. Later has another answer as soon as Changed is closed.
type Said struct {
	Held    string // why the step has to wait, in Korean; empty where it need not
	News    []Event
	Ballot  *Ballot // that waits for the learner's answer; nil where none does
	Shows   bool    // it is the instructor who plays, and others look on
	Changed <-chan struct{}
}

// Ballot is a vote that the instructor has opened.
type Ballot struct {
	ID       string // of the vote and its round
	Text     string
	Choices  []string
	Answered bool // this learner has
}

// Wake is what a face sends when what it waited with has changed, and nobody has typed.
const Wake = "\x00"

// told passes on what has changed.
func (p *Play) told(change func(*Progress)) {
	if p.Class == nil {
		return
	}
	change(&p.progress)
	p.Class.Told(p.progress)
}

// now asks what the instructor says about the step that comes next.
func (p *Play) now() Said {
	if p.Class == nil {
		return Said{}
	}
	said := p.Class.Now(Ahead{Lesson: p.Lesson.ID, Done: p.progress.Steps, Find: p.find})
	for _, e := range said.News {
		p.tell(e)
	}
	return said
}

// find takes the name of a step, or its number as the board counts, from 1.
func (p *Play) find(step string) (int, bool) {
	if n, err := strconv.Atoi(step); err == nil {
		return n - 1, n >= 1 && n <= p.progress.Total
	}
	return FindStep(p.scenes, step)
}

// held waits as long as the instructor holds the step that comes next. It returns ErrQuit
// where the learner does not.
func (p *Play) held() error {
	waited := ""
	for {
		said := p.now()
		switch {
		case said.Held == "" && waited != "":
			p.told(func(g *Progress) { g.Held = false })
			p.note("강사가 진행을 풀었습니다. 이어서 실행합니다.")
			return p.ctx.Err()
		case said.Held == "":
			return nil
		case said.Held != waited:
			p.note(said.Held)
		}
		if waited == "" {
			p.told(func(g *Progress) { g.Held = true })
		}
		waited = said.Held
		if p.Auto {
			select {
			case <-p.ctx.Done():
				return p.ctx.Err()
			case <-said.Changed:
			}
			continue
		}
		line, err := p.ask(ForPace)
		if err != nil {
			return err
		}
		if line != Wake { // somebody would like to know again
			waited = "?"
		}
	}
}

// ballot lets the learner vote once, or not. What is typed stays out of the lesson.
func (p *Play) ballot(b Ballot) error {
	p.voted, p.recast = b.ID, false
	p.tell(b)
	for {
		said := p.now()
		if said.Ballot == nil || said.Ballot.ID != b.ID {
			p.note("강사가 투표를 닫았습니다.")
			return nil
		}
		line, err := p.await(ForVote, said.Changed)
		v, arg, isVerb := spoken(line)
		choice, ok := b.Choice(line)
		switch {
		case err != nil:
			return err
		case line == Wake:
		case ok:
			p.told(func(g *Progress) { g.Vote, g.Choice = b.ID, choice })
			p.note(fmt.Sprintf("투표했습니다: %s. 다른 분의 답은 강사가 보여 드릴 때까지 아무도 보지 못합니다.", choice))
			return nil
		case line == "" || isVerb && v.moves:
			p.note("투표하지 않고 넘어갑니다. 나중에 하시려면 '투표'라고 적어 주십시오.")
			return nil
		case isVerb:
			if v.do(p, arg) == quit {
				return ErrQuit
			}
		default:
			p.note(strings.Join(b.Choices, ", ") + " 가운데 하나로 답해 주십시오. 그냥 Enter를 누르시면 넘어갑니다.")
		}
	}
}

// Choice is the one that a line means.
func (b Ballot) Choice(line string) (string, bool) {
	i := slices.IndexFunc(b.Choices, func(c string) bool {
		return strings.EqualFold(c, line) || line != "" && Canonical(c) == Canonical(line)
	})
	if i < 0 {
		return "", false
	}
	return b.Choices[i], true
}

// hand raises the hand, or takes it down.
func (p *Play) hand() flow {
	if p.Class == nil || p.now().Shows {
		p.note("이 수업을 보고 있는 강사가 없습니다.")
		return stay
	}
	p.told(func(g *Progress) { g.Help = !g.Help })
	if p.progress.Help {
		p.note("강사의 화면에 손을 들었습니다(도와주세요). 내리시려면 !를 한 번 더 누르십시오.")
	} else {
		p.note("손을 내렸습니다.")
	}
	return stay
}

// vote opens the ballot once more that was passed over.
func (p *Play) vote() flow {
	if p.recast = p.now().Ballot != nil; !p.recast {
		p.note("지금 열려 있는 투표가 없습니다.")
	}
	return stay
}

// replicaFacts are where frames tell how many pods there are to be, the one that a step
// has just written first.
var replicaFacts = []string{"deploymentReplicas", "scaleReplicas", "actualReplicas", "currentReplicas"}

func replicasIn(frames []trace.Frame) *int32 {
	for i := len(frames) - 1; i >= 0; i-- {
		for _, name := range replicaFacts {
			text, ok := frames[i].Fact(name)
			if n, err := strconv.ParseInt(text, 10, 32); ok && err == nil {
				return new(int32(n))
			}
		}
	}
	return nil
}

// Canonical is an answer so that those who mean the same say the same: "4" for 넷 and 4개,
// "scaleUp" for 확장. What is neither a number nor a known word stays.
func Canonical(line string) string {
	if w := Means(line); w != "" {
		return w
	}
	if n, ok := number(line); ok {
		return strconv.FormatFloat(n.n, 'g', -1, 64) + n.unit
	}
	return line
}
