package view_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/hpa/why"
)

// TestWhyTexts are sentences in the learner's numbers.
func TestWhyTexts(t *testing.T) {
	start := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	a := why.Answer{
		Current: 4, Desired: 4, Now: start.Add(4 * time.Minute), Period: 15 * time.Second,
		Held: &why.Held{Replicas: 4, At: start.Add(225 * time.Second), Window: 5 * time.Minute},
		Changes: []why.Change{
			{Kind: why.Usage, Metric: "cpu", Unit: why.Percent, From: 23, To: 56, Desired: 5},
			{Kind: why.Usage, Metric: "memory", Unit: why.Bytes, From: 1 << 20, To: 3 << 20, Desired: 3},
			{Kind: why.Target, Metric: "queue_length", Unit: why.Milli, From: 10000, To: 9000, Desired: 5},
			{Kind: why.MaxReplicas, Field: "maxReplicas", Unit: why.Count, From: 10, To: 3, Desired: 3},
			{Kind: why.Window, Field: "behavior.scaleDown.stabilizationWindowSeconds", Unit: why.Seconds, From: 300, To: 59, Desired: 2},
			{Kind: why.Tolerance, Field: "--horizontal-pod-autoscaler-tolerance", Unit: why.Thousandth, From: 100, To: 56, Desired: 5},
			{Kind: why.ReadyPods, Unit: why.Count, From: 3, To: 4, Desired: 5},
			{Kind: why.ReadyPods, Unit: why.Count, From: 3, To: 1, Desired: 3},
			{Kind: why.Ticks, Unit: why.Count, To: 20, Desired: 2},
		},
	}
	want := []string{
		"안정화 구간(5분)의 최댓값 4는 +03:45의 제안입니다.",
		"cpu 사용률이 56%였다면 5개로 확장했습니다. (실제 23%)",
		"memory 값이 3Mi였다면 3개로 축소했습니다. (실제 1Mi)",
		"queue_length 목표가 9였다면 5개로 확장했습니다. (실제 10)",
		"maxReplicas가 3이었다면 3개로 축소했습니다. (실제 10)",
		"behavior.scaleDown.stabilizationWindowSeconds가 59초였다면 2개로 축소했습니다. (실제 5분)",
		"--horizontal-pod-autoscaler-tolerance가 0.056이었다면 5개로 확장했습니다. (실제 0.1)",
		"파드가 1개 더 준비되었다면 5개로 확장했습니다. (실제 3개)",
		"파드가 2개 덜 준비되었다면 3개로 축소했습니다. (실제 3개)",
		"다른 것이 모두 이대로면 5분 뒤, +09:00의 패스에서 2개로 축소합니다.",
	}
	if got := view.WhyTexts(a, start); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	tried := []why.Tried{{Kind: why.Usage, Metric: "cpu", Unit: why.Percent, High: 200}, {Kind: why.ReadyPods, Unit: why.Count, High: 4}, {Kind: why.Ticks, Unit: why.Count, High: 241}}
	if got := view.WhyTexts(why.Answer{Tried: tried}, start); len(got) != 1 || got[0] != "찾아본 범위에서는 어느 값 하나를 바꾸어도 이 결정은 바뀌지 않습니다. (cpu 사용률 0%~200%, 준비된 파드 0~4개, 앞으로의 패스 241번)" {
		t.Errorf("of a range: %q", got)
	}
	if got := view.WhyTexts(why.Answer{Failed: "boom"}, start); len(got) != 2 || !strings.Contains(got[0], "boom") || !strings.Contains(got[1], "바뀌지 않습니다") {
		t.Errorf("of nothing: %q", got)
	}
}
