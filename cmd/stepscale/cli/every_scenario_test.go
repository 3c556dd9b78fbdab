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
// what our engine has said. A VPA's decisions are upstream's own code, so that nothing is
// left to compare: verify says so, and does not agree with nothing.
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
				passes, loop = 1, "vpa"
			}
			if s.Karpenter != "" {
				loop = "karpenter"
			}
			if len(s.Groups) > 0 {
				loop = "cluster-autoscaler"
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
			if said := strings.Join(strings.Fields(out.String()), " "); !strings.Contains(said, "HPA나 VPA의 결정이 없습니다") {
				t.Errorf("without a decision it says %s", said)
			}
		})
	}
}
