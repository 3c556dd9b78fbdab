package play

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stepscale/stepscale/engine/korean"
)

// Command is something that one may do with a recording. Help and dispatch of every face
// come from the table.
type Command struct {
	Names []string // the first is shown first; those that are typed
	Args  string   // what may follow
	Help  string
	do    func(*Replay, string) flow
}

// Commands is the table.
func Commands() []Command {
	return []Command{
		{[]string{"다음", Next, "n"}, "", "번호가 붙은 다음 단계의 끝으로 갑니다.", (*Replay).next},
		{[]string{"속으로", "step", "s"}, "", "하위 단계 하나씩 앞으로 갑니다.", (*Replay).into},
		{[]string{"뒤로", "back", "b"}, "", "하위 단계 하나씩 뒤로 갑니다.", (*Replay).back},
		{[]string{"계속", "continue", "c"}, "[조건|단계]", "파드의 수나 크기가 다음에 바뀌는 곳까지, 또는 조건이나 단계까지 갑니다. 예: 계속 replicas>5", (*Replay).goOn},
		{[]string{"중단점", "break"}, "[조건|단계]", "'계속'이 멈출 곳을 정합니다. 아무것도 적지 않으시면 목록을 봅니다.", (*Replay).setBreak},
		{[]string{"해제", "clear"}, "번호", "중단점을 지웁니다.", (*Replay).clear},
		{[]string{"이동", "goto", "g"}, "자리", "패스(12), 패스의 단계(12.5), 시간(+5m, -30s, 14:03:20), 처음, 끝, 표시한 이름으로 갑니다.", (*Replay).goTo},
		{[]string{"표시", "mark", "m"}, "[이름]", "이 자리에 이름을 붙입니다. 아무것도 적지 않으시면 목록을 봅니다.", (*Replay).mark},
		{[]string{"찾기", "search", "/"}, "글", "단계, 값, 호출, 바뀐 것에 이 글이 있는 다음 자리로 갑니다.", (*Replay).search},
		{[]string{"출력", "print", "p"}, "값", "값 하나가 시간에 따라 어떻게 바뀌었는지 봅니다. 예: 출력 desiredReplicas", (*Replay).print},
		{[]string{"비교", "diff", "d"}, "패스 [패스]", "두 패스에서 처음 달라진 계산과 그 뒤에 달라진 것을 봅니다.", (*Replay).diff},
		{[]string{"왜", "why", "w"}, "[노드]", "이 패스의 결정이 달라지려면 값 하나가 얼마나 달라야 했는지 찾습니다(HPA, VPA, 노드).", (*Replay).why},
		{[]string{"갈래", "fork"}, "이름=값", "여기까지는 기록 그대로, 여기서부터 하나를 바꿔 다시 결정해 기록과 나란히 봅니다. 예: 갈래 target=70", (*Replay).fork},
		{[]string{"만약", "whatif"}, "이름=값", "기록의 처음부터 하나가 달랐다면 어떻게 되었을지 다시 결정해 나란히 봅니다. 예: 만약 target=70", (*Replay).whatif},
		{[]string{"목록", "list", "l"}, "", "이 패스의 단계를 모두 봅니다.", (*Replay).list},
		{[]string{"값", "facts", "f"}, "", "이 단계가 읽고 계산한 값을 빠짐없이 봅니다.", (*Replay).facts},
		{[]string{"도움말", "help", "?"}, "", "이 표를 봅니다.", func(r *Replay, _ string) flow { r.tell(ReplayHelp{}); return stay }},
		{[]string{"끝내기", Quit, "q", "exit", "종료"}, "", "끝냅니다. 기록은 그대로입니다.", func(*Replay, string) flow { return quit }},
	}
}

func command(name string) (Command, bool) {
	for _, c := range Commands() {
		if called(c.Names, name) {
			return c, true
		}
	}
	return Command{}, false
}

func commandNames() (names []string) {
	for _, c := range Commands() {
		names = append(names, c.Names...)
	}
	return names
}

// atEnd tells that there is nothing after the cursor.
func (r *Replay) atEnd() bool {
	end := r.cursor == r.Recording.Len()-1
	if end {
		r.refuse("기록의 끝입니다. 뒤로(b)나 이동(g 처음)으로 돌아가실 수 있습니다.")
	}
	return end
}

func (r *Replay) next(string) flow {
	if r.atEnd() {
		return stay
	}
	at := r.cursor + 1
	first := r.Recording.Row(at)
	for at+1 < r.Recording.Len() && r.Recording.Row(at+1).Pass == first.Pass && item(r.Recording.Row(at+1).Step) == item(first.Step) {
		at++
	}
	if over := at - r.cursor - 1; over > 0 {
		r.note(fmt.Sprintf("%s 안의 하위 단계 %d개를 지나왔습니다. 하나씩 보시려면 뒤로(b) 가신 뒤 속으로(s)를 적어 주십시오.", item(first.Step), over))
	}
	r.to(at)
	return stay
}

func (r *Replay) into(string) flow {
	if !r.atEnd() {
		r.to(r.cursor + 1)
	}
	return stay
}

func (r *Replay) back(string) flow {
	if r.cursor == 0 {
		return r.refuse("기록의 처음입니다.")
	}
	r.to(r.cursor - 1)
	return stay
}

func (r *Replay) goOn(arg string) flow {
	from := r.cursor
	at, why, ok := 0, "", false
	if arg == "" {
		at, why, ok = r.nextStop()
	} else {
		s, err := r.stopAt(arg)
		if err != nil {
			return r.refuse(Misunderstood(err, r.Recording))
		}
		at, ok = s.find(r.cursor + 1)
	}
	switch {
	case !ok && arg == "":
		return r.refuse("여기부터 기록의 끝까지 파드의 수도 크기도 바뀌지 않고, 멈출 중단점도 없습니다.")
	case !ok:
		return r.refuse("여기부터 기록의 끝까지 그런 자리가 없습니다: " + arg)
	}
	r.passed(from, at)
	if why != "" {
		r.note("중단점에서 멈췄습니다: " + why)
	}
	r.to(at)
	return stay
}

func (r *Replay) setBreak(arg string) flow {
	if arg != "" {
		s, err := r.stopAt(arg)
		if err != nil {
			return r.refuse(Misunderstood(err, r.Recording))
		}
		r.breaks = append(r.breaks, s)
	}
	if len(r.breaks) == 0 {
		r.note("중단점이 없습니다. 예: 중단점 desired!=current")
	}
	for i, b := range r.breaks {
		r.note(fmt.Sprintf("중단점 %d: %s", i+1, b.text))
	}
	return stay
}

func (r *Replay) clear(arg string) flow {
	var n int
	if _, err := fmt.Sscanf(arg, "%d", &n); err != nil || n < 1 || n > len(r.breaks) {
		return r.refuse("지울 중단점의 번호를 적어 주십시오. 번호는 '중단점'으로 볼 수 있습니다.")
	}
	r.note("중단점을 지웠습니다: " + r.breaks[n-1].text)
	r.breaks = slices.Delete(r.breaks, n-1, n)
	return stay
}

func (r *Replay) goTo(arg string) flow {
	if arg == "" {
		return r.refuse("가실 자리를 적어 주십시오. 예: 이동 12, 이동 12.5, 이동 +5m, 이동 끝")
	}
	at, err := r.Find(arg)
	if err != nil {
		return r.refuse(err.Error())
	}
	r.to(at)
	return stay
}

func (r *Replay) mark(name string) flow {
	switch _, taken := reserved(name); {
	case name == "" && len(r.marks) == 0:
		r.note("표시한 자리가 없습니다. 예: 표시 여기")
	case name == "":
		for _, row := range r.marked() {
			r.note(row)
		}
	case taken || strings.ContainsAny(name, " \t"):
		r.refuse("표시의 이름으로는 숫자나 시간이 아닌 한 낱말을 적어 주십시오.")
	default:
		r.marks[name] = r.cursor
		r.note(fmt.Sprintf("이 자리를 %s 표시했습니다. 돌아오시려면: 이동 %s", korean.By(name), name))
	}
	return stay
}

// sinceStart is how much loop time has gone by at a frame.
func (r *Replay) sinceStart(i int) time.Duration {
	return r.Recording.Row(i).At.Sub(r.Recording.Row(0).At)
}
