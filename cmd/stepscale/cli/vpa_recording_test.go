package cli

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
)

// TestVPARecording: of a VPA that keeps three times, evicts twice and keeps again, upstream
// says what was recorded; damaged, it does not. What would have been otherwise is computed
// from it, and with nothing set it is what it was.
func TestVPARecording(t *testing.T) {
	t.Parallel()
	file, _ := record(t, appFor(t, "vpa"), "vpa-web", runOptions{loop: "vpa", until: "pass=7"})
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(whole), "\n")
	sample := regexp.MustCompile(`"Usage":\{"cpu":\d+`)
	for name, c := range map[string]struct {
		recording string
		code      int
		says      []string
	}{
		"whole":           {string(whole), problem.ExitOK, []string{"VPA의 추천 7개와 파드의 판정 7개가 모두 같습니다"}},
		"another target":  {strings.ReplaceAll(string(whole), `"name":"target/web.cpu","value":"300m"`, `"name":"target/web.cpu","value":"310m"`), problem.ExitFailure, []string{"기록 310m, 업스트림 300m"}},
		"other usage":     {sample.ReplaceAllString(string(whole), `"Usage":{"cpu":900`), problem.ExitFailure, []string{"target/web.cpu: 기록 300m, 업스트림"}},
		"another verdict": {regexp.MustCompile(`("name":"update/[^"]+","value":")true`).ReplaceAllString(string(whole), "${1}false"), problem.ExitFailure, []string{"기록 false, 업스트림 true"}},
		"no beginning":    {lines[0] + strings.Join(lines[20:], ""), problem.ExitUsage, []string{"Recommender의 처음부터 시작하지 않습니다"}},
		"of a later VPA":  {strings.Replace(string(whole), `"recommender":"default"`, `"recommender":"default","mood":1`, 1), problem.ExitUsage, []string{"모르는 필드"}},
		"without a VPA":   {strings.Replace(string(whole), `"vpa":"web","recommender"`, `"vpa":"","recommender"`, 1), problem.ExitUsage, []string{"온전하지 않습니다"}},
	} {
		if err := os.WriteFile(file, []byte(c.recording), 0o600); err != nil {
			t.Fatal(err)
		}
		code, said := verifyFile(t, t.Context(), file)
		for _, want := range c.says {
			if !strings.Contains(said, want) {
				t.Errorf("%s: %q is not said:\n%s", name, want, said)
			}
		}
		if code != c.code {
			t.Errorf("%s: exit code %d, want %d\n%s", name, code, c.code, said)
		}
	}
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	whatifOfVPA(t, file)
	if code, out, errOut := replayed(t, "", file, "--at", "4", "--why"); code != problem.ExitOK || !strings.Contains(strings.Join(strings.Fields(out), " "), "web.cpu의 요청량이") {
		t.Errorf("exit code %d\n%s%s", code, out, errOut)
	}
}

func whatifOfVPA(t *testing.T, file string) {
	t.Helper()
	for name, c := range map[string]struct {
		sets    []string
		code    int
		parted  int
		updates int
		last    string
	}{
		"nothing":      {nil, problem.ExitOK, 0, 2, "300m"},
		"off":          {[]string{"--set", "updateMode=Off"}, problem.ExitFailure, 4, 0, "300m"},
		"at least":     {[]string{"--set", "minAllowed.cpu=400m"}, problem.ExitFailure, 1, 2, "400m"},
		"no margin":    {[]string{"--set", "recommendation-margin-fraction=0"}, problem.ExitFailure, 1, 2, "260m"},
		"all at once":  {[]string{"--set", "eviction-tolerance=1"}, problem.ExitOK, 0, 2, "300m"},
		"too few pods": {[]string{"--set", "updatePolicy.minReplicas=3", "--set", "minAllowed.cpu=400m"}, problem.ExitFailure, 1, 0, "400m"},
	} {
		code, out, errOut := executed(t, append([]string{"whatif", file, "--output", "json"}, c.sets...)...)
		var r whatifVPAReport
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatalf("%s: %v in %s%s", name, err, out, errOut)
		}
		v := r.Variants[0]
		if code != c.code || v.Parted != c.parted || v.Summary.Updates != c.updates || v.Summary.Last["target/web.cpu"] != c.last {
			t.Errorf("%s: exit code %d, parted at %d, %+v", name, code, v.Parted, v.Summary)
		}
		if r.Model.Agreed != 7 || r.Model.Decisions != 7 || r.Loop != "vpa" {
			t.Errorf("%s: the model is %+v", name, r.Model)
		}
		if name == "nothing" && vpaJSON(t, v.Summary) != vpaJSON(t, r.Recorded.Summary) {
			t.Errorf("with nothing set %+v, recorded %+v", v.Summary, r.Recorded.Summary)
		}
	}
	for set, says := range map[string]string{
		"mood=1": "모르는 이름", "updateMode=Never": "웹훅이 받지 않는 값", "target-cpu-percentile=2": "쓸 수 없는 값", "targetRef.name=x": "바꿔 볼 수 없는",
		"cpu-histogram-decay-half-life=0s": "0보다 긴 시간", "resourcePolicy.containerPolicy=1": "VPA에 없는 필드", "updateMode=InPlace": "기본으로 꺼져 있어",
	} {
		if code, out, errOut := executed(t, "whatif", file, "--set", set); code != problem.ExitUsage || !strings.Contains(errOut, says) {
			t.Errorf("%s: exit code %d\n%s%s", set, code, out, errOut)
		}
	}
	if code, out, errOut := executed(t, "whatif", file, "--sweep", "pod-recommendation-min-cpu-millicores=100:500:200"); code != problem.ExitFailure || !strings.Contains(out, "지금 그대로 두십시오.") && !strings.Contains(out, "권합니다:") {
		t.Errorf("exit code %d\n%s%s", code, out, errOut)
	}
}

func vpaJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
