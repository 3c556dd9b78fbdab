package handout_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/handout"
	"github.com/stepscale/stepscale/engine/trace"
)

// pageOf makes a report of passes that tell those facts, a minute apart.
func pageOf(t *testing.T, passes ...map[string]string) *handout.Report {
	t.Helper()
	var frames []trace.Frame
	for i, facts := range passes {
		f := trace.Frame{Pass: i + 1, Step: "vpa/3-compare/decide", Actor: "vpa-updater", At: time.Date(2026, 1, 2, 3, 4+i, 0, 0, time.UTC)}
		for name, value := range facts {
			f.Add(name, value, "")
		}
		frames = append(frames, f)
	}
	r, err := handout.Make(t.Context(), written(t, frames), "제목", nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func titles(r *handout.Report) (all []string) {
	for _, c := range r.Charts {
		all = append(all, c.Title)
	}
	return all
}

// TestChartsOfEveryLoop: each container and resource of a VPA has its own, and nodes have theirs.
func TestChartsOfEveryLoop(t *testing.T) {
	vpa := map[string]string{"target/web.cpu": "300m", "lowerBound/web.cpu": "100m", "upperBound/web.cpu": "90", "after/web.cpu": "100m × 1, 250m × 1", "target/web.memory": "250Mi"}
	for name, c := range map[string]struct {
		facts map[string]string
		want  []string
	}{
		"vpa":                {vpa, []string{"추천과 요청량 web.cpu", "추천과 요청량 web.memory"}},
		"amounts":            {map[string]string{"averageValue": "20", "targetAverageValue": "10"}, []string{"값과 목표"}},
		"karpenter":          {map[string]string{"pendingPods": "4", "existingNodes": "1"}, []string{"노드를 기다리는 파드", "노드"}},
		"cluster-autoscaler": {map[string]string{"waitingPods": "4", "clusterNodes": "2"}, []string{"노드를 기다리는 파드", "노드"}},
		"nothing":            {map[string]string{"whatever": "4"}, nil},
	} {
		if got := titles(pageOf(t, c.facts, c.facts)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	cpu := pageOf(t, vpa, vpa).Charts[0]
	if rows := cpu.Rows(); strings.Join(rows[0], " ") != "+00:00 300m 100m 90 250m" {
		t.Errorf("%q", rows)
	}
	svg := string(cpu.SVG())
	if !strings.Contains(svg, ">600m<") || strings.Contains(svg, ">90000m<") || !strings.HasPrefix(cpu.Above(), "그림보다 높은 상한은") {
		t.Errorf("%q %s", cpu.Above(), svg)
	}
	low := pageOf(t, map[string]string{"target/web.cpu": "300m", "upperBound/web.cpu": "500m"}, map[string]string{"target/web.cpu": "300m", "upperBound/web.cpu": "500m"}).Charts[0]
	if low.Above() != "" || !strings.Contains(string(low.SVG()), ">500m<") {
		t.Errorf("%q %s", low.Above(), low.SVG())
	}
}

// TestTableOfPasses leaves out what says the same, and what there is no room for.
func TestTableOfPasses(t *testing.T) {
	same := map[string]string{"currentReplicas": "2", "desiredReplicas": "2"}
	r := pageOf(t, same, same, map[string]string{"currentReplicas": "2", "desiredReplicas": "3", "action": "scaleUp"}, same)
	if got := fmt.Sprint(r.Table.Header, r.Table.Rows); got != "[패스 경과 레플리카 결정] [[1 +00:00 2 -] [3 +02:00 2 → 3 확장] [4 +03:00 2 -]]" {
		t.Error(got)
	}
	if said := r.Table.Left; !strings.Contains(said, "4개 가운데 3개") || strings.Contains(said, "고르게") {
		t.Error(said)
	}
	var many []map[string]string
	for i := range 1000 {
		many = append(many, map[string]string{"currentReplicas": fmt.Sprint(1 + i%7)})
	}
	r = pageOf(t, many...)
	rows := r.Table.Rows
	if len(rows) != 400 || rows[0][0] != "1" || rows[399][0] != "1000" || !strings.Contains(r.Table.Left, "고르게") {
		t.Errorf("%d rows, %q to %q; %s", len(rows), rows[0], rows[len(rows)-1], r.Table.Left)
	}
	if n := len(r.Charts[0].Listed()); n != 400 {
		t.Errorf("%d rows below a chart", n)
	}
}

// TestManyPointsAreDrawnAsFew, and none of the peaks is lost.
func TestManyPointsAreDrawnAsFew(t *testing.T) {
	var passes []map[string]string
	for i := range 5760 {
		value := 10 + i%5
		if i == 3001 {
			value = 97
		}
		passes = append(passes, map[string]string{"currentReplicas": fmt.Sprint(value)})
	}
	c := pageOf(t, passes...).Charts[0]
	svg := string(c.SVG())
	if len(svg) > 60_000 {
		t.Errorf("%d bytes", len(svg))
	}
	if peak := "V" + fmt.Sprintf("%.1f", 14+(240-14-32)*(1-97.0/100)); !strings.Contains(svg, peak) {
		t.Errorf("no peak at %s", peak)
	}
}
