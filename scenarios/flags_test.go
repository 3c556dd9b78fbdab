package scenarios_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stepscale/stepscale/scenarios"
)

// flagged is a scenario whose flags begin in line 6, before what says whose they are.
func flagged(flags string) string {
	return "title: t\ntarget: web\nload: {segments: [{at: 0s, step: 1m}]}\nhpa: web\nflags:\n" + flags + "\n"
}

func TestFlags(t *testing.T) {
	s, err := scenarios.Load(files(flagged("  horizontal-pod-autoscaler-tolerance: 0.05\n  horizontal-pod-autoscaler-sync-period: 30s"), plain), "x")
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(s.Flags); got != "[{horizontal-pod-autoscaler-tolerance 0.05} {horizontal-pod-autoscaler-sync-period 30s}]" {
		t.Error(got)
	}
}

func TestFlagProblems(t *testing.T) {
	for want, flag := range map[string]string{
		"flags에는 플래그의 이름과 값을":                    "  []",
		"flags에 쓸 수 없는 플래그입니다: kubeconfig":       "  kubeconfig: /x",
		"oomBumpUpRatio를 적어":                     "  oom-bump-up-ratio: 2",
		"15초의 배수":                                "  horizontal-pod-autoscaler-sync-period: 10s",
		"0부터 100까지의 수":                           "  horizontal-pod-autoscaler-tolerance: NaN",
		"값입니다: -1s":                              "  horizontal-pod-autoscaler-downscale-stabilization: -1s",
		"값을 읽을 수 없습니다":                           "  horizontal-pod-autoscaler-tolerance: [1]",
		"min-replicas에 쓸 수 없는 값입니다: 08":          "  min-replicas: 08\nvpa: web",
		"round-cpu-millicores에 쓸 수 없는 값입니다: 010": "  round-cpu-millicores: 010\nvpa: web",
		"vpa가 있을 때만":                             "  target-cpu-percentile: 0.5",
		"같은 플래그가 두 번":                            "  horizontal-pod-autoscaler-tolerance: 0.1\n  horizontal-pod-autoscaler-tolerance: 0.2",
	} {
		_, err := scenarios.Load(files(flagged(flag), plain), "x")
		line := 6 + strings.Count(strings.TrimSuffix(flag, "\nvpa: web"), "\n")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), fmt.Sprintf("scenario.yaml:%d", line)) {
			t.Errorf("%s: got %v, want %q in line %d", flag, err, want, line)
		}
	}
}
