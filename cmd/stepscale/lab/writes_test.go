package lab

import (
	"os"
	"slices"
	"testing"

	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/scenarios"
)

// TestWrites: who is asked is told every object, of every loop and mode.
func TestWrites(t *testing.T) {
	s, err := scenarios.Load(os.DirFS("testdata"), "every")
	if err != nil {
		t.Fatal(err)
	}
	always := []string{"LimitRange/wide", "ResourceQuota/few", "ConfigMap/text", "Service/front", "PodDisruptionBudget/web", "Job/once", "ReplicaSet/set", "DaemonSet/agent", "StatefulSet/db", "Deployment/web(파드 2개)"}
	load := []string{"Service/web", "Deployment/stepscale-load(부하 생성기, 파드 1개)"}
	for name, c := range map[string]struct {
		loop string
		mode hpa.Mode
		want []string
	}{
		"drive":    {"hpa", hpa.ModeDrive, nil},
		"disarmed": {"hpa", hpa.ModeDisarmed, []string{"HorizontalPodAutoscaler/web(무장 해제)"}},
		"observe":  {"hpa-observe", hpa.ModeDrive, []string{"HorizontalPodAutoscaler/web"}},
		"vpa":      {"vpa", hpa.ModeDrive, []string{"VerticalPodAutoscalerCheckpoint/web-web", "VerticalPodAutoscaler/web"}},
	} {
		l := loops[c.loop]
		if got := writes(l, l.mode(c.mode), s); !slices.Equal(got, slices.Concat(always, c.want, load)) {
			t.Errorf("%s: %q", name, got)
		}
	}
	s, err = scenarios.Load(scenarios.FS, "missing-target")
	if err != nil {
		t.Fatal(err)
	}
	if got := writes(loops["hpa"], hpa.ModeDrive, s); slices.Contains(got, load[1]) {
		t.Errorf("no load is made where there is no target: %q", got)
	}
}
