package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
)

// TestFork, on a recording in which no metric can be read, which an HPA below its minimum
// does not ask for: from a pass of a replay on, something is otherwise. Up to there the courses are
// one, the first step in which they part is named, and what is not understood is told.
func TestFork(t *testing.T) {
	file := scaling(t, "")
	for typed, says := range map[string][]string{
		"갈래 minReplicas=3":    {"갈래: 패스 3부터 minReplicas=3", "[시뮬레이션]", "처음 갈라진 곳: 패스 3의 2-replicas/group", "2→3"},
		"fork minReplicas=1":  {"두 갈래는 끝까지 갈라지지 않습니다"},
		"fork":                {"무엇을 바꿀지 적어 주십시오"},
		"fork mood=1":         {"모르는 이름입니다"},
		"fork minReplicas=30": {"API 서버가 받지 않는 값입니다"},
	} {
		code, out, errOut := replayed(t, typed+"\nq\n", file, "--at", "3")
		said := strings.Join(strings.Fields(out), " ")
		for _, want := range says {
			if code != problem.ExitOK || !strings.Contains(said, want) {
				t.Errorf("%s: exit code %d, %q is not said:\n%s%s", typed, code, want, out, errOut)
			}
		}
	}
	code, out, errOut := executed(t, "whatif", file, "--from", "3", "--set", "minReplicas=3", "--output", "json")
	var r whatifReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v in %s%s", err, out, errOut)
	}
	v := r.Variants[0]
	if code != problem.ExitFailure || v.Parted != 3 || v.Points[1].Desired != 2 || v.Points[2].Desired != 3 || v.First == nil || v.First.Pass != 3 || v.First.Stage != "group" {
		t.Errorf("exit code %d, parted at %d, %+v, %+v", code, v.Parted, v.First, v.Points)
	}
	if code, _, errOut := executed(t, "whatif", file, "--from", "9", "--set", "minReplicas=3"); code != problem.ExitUsage || !strings.Contains(errOut, "패스 9에는 결정이 없습니다") {
		t.Errorf("exit code %d, %s", code, errOut)
	}
}
