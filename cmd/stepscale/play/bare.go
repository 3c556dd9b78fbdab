package play

import (
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/lessons"
)

// NewRun is a play of a loop without a lesson: a step at a time, until the learner quits.
func NewRun(title string, o Options) *Play {
	p := New(o)
	p.script = func() error { return p.bare(title) }
	return p
}

func (p *Play) bare(title string) error {
	p.tell(Title{title})
	p.tell(Prose{"설명 없이 루프를 한 단계씩 실행합니다. **다음**을 누르실 때마다 액터 하나만 움직이고, **계속**은 파드의 수나 크기가 바뀔 때까지 패스를 이어 갑니다. 끝내실 때까지 클러스터는 그대로 기다립니다."})
	return p.bareSteps()
}

// bareSteps goes on step by step, from wherever the loop stands.
func (p *Play) bareSteps() error {
	for {
		following := p.following()
		b := lessons.Block{Kind: lessons.Step, Arg: string(following)}
		if p.Loop.MayBeLeftOut(following) { // nobody knows before whose turn it is
			b = lessons.Block{Kind: lessons.Step, Text: "다음 차례의 단계를 실행합니다."}
		}
		p.tell(Coming{Text: announce(b)})
		p.running = false
		if _, err := p.ask(ForNext); err != nil {
			return err
		}
		if p.running {
			b = lessons.Block{Kind: lessons.Continue, Arg: "change"}
			if p.branch != nil { // where nothing changes any more, somebody sits and waits
				b.Max = mostBranched
			}
		}
		t := p.passes(b)
		frames, err := p.execute(b, t.each())
		t.end()
		if len(frames) > 0 && p.ctx.Err() == nil {
			p.show(frames[len(frames)-1], false)
		}
		if p.branch != nil {
			p.branch.told(p, frames)
		}
		if err != nil {
			return err
		}
	}
}

// mostBranched is how much loop time a continue in a branch may take.
const mostBranched = "15m"

// following is the step that comes after the one executed last.
func (p *Play) following() trace.StepID {
	ids := p.Loop.StepIDs()
	frames := p.session.Frames()
	for i, id := range ids {
		if len(frames) > 0 && frames[len(frames)-1].Step == id {
			return ids[(i+1)%len(ids)]
		}
	}
	return ids[0]
}
