package cli

import (
	"strings"
)

// flow is what happens after a command.
type flow int

const (
	stay flow = iota // ask again
	forward
	quit
)

// command is one row of the player's command table: help and dispatch both
// come from it. The first name is the one that help shows first.
type command struct {
	names []string
	help  string
	do    func(*player) flow
}

func commandTable() []command {
	return []command{
		{[]string{"다음", "next", "n", "Enter"}, "다음 단계를 실행합니다. 예측 질문은 답하지 않고 넘어갑니다.", (*player).next},
		{[]string{"계속", "continue", "c"}, "다음 예측 질문까지 멈추지 않고 실행합니다.", (*player).run},
		{[]string{"뒤로", "back", "b"}, "지나간 단계의 기록을 다시 봅니다. 클러스터에서 되돌리는 것은 없습니다.", (*player).back},
		{[]string{"힌트", "hint", "h"}, "지금 질문의 힌트를 봅니다.", (*player).hint},
		{[]string{"kubectl", "k"}, "같은 상태를 보여 주는 kubectl 명령과 접속 정보를 봅니다.", (*player).kubectl},
		{[]string{"값", "facts", "f"}, "이 단계가 읽고 계산한 값을 빠짐없이 봅니다.", (*player).facts},
		{[]string{"도움말", "help", "?"}, "이 표를 봅니다.", (*player).help},
		{[]string{"끝", "quit", "q", "exit"}, "진도를 저장하고 끝냅니다.", func(*player) flow { return quit }},
	}
}

// lookup finds a command by any of its names; an empty line is Enter.
func lookup(line string) (command, bool) {
	if line == "" {
		line = "Enter"
	}
	for _, c := range commandTable() {
		for _, n := range c.names {
			if strings.EqualFold(n, line) {
				return c, true
			}
		}
	}
	return command{}, false
}

func (p *player) next() flow {
	if s := p.session; s != nil && !s.Live() {
		if f, err := s.Next(); err == nil {
			p.show(f, "", true)
		}
		if s.Live() {
			p.screen.Note("가장 최근 단계로 돌아왔습니다. 다음을 누르시면 새 단계를 실행합니다.")
		}
		return stay
	}
	return forward
}

func (p *player) run() flow {
	p.latest()
	p.running = true
	return forward
}

func (p *player) back() flow {
	if p.session == nil {
		p.screen.Note("아직 실행한 단계가 없습니다.")
		return stay
	}
	f, ok := p.session.Back()
	if !ok {
		p.screen.Note("더 이전의 기록은 없습니다.")
		return stay
	}
	p.show(f, "", true)
	return stay
}

func (p *player) hint() flow {
	if len(p.hints) == 0 {
		p.screen.Note("이 자리에는 힌트가 없습니다.")
	}
	for _, h := range p.hints {
		p.screen.Hint(h)
	}
	return stay
}

func (p *player) kubectl() flow {
	for _, l := range p.info.Kubectl {
		p.screen.Raw("  " + l)
	}
	if f, ok := p.current(); ok {
		p.screen.Kubectl(f)
	}
	return stay
}

func (p *player) facts() flow {
	if f, ok := p.current(); ok {
		p.screen.Facts(f)
	} else {
		p.screen.Note("아직 실행한 단계가 없습니다.")
	}
	return stay
}

func (p *player) help() flow {
	var rows [][2]string
	for _, c := range commandTable() {
		rows = append(rows, [2]string{strings.Join(c.names, ", "), c.help})
	}
	p.screen.Section("명령")
	p.screen.Pairs(rows)
	p.screen.Note("질문에는 숫자(예: 4, 180%, 1.8)나 확장·축소·유지, 예·아니요로 답하시면 됩니다.")
	return stay
}
