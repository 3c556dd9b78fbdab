package play

import (
	"slices"
	"strings"
)

// Verb is one thing that a learner may do at a stop. Help and dispatch of every face
// come from the table.
type Verb struct {
	Names []string // the first is shown first; those that are typed
	Key   string   // of a face without lines
	Help  string
	Args  string // what may follow the name
	do    func(*Play, string) flow
	moves bool // executes a step: nobody is talked into it by a guess at what was meant
	still bool // is there in a lesson about a recording, too
}

// flow is what happens after a verb.
type flow int

const (
	stay flow = iota // ask again
	forward
	quit
)

// The verbs that a face sends of itself.
const (
	Next = "next" // on Enter
	Quit = "quit" // when nothing can be typed any more
)

// Verbs is the table.
func Verbs() []Verb {
	return []Verb{
		{[]string{"다음", Next, "n", "Enter"}, "Enter", "다음 단계를 실행합니다. 예측 질문은 답하지 않고 넘어갑니다.", "", alone((*Play).next), true, true},
		{[]string{"계속", "continue", "c"}, "c", "다음 예측 질문까지 멈추지 않고 실행합니다.", "", alone((*Play).goOn), true, false},
		{[]string{"뒤로", "back", "b"}, "b", "지나간 단계의 기록을 다시 봅니다. 클러스터에서 되돌리는 것은 없습니다.", "", alone((*Play).back), false, false},
		{[]string{"힌트", "hint", "h"}, "h", "지금 질문의 힌트를 봅니다.", "", alone((*Play).hint), false, true},
		{[]string{"kubectl", "k"}, "k", "같은 상태를 보여 주는 kubectl 명령과 접속 정보를 봅니다.", "", alone((*Play).kubectl), false, false},
		{[]string{"값", "facts", "f"}, "f", "이 단계가 읽고 계산한 값을 빠짐없이 봅니다.", "", alone((*Play).facts), false, false},
		{[]string{"도움말", "help", "?"}, "?", "이 표를 봅니다.", "", func(p *Play, _ string) flow { p.tell(Help{Recorded: p.recorded != nil}); return stay }, false, true},
		{[]string{"되감기", "rewind"}, ":되감기", "새 클러스터에서 처음부터 그 자리까지 같은 단계를 다시 실행합니다(임베디드). 패스(5)나 패스의 단계(5.6)를 적습니다.", "자리", (*Play).rewind, true, false},
		{[]string{"갈래", "fork"}, ":갈래", "지금 보는 자리로 되감아 HPA의 필드 하나를 바꿉니다. 예: 갈래 target=70", "이름=값", (*Play).fork, true, false},
		{[]string{"바꾸기", "set"}, ":바꾸기", "되감은 자리에서 HPA의 필드를 학습자로서 바꿉니다. 예: 바꾸기 maxReplicas=6", "이름=값", (*Play).set, true, false},
		{[]string{"돌아가기", "return"}, ":돌아가기", "되감은 자리에서 원래 자리로 돌아갑니다.", "", (*Play).leave, true, false},
		{[]string{"끝", Quit, "q", "exit", "종료"}, "q", "진도를 저장하고 끝냅니다.", "", func(*Play, string) flow { return quit }, false, true},
		{[]string{"도와주세요", "hand", "!"}, "!", "강사의 화면에 손을 들거나 내립니다. 강사가 보는 수업에서만 됩니다.", "", alone((*Play).hand), false, true},
		{[]string{"투표", "vote"}, "투표", "넘어간 투표에 답하거나, 이미 한 답을 바꿉니다. 강사가 투표를 열어 둔 동안 됩니다.", "", alone((*Play).vote), false, true},
		{[]string{"남기기", "stay"}, ":남기기", "파드를 치워도 되는지 강사가 물을 때, 남겨 달라고 답합니다.", "", alone((*Play).keep), false, true},
	}
}

// alone is a verb that nothing follows.
func alone(do func(*Play) flow) func(*Play, string) flow {
	return func(p *Play, _ string) flow { return do(p) }
}

// verb finds a verb by any of its names.
func verb(name string) (Verb, bool) {
	for _, v := range Verbs() {
		if called(v.Names, name) {
			return v, true
		}
	}
	return Verb{}, false
}

// spoken is the verb of a line, with what it is about.
func spoken(line string) (v Verb, arg string, ok bool) {
	if v, ok = verb(line); ok {
		return v, "", true
	}
	name, arg, _ := strings.Cut(line, " ")
	v, ok = verb(name)
	return v, strings.TrimSpace(arg), ok && v.Args != ""
}

// called tells whether a word, or the key that was pressed for it, is one of the names.
func called(names []string, word string) bool {
	word = Pressed(word)
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, word) })
}

func (p *Play) next() flow {
	if s := p.session; s != nil && !s.Live() {
		if f, err := s.Next(); err == nil {
			p.show(f, true)
		}
		if s.Live() {
			p.note("가장 최근 단계로 돌아왔습니다. 다음을 누르시면 새 단계를 실행합니다.")
		}
		return stay
	}
	return forward
}

func (p *Play) goOn() flow {
	p.latest()
	p.running = true
	return forward
}

func (p *Play) back() flow {
	if p.session == nil {
		p.note("아직 실행한 단계가 없습니다.")
		return stay
	}
	f, ok := p.current()
	if p.shownAgain || !p.session.Live() { // at first the step that has just gone by is shown once more
		f, ok = p.session.Back()
	}
	p.shownAgain = true
	if !ok {
		p.note("더 이전의 기록은 없습니다.")
		return stay
	}
	p.show(f, true)
	return stay
}

func (p *Play) hint() flow {
	if len(p.hints) == 0 {
		p.note("이 자리에는 힌트가 없습니다.")
	}
	for _, h := range p.hints {
		p.tell(Hint{h})
	}
	return stay
}

func (p *Play) kubectl() flow {
	f, ok := p.current()
	p.tell(Kubectl{Access: p.info.Kubectl, Frame: f, Executed: ok})
	return stay
}

func (p *Play) facts() flow {
	if f, ok := p.current(); ok {
		p.tell(Facts{f})
	} else {
		p.note("아직 실행한 단계가 없습니다.")
	}
	return stay
}
