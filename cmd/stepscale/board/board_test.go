package board

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

var update = flag.Bool("update-board", false, "write the boards of testdata anew")

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.Local)

// a class of six: who needs help, who is stuck, who waits, who is done, who has not come, and
// whose report is none.
func someBoard(o BoardOptions) Board {
	roster := map[string]string{}
	for n := 1; n <= 6; n++ {
		roster[fmt.Sprintf("k8s-s%02d", n)] = fmt.Sprintf("s%02d", n)
	}
	report := func(steps int, ago time.Duration, change func(*Report)) reported {
		r := Report{Lesson: "hpa/02-control-loop", Step: "hpa/2-replicas/proposal", Steps: steps, Total: 12, Replicas: new(int32(2))}
		change(&r)
		return reported{Report: r, since: noon.Add(-ago)}
	}
	asked := func(answer string, open bool) func(*Report) {
		return func(r *Report) { r.Question, r.Answer, r.Open = "desiredReplicas", answer, open }
	}
	reports := map[string]reported{
		"k8s-s01": report(4, 40*time.Second, asked("5", true)),
		"k8s-s02": report(4, 3*time.Minute, func(r *Report) { asked("", true)(r); r.Help = true }),
		"k8s-s03": report(4, 12*time.Minute, func(r *Report) { asked("4", true)(r); r.Held = true }),
		"k8s-s04": report(5, 71*time.Minute, asked("scaleUp", false)),
		"k8s-s05": {Report: Report{}, problem: "보고를 읽을 수 없습니다"},
	}
	about := question{"hpa/02-control-loop", 4, "desiredReplicas"}
	answers := map[question]map[string]string{about: {"k8s-s01": "5", "k8s-s03": "4", "k8s-s04": "scaleUp", "k8s-s06": "5"}}
	b := board(o, noon, roster, reports, answers)
	b.Class, b.Pace = "k8s", Pace{Step: "5", Reason: "함께 예측해 봅시다"}
	return b
}

// TestBoardLines is the board of pipes, as wide as terminals are.
func TestBoardLines(t *testing.T) {
	for _, width := range []int{60, 80, 120} {
		for name, show := range map[string]bool{"hidden": false, "shown": true} {
			var out bytes.Buffer
			someBoard(BoardOptions{Stuck: 5 * time.Minute, Show: show}).Write(view.NewFixed(&out, width, false))
			file := filepath.Join("testdata", fmt.Sprintf("board-%s-%d.txt", name, width))
			if *update {
				if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil || string(want) != out.String() {
				t.Errorf("%s: %v\n%s", file, err, out.String())
			}
			for l := range strings.Lines(out.String()) {
				if w := ansi.StringWidth(strings.TrimRight(l, "\n")); w > width {
					t.Errorf("%d columns of %d: %s", w, width, l)
				}
			}
		}
	}
}

// TestAnswersAreHidden: as long as somebody has not executed the step, nobody's answer is in
// the board, whatever its form; and then everybody's is.
func TestAnswersAreHidden(t *testing.T) {
	raw, err := json.Marshal(someBoard(BoardOptions{}))
	if err != nil || strings.Contains(string(raw), `"answer":`) || strings.Contains(string(raw), "counts") || strings.Contains(string(raw), "scaleUp") {
		t.Errorf("%v %s", err, raw)
	}
	b := someBoard(BoardOptions{Show: true})
	if q := b.Questions[0]; fmt.Sprint(q.Counts) != "[{5 2} {4 1} {scaleUp 1}]" || q.Open != 3 || q.Here != 4 || row(b, "k8s-s01").Answer != "5" {
		t.Errorf("%+v", q)
	}
}

// TestUrgentFirst: raised hands, then who is stuck, and s2 before s10.
func TestUrgentFirst(t *testing.T) {
	var order []string
	for _, r := range someBoard(BoardOptions{Stuck: 5 * time.Minute}).Rows {
		order = append(order, r.Seat+" "+r.State())
	}
	if got := strings.Join(order, ", "); got != "s02 도와주세요, s04 막힘, s01 하는 중, s03 기다림, s05 읽지 못함, s06 아직" {
		t.Error(got)
	}
	if bySeat("s2", "s10") >= 0 {
		t.Error("s10 is before s2")
	}
}

// crowd is a board of many.
func crowd(n int) Board {
	b := someBoard(BoardOptions{Stuck: 5 * time.Minute})
	for i := len(b.Rows); i < n; i++ {
		b.Rows = append(b.Rows, Row{Seat: fmt.Sprintf("s%03d", i), Namespace: fmt.Sprint(i), Reported: true, Lesson: "hpa/02-control-loop", Steps: i % 13, Total: 12, Since: noon})
	}
	return b
}

// TestScreenPages: everybody is on some page, at every size; no line is too wide, and the
// screen not too high.
func TestScreenPages(t *testing.T) {
	for _, size := range [][2]int{{40, 8}, {60, 24}, {80, 24}, {120, 40}, {200, 60}} {
		b := crowd(200)
		var m tea.Model = Screen{Ask: func(bool) Board { return b }}
		send := func(msg tea.Msg) { m, _ = m.Update(msg) }
		send(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
		send(b)
		seen := map[string]bool{}
		pages := m.(Screen).pages()
		for range pages {
			lines := m.(Screen).lines()
			if len(lines) != size[1] {
				t.Errorf("%v: %d lines", size, len(lines))
			}
			for _, l := range lines {
				if ansi.StringWidth(l) > size[0] {
					t.Errorf("%v: %q", size, l)
				}
				seen[strings.Fields(l + " .")[0]] = true
			}
			send(tea.KeyPressMsg{Code: ' ', Text: " "})
		}
		if m.(Screen).page != 0 {
			t.Errorf("%v: the page after the last is %d", size, m.(Screen).page)
		}
		for _, r := range b.Rows {
			if !seen[r.Seat] {
				t.Errorf("%v: %s is on none of %d pages", size, r.Seat, pages)
			}
		}
	}
}

// TestScreenKeys: s shows and hides, also where Hangul is typed; q ends; fewer learners than
// before leave no empty page.
func TestScreenKeys(t *testing.T) {
	var asked []bool
	var m tea.Model = Screen{Ask: func(show bool) Board { asked = append(asked, show); return someBoard(BoardOptions{Show: show}) }}
	press := func(text string) tea.Msg {
		next, cmd := m.Update(tea.KeyPressMsg{Code: []rune(text)[0], Text: text})
		if m = next; cmd == nil {
			return nil
		}
		return cmd()
	}
	m, _ = m.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	for _, key := range []string{"s", "ㄴ"} {
		next, _ := m.Update(press(key))
		m = next
		shown := slices.ContainsFunc(m.(Screen).lines(), func(l string) bool { return strings.Contains(l, "█") })
		if want := key == "s"; shown != want || asked[len(asked)-1] != want {
			t.Errorf("%s: shown %v, asked %v", key, shown, asked)
		}
	}
	if _, quit := press("q").(tea.QuitMsg); !quit {
		t.Error("q does not end")
	}
	m, _ = m.Update(crowd(200))
	press("k") // to the last page
	m, _ = m.Update(someBoard(BoardOptions{}))
	if !slices.ContainsFunc(m.(Screen).lines(), func(l string) bool { return strings.Contains(l, "s02") }) {
		t.Errorf("%q", m.(Screen).lines())
	}
}

// TestNews are a line for who stands otherwise, and for nobody else.
func TestNews(t *testing.T) {
	before := someBoard(BoardOptions{Stuck: 5 * time.Minute})
	after := someBoard(BoardOptions{Stuck: 5 * time.Minute})
	after.At = noon.Add(time.Minute)
	if news := after.News(before); len(news) > 0 {
		t.Errorf("time goes by: %q", news)
	}
	i := slices.IndexFunc(after.Rows, func(r Row) bool { return r.Seat == "s01" })
	after.Rows[i].Steps = 5
	if news := after.News(before); len(news) != 1 || !strings.Contains(news[0], "s01") || !strings.Contains(news[0], "5/12") {
		t.Errorf("%q", news)
	}
}

// TestClocksOfLearners: that of a laptop that is wrong makes nobody stuck, and no board that
// begins later forgets how long somebody stands there.
func TestClocksOfLearners(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	for skew, want := range map[time.Duration]time.Duration{0: 8 * time.Minute, -time.Hour: 8 * time.Minute, time.Hour: 8 * time.Minute} {
		r := Report{Since: now.Add(skew - 8*time.Minute), Sent: now.Add(skew - 3*time.Minute)} // 5 minutes at the step when it was written, 3 minutes ago
		cm := written(now.Add(-3 * time.Minute))
		if got := now.Sub(reachedAt(cm, r, now)); got != want {
			t.Errorf("skew %v: since %v", skew, got)
		}
	}
	for name, r := range map[string]Report{"no time": {}, "the year 9999": {Since: now.AddDate(7000, 0, 0), Sent: now}, "long ago": {Since: now.AddDate(-50, 0, 0), Sent: now}} {
		if got := now.Sub(reachedAt(written(now), r, now)); got != 0 {
			t.Errorf("%s: since %v", name, got)
		}
	}
	if got := reachedAt(written(now.Add(time.Hour)), Report{Since: now, Sent: now}, now); !got.Equal(now) {
		t.Errorf("an API server whose clock is ahead: since %v", got)
	}
}

// written is a report's ConfigMap that was written at that time by the API server's clock.
func written(at time.Time) *corev1.ConfigMap {
	stamp := metav1.NewTime(at)
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{ManagedFields: []metav1.ManagedFieldsEntry{{Manager: reportManager, Time: &stamp}}}}
}

// TestSilentIsNotStuck: of who does not report nobody knows how long a step takes.
func TestSilentIsNotStuck(t *testing.T) {
	now := time.Now()
	b := board(BoardOptions{Stuck: time.Minute}, now, map[string]string{"k-s01": "s01"}, map[string]reported{"k-s01": {Report: Report{Silent: true, Lesson: "hpa/02", Help: true}, since: now.Add(-time.Hour)}}, nil)
	if r, s := b.Rows[0], b.Sum(); r.Stuck || r.Help || r.Lesson != "" || !r.Silent || s.Silent != 1 || s.Reported != 0 || s.Stuck != 0 {
		t.Errorf("%+v, %+v", r, s)
	}
}
