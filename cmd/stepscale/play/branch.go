package play

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/trace"
)

// Branch is the scenario of a play once more, from its beginning, on a cluster of its own:
// neither time nor objects are shared with the play's.
type Branch struct {
	Source Source
	// Edit changes the HPA as the learner; the error's text is Korean.
	Edit  func(ctx context.Context, sets []string) error
	Close func() error
}

// Branched begins a branch in a face, and ends it: what was shown before is shown again then.
type Branched struct{ Ends bool }

// branch is what a play knows of the one that it has been rewound into.
type branch struct {
	*Branch
	trunk *Play
	from  int      // pass of the frame at which it began
	sets  []string // what the learner has changed in it
	first *Parting // where it parted from the play; nil until it does
}

// noBranch says why a play cannot be rewound, where nobody has said it better.
const noBranch = "이 자리에서는 되감을 수 없습니다. 임베디드 클러스터에서 루프를 실행하는 동안에만 됩니다."

// rewind opens a branch, runs the loop again up to a place in it, and stays there until the
// learner returns.
func (p *Play) rewind(arg string) flow { return p.branchAt(arg, nil) }

// fork is rewind to the frame under the cursor, with something changed there.
func (p *Play) fork(arg string) flow {
	sets := strings.Fields(arg)
	if len(sets) == 0 {
		p.note("무엇을 바꿀지 적어 주십시오. 예: 갈래 target=70")
		return stay
	}
	if p.branch != nil {
		return p.set(arg)
	}
	f, _ := p.current()
	return p.branchAt(p.placeOf(f), sets)
}

func (p *Play) branchAt(place string, sets []string) flow {
	switch {
	case p.branch != nil:
		p.note("이미 되감은 자리입니다. 더 되감으시려면 먼저 '돌아가기'를 적어 주십시오.")
		return stay
	case p.Branch == nil:
		text := p.NoBranch
		if text == "" {
			text = noBranch
		}
		p.note(text)
		return stay
	}
	at, why := p.stepAt(place)
	if why != "" {
		p.note(why)
		return stay
	}
	if len(sets) > 0 && p.CheckEdit != nil { // before a cluster is made for it
		if err := p.CheckEdit(p.ctx, sets); err != nil {
			p.note(err.Error())
			return stay
		}
	}
	if err := p.branchOff(at, sets); err != nil && p.ctx.Err() == nil {
		p.note("되감지 못했습니다: " + p.failed("되감기", err).Error())
	}
	return stay
}

// branchOff is the whole of a branch: its cluster, the same steps again, what the learner
// does there, and what came of it.
func (p *Play) branchOff(at int, sets []string) (err error) {
	target := p.session.Frames()[at]
	p.note(fmt.Sprintf("새 임베디드 클러스터에서 같은 시나리오의 같은 단계 %d개를 처음부터 다시 실행합니다. 지금의 클러스터는 그대로 기다립니다.", at+1))
	p.tell(Branched{})
	defer p.tell(Branched{Ends: true})
	opened, err := p.Branch(p.ctx)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := opened.Close(); err == nil {
			err = closeErr
		}
	}()
	b := New(Options{Loop: p.Loop, Source: opened.Source, Word: p.Word})
	b.ctx, b.outer = p.ctx, &p.talk
	b.branch = &branch{Branch: opened, trunk: p, from: target.Pass}
	if err := b.repeat(at); err != nil {
		return err
	}
	if len(sets) > 0 {
		b.set(strings.Join(sets, " "))
	}
	b.note("여기부터는 따로 흐릅니다. 명령 '바꾸기 target=70'처럼 하나를 바꾸고 다음(Enter)이나 계속(c)으로 이어 가십시오. 명령 '돌아가기'로 원래 자리에 돌아갑니다(화면 전체를 쓰실 때에는 :를 먼저 누르십시오). 이 자리의 kubectl 접속 정보는 k로 보실 수 있습니다.")
	if err := b.bareSteps(); err != nil && err != ErrQuit {
		return err
	}
	if len(b.branch.sets) > 0 || b.branch.first != nil {
		b.tell(b.beside())
	}
	b.note("되감은 자리를 치우고 원래 자리로 돌아왔습니다.")
	return nil
}

// repeat runs the loop again, up to the frame with that index, and says how fast that was
// and whether it came to the same.
func (p *Play) repeat(at int) error {
	began := time.Now()
	var other *Parting
	for p.session.Frames() == nil || len(p.session.Frames()) <= at {
		f, err := p.session.Next()
		if err != nil {
			return err
		}
		if other == nil {
			other = p.parting(f)
		}
		if err := p.ctx.Err(); err != nil {
			return err
		}
	}
	took := max(time.Since(began), time.Millisecond)
	p.note(fmt.Sprintf("같은 단계 %d개를 다시 실행했습니다(초당 %.0f단계).", at+1, float64(at+1)/took.Seconds()))
	if other != nil {
		p.note("다시 실행한 것이 원래와 다릅니다. 다른 터미널에서 바꾸신 것은 되풀이되지 않습니다.")
		p.tell(*other)
	}
	frames := p.session.Frames()
	p.show(frames[len(frames)-1], false)
	return nil
}

// Parting is the first calculation in which a branch is not the play that was rewound.
type Parting struct {
	Pass    int
	Step    trace.StepID
	Fact    string
	Was, Is string // in the play, and in the branch; empty where there is none
}

// parting is that of a frame; nil where it is the same in the play that was rewound, or where
// that play never came so far. What has names or times in it is never the same twice.
func (p *Play) parting(f trace.Frame) *Parting {
	frames := p.branch.trunk.session.Frames()
	i := slices.IndexFunc(frames, func(g trace.Frame) bool { return g.Pass == f.Pass && g.Step == f.Step })
	if i < 0 {
		return nil
	}
	for _, d := range differ(frames[i], f, p.Loop.Facts) {
		unit, _ := p.Loop.Facts.Unit(d.Fact)
		if strings.Contains(d.Fact, "/") || unit == engine.Text && d.Fact != "action" {
			continue
		}
		return &Parting{f.Pass, f.Step, d.Fact, d.ValueA, d.ValueB}
	}
	return nil
}

// set changes the HPA of the branch.
func (p *Play) set(arg string) flow {
	sets := strings.Fields(arg)
	switch {
	case p.branch == nil:
		p.note("되감은 자리에서만 바꿀 수 있습니다. 먼저 '되감기 5'처럼 적어 주십시오.")
	case len(sets) == 0:
		p.note("무엇을 바꿀지 적어 주십시오. 예: 바꾸기 target=70")
	default:
		if err := p.branch.Edit(p.ctx, sets); err != nil {
			p.note(err.Error())
			return stay
		}
		p.branch.sets = append(p.branch.sets, sets...)
		p.note(fmt.Sprintf("학습자가 HPA에 썼습니다: %s", strings.Join(sets, " ")) + p.whenSeen())
	}
	return stay
}

// whenSeen says so where the pass has read the HPA before the learner wrote to it.
func (p *Play) whenSeen() string {
	frames := p.session.Frames()
	if len(frames) == 0 || frames[len(frames)-1].Step == p.last {
		return ""
	}
	return ". 지금 패스의 컨트롤러가 이미 읽은 것은 옛 HPA입니다. 바뀐 값은 다음 패스부터 계산에 들어가고, 이 패스에서 status를 쓰면 API 서버가 충돌이라고 거절합니다."
}

// leave goes back to the play that was rewound.
func (p *Play) leave(string) flow {
	if p.branch == nil {
		p.note("되감은 자리가 아닙니다.")
		return stay
	}
	return quit
}

// told notes the first frame in which the branch is another one.
func (b *branch) told(p *Play, frames []trace.Frame) {
	for _, f := range frames {
		if b.first != nil {
			return
		}
		if b.first = p.parting(f); b.first != nil {
			p.tell(*b.first)
		}
	}
}

// beside is the branch next to the play that was rewound, as far as both came.
func (p *Play) beside() Forked {
	b := p.branch
	f := Forked{From: b.from, Sets: b.sets, What: "레플리카", Parted: b.first, Notes: []string{"갈래도 임베디드 클러스터에서 실제로 실행한 것입니다. 원래의 클러스터는 그대로입니다."}}
	was, is := replicas(b.trunk.session.Frames()), replicas(p.session.Frames())
	for pass := 1; pass <= min(len(was), len(is)); pass++ {
		a, c := was[pass-1], is[pass-1]
		f.Recorded, f.Other = append(f.Recorded, a), append(f.Other, c)
		if a != c {
			f.Passes = append(f.Passes, ForkedPass{Pass: pass, Recorded: strconv.Itoa(int(a)), Other: strconv.Itoa(int(c))})
		}
	}
	f.Beyond = beyond(was, is)
	return f
}

// beyond says what a branch did after the pass with which the play that was rewound ends.
func beyond(was, is []float64) string {
	if len(is) <= len(was) {
		return ""
	}
	all := []string{strconv.Itoa(int(is[max(len(was)-1, 0)]))}
	for _, n := range is[len(was):] {
		if text := strconv.Itoa(int(n)); text != all[len(all)-1] {
			all = append(all, text)
		}
	}
	text := fmt.Sprintf("원래 자리는 패스 %d까지만 실행되어, 그 뒤는 비교할 것이 없습니다. 갈래는 패스 %d까지 갔고, 원하는 레플리카는 ", len(was), len(is))
	if len(all) == 1 {
		return text + "내내 " + all[0] + "개로 같았습니다."
	}
	return text + strings.Join(all, " → ") + "의 순서로 바뀌었습니다."
}

// replicas are how many the passes wanted, from the first pass on; a pass that wanted none
// has those of the one before.
func replicas(frames []trace.Frame) (all []float64) {
	for _, f := range frames {
		for len(all) < f.Pass {
			last := 0.
			if len(all) > 0 {
				last = all[len(all)-1]
			}
			all = append(all, last)
		}
		if text, ok := f.Fact("desiredReplicas"); ok {
			if n, err := strconv.ParseFloat(text, 64); err == nil {
				all[f.Pass-1] = n
			}
		}
	}
	return all
}

// stepAt is the index of the frame at a place as a replay has it: a pass, or the step of one.
func (p *Play) stepAt(place string) (at int, why string) {
	if p.session == nil || len(p.session.Frames()) == 0 {
		return 0, "아직 실행한 단계가 없습니다."
	}
	m := passAt.FindStringSubmatch(place)
	if m == nil {
		return 0, "되감을 자리를 패스(5)나 패스의 단계(5.6)로 적어 주십시오. 예: 되감기 5"
	}
	if m[2] == "" {
		m[2] = "1"
	}
	wanted := m[1] + "." + m[2]
	for i, f := range p.session.Frames() {
		if p.placeOf(f) == wanted {
			return i, ""
		}
	}
	frames := p.session.Frames()
	return 0, fmt.Sprintf("%s 아직 실행하지 않은 자리입니다. %s까지 실행했습니다.", korean.Topic(place), p.placeOf(frames[len(frames)-1]))
}

// placeOf is where an executed frame is: its pass, and which of its steps it is.
func (p *Play) placeOf(f trace.Frame) string {
	n := 0
	for _, g := range p.session.Frames() {
		if g.Pass == f.Pass {
			n++
		}
		if g.Pass == f.Pass && g.Step == f.Step {
			break
		}
	}
	return fmt.Sprintf("%d.%d", f.Pass, n)
}
