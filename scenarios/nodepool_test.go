package scenarios_test

import (
	"strings"
	"testing"

	"github.com/stepscale/stepscale/scenarios"
)

const (
	karpenterScenario = "title: t\nkarpenter: default\ntarget: web\nnodes: [{type: m5.large}]\nload: {segments: [{at: 0s, step: 1m}]}\n"
	pool              = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: web}]}}}
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: default}
spec:
  limits: {cpu: 20}
  template:
    spec:
      nodeClassRef: {group: karpenter.kwok.sh, kind: KWOKNodeClass, name: default}
      requirements: [{key: kubernetes.io/arch, operator: In, values: [amd64]}]
`
)

func TestNodePool(t *testing.T) {
	s, err := scenarios.Load(files(karpenterScenario, pool), "x")
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Parts()) != 2 || s.TargetKind != "Deployment" || len(s.Containers()) != 1 {
		t.Errorf("%d parts, a target of kind %q with containers %v", len(s.Parts()), s.TargetKind, s.Containers())
	}
}

// TestNodePoolEvents: somebody may mend a NodePool while the scenario runs, by what the
// API server's schema allows.
func TestNodePoolEvents(t *testing.T) {
	event := func(limit string) string {
		return karpenterScenario + "events:\n- {at: 1m, patch: {kind: NodePool, name: default, with: {spec: {limits: {cpu: " + limit + "}}}}}\n"
	}
	s, err := scenarios.Load(files(event("10"), pool), "x")
	if err != nil {
		t.Fatal(err)
	}
	if got := string(s.Events()[0].Patch); got != `{"spec":{"limits":{"cpu":10}}}` {
		t.Errorf("patch %s", got)
	}
	_, err = scenarios.Load(files(event("[1]"), pool), "x")
	expect(t, err, "x/scenario.yaml", 7, "spec.limits")
}

func TestNodePoolProblems(t *testing.T) {
	for want, c := range map[string]struct {
		old, new string
		line     int
	}{
		"NodePool other가 없습니다":      {"karpenter: default", "karpenter: other", 1},
		"karpenter에는 nodes가 필요합니다":  {"nodes: [{type: m5.large}]\n", "", 1},
		"karpenter가 있을 때만 쓸 수 있습니다": {"karpenter: default", "hpa: web", 7},
		"spec.replicas":                            {"  limits: {cpu: 20}\n", "  replicas: 2\n", 10},
		"spec.template.spec.nodeClassRef.kind":     {"kind: KWOKNodeClass", "kind: EC2NodeClass", 13},
		"spec.template.spec.requirements":          {"      requirements: [{key: kubernetes.io/arch, operator: In, values: [amd64]}]\n", "", 12},
		"모르는 필드입니다: spec.limit":                    {"  limits:", "  limit:", 10},
		"spec.template.spec.requirements[0].opera": {"operator: In", "operator: Is", 14},
		"카펜터가 거절하는 값입니다":                           {"key: kubernetes.io/arch", "key: karpenter.sh/nodepool", 11},
	} {
		text := karpenterScenario + "\x00" + pool
		changed := strings.Replace(text, c.old, c.new, 1)
		if changed == text {
			t.Fatalf("%s: nothing was replaced", want)
		}
		scenario, objects, _ := strings.Cut(changed, "\x00")
		_, err := scenarios.Load(files(scenario, objects), "x")
		if err == nil {
			t.Errorf("%s: taken", want)
			continue
		}
		expect(t, err, "x/objects.yaml", c.line, want)
	}
}
