package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/recording"
)

var fakeLessons = fstest.MapFS{
	"hpa/01-a/lesson.md":            {Data: []byte("---\ntitle: 구조\nloop: hpa\nscenario: web-surge\n---\n# 구조\n")},
	"hpa/02-control-loop/lesson.md": {Data: []byte("---\ntitle: 동작 순서\nloop: hpa\nscenario: web-surge\n---\n# 안녕\n\n```step hpa/1-metrics/query\n모읍니다\n```\n")},
}

type result struct {
	code           int
	out, err       string
	opened, closed int
}

// command runs the command line with a fake cluster.
func runCommand(t *testing.T, typed string, argv ...string) result {
	t.Helper()
	return runWith(t, t.Context(), nil, typed, argv...)
}

func runWith(t *testing.T, ctx context.Context, set func(*fakeStage), typed string, argv ...string) result {
	t.Helper()
	var r result
	var out, errOut bytes.Buffer
	if os.Getenv("STEPSCALE_STATE_DIR") == "" {
		t.Setenv("STEPSCALE_STATE_DIR", t.TempDir())
	}
	d := newDeps(strings.NewReader(typed), &out, &errOut)
	d.lessons, d.loops = fakeLessons, map[string]engine.Definition{"hpa": fakeLoop()}
	d.opener = func(deps, target, fs.FS) opener { return &fakeOpener{result: &r, set: set} }
	r.code = d.execute(ctx, argv)
	r.out, r.err = out.String(), errOut.String()
	if r.opened != r.closed {
		t.Errorf("%d stages opened, %d closed", r.opened, r.closed)
	}
	return r
}

// fakeOpener opens fake stages, and counts them.
type fakeOpener struct {
	result *result
	set    func(*fakeStage)
}

func (o *fakeOpener) open(ctx context.Context, _, _ string, p lab.Phases) (stage, error) {
	o.result.opened++
	p.Phase("etcd", 0)
	p.Phase("etcd", 1200*time.Millisecond)
	s := newFakeStage(ctx, 3)
	s.closed = &o.result.closed
	if o.set != nil {
		o.set(s)
	}
	return s, nil
}

func (o *fakeOpener) close(err error) error { return err }

func TestUsageErrors(t *testing.T) {
	for line, want := range map[string]string{
		"lern":                             "혹시 learn 명령을",
		"learn --atuo":                     "혹시 --auto 플래그를",
		"learn a b":                        "인자가 너무 많습니다: b",
		"learn hpx":                        "혹시 hpa",
		"learn hpa --from 9-x":             "쓸 수 있는 단계",
		"learn --lessons /nonexistent/dir": "폴더를 열 수 없습니다",
		"run":                              "시나리오를 적어 주십시오",
		"run web-surj":                     "혹시 web-surge",
		"run web-surge --loop hpz":         "쓸 수 있는 루프: hpa",
		"run web-surge --until pass=0":     "1 이상의 정수",
		"run web-surge --until x":          "모르는 조건입니다",
		"run web-surge --for -1m":          "0보다 긴 시간",
		"run web-surge --for x":            "값이 올바르지 않습니다",
		"run web-surge --for":              "값이 필요합니다",
		"run web-surge --record /no/x":     "기록 파일을 쓸 수 없습니다",
		"lessons -o xml":                   "text 또는 json",
		"help nothing":                     "알 수 없는 명령입니다: nothing",
		"cleanup --context x --yes":        "알 수 없는 명령입니다: cleanup",
		"class instal --context x":         "혹시 install",
		"completion tcsh":                  "모르는 셸",
	} {
		r := runCommand(t, "", strings.Fields(line)...)
		if r.code != problem.ExitUsage || !strings.Contains(strings.Join(strings.Fields(r.err), " "), want) || r.opened > 0 {
			t.Errorf("%s: exit code %d, %d stages\n%s", line, r.code, r.opened, r.err)
		}
	}
}

// TestHelpIsKorean reads the help of every command for cobra's own words.
func TestHelpIsKorean(t *testing.T) {
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		argv := append(strings.Fields(c.CommandPath())[1:], "--help")
		r := runCommand(t, "", argv...)
		if r.code != problem.ExitOK || r.out == "" {
			t.Errorf("%s: exit code %d", c.CommandPath(), r.code)
		}
		for _, english := range []string{"Usage", "Flags", "Available", "help for", "[flags]", "default", "string"} {
			if strings.Contains(r.out, english) {
				t.Errorf("%s: %q in\n%s", c.CommandPath(), english, r.out)
			}
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRootCommand(newApp().deps))
}

func TestLearnSavesAndResumes(t *testing.T) {
	t.Setenv("STEPSCALE_STATE_DIR", t.TempDir())
	r := runCommand(t, "\n", "learn", "hpa") // ends before the step
	contains(t, r.out, "다음 수업: 동작 순서", "여기까지 저장했습니다")
	if r.code != problem.ExitOK {
		t.Errorf("exit code %d\n%s", r.code, r.err)
	}
	r = runCommand(t, "\n", "learn")
	contains(t, r.out, "동작 순서", "etcd 준비됨 (1.2초)", "수업을 마쳤습니다: 동작 순서")
	if strings.Contains(r.out, "구조") {
		t.Error("the finished lesson was played again")
	}
	r = runCommand(t, "", "lessons", "--output", "json")
	var rows []lessonRow
	if err := json.Unmarshal([]byte(r.out), &rows); err != nil || len(rows) != 2 || !rows[0].Done || !rows[1].Done {
		t.Errorf("%v %s", err, r.out)
	}
}

func TestLearnAutoLeavesNoProgress(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("STEPSCALE_STATE_DIR", dir)
	r := runCommand(t, "", "learn", "hpa", "--auto")
	if r.code != problem.ExitOK || r.opened != 1 {
		t.Errorf("exit code %d, %d stages\n%s", r.code, r.opened, r.err)
	}
	if _, err := os.Stat(filepath.Join(dir, "progress.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("--auto wrote progress: %v", err)
	}
	if kept, _ := os.ReadDir(filepath.Join(dir, keptFolder)); len(kept) != 1 {
		t.Errorf("%d recordings are kept", len(kept))
	}
	runCommand(t, "", "learn", "hpa", "--auto", "--restart", "--no-record")
	if kept, _ := os.ReadDir(filepath.Join(dir, keptFolder)); len(kept) != 1 {
		t.Errorf("--no-record: %d recordings are kept", len(kept))
	}
}

func TestLearnWithoutWritableState(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("STEPSCALE_STATE_DIR", filepath.Join(file, "x"))
	r := runCommand(t, "\n\n\n", "learn", "hpa")
	contains(t, r.err, "진도를 읽거나 저장할 수 없습니다")
	contains(t, r.out, "수업을 마쳤습니다: 동작 순서")
	if r.code != problem.ExitOK || strings.Count(r.err, "오류") != 1 {
		t.Errorf("exit code %d\n%s", r.code, r.err)
	}
}

func TestInterruptedCommand(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := runWith(t, ctx, func(s *fakeStage) { s.failAt, s.cancel = 1, cancel }, "", "learn", "hpa", "--auto")
	if r.code != problem.ExitInterrupted || strings.Contains(r.err, "오류") {
		t.Errorf("exit code %d\n%s", r.code, r.err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	r = runWith(t, ctx, func(s *fakeStage) { s.failAt, s.cancel = 6, cancel }, "", "run", "web-surge")
	if r.code != problem.ExitInterrupted || strings.Contains(r.err, "오류") {
		t.Errorf("exit code %d\n%s", r.code, r.err)
	}
}

func TestRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "web.jsonl")
	r := runCommand(t, "", "run", "web-surge", "--until", "scale", "--output", "json", "--record", file)
	frames, err := recording.Read(strings.NewReader(r.out))
	if err != nil || len(frames) != 12 || r.code != problem.ExitOK {
		t.Fatalf("%d frames, %v, exit code %d\n%s", len(frames), err, r.code, r.err)
	}
	b, _ := os.ReadFile(file)
	if _, rest, _ := strings.Cut(string(b), "\n"); rest != r.out {
		t.Error("the recording's frames differ from the output")
	}
	r = runCommand(t, "", "run", "web-surge", "--until", "pass=4")
	contains(t, r.out, "패스", "확장", "유지")
	if n := strings.Count(r.out, "\n"); n != 5 {
		t.Errorf("%d lines, want a header and 4 passes\n%s", n, r.out)
	}
	r = runCommand(t, "", "run", "web-surge", "--for", "2m")
	if n := strings.Count(r.out, "\n"); n != 10 {
		t.Errorf("%d lines, want a header and 9 passes\n%s", n, r.out)
	}
	r = runWith(t, t.Context(), func(s *fakeStage) { s.scaleAt = 0 }, "", "run", "web-surge", "--until", "scale")
	if r.code != problem.ExitFailure || !strings.Contains(r.err, "바뀌지 않았습니다") {
		t.Errorf("exit code %d\n%s", r.code, r.err)
	}
	r = runWith(t, t.Context(), func(s *fakeStage) { s.failAt = 6 }, "", "run", "web-surge")
	if r.code != problem.ExitFailure || !strings.Contains(r.err, "API 서버와 연결이 끊겼습니다") {
		t.Errorf("exit code %d\n%s", r.code, r.err)
	}
}

// TestStageThatLeavesSomething: whatever was done on it, that it could not be removed is
// told, and is a failure.
func TestStageThatLeavesSomething(t *testing.T) {
	for _, line := range []string{"learn hpa/02-control-loop --auto", "learn hpa/02-control-loop", "run web-surge --until pass=1"} {
		r := runWith(t, t.Context(), func(s *fakeStage) {
			s.closeErr = &problem.Error{What: "네임스페이스를 지우지 못했습니다", Code: problem.ExitFailure}
		}, "\n", strings.Fields(line)...)
		if r.code != problem.ExitFailure || !strings.Contains(r.err, "네임스페이스를 지우지 못했습니다") {
			t.Errorf("%s: exit code %d\n%s", line, r.code, r.err)
		}
	}
}

func TestCleanupErrorIsToldToo(t *testing.T) {
	var errOut bytes.Buffer
	a := newDeps(strings.NewReader(""), io.Discard, &errOut)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	code := a.report(ctx, errors.Join(ctx.Err(), &problem.Error{What: "지우지 못했습니다", Code: problem.ExitFailure}))
	if code != problem.ExitInterrupted || !strings.Contains(errOut.String(), "지우지 못했습니다") {
		t.Errorf("exit code %d\n%s", code, errOut.String())
	}
}

func TestDoctor(t *testing.T) {
	r := runCommand(t, "", "doctor", "--output", "json")
	var found []finding
	if err := json.Unmarshal([]byte(r.out), &found); err != nil || len(found) < 8 {
		t.Fatalf("%v\n%s", err, r.out)
	}
	for _, f := range found {
		if f.Status != statusOK && f.Hint == "" {
			t.Errorf("%s has no hint", f.Name)
		}
	}
}
