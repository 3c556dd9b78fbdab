package board

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

// TestSweepOfALearner: who was asked and does nothing is told from who was and has answered,
// and that the pods are gone stays until they are back.
func TestSweepOfALearner(t *testing.T) {
	for name, c := range map[string]struct {
		sweep         Sweep
		version, kept string
		want          string
	}{
		"nothing was asked":              {Sweep{}, "7", "", ""},
		"does nothing":                   {Sweep{ID: "b", State: SweepAsked, Seen: "7"}, "7", "a", SweepAsked},
		"has done something":             {Sweep{ID: "b", State: SweepAsked, Seen: "7"}, "8", "a", SweepKept},
		"has answered":                   {Sweep{ID: "b", State: SweepAsked, Seen: "7"}, "8", "b", SweepKept},
		"and the sweep has heard of it":  {Sweep{ID: "b", State: SweepKept, Seen: "8"}, "8", "b", SweepKept},
		"and goes on":                    {Sweep{ID: "b", State: SweepKept, Seen: "8"}, "9", "b", ""},
		"the pods are going":             {Sweep{ID: "b", State: SweepGoing, Seen: "7"}, "7", "", SweepDone},
		"they are gone":                  {Sweep{ID: "b", State: SweepDone, Seen: "7"}, "7", "a", SweepDone},
		"gone, and a vote was given":     {Sweep{ID: "b", State: SweepDone, Seen: "7"}, "9", "a", SweepDone},
		"they are back":                  {Sweep{ID: "b", State: SweepDone, Seen: "7"}, "9", "b", ""},
		"of somebody else's making":      {Sweep{ID: "b", State: "nonsense", Seen: "7"}, "7", "", ""},
		"of a version that is not there": {Sweep{State: SweepKept}, "7", "", ""},
	} {
		if got := c.sweep.now(c.version, c.kept); got != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
}

// swept is a board of those who were asked whether their pods may go.
func swept() Board {
	roster, reports := map[string]string{}, map[string]reported{}
	for seat, c := range map[string]struct {
		report Report
		state  string
	}{
		"s01": {Report{}, SweepAsked}, "s02": {Report{}, SweepDone}, "s03": {Report{Help: true}, SweepKept},
		"s04": {Report{Silent: true}, SweepAsked}, "s05": {Report{}, ""}, "s06": {Report{}, SweepAsked},
	} {
		namespace := "k8s-" + seat
		roster[namespace] = seat
		c.report.Lesson, c.report.Steps, c.report.Total = "hpa/02-control-loop", 4, 12
		reports[namespace] = reported{Report: c.report, since: noon.Add(-time.Hour), version: "7", sweep: Sweep{ID: "a", State: c.state, Seen: "7"}}
	}
	b := board(BoardOptions{Stuck: 2 * time.Hour}, noon, roster, reports, nil)
	b.Class = "k8s"
	return b
}

// TestSweepOnEveryFace: lines, the whole screen, the page and JSON say who was asked, and what
// became of it; who does not report is asked nothing.
func TestSweepOnEveryFace(t *testing.T) {
	b := swept()
	const remark = "쉬는 자리의 파드: 물어봄 2 · 남김 1 · 치움 1"
	var out bytes.Buffer
	b.Write(view.NewFixed(&out, 60, false))
	m := Screen{board: b, width: 60, height: 24}
	page, err := json.Marshal(b.page())
	if err != nil {
		t.Fatal(err)
	}
	for face, text := range map[string]string{"lines": out.String(), "screen": strings.Join(m.lines(), "\n"), "page": string(page)} {
		for _, want := range []string{remark, "하는 중·물어봄", "하는 중·치움", "도와주세요·남김"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", face, want, text)
			}
		}
		if strings.Count(text, "·물어봄") != 2 || strings.Contains(text, "보고하지 않음·") {
			t.Errorf("%s:\n%s", face, text)
		}
	}
	raw, err := json.Marshal(b)
	if err != nil || strings.Count(string(raw), `"sweep":"asked"`) != 2 || strings.Count(string(raw), `"sweep":"swept"`) != 1 || strings.Count(string(raw), `"sweep"`) != 4 {
		t.Errorf("%v %s", err, raw)
	}
	before := swept()
	i := len(b.Rows) - 1
	b.Rows[i].Sweep = SweepDone
	if news := b.News(before); len(news) != 1 || !strings.Contains(news[0], "치움") {
		t.Errorf("%q", news)
	}
	if text := strings.Join(someBoard(BoardOptions{}).remarks(), ""); strings.Contains(text, "쉬는 자리") {
		t.Errorf("nobody was asked: %s", text)
	}
}
