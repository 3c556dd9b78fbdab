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

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/scenarios"
)

// executed runs a command without a cluster.
func executed(t *testing.T, argv ...string) (code int, out, errOut string) {
	t.Helper()
	a := newApp()
	var o, e bytes.Buffer
	a.out, a.errOut = &o, &e
	code = a.execute(t.Context(), argv)
	return code, o.String(), e.String()
}

// longPasses are how many passes show what a scenario is about; 8 of any other.
var longPasses = map[string]int{"web-surge": 42, "queue-zero": 14, "web-requests": 38, "wave": 30, "near-miss": 10, "big": 3}

// TestWhatifOfEveryScenario: with nothing set, a recording of any HPA is what it was: as
// the engine decides it on what was recorded, and as the model comes to it alone, which is
// what is believed of it after a course has parted.
func TestWhatifOfEveryScenario(t *testing.T) {
	t.Parallel()
	names, err := scenarios.List(scenarios.FS)
	if err != nil {
		t.Fatal(err)
	}
	a := simulatedApp(t)
	for _, name := range names {
		s, err := scenarios.Load(scenarios.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		if s.HPA == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			passes := max(longPasses[name], 8)
			if name == "big" { // a thousand pods
				passes = longPasses[name]
			}
			file, _ := record(t, a, name, runOptions{loop: "hpa", until: "pass=" + strconv.Itoa(passes)})
			code, out, errOut := executed(t, "whatif", file, "--output", "json")
			if name == "missing-target" {
				if code != problem.ExitUsage || !strings.Contains(errOut, "HPA나 VPA의 결정이 없습니다") {
					t.Errorf("exit code %d\n%s%s", code, out, errOut)
				}
				return
			}
			var r whatifReport
			if err := json.Unmarshal([]byte(out), &r); err != nil || code != problem.ExitOK {
				t.Fatalf("exit code %d, %v\n%s%s", code, err, out, errOut)
			}
			if m := r.Model; m.Decisions != passes || m.Agreed != passes || !m.FromScenario {
				t.Errorf("%d passes, and the model is %+v", passes, m)
			}
			if v := r.Variants[0]; v.Parted != 0 || v.Summary != r.Recorded.Summary || len(v.Points) != passes {
				t.Errorf("%+v, recorded %+v", v.Summary, r.Recorded.Summary)
			}
		})
	}
}

// TestWhatifCommand on a recording in which nothing can be read, so that the bounds decide.
func TestWhatifCommand(t *testing.T) {
	file := filepath.Join(t.TempDir(), "web.jsonl")
	if err := os.WriteFile(file, calm(t, 5, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		argv []string
		code int
		says []string
	}{
		"nothing set":   {nil, problem.ExitOK, []string{"결정 5개가 모두 기록과 같습니다", "시뮬레이션", "부하는 기록된 사용량의 합"}},
		"another bound": {[]string{"--set", "minReplicas=3"}, problem.ExitFailure, []string{"바꾼 것: minReplicas=3", "처음 달라진 결정: 패스 1", "2→3"}},
		"not a field":   {[]string{"--set", "minReplica=3"}, problem.ExitUsage, []string{"모르는 이름입니다: minReplica=3", "web.jsonl", "도움:"}},
		"refused":       {[]string{"--set", "minReplicas=30"}, problem.ExitUsage, []string{"API 서버가 받지 않는 값입니다", "도움:"}},
		"a sweep":       {[]string{"--sweep", "minReplicas=1:3:1"}, problem.ExitFailure, []string{"minReplicas=3", "지금 그대로 두십시오."}},
		"no sweep":      {[]string{"--sweep", "minReplicas=3"}, problem.ExitUsage, []string{"이름=처음:끝:간격", "도움:"}},
		"an output":     {[]string{"--output", "yaml"}, problem.ExitUsage, []string{"yaml"}},
	} {
		code, out, errOut := executed(t, append([]string{"whatif", file}, c.argv...)...)
		said := strings.Join(strings.Fields(out+errOut), " ")
		for _, want := range c.says {
			if !strings.Contains(said, want) {
				t.Errorf("%s: %q is not said:\n%s%s", name, want, out, errOut)
			}
		}
		if code != c.code {
			t.Errorf("%s: exit code %d, want %d\n%s%s", name, code, c.code, out, errOut)
		}
	}
	code, out, _ := executed(t, "whatif", file, "--set", "minReplicas=3", "--output", "json")
	var r whatifReport
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != problem.ExitFailure || r.SchemaVersion != 1 || r.Variants[0].Parted != 1 || r.Variants[0].Points[0].Desired != 3 || r.Verdict != nil {
		t.Errorf("exit code %d, %v: %+v", code, err, r)
	}
}

// TestReportCommand: what is handed in is one page that asks nobody for anything, and the
// recording is in it.
func TestReportCommand(t *testing.T) {
	file := filepath.Join(t.TempDir(), "web.jsonl")
	evil := func(pass int, f *trace.Frame, _ *hpa.Recorded) {
		f.Add("currentReplicas", strconv.Itoa(2), "<img src=x onerror=alert(1)>")
		f.Add("podMetric/x\x1b[2J", "</script><script>alert(2)</script>|*", "")
	}
	if err := os.WriteFile(file, calm(t, 5, evil), 0o600); err != nil {
		t.Fatal(err)
	}
	page, text := filepath.Join(t.TempDir(), "report.html"), filepath.Join(t.TempDir(), "report.md")
	for _, to := range []string{page, text} {
		if code, out, errOut := executed(t, "report", file, "-o", to); code != problem.ExitOK || !strings.Contains(out, "리포트를 만들었습니다") {
			t.Fatalf("exit code %d\n%s%s", code, out, errOut)
		}
	}
	html, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	md, err := os.ReadFile(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<html lang="ko">`, `role="img"`, "default-src 'none'", "prefers-color-scheme: dark", "@media print", "minReplicas가 3이었다면 3개로 확장했습니다"} {
		if !bytes.Contains(html, []byte(want)) {
			t.Errorf("%q is not in the page", want)
		}
	}
	for _, not := range []string{"<img", "alert(2)</script>", "http://", "https://", "src=\"", "\x1b"} {
		if bytes.Contains(html, []byte(not)) || bytes.Contains(md, []byte(not)) {
			t.Errorf("%q is in a report", not)
		}
	}
	if !bytes.Contains(md, []byte(`\|\*`)) || !bytes.Contains(md, []byte("| 패스 | 경과 |")) {
		t.Errorf("the markdown is\n%s", md)
	}
	if len(html) > 300<<10 {
		t.Errorf("the page has %d bytes", len(html))
	}
	if code, said := verifyFile(t, t.Context(), page); code != problem.ExitOK || !strings.Contains(said, "결정 5개가 모두 같습니다") {
		t.Errorf("exit code %d\n%s", code, said)
	}
	if code, out, errOut := replayed(t, "q\n", page, "--at", "4"); code != problem.ExitOK || !strings.Contains(out, "기록 4.1") {
		t.Errorf("exit code %d\n%s%s", code, out, errOut)
	}
	// What comes out is what went in, byte for byte.
	in, err := openRecording(page)
	if err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	_, err = again.ReadFrom(in)
	if want, readErr := os.ReadFile(file); errors.Join(err, readErr, in.Close()) != nil || !bytes.Equal(again.Bytes(), want) {
		t.Errorf("the recording in the page is another one: %v", err)
	}
}

// TestReportMistakes are told, and write nothing.
func TestReportMistakes(t *testing.T) {
	file := scaling(t, "")
	none := filepath.Join(t.TempDir(), "none.html")
	if err := os.WriteFile(none, []byte("<!DOCTYPE html><html></html>"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		argv []string
		says string
	}{
		"another kind": {[]string{"report", file, "-o", "report.pdf"}, ".html이나 .md로 끝나지 않습니다"},
		"itself":       {[]string{"report", none, "-o", none}, "덮어쓸 수 없습니다"},
		"a folder":     {[]string{"report", file, "-o", filepath.Join(file, "x.html")}, "리포트를 쓸 수 없습니다"},
		"of a page":    {[]string{"report", none, "-o", filepath.Join(t.TempDir(), "x.html")}, "기록이 들어 있지 않습니다"},
		"no recording": {[]string{"verify", none}, "기록이 들어 있지 않습니다"},
	} {
		if code, out, errOut := executed(t, c.argv...); code != problem.ExitUsage || !strings.Contains(strings.Join(strings.Fields(errOut), " "), c.says) {
			t.Errorf("%s: exit code %d\n%s%s", name, code, out, errOut)
		}
	}
}
