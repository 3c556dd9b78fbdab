package lab

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/scenarios"
)

// writes names every object that a loop on a real cluster makes, as kind/name, and what
// of it is not as the scenario says.
func writes(l Loop, mode hpa.Mode, s *scenarios.Scenario) []string {
	var names []string
	load := false
	parts := s.Parts()
	for _, o := range parts {
		name := o.GetKind() + "/" + o.GetName()
		switch o.GetKind() {
		case kindVPA:
			if !slices.Contains(l.Needs, engine.NeedsVPA) {
				continue
			}
			names = append(names, checkpoints(o.GetName(), parts, s.Target)...)
		case kindHPA:
			switch {
			case mode == hpa.ModeAlone:
			case mode == hpa.ModeDrive:
				continue
			default:
				name += "(무장 해제)"
			}
		case "Deployment":
			name += fmt.Sprintf("(파드 %d개)", replicasOf(o))
			load = load || o.GetName() == s.Target
		}
		names = append(names, name)
	}
	if !load {
		return names
	}
	return append(names, "Service/"+s.Target, "Deployment/"+loadName+"(부하 생성기, 파드 1개)")
}

// checkpoints are the recommender's: one for every container of the target.
func checkpoints(vpa string, parts []*unstructured.Unstructured, target string) []string {
	var names []string
	for _, o := range parts {
		if o.GetKind() != "Deployment" || o.GetName() != target {
			continue
		}
		containers, _, _ := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers")
		for _, c := range containers {
			if c, ok := c.(map[string]any); ok {
				names = append(names, fmt.Sprintf("VerticalPodAutoscalerCheckpoint/%s-%s", vpa, c["name"]))
			}
		}
	}
	return names
}

func replicasOf(o *unstructured.Unstructured) int64 {
	if n, there, _ := unstructured.NestedInt64(o.Object, "spec", "replicas"); there {
		return n
	}
	return 1
}
