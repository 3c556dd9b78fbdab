package view_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/otherwise"
)

// TestOtherwiseTexts are sentences in the learner's numbers.
func TestOtherwiseTexts(t *testing.T) {
	removed, kept := otherwise.Outcome{Verdict: "ScaleDown"}, otherwise.Outcome{Verdict: "NoPlaceToMovePods"}
	input := func(kind, of, field string, unit otherwise.Unit, from int64) otherwise.Input {
		return otherwise.Input{Kind: kind, Of: of, Field: field, Unit: unit, From: from, High: 2000}
	}
	a := otherwise.Answer{Question: "nodeKept", Subject: "general-1", Outcome: otherwise.Outcome{Verdict: "NotUnneededLongEnough", Note: "2m10s", Ref: "core/x.go: F"},
		Changes: []otherwise.Change{
			{Input: input("time", "10s", "", otherwise.Loops, 0), To: 13, Outcome: removed},
			{Input: input("requests.cpu", "web", "resources.requests.cpu", otherwise.Milli, 500), To: 966, Outcome: kept},
			{Input: input("flag", "", "--scale-down-utilization-threshold", otherwise.Thousandth, 500), To: 259, Outcome: otherwise.Outcome{Verdict: "NotUnderutilized"}},
			{Input: input("price", "m5.xlarge", "", otherwise.Price, 1920), To: 1699, Outcome: otherwise.Outcome{Verdict: "CreateNodeClaims", About: []string{"m5.large", "m5.large", "m5.xlarge", "no place: 1"}}},
			{Input: input("safeToEvict", "web", "x/safe", otherwise.Choice, 0), To: 1, Outcome: otherwise.Outcome{Verdict: "BlockedByPod", About: []string{"NotEnoughPdb"}}},
			{Input: input("waitingPods", "", "", otherwise.Count, 4), To: 8, Outcome: otherwise.Outcome{Verdict: "ScaledUpGroup", About: []string{"general", "1", "large", "2"}}},
		},
		Unmoved: []otherwise.Input{input("groupMin", "general", "", otherwise.Count, 1), input("requests.memory", "web", "", otherwise.Mebibytes, 256)},
	}
	want := []string{
		"남은 시간: 2분 10초",
		"이 판정이 있는 곳: core/x.go: F",
		"다른 것이 모두 이대로인 채 2분 10초가 더 지났다면 지우기로 했습니다.",
		"web의 CPU 요청량이 966m이었다면 파드가 옮겨 갈 자리가 없어 남았습니다. (실제 500m)",
		"--scale-down-utilization-threshold가 0.259였다면 요청량의 이용률이 기준보다 높아 남았습니다. (실제 0.5)",
		"m5.xlarge의 시간당 가격이 $0.1699였다면 m5.large 2대, m5.xlarge 1대를 빌리기로 했고, 파드 1개는 자리를 찾지 못했습니다. (실제 $0.192)",
		"web의 파드에 x/safe=true 주석이 있었다면 파드가 막아 남았습니다(NotEnoughPdb).",
		"기다리는 파드가 8개였다면 general 1대, large 2대를 늘리기로 했습니다. (실제 4개)",
		"혼자서는 결정을 바꾸지 못한 값(찾아본 범위): 노드 그룹 general의 최소 0~2000, web의 메모리 요청량 0Mi~2000Mi",
	}
	if got := view.OtherwiseTexts(a); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	a.Changes = nil
	if got := strings.Join(view.OtherwiseTexts(a), "\n"); !strings.Contains(got, "찾아본 범위에서는 어느 값 하나를 바꾸어도") {
		t.Error(got)
	}
}
