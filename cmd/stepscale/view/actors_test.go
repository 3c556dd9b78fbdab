package view

import (
	"math"
	"strings"
	"testing"

	"github.com/stepscale/stepscale/cmd/stepscale/view/viewtest"
)

// TestActorMap: at the moment that the workbook is about, the map says all of it.
func TestActorMap(t *testing.T) {
	m := ActorMap{Deed: "PUT deployments/scale  2 → 4", Pods: PodRow{Ready: 2, Pending: 1, Starting: 1}, Boxes: []ActorBox{
		{Actor: "metrics-server", What: "사용량", Value: "190m"}, {Actor: "hpa-controller", What: "원하는", Value: "4", Moved: true, Gives: true},
		{Actor: "deployment-controller", What: "파드", Value: "4", Waits: true}, {Actor: "replicaset-controller", What: "파드", Value: "2"},
		{Actor: "scheduler"}, {Actor: "kubelet", What: "준비", Value: "2"},
	}}
	var out strings.Builder
	NewFixed(&out, 80, false).ActorMap(m)
	const want = `                      PUT deployments/scale  2 → 4
 Metrics ──▷ ●HPA     ━━▶  디플로이먼트──⛔ 레플리카셋──▷  스케줄러──▷  kubelet
 사용량 190m  원하는 4     파드 4           파드 2                      준비 2
 파드 ■■▣□  ■준비됨 2 ▣시작하는 중 1 □배정을 기다림 1
`
	if out.String() != want {
		t.Errorf("got\n%s", out.String())
	}
	for width := MinWidth; width <= MaxWidth; width++ {
		var out strings.Builder
		NewFixed(&out, width, false).ActorMap(m)
		for _, line := range viewtest.Wider(out.String(), width, nil) {
			t.Errorf("%d columns of %d: %q", viewtest.Cells(line), width, line)
		}
		for _, said := range []string{"190m", "디플로이먼트", "⛔", "kubelet"} {
			if !strings.Contains(out.String(), said) {
				t.Errorf("%s is not on %d columns:\n%s", said, width, out.String())
			}
		}
	}
}

// TestChart: every pass has its column, the target its line, and of many passes the last
// are shown.
func TestChart(t *testing.T) {
	var out strings.Builder
	NewFixed(&out, 40, false).Chart(Chart{Title: "사용률", Unit: "%", Values: []float64{50, 100, math.NaN(), 25}, Target: 50, From: "+00:00", To: "+00:45"}, 4)
	const want = `사용률
   100%    ███
    50% ━━━███┄┄┄┄┄┄┄┄
        ██████
      0 ██████   ███
        +00:00 +00:45
`
	if out.String() != want {
		t.Errorf("got\n%s", out.String())
	}
	out.Reset()
	NewFixed(&out, 40, false).Chart(Chart{Unit: "%", Values: []float64{50, 48, 52}, Target: 50}, 4)
	if !strings.Contains(out.String(), "    50% ━━━┄┄┄▄▄▄┄┄\n") { // the top row is the target's
		t.Errorf("got\n%s", out.String())
	}
	out.Reset()
	many := make([]float64, 1000)
	many[999] = 4
	NewFixed(&out, 60, false).Chart(Chart{Values: many, Target: math.NaN(), To: "끝"}, 3)
	if lines := viewtest.Wider(out.String(), 60, nil); len(lines) > 0 || !strings.Contains(out.String(), "마지막 50패스 끝") || strings.Count(out.String(), "█") != 3 {
		t.Errorf("wider %q:\n%s", lines, out.String())
	}
}

// TestValuesReach: what a number is of is written as far as the next number, and no further.
func TestValuesReach(t *testing.T) {
	long := ActorBox{Actor: "learner", What: "이 클러스터에 있는 오토스케일러", Value: "1"}
	for want, boxes := range map[string][]ActorBox{
		"이 클러스터에 있는 오토스케일러 1": {long, {Actor: "kubelet"}},
		"이 클러스터에 … 1  준비 2":   {long, {Actor: "kubelet", What: "준비", Value: "2"}},
	} {
		var out strings.Builder
		NewFixed(&out, 60, false).ActorMap(ActorMap{Boxes: boxes})
		if got := out.String(); !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}
