package lessons_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/lessons"
)

const head = "---\ntitle: 제목\nloop: hpa\nscenario: web\n---\n"

func TestParseSplitsProseAndDirectives(t *testing.T) {
	text := head + "# 처음\n\n```sh\nkubectl get pods\n```\n\n```predict proposal\n몇 개?\n```\n```hint\n올림\n```\n```step hpa/1\n곧\n```\n끝\n```continue change 10m\n```\n"
	l, problems := lessons.Parse("hpa/01-x/lesson.md", text)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if l.ID != "hpa/01-x" || l.Title != "제목" || l.Loop != "hpa" || l.Scenario != "web" {
		t.Errorf("front matter %+v", l)
	}
	want := []lessons.Block{
		{Kind: lessons.Prose, Text: "# 처음\n\n```sh\nkubectl get pods\n```", Line: 6},
		{Kind: lessons.Predict, Arg: "proposal", Text: "몇 개?", Line: 12},
		{Kind: lessons.Hint, Text: "올림", Line: 15},
		{Kind: lessons.Step, Arg: "hpa/1", Text: "곧", Line: 18},
		{Kind: lessons.Prose, Text: "끝", Line: 21},
		{Kind: lessons.Continue, Arg: "change", Max: "10m", Line: 22},
	}
	if len(l.Blocks) != len(want) {
		t.Fatalf("%d blocks, want %d: %+v", len(l.Blocks), len(want), l.Blocks)
	}
	for i := range want {
		if l.Blocks[i] != want[i] {
			t.Errorf("block %d is %+v, want %+v", i, l.Blocks[i], want[i])
		}
	}
}

func TestParseReportsEveryProblemWithItsLine(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{":1: 머리말이 없습니다"}},
		{"unclosed front matter", "---\ntitle: x\n", []string{":3: 머리말이 닫히지"}},
		{"missing and unknown keys", "---\ntitle: x\ncolour: red\n---\n", []string{":3: 머리말에 모르는 키", "loop가 없습니다", "scenario가 없습니다"}},
		{"twice", "---\ntitle: x\ntitle: y\nloop: a\nscenario: b\n---\n", []string{":3: 머리말에 title"}},
		{"bad directives", head + "```step\n```\n```predict p\n```\n```continue never\n```\n```continue load 5x\n```\n",
			[]string{":6: step", ":8: predict", ":10: continue", ":12: continue의 한도"}},
		{"count of passes", head + "```continue pass 10m\n```\n", []string{":6: continue pass의 횟수"}},
		{"limit of a step", head + "```continue a/b 10m\n```\n", []string{":6: continue a/b에는"}},
		{"misspelled directive", head + "```stpe a\n```\n", []string{":6: 모르는 블록입니다: stpe", "혹시 step"}},
		{"hint that is none", head + "```Hint\n```\n", []string{":6: 모르는 블록입니다: Hint", "혹시 hint"}},
		{"unknown word before a step", head + "```run hpa/1-a\n```\n", []string{":6: 모르는 블록입니다: run", "쓸 수 있는 블록"}},
		{"empty value", "---\nloop: a\nscenario: b\ntitle:\n---\n", []string{":4: 머리말에 title"}},
		{"no plain text", "---\ntitle: \"x\nloop: [a\nscenario: b\n---\n", []string{":2: 머리말의 값", ":3: 머리말의 값"}},
		{"escape sequence", "---\ntitle: x\x1b]52;c;eA==\a\nloop: a\nscenario: b\n---\n", []string{":2: 쓸 수 없는 글자가 있습니다: U+001B ESCAPE (9번째 글자)", "U+0007 BELL"}},
		{"not seen", head + "\u200b\u202e\n&#27;[2J &rlm;\n", []string{":6: 쓸 수 없는 글자가 있습니다: U+200B ZERO WIDTH SPACE (1번째", "U+202E RIGHT-TO-LEFT OVERRIDE (2번째", ":7: 쓸 수 없는 글자가 있습니다: U+001B ESCAPE", "U+200F RIGHT-TO-LEFT MARK"}},
		{"no text", head + strings.Repeat("\x00\xff\n", 100), []string{":6: 쓸 수 없는 글자가 있습니다: U+0000 NULL", `UTF-8이 아닌 바이트 \xff`, "190개 더"}},
		{"old line ends", head + "a\rb\n", []string{":6: 쓸 수 없는 글자가 있습니다: U+000D CARRIAGE RETURN"}},
		{"when", head + "```when\nx\n```\n```when kind\nx\n```\n```when real\n```\n```wehn real\nx\n```\n",
			[]string{":6: when 블록의 인자", ":9: when 블록의 조건을 모릅니다: kind", ":12: when 블록이 비어", ":14: 모르는 블록입니다: wehn", "혹시 when"}},
		{"remember", head + "```remember\n- a\n- b\n```\n```remember x\n- a\n- b\n- c\n```\n", []string{":6: remember 블록에 적은 것이 2가지", ":10: remember 블록의 인자"}},
		{"unclosed fence", head + "```step a\n", []string{":6: 코드 블록이 닫히지"}},
	} {
		_, problems := lessons.Parse("f/01/lesson.md", c.text)
		var all []string
		for _, p := range problems {
			if p.Hint == "" {
				t.Errorf("%s: no hint in %q", c.name, p.Error())
			}
			all = append(all, p.Error())
		}
		text := strings.Join(all, "\n")
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", c.name, want, text)
			}
		}
	}
}

// TestWhen: what differs where time is real is told there, and nowhere else.
func TestWhen(t *testing.T) {
	l, problems := lessons.Parse("f/01-a/lesson.md", head+"가\n````when real\n나\n```sh\nkubectl\n```\n````\n```when simulated\n다\n```\n```step hpa/1\n```\n")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for now, want := range map[string]string{lessons.Real: "prose 가|prose 나\n```sh\nkubectl\n```|step |", lessons.Simulated: "prose 가|prose 다|step |"} {
		var got strings.Builder
		for _, b := range l.Told(now, lessons.Policy) {
			got.WriteString(b.Kind + " " + b.Text + "|")
		}
		if got.String() != want {
			t.Errorf("%s: %q, want %q", now, got.String(), want)
		}
	}
}

func TestParseLeavesCodeAlone(t *testing.T) {
	for _, info := range []string{"", "sh", "sed -n", "ini", "html", "http", "text", "jinja", "go title=main.go", "yaml", "console"} {
		l, problems := lessons.Parse("hpa/01-a/lesson.md", head+"```"+info+"\nx\n```\n")
		if len(problems) > 0 || len(l.Blocks) != 1 || l.Blocks[0].Kind != lessons.Prose {
			t.Errorf("%q: %+v, %v", info, l.Blocks, problems)
		}
	}
}

func TestLoadOrdersFoldersAndNumbers(t *testing.T) {
	fsys := fstest.MapFS{}
	for _, dir := range []string{"zeta/01-a", "hpa/02-b", "hpa/01-a", "intro/01-a"} {
		fsys[dir+"/lesson.md"] = &fstest.MapFile{Data: []byte(head)}
	}
	all, err := lessons.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, l := range all {
		ids = append(ids, l.ID)
	}
	if got := strings.Join(ids, " "); got != "intro/01-a hpa/01-a hpa/02-b zeta/01-a" {
		t.Errorf("order %s", got)
	}
	if _, err := lessons.Load(fstest.MapFS{}); err == nil {
		t.Error("an empty folder is no error")
	}
}

func TestParseKnowsFencesAsMarkdownDoes(t *testing.T) {
	for _, text := range []string{"```step a\n`````\n", "~~~step a\n~~~\n", "  ```step a\n ```\n", "```step a\n``` \t\n"} {
		l, problems := lessons.Parse("f/01-a/lesson.md", "\ufeff"+head+text)
		if len(problems) > 0 || len(l.Blocks) != 1 || l.Blocks[0].Kind != lessons.Step || l.Blocks[0].Text != "" {
			t.Errorf("%q: %+v, %v", text, l.Blocks, problems)
		}
	}
	shown := "````\n```step a\n```\n````"
	if l, problems := lessons.Parse("f/01-a/lesson.md", head+shown); len(problems) > 0 || len(l.Blocks) != 1 || l.Blocks[0].Text != shown {
		t.Errorf("a directive that is only shown: %+v, %v", l.Blocks, problems)
	}
}

func TestLoadReportsFoldersThatAreNoLesson(t *testing.T) {
	fsys := fstest.MapFS{"README.md": {}, "hpa/notes.txt": {}, "testdata/bad/lesson.md": {}, ".git/x/lesson.md": {}, "hpa/.old/lesson.md": {}}
	for _, file := range []string{"hpa/01-a/lesson.md", "hpa/01-b/lesson.md", "hpa/xx/lesson.md", "hpa/lesson.md", "hpa/03-c/other.md"} {
		fsys[file] = &fstest.MapFile{Data: []byte(head)}
	}
	all, err := lessons.Load(fsys)
	if err == nil || len(all) != 3 {
		t.Fatalf("%d lessons, %v", len(all), err)
	}
	for _, want := range []string{"hpa/01-b: 번호가", "hpa/xx: 수업 폴더", "hpa/lesson.md: 수업의 자리", "hpa/03-c: lesson.md가"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
	if n := strings.Count(err.Error(), "\n"); n != 3 {
		t.Errorf("more than four problems:\n%v", err)
	}
}

func TestCheck(t *testing.T) {
	loops := map[string]engine.Definition{
		"hpa": {Steps: []engine.Row{
			{ID: "hpa/1-a", Tells: []string{"podMetric/<pod>", "target/<container>"}}, {ID: "hpa/2-b", Tells: []string{"proposal"}},
			{ID: "hpa/3-scale/update", Tells: []string{"action"}, Changes: true},
		}},
		"intro": {Steps: []engine.Row{{ID: "intro/1"}}},
	}
	stages := map[string]lessons.Stage{"web": {Containers: []string{"web"}, Metrics: 2}}
	for _, c := range []struct{ name, body, want string }{
		{"fact of a container", "```predict target/web.cpu\nq\n```\n```step hpa/1-a\n```\n", ""},
		{"fact of no container", "```predict target/nginx.cpu\nq\n```\n```step hpa/1-a\n```\n", "컨테이너 nginx가 없으므로"},
		{"fact of no metric", "```step hpa/1-a\n```\n```predict proposal#3\nq\n```\n```step hpa/2-b\n```\n", "메트릭이 2개이므로"},
		{"sound", "```step hpa/1-a\n```\n```predict proposal\nq\n```\n```step hpa/2-b\n```\n```continue change\n```\n```step hpa/1-a\n```\n", ""},
		{"typo", "```step hpa/1-aa\n```\n", "혹시 hpa/1-a인가요"},
		{"typo, then in order", "```step hpa/1-aa\n```\n```step hpa/2-b\n```\n```step hpa/3-scale/update\n```\n", "혹시 hpa/1-a인가요"},
		{"order", "```step hpa/2-b\n```\n", "다음 단계는 hpa/1-a"},
		{"unknown fact", "```step hpa/1-a\n```\n```predict propsal\nq\n```\n```step hpa/2-b\n```\n", "propsal"},
		{"fact of a pod", "```predict podMetric/web-1\nq\n```\n```step hpa/1-a\n```\n", ""},
		{"fact of the second metric", "```step hpa/1-a\n```\n```predict proposal#2\nq\n```\n```step hpa/2-b\n```\n", ""},
		{"no second metric", "```step hpa/1-a\n```\n```predict proposal#1\nq\n```\n```step hpa/2-b\n```\n", "proposal#1"},
		{"fact of a continue", "```predict action\nq\n```\n```continue change 5m\n```\n", ""},
		{"unknown fact of a continue", "```predict acton\nq\n```\n```continue change\n```\n", "acton"},
		{"fact that the pass is past", "```step hpa/1-a\n```\n```step hpa/2-b\n```\n```predict proposal\nq\n```\n```continue pass\n```\n", "proposal"},
		{"predict at the end", "```step hpa/1-a\n```\n```predict proposal\nq\n```\n", "뒤에 실행하는 블록이 없습니다"},
		{"lonely hint", "```hint\nh\n```\n```step hpa/1-a\n```\n", "앞에 predict가 없습니다"},
		{"nothing", "글\n", "실행하는 블록이 없습니다"},
		{"to a step", "```predict proposal\nq\n```\n```continue hpa/2-b\n```\n```step hpa/3-scale/update\n```\n", ""},
		{"to a step of the next pass", "```continue hpa/3-scale/update\n```\n```continue hpa/2-b\n```\n", ""},
		{"to a step that nobody knows", "```continue hpa/2-bb\n```\n", "혹시 hpa/2-b인가요"},
		{"to a step that is past", "```step hpa/1-a\n```\n```step hpa/2-b\n```\n```continue hpa/1-a\n```\n", "이미 지났습니다"},
		{"fact behind the step", "```predict action\nq\n```\n```continue hpa/2-b\n```\n", "action"},
		{"fact of the second pass", "```step hpa/1-a\n```\n```step hpa/2-b\n```\n```predict proposal\nq\n```\n```continue pass 2\n```\n", ""},
	} {
		l, problems := lessons.Parse("hpa/01/lesson.md", head+c.body)
		if len(problems) > 0 {
			t.Fatal(c.name, problems)
		}
		got := lessons.Check([]lessons.Lesson{l}, loops, stages)
		switch {
		case c.want == "" && len(got) > 0:
			t.Errorf("%s: %v", c.name, got)
		case c.want != "" && (len(got) != 1 || !strings.Contains(got[0].Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.name, got, c.want)
		}
	}
	l, _ := lessons.Parse("hpa/01/lesson.md", "---\ntitle: x\nloop: nope\nscenario: none\n---\n```continue pass\n```\n")
	if got := lessons.Check([]lessons.Lesson{l}, loops, nil); len(got) != 2 || got[0].Line != 4 || got[1].Line != 3 {
		t.Errorf("unknown loop and scenario: %v", got)
	}
	l, _ = lessons.Parse("intro/01/lesson.md", "---\ntitle: x\nloop: intro\nscenario: web\n---\n```continue change\n```\n")
	got := lessons.Check([]lessons.Lesson{l}, loops, stages)
	if len(got) != 1 || !strings.Contains(got[0].Error(), "끝나지 않습니다") {
		t.Errorf("a change that never comes: %v", got)
	}
}

// TestAnswers holds the answers beside a lesson against its questions.
func TestAnswers(t *testing.T) {
	loops := map[string]engine.Definition{"hpa": {Steps: []engine.Row{{ID: "hpa/1-a", Tells: []string{"proposal", "action"}}}}}
	const body = head + "```predict proposal\nq\n```\n```predict action\nq\n```\n```step hpa/1-a\n```\n"
	for text, want := range map[string]string{
		"proposal: 4\naction: 유지\n":                  "",
		"\ufeff# 답\r\n\r\nproposal: 4\r\naction: 유지": "",
		"":                                "answers.txt:1: lesson.md:6의 질문(proposal)",
		"proposal: 4\n":                   "answers.txt:1: lesson.md:9의 질문(action)",
		"action: 유지\nproposal: 4\n":       "answers.txt:1: action의 답이 올 차례가",
		"proposal: 4\naction: 유지\nx: 1\n": "answers.txt:3: 수업에 없는 질문의 답입니다: x",
		"proposal: 4\naction\nx\n":        "answers.txt:2: 답을 읽을 수 없습니다",
		"proposal: 4\naction:\n":          "answers.txt:2: 답을 읽을 수 없습니다",
		"proposal: 4\naction: \u202e유지\n": "answers.txt:2: 쓸 수 없는 글자가 있습니다: U+202E",
	} {
		all, err := lessons.Load(fstest.MapFS{"hpa/01-a/lesson.md": {Data: []byte(body)}, "hpa/01-a/answers.txt": {Data: []byte(text)}})
		var got []string
		if err != nil {
			got = strings.Split(err.Error(), "\n")
		}
		for _, p := range lessons.Check(all, loops, map[string]lessons.Stage{"web": {Unknown: true}}) {
			got = append(got, p.Error())
		}
		if want == "" && len(got) > 0 || want != "" && (len(got) != 1 || !strings.Contains(got[0], want)) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	all, err := lessons.Load(fstest.MapFS{"hpa/01-a/lesson.md": {Data: []byte(body)}})
	if err != nil || len(lessons.Check(all, loops, map[string]lessons.Stage{"web": {Unknown: true}})) > 0 {
		t.Errorf("a lesson without answers: %v", err)
	}
}

func TestOwnLessonsParse(t *testing.T) {
	all, err := lessons.Load(lessons.FS)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 4 {
		t.Errorf("%d lessons", len(all))
	}
	for _, l := range all {
		if l.Answers == nil {
			t.Errorf("nobody has written down the answers to %s", l.ID)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(head + "```step a\nb\n```\n")
	f.Add("---\n```")
	f.Add("````hint\n```\n````")
	f.Fuzz(func(t *testing.T, text string) {
		l, _ := lessons.Parse("a/b/lesson.md", text)
		lessons.Check([]lessons.Lesson{l}, map[string]engine.Definition{"hpa": {Steps: []engine.Row{{ID: "hpa/1"}}}}, nil)
	})
}
