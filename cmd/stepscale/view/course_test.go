package view

import (
	"strings"
	"testing"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/view/viewtest"
)

// TestCourse: a long way is drawn by its turns, and fits the terminal.
func TestCourse(t *testing.T) {
	var ticks []Tick
	for i, c := range []struct{ pods, size string }{{"4", "300m"}, {"4", "300m"}, {"10", "100m"}, {"", "100m"}, {"37", "30m"}} {
		ticks = append(ticks, Tick{Pass: i + 1, At: start.Add(time.Duration(i) * 96 * time.Hour), Current: "10", Desired: c.pods, Recommended: c.size})
	}
	ticks = append(ticks, Tick{Current: "5", Desired: "99"}) // of a loop without a VPA
	for _, width := range []int{MinWidth, 60, 80, 120} {
		var out strings.Builder
		NewFixed(&out, width, false).Course(ticks, start)
		got := out.String()
		if n := strings.Count(got, "m █"); n != 3 || strings.Contains(got, "99") {
			t.Errorf("%d columns: %d rows, want 3:\n%s", width, n, got)
		}
		for _, want := range []string{"+192:00:00    10 █", "100m █", "+384:00:00    37 █", "30m █"} {
			if !strings.Contains(got, want) {
				t.Errorf("%d columns: no %q in\n%s", width, want, got)
			}
		}
		if wide := viewtest.Wider(got, width, nil); len(wide) > 0 {
			t.Errorf("%d columns: %q", width, wide)
		}
		pods, sizes := bars(got, 0), bars(got, 1)
		if !(pods[0] <= pods[1] && pods[1] < pods[2]) || !(sizes[0] > sizes[1] && sizes[1] >= sizes[2]) {
			t.Errorf("%d columns: bars of %v and %v", width, pods, sizes)
		}
	}
	var out strings.Builder
	if NewFixed(&out, 80, false).Course(ticks[:2], start); out.Len() > 0 {
		t.Errorf("nothing has changed, and is drawn:\n%s", &out)
	}
}

// bars are the lengths of the n-th bar of each row.
func bars(text string, n int) (lengths []int) {
	for line := range strings.SplitSeq(text, "\n") {
		if runs := strings.FieldsFunc(line, func(r rune) bool { return r != '█' }); len(runs) > n {
			lengths = append(lengths, len([]rune(runs[n])))
		}
	}
	return lengths
}
