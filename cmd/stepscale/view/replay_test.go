package view_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

func samples(values ...string) (all []view.Sample) {
	for i, v := range values {
		all = append(all, view.Sample{Pass: i + 1, After: time.Duration(i) * 15 * time.Second, Text: v})
	}
	return all
}

func TestFactSeries(t *testing.T) {
	for name, c := range map[string]struct {
		values  []string
		numbers []float64
		spark   string
		says    []string
	}{
		"counts":      {[]string{"2", "2", "4", "8"}, []float64{2, 2, 4, 8}, "▁▁▃█", []string{"패스    1    +00:00  2", "패스    3    +00:30  4", "값 4개"}},
		"percentages": {[]string{"50%", "95%", "52%"}, []float64{50, 95, 52}, "▁█▁", []string{"95%"}},
		"quantities":  {[]string{"950m", "1", "2"}, []float64{.95, 1, 2}, "▁▁█", []string{"950m"}},
		"durations":   {[]string{"15s", "1m"}, []float64{15, 60}, "▁█", nil},
		"words":       {[]string{"keep", "scaleUp"}, nil, "", []string{"scaleUp"}},
		"always":      {[]string{"2", "2"}, []float64{2, 2}, "", []string{"값 2개"}},
	} {
		var b bytes.Buffer
		view.NewFixed(&b, 60, false).FactSeries(view.FactSeries{Fact: "desiredReplicas", Samples: samples(c.values...), Numbers: c.numbers})
		got := b.String()
		if c.spark != "" && !strings.Contains(got, "  "+c.spark+"\n") || c.spark == "" && strings.ContainsAny(got, "▁█") {
			t.Errorf("%s: no %q in\n%s", name, c.spark, got)
		}
		for _, want := range c.says {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is not shown:\n%s", name, want, got)
			}
		}
		if strings.Count(got, "패스 ") > len(c.values) {
			t.Errorf("%s: more rows than changes:\n%s", name, got)
		}
	}
}

// TestReplayScreensFit a narrow terminal, however long what they show is.
func TestReplayScreensFit(t *testing.T) {
	long := strings.Repeat("가나다-", 30)
	many, numbers := make([]string, 500), make([]float64, 500)
	for i := range many {
		many[i], numbers[i] = strings.Repeat("9", i%7+1), float64(i%7)
	}
	var b bytes.Buffer
	s := view.NewFixed(&b, 60, false)
	s.FactSeries(view.FactSeries{Fact: long, Samples: samples(many...), Numbers: numbers})
	s.StepList([]view.ListedStep{{At: "12.34", Step: "hpa/2-replicas/" + long, Here: true, Moved: true}, {At: "1.1", Step: "hpa/x", Failed: true}})
	var all []view.Difference
	for range 40 {
		all = append(all, view.Difference{Step: "hpa/2-replicas/ratio", Fact: "usageRatio", ValueA: "1.9", ExprA: "95 / 50", ValueB: long})
	}
	s.Differences(1, 2, append(all, view.Difference{Step: "hpa/x", OnlyB: true}))
	s.Differences(1, 2, nil)
	for line := range strings.SplitSeq(b.String(), "\n") {
		if w := ansi.StringWidth(line); w > 60 {
			t.Errorf("%d columns: %s", w, line)
		}
	}
	if !strings.Contains(b.String(), "…") || !slices.ContainsFunc(strings.Split(b.String(), "\n"), func(l string) bool {
		return strings.Contains(l, "▶ 12.34") && strings.Contains(l, "바뀐 것이 있습니다")
	}) {
		t.Errorf("what a step did is not in its row:\n%s", b.String())
	}
	for _, want := range []string{"▶ 12.34", "바뀐 것이 있습니다", "오류", "처음 달라진 값", "95 / 50 = 1.9", "… 외 28개", "모두 같습니다", "줄였습니다"} {
		if !strings.Contains(strings.Join(strings.Fields(b.String()), " "), want) {
			t.Errorf("%q is not shown:\n%s", want, b.String())
		}
	}
}
