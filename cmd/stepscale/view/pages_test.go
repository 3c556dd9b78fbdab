package view

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stepscale/stepscale/engine/trace"
)

// on80 is what a screen of 80 columns writes.
func on80(write func(*Screen)) string {
	var b bytes.Buffer
	write(NewFixed(&b, 80, false))
	return b.String()
}

func holds(t *testing.T, text string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
}

// TestStabilization: a proposal that is as old as the window is still in it, as in
// stabilizeRecommendation upstream, and the highest holds as long as the one made last.
func TestStabilization(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	tick := func(after time.Duration, proposal string) Tick {
		return Tick{At: start.Add(after), Proposal: proposal, Max: "4", Window: "60s"}
	}
	ticks := []Tick{tick(0, "4"), tick(15*time.Second, "4"), tick(30*time.Second, "2"), tick(60*time.Second, "2")}
	text := on80(func(s *Screen) { s.Stabilization(ticks, start, 4) })
	holds(t, text, "안정화 구간 1분", "구간 안의 최댓값 4: 마지막으로 +00:15에 나왔고, +01:15까지 남습니다.")
	if strings.Contains(text, "░░") { // the title names the mark once
		t.Errorf("a proposal is drawn as past that is just as old as the window:\n%s", text)
	}
	text = on80(func(s *Screen) { s.Stabilization(append(ticks, tick(75*time.Second, "2")), start, 4) })
	holds(t, text, "░░░██") // the first has left, three columns wide
	if on80(func(s *Screen) { s.Stabilization([]Tick{{Window: "0s"}}, start, 4) }) != "" {
		t.Error("there is no window, and it is drawn")
	}
	f := trace.Frame{Pass: 1}
	f.Add("stabilizationWindow", "0s", "확대 0s, 축소 300s")
	if got := NewTick([]trace.Frame{f}).Window; got != "300s" {
		t.Errorf("the window of the way down is %q", got)
	}
}

// TestHistogram: the fullest bucket takes all the room, and a percentile, which is the end
// of its bucket, stands in that one.
func TestHistogram(t *testing.T) {
	f := trace.Frame{Pass: 1}
	f.Add("bucket/web.cpu 100m~110m", "10.0%", "")
	f.Add("bucket/web.cpu 110m~122m", "40.0%", "")
	f.Add("lowerBoundPercentile/web.cpu", "110m", "")
	f.Add("targetPercentile/web.cpu", "122m", "")
	f.Add("upperBound/web.cpu", "무제한", "")
	all := Histograms([]trace.Frame{f})
	if len(all) != 1 || len(all[0].Buckets) != 2 || len(all[0].Marks) != 3 {
		t.Fatalf("%+v", all)
	}
	text := on80(func(s *Screen) { s.Histogram(all[0]) })
	rows := strings.Split(text, "\n")
	holds(t, rows[1], "100m~110m", "10.0%", "◀ "+FactLabel("lowerBoundPercentile")+" 110m")
	holds(t, rows[2], "110m~122m", "40.0%", "◀ "+FactLabel("targetPercentile")+" 122m")
	holds(t, text, "칸의 밖: "+FactLabel("upperBound")+" 무제한")
	if a, b := strings.Count(rows[1], "█"), strings.Count(rows[2], "█"); b < 20 || b != 4*a && b != 4*a-1 && b != 4*a+1 && b != 4*a-2 {
		t.Errorf("bars of %d and %d:\n%s", a, b, text)
	}
}

// TestHistogramOfOneBucket: all marks are read in full where they share a bucket, each with
// its value, below each other where they do not fit beside each other.
func TestHistogramOfOneBucket(t *testing.T) {
	h := Histogram{Of: "web.cpu", Buckets: []Bucket{{"100m~110m", "90.0%"}, {"110m~122m", "10.0%"}}}
	for _, name := range marked {
		h.Marks = append(h.Marks, Mark{FactLabel(name), "105m"})
	}
	text := on80(func(s *Screen) { s.Histogram(h) })
	rows := strings.Split(strings.TrimSpace(text), "\n")
	for _, m := range h.Marks {
		holds(t, text, m.Name+" 105m")
	}
	if strings.Count(text, "◀") != 1 || strings.Contains(text, "…") || len(rows) < 4 || !strings.Contains(rows[len(rows)-1], "110m~122m") {
		t.Errorf("the marks of one bucket:\n%s", text)
	}
}

// TestYAML: a field stands below those that it is in, each once, a VPA's bounds where
// upstream's type has them, and what came or went as a whole.
func TestYAML(t *testing.T) {
	f := trace.Frame{Changes: []trace.Change{
		{Object: "deployment/web", Field: "spec.replicas", From: "2", To: "4"},
		{Object: "vpa/web", Field: "status.target.web.cpu", From: "", To: "300m"},
		{Object: "vpa/web", Field: "status.target.web.memory", From: "1Mi", To: ""},
		{Object: "pod/web-1", Field: "metadata.name", To: "web-1"},
		{Object: "pod/web-2", Field: "metadata.name", From: "web-2"},
	}}
	text := on80(func(s *Screen) { s.YAML(f) })
	holds(t, text, "deployment/web\n    spec:\n  -   replicas: 2\n  +   replicas: 4\n",
		"vpa/web\n    status:\n      recommendation:\n        containerRecommendations[web]:\n          target:\n  +         cpu: 300m\n  -         memory: 1Mi\n",
		"+ metadata.name: web-1", "- metadata.name: web-2")
	holds(t, on80(func(s *Screen) { s.YAML(trace.Frame{}) }), "바꾼 오브젝트는 없습니다")
}

// TestPlain: what is read out has every number and nothing that is drawn.
func TestPlain(t *testing.T) {
	var b bytes.Buffer
	s := New(Plain(&b))
	f := trace.Frame{Step: "hpa/2-replicas/ratio", Pass: 1, Actor: "hpa-controller"}
	f.Add("currentUtilization", "95%", "190m × 100 / 200m")
	f.Add("targetUtilization", "50%", "")
	f.Add("bucket/web.cpu 100m~110m", "10.0%", "")
	f.Add("series/01-02 03:04:05", "244m", "100m")
	s.Title("제목")
	s.Step(StepView{Frame: f, Simulated: true})
	s.Prose("| 가 | 나 |\n|---|---|\n| 1 | 2 |\n\n    ┌─┐ ⣿\n")
	s.Remaining(time.Second)
	s.Busy("x")
	s.Erase()
	text := b.String()
	holds(t, text, "제목", "hpa/2-replicas/ratio [시뮬레이션]", "95%", "50%", "100m~110m", "10.0%", "244m / 100m", "1  | 2", "+-+ *")
	for _, r := range text {
		if r >= 0x2500 && r <= 0x259f || r >= 0x2800 && r <= 0x28ff || r == '\x1b' || r == '\r' {
			t.Errorf("%q is drawn in:\n%s", r, text)
			break
		}
	}
}

// TestHeights: a pod is as high as its request, and its state is drawn beside that.
func TestHeights(t *testing.T) {
	m := ActorMap{Boxes: []ActorBox{{Actor: "scheduler"}}, Pods: PodRow{Ready: 1, Starting: 1, Sizes: []string{"100m×1", "300m×1"}, Heights: []float64{100, 300}}}
	holds(t, on80(func(s *Screen) { s.ActorMap(m) }), "파드 ■▣", "요청량 ▃█ 100m×1, 300m×1")
}
