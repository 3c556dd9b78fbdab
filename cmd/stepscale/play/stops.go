package play

import (
	"cmp"
	"fmt"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine"
)

// ask stops until the learner goes on. It returns the answer, empty when there is none.
func (p *Play) ask(why Stop) (string, error) {
	for !p.Auto {
		said := p.now()
		if why == ForPace && said.Held == "" {
			return Wake, nil
		}
		if b := said.Ballot; b != nil && (p.recast || !b.Answered && p.voted != b.ID) {
			if err := p.ballot(*b); err != nil {
				return "", err
			}
			continue
		}
		line, err := p.await(why, said.Changed)
		if err != nil {
			return "", err
		}
		if line == Wake {
			if why == ForPace {
				return Wake, nil
			}
			continue
		}
		if p.looksAround(line) {
			continue
		}
		v, arg, ok := spoken(cmp.Or(line, Next))
		if ok && p.recorded != nil && !v.still {
			p.note("기록으로 하는 수업이라 클러스터가 없습니다. 명령 목록은 ?로 볼 수 있습니다.")
			continue
		}
		switch {
		case ok:
			switch v.do(p, arg) {
			case forward:
				return "", nil
			case quit:
				return "", ErrQuit
			}
		case why == ForAnswer && p.answered(line):
			p.latest()
			return line, nil
		default:
			p.unknown(line, why)
		}
	}
	return "", p.ctx.Err()
}

// answered tells whether the line answers the question told last.
func (p *Play) answered(line string) bool {
	ok, _ := p.asked.answers(p.unit(*p.asked), line)
	return ok
}

// unit is that of the fact that a question asks about.
func (p *Play) unit(q question) engine.Unit {
	unit, known := p.Loop.Facts.Unit(q.fact)
	if !known && q.fact == forkParts {
		return engine.Bool
	}
	return unit
}

func (p *Play) unknown(line string, why Stop) {
	var names []string
	for _, v := range Verbs() {
		if !v.moves {
			names = append(names, v.Names...)
		}
	}
	text := unknownCommand(line)
	if why == ForAnswer {
		_, wanted := p.asked.answers(p.unit(*p.asked), line)
		text = fmt.Sprintf("이 물음의 답으로 읽을 수 없습니다: %s. %s 그냥 Enter를 누르시면 넘어갑니다.", line, wanted)
	}
	p.note(text + perhaps(line, names))
}

func unknownCommand(line string) string {
	return fmt.Sprintf("알 수 없는 명령입니다: %s. 명령 목록은 ?로 볼 수 있습니다.", line)
}

// perhaps asks whether the name that is nearest to a mistyped word was meant; nothing is
// near to a single letter.
func perhaps(word string, names []string) string {
	near := problem.Nearest(word, names)
	if near == "" || len([]rune(word)) < 2 {
		return ""
	}
	return fmt.Sprintf(" 혹시 '%s'입니까?", near)
}

// linger stays at the end while the learner reads it, or looks on at what the lesson is about.
func (p *Play) linger() error {
	if p.After == "" || p.Auto {
		return nil
	}
	leave := "Enter를 누르시면 " + p.After
	switch {
	case p.recorded != nil:
		p.note("기록은 아직 열려 있습니다. 더 둘러보시고, " + leave)
	case p.session != nil:
		p.note("클러스터는 아직 그대로입니다. 다른 터미널에서 더 보시고, " + leave)
	default:
		p.note(leave)
	}
	for {
		p.running = false
		if _, err := p.ask(ForNext); err != nil || !p.running {
			return err
		}
		p.note("수업은 끝났으므로 이어서 실행할 것이 없습니다. " + leave)
	}
}
