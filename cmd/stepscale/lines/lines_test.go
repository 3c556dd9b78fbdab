package lines

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/cmd/stepscale/wording"
	"github.com/stepscale/stepscale/engine/trace"
)

var began = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// row is a pass of both autoscalers, a quarter of a minute after the one before; what may be empty.
func row(n int, desired, action, what string) play.Pass {
	f := trace.Frame{Pass: n, At: began.Add(time.Duration(n-1) * 15 * time.Second)}
	f.Add("currentReplicas", "2", "")
	f.Add("desiredReplicas", desired, "")
	f.Add("target/web.cpu", desired+"00m", "")
	f.Add("action", action, "")
	if what != "" {
		f.Events = []trace.Event{{At: f.At, Actor: "kubelet", What: what, Object: "pod/web-1"}}
	}
	return play.Pass{Frames: []trace.Frame{f}, Start: began}
}

// rows shows passes in a row, and tells what that looks like: the numbers of the passes that
// have a row, how many were left out, and what ends them.
func rows(f *Face, b *bytes.Buffer, all ...play.Pass) string {
	b.Reset()
	f.Render(play.Running{})
	for _, p := range all {
		f.Render(p)
	}
	took := all[len(all)-1].Frames[0].At.Sub(all[0].Frames[0].At)
	f.Render(play.Passed{Took: took, Simulated: true})
	var seen []string
	for line := range strings.Lines(b.String()) {
		var n int
		word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch _, err := fmt.Sscanf(word, "%d", &n); {
		case strings.Contains(line, "경과"):
			seen = append(seen, "head")
		case strings.Contains(line, "같은 결정"):
			seen = append(seen, strings.Join(strings.Fields(line)[1:4], ""))
		case strings.Contains(line, "지나간 단계는 b로"):
			text, _, _ := strings.Cut(strings.TrimLeft(line, "· "), ".")
			seen = append(seen, text)
		case err == nil && word == fmt.Sprint(n):
			seen = append(seen, word)
		}
	}
	return strings.Join(seen, " ")
}

// alike are passes without a decision, from one number to another.
func alike(from, to int) (all []play.Pass) {
	for n := from; n <= to; n++ {
		all = append(all, row(n, "2", "keep", ""))
	}
	return all
}

// TestRowsOfPasses: after the first thirty a row that says the same is only counted; one that says
// something else, or in which something happened, has its row. Every row of passes counts anew.
func TestRowsOfPasses(t *testing.T) {
	var b bytes.Buffer
	f := &Face{Screen: view.NewFixed(&b, 100, false)}
	numbers := func(from, to int) (text string) {
		for n := from; n <= to; n++ {
			text += fmt.Sprint(n, " ")
		}
		return text
	}
	join := func(parts ...[]play.Pass) (all []play.Pass) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	course := "head " // of the course, which more passes have than can be taken in row by row
	for _, c := range []struct {
		passes []play.Pass
		want   string
	}{
		{alike(1, 1), "head 1 패스 1번"},
		{alike(2, 31), "head " + numbers(2, 31) + "패스 30번, 지나간 가상 시간: 7분 15초"},
		{alike(1, 31), "head " + numbers(1, 30) + "같은결정1패스 패스 31번, 지나간 가상 시간: 7분 30초"},
		{join(alike(1, 33), []play.Pass{row(34, "2", "keep", "OOMKilled")}, alike(35, 36)), "head " + numbers(1, 30) + "같은결정3패스 34 같은결정2패스 패스 36번, 지나간 가상 시간: 8분 45초"},
		{join(alike(1, 33), []play.Pass{row(34, "2", "scaleUp", "")}, alike(35, 36)), "head " + numbers(1, 30) + "같은결정3패스 34 35 같은결정1패스 패스 36번, 지나간 가상 시간: 8분 45초"},
		{join(alike(1, 30), []play.Pass{row(31, "4", "keep", ""), row(32, "4", "keep", "")}), "head " + numbers(1, 30) + "31 같은결정1패스 패스 32번, 지나간 가상 시간: 7분 45초 " + course},
	} {
		f.Render(play.Title{Text: "수업"})
		if got := rows(f, &b, c.passes...); strings.TrimSpace(got) != strings.TrimSpace(c.want) {
			t.Errorf("%d passes:\ngot  %s\nwant %s", len(c.passes), got, c.want)
		}
	}
}

// TestCourseIsOfTheLesson: after many passes their course is drawn, of the whole lesson, and of no
// other.
func TestCourseIsOfTheLesson(t *testing.T) {
	var b bytes.Buffer
	f := &Face{Screen: view.NewFixed(&b, 100, false)}
	f.Render(play.Title{Text: "앞의 수업"})
	rows(f, &b, row(1, "9", "scaleUp", ""))
	f.Render(play.Title{Text: "수업"})
	rows(f, &b, row(1, "3", "scaleUp", ""), row(2, "2", "scaleDown", ""))
	if strings.Contains(b.String(), "흐름") {
		t.Errorf("a course of what can be taken in row by row:\n%s", b.String())
	}
	rows(f, &b, alike(3, 40)...)
	_, course, _ := strings.Cut(b.String(), "흐름")
	if !strings.Contains(course, "300m") || !strings.Contains(course, "200m") || strings.Contains(course, "900m") {
		t.Errorf("the course of the lesson is\n%s", b.String())
	}
}

// asking is a play that asks three times; the second time for something that changes meanwhile.
type asking struct {
	changed chan struct{}
	typed   []string
	then    func() // what happens then
}

func (a *asking) Events(context.Context) iter.Seq[play.Event] {
	return func(yield func(play.Event) bool) {
		_ = yield(play.Ask{}) && yield(play.Ask{Stop: play.ForDemo, Changed: a.changed}) && yield(play.Ask{Stop: play.ForRepair})
	}
}

func (a *asking) Type(line string) {
	switch a.typed = append(a.typed, line); len(a.typed) {
	case 1:
		close(a.changed)
	case 2:
		go a.then()
	}
}

func (*asking) Err() error { return nil }

// once ends where nothing is sent.
type once struct{ *asking }

func (*once) Events(context.Context) iter.Seq[play.Event] {
	return func(yield func(play.Event) bool) { yield(play.Ask{}) }
}

// shut is a screen whose reader is gone.
type shut struct{ err error }

func (s shut) Write([]byte) (int, error) { return 0, s.err }

// TestWhatIsTyped: a line is sent without the space around it, and shown where no terminal has;
// when what was asked has changed, Wake is, and the next line is for who asks next. At the end of
// the lines nothing is sent; why they cannot be read is told.
func TestWhatIsTyped(t *testing.T) {
	in, typed := io.Pipe()
	defer typed.Close()
	go func() { _, _ = io.WriteString(typed, "  확장 \t\n") }()
	var b bytes.Buffer
	a := &asking{changed: make(chan struct{}), then: func() { _, _ = io.WriteString(typed, "4\n") }}
	f := &Face{Screen: view.NewFixed(&b, 80, false), In: NewReader(in, &b)}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := f.Play(ctx, a); err != nil || strings.Join(a.typed, ",") != "확장,"+play.Wake+",4" {
		t.Errorf("sent %q, %v", a.typed, err)
	}
	if got := b.String(); got != "다음> 확장\n따라가기> \n다시> 4\n" {
		t.Errorf("shown %q", got)
	}
	a, b = &asking{changed: make(chan struct{})}, bytes.Buffer{}
	f.In = NewReader(strings.NewReader(""), &b)
	if err := f.Play(ctx, &once{asking: a}); err != nil || len(a.typed) > 0 || b.String() != "다음> \n" {
		t.Errorf("sent %q, %v; shown %q", a.typed, err, b.String())
	}
	broken := errors.New("broken")
	f.In = NewReader(iotest.ErrReader(broken), &b)
	if err := f.Play(ctx, a); !errors.Is(err, broken) || len(a.typed) > 0 {
		t.Errorf("sent %q, %v", a.typed, err)
	}
	f.Screen, f.In = view.NewFixed(shut{broken}, 80, false), nil
	if err := f.Play(ctx, a); !errors.Is(err, broken) {
		t.Errorf("nobody reads any more: %v", err)
	}
}

// TestHeardBeforeItIsShown: what is told of an event is told before it is on the screen, of what
// asks, too.
func TestHeardBeforeItIsShown(t *testing.T) {
	var b bytes.Buffer
	heard := 0
	f := &Face{Screen: view.NewFixed(&b, 80, false)}
	f.Heard = func(e play.Event) {
		if ask := e.(play.Ask); strings.Contains(b.String(), wording.Prompts[ask.Stop]) {
			t.Errorf("shown before it was told of: %q", b.String())
		}
		heard++
	}
	if err := f.Play(t.Context(), &asking{}); err != nil || heard != 3 || !strings.Contains(b.String(), "다음>") {
		t.Errorf("told of %d, %v; shown %q", heard, err, b.String())
	}
}
