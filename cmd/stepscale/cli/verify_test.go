package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestVerify records a run on the embedded cluster and lets upstream's controller
// decide it again; then it damages the recording in every way that has a message.
func TestVerify(t *testing.T) {
	t.Parallel()
	a := simulatedApp(t)
	var out bytes.Buffer
	a.out, a.errOut = &out, &out
	file := filepath.Join(t.TempDir(), "web.jsonl")
	if err := a.run(t.Context(), "web-surge", runOptions{loop: "hpa", output: "json", until: "pass=8", record: file}); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(whole), "\n")
	for name, c := range map[string]struct {
		recording string
		equal     bool
		says      []string
	}{
		"whole":   {string(whole), true, []string{"결정 8개가 모두 같습니다", "→ 4"}},
		"altered": {strings.ReplaceAll(string(whole), `"maxReplicas":10`, `"maxReplicas":3`), false, []string{"기록에는 4개로 결정했다고 적혀 있지만", "→ 3", "다름"}},
		"torn":    {string(whole[:len(whole)/2]), false, []string{"줄 중간에서 끝납니다", "web.jsonl:"}},
		"later Kubernetes": {strings.ReplaceAll(string(whole), `"maxReplicas":10`, `"maxReplicas":10,"mood":1`), false,
			[]string{"모르는 필드", "input.HPA.spec.mood", "web.jsonl:10"}},
		"no beginning":       {strings.Join(lines[14:], ""), false, []string{"처음부터 시작하지 않습니다", "web.jsonl:9"}},
		"a pass twice":       {strings.Join(lines[:27], "") + strings.Join(lines[14:], ""), false, []string{"패스 2에 같은 단계가 두 번", "web.jsonl:28"}},
		"no decision":        {lines[0] + lines[1], false, []string{"HPA나 VPA의 결정이 없습니다"}},
		"twice":              {string(whole) + string(whole), false, []string{"머리줄이 두 번", "web.jsonl:" + strconv.Itoa(len(lines))}},
		"twice, headed once": {string(whole) + strings.Join(lines[1:], ""), false, []string{"이어 붙었거나", "패스 번호가 돌아갑니다(8 → 1)", "web.jsonl:" + strconv.Itoa(len(lines))}},
	} {
		t.Run(name, func(t *testing.T) {
			out.Reset()
			if err := os.WriteFile(file, []byte(c.recording), 0o600); err != nil {
				t.Fatal(err)
			}
			err := a.verify(t.Context(), file, "text")
			a.report(t.Context(), err)
			if (err == nil) != c.equal {
				t.Errorf("error %v", err)
			}
			for _, want := range c.says {
				if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), want) { // lines are wrapped
					t.Errorf("%q is not said:\n%s", want, out.String())
				}
			}
		})
	}
	verifyJSON(t, a, &out, file, whole)
}

func verifyJSON(t *testing.T, a *app, out *bytes.Buffer, file string, whole []byte) {
	t.Helper()
	altered := bytes.ReplaceAll(whole, []byte(`"maxReplicas":10`), []byte(`"maxReplicas":3`))
	if err := os.WriteFile(file, altered, 0o600); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	if err := a.verify(t.Context(), file, "json"); !errors.Is(err, errReported) {
		t.Errorf("error %v, want one that sets the exit code only", err)
	}
	var verdicts []verdict
	if err := json.Unmarshal(out.Bytes(), &verdicts); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if len(verdicts) != 8 || verdicts[4].Equal || verdicts[4].Recorded != "4" || verdicts[4].Upstream != 3 || !verdicts[0].Equal {
		t.Errorf("verdicts %+v", verdicts)
	}
}
