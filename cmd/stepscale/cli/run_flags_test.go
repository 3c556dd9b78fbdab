package cli

import (
	"bytes"
	"strings"
	"testing"
)

// TestRunTellsFlags: what a scenario sets in the controllers is said before the rows, and
// not where the rows go.
func TestRunTellsFlags(t *testing.T) {
	t.Parallel()
	a := simulatedApp(t)
	withScenario(t, a, "tolerant", "web-surge", "hpa: web\n", "hpa: web\nflags: {horizontal-pod-autoscaler-tolerance: 0.5}\n")
	for scenario, want := range map[string]string{"tolerant": "--horizontal-pod-autoscaler-tolerance=0.5(기본값 0.1)", "web-surge": ""} {
		var out, errOut bytes.Buffer
		a.out, a.errOut = &out, &errOut
		if err := a.run(t.Context(), scenario, runOptions{loop: "hpa", output: "text", until: "pass=1"}); err != nil {
			t.Fatal(err)
		}
		told := strings.Contains(strings.Join(strings.Fields(errOut.String()), " "), "플래그를 바꿉니다: "+want)
		if told != (want != "") || strings.Contains(out.String(), "플래그") {
			t.Errorf("%s: %s\n%s", scenario, errOut.String(), out.String())
		}
	}
}
