package cli

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stepscale/stepscale/scenarios"
)

// fewPasses are those of scenarios that are told with fewer, or only seen with more, than
// morePasses.
var fewPasses = map[string]int{"big": 3, "queue-zero": 12}

const morePasses = 8

// TestVerifyAgreesOnEveryScenario: upstream's controller says of every scenario that ships
// what our engine has said, and upstream's VPA comes to what was recorded of it. Where
// neither decides, verify says so, and does not agree with nothing.
func TestVerifyAgreesOnEveryScenario(t *testing.T) {
	t.Parallel()
	names, err := scenarios.List(scenarios.FS)
	if err != nil || len(names) < 15 {
		t.Fatalf("%d scenarios, %v", len(names), err)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			s, err := scenarios.Load(scenarios.FS, name)
			if err != nil {
				t.Fatal(err)
			}
			passes, loop := morePasses, "hpa"
			if n, ok := fewPasses[name]; ok {
				passes = n
			}
			if s.HPA == "" {
				passes, loop = 3, "vpa"
			}
			if s.Karpenter != "" {
				loop = "karpenter"
			}
			if len(s.Groups) > 0 {
				loop = "cluster-autoscaler"
			}
			if s.HPA != "" && len(s.Nodes()) > 0 {
				loop = map[bool]string{true: "hpa-karpenter", false: "hpa-cluster-autoscaler"}[s.Karpenter != ""]
			}
			a := appFor(t, loop)
			file, _ := record(t, a, name, runOptions{loop: loop, until: "pass=" + strconv.Itoa(passes)})
			if s.HPA != "" && !slices.Contains(s.Faults, scenarios.FaultMissingTarget) {
				agrees(t, a, file, passes)
				return
			}
			var out bytes.Buffer
			a.out, a.errOut = &out, &out
			a.report(t.Context(), a.verify(t.Context(), file, "text"))
			want := "HPA나 VPA의 결정이 없습니다"
			if loop == "vpa" {
				want = "VPA의 추천 3개와"
			}
			if said := strings.Join(strings.Fields(out.String()), " "); !strings.Contains(said, want) || strings.Contains(said, "다릅니다") {
				t.Errorf("it says %s", said)
			}
		})
	}
}
