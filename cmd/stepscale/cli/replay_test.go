package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stepscale/stepscale/cmd/stepscale/lines"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/hpa/why"
	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/engine/trace"
)

// replayed runs the command with what is typed.
func replayed(t *testing.T, typed string, argv ...string) (code int, out, errOut string) {
	t.Helper()
	a := newApp()
	var o, e bytes.Buffer
	a.out, a.errOut, a.in = &o, &e, strings.NewReader(typed)
	a.typed = lines.NewReader(a.in, a.out)
	code = a.execute(t.Context(), append([]string{"replay"}, argv...))
	return code, o.String(), e.String()
}

// scaling is a recording of five passes, of which the third goes from 2 to 4.
func scaling(t *testing.T, head string) string {
	t.Helper()
	scale := func(pass int, f *trace.Frame, _ *hpa.Recorded) {
		f.Kubectl = "kubectl get hpa web"
		f.Add("currentReplicas", fmt.Sprint(2), "")
		if pass == 3 {
			f.Add("tricky\x1b[2J", "\x1b]0;owned\a", "")
			f.Changes = []trace.Change{{Object: "deployment/web", Field: "spec.replicas", From: "2", To: "4"}}
		}
	}
	file := filepath.Join(t.TempDir(), "web.jsonl")
	if err := os.WriteFile(file, append([]byte(head), calm(t, 5, scale)...), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestReplayCommand(t *testing.T) {
	file := scaling(t, `{"recording":1,"made":"2026-11-02T09:00:00Z","stepscale":"v1","kubernetes":"v1.37.2","cluster":"embedded","virtual":true,"loop":"hpa","scenario":{"name":"web-surge"}}`+"\n")
	for name, c := range map[string]struct {
		argv  []string
		typed string
		code  int
		says  []string
		not   []string
	}{
		"to the next change": {nil, "c\nf\nq\n", problem.ExitOK, []string{"시나리오 web-surge", "패스 5개", "임베디드 클러스터", "기록 3.1", "2 → 4", "가상 시각", "[시뮬레이션]"}, []string{"kubectl get", "\x1b"}},
		"at a place":         {[]string{"--at", "4"}, "", problem.ExitOK, []string{"기록 4.1"}, []string{"기록 1.1"}},
		"until":              {[]string{"--until", "desired=2", "--at", "2"}, "q\n", problem.ExitOK, []string{"기록 2.1"}, nil},
		"until never":        {[]string{"--until", "desired>2"}, "", problem.ExitFailure, []string{"조건이 맞는 곳이 없습니다: desired>2"}, []string{"기록 1.1"}},
		"until nonsense":     {[]string{"--until", "wether=1"}, "", problem.ExitUsage, []string{"wether", "web.jsonl", "도움:"}, nil},
		"nowhere":            {[]string{"--at", "9"}, "", problem.ExitUsage, []string{"패스 9는 이 기록에 없습니다", "1부터 5까지", "도움:"}, nil},
		"verified":           {[]string{"--verify"}, "", problem.ExitOK, []string{"결정 5개가 모두 같습니다"}, nil},
		"an unknown output":  {[]string{"--output", "yaml"}, "", problem.ExitUsage, []string{"yaml"}, nil},
	} {
		code, out, errOut := replayed(t, c.typed, append([]string{file}, c.argv...)...)
		if code != c.code {
			t.Errorf("%s: exit code %d, want %d\n%s%s", name, code, c.code, out, errOut)
		}
		said := strings.Join(strings.Fields(out+errOut), " ")
		for _, want := range c.says {
			if !strings.Contains(said, want) {
				t.Errorf("%s: %q is not said:\n%s%s", name, want, out, errOut)
			}
		}
		for _, not := range c.not {
			if strings.Contains(said, not) {
				t.Errorf("%s: %q is said:\n%s%s", name, not, out, errOut)
			}
		}
	}
}

func TestReplayJSON(t *testing.T) {
	file := scaling(t, "")
	for condition, want := range map[string]struct {
		code  int
		place string
	}{"desired=2": {problem.ExitOK, "1.1"}, "desired>2": {problem.ExitFailure, ""}} {
		code, out, errOut := replayed(t, "", file, "--until", condition, "--output", "json")
		var got replayFrame
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatalf("%v in %s%s", err, out, errOut)
		}
		if code != want.code || got.SchemaVersion != 1 || got.Frames != 5 || got.Passes != 5 || got.Found != (want.place != "") || got.Place != want.place || (got.Frame != nil) != got.Found {
			t.Errorf("%s: exit code %d, %+v", condition, code, got)
		}
		if strings.Contains(out, "\x1b") {
			t.Errorf("a terminal is moved by %q", out)
		}
	}
}

// TestReplayWhy: of a recorded decision, and of a pass that has none.
func TestReplayWhy(t *testing.T) {
	file := scaling(t, "")
	code, out, errOut := replayed(t, "", file, "--at", "3", "--why", "--output", "json")
	var got struct {
		replayReasons
		why.Answer
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != problem.ExitOK {
		t.Fatalf("exit code %d, %v in %s%s", code, err, out, errOut)
	}
	// No metric can be read: nothing but the bounds could have moved it.
	if got.SchemaVersion != 1 || got.Pass != 3 || got.Place != "3.1" || got.Desired != 2 || got.Failed == "" || len(got.Changes) != 2 || len(got.Sentences) != 3 {
		t.Errorf("%+v", got)
	}
	code, out, _ = replayed(t, "", file, "--at", "3", "--why")
	if said := strings.Join(strings.Fields(out), " "); code != problem.ExitOK || !strings.Contains(said, "왜: 패스 3에서 2개를 유지했습니다") ||
		!strings.Contains(said, "minReplicas가 3이었다면 3개로 확장했습니다. (실제 1)") || !strings.Contains(said, "maxReplicas가 1이었다면 1개로 축소했습니다. (실제 10)") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if code, out, _ := replayed(t, "왜\nq\n", file); code != problem.ExitOK || !strings.Contains(out, "왜: 패스 1에서") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	none := filepath.Join(t.TempDir(), "none.jsonl")
	if err := os.WriteFile(none, []byte(`{"pass":1,"step":"vpa/1-x","at":"2026-11-02T09:00:00Z"}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errOut := replayed(t, "", none, "--why"); code != problem.ExitUsage || !strings.Contains(errOut, "답할 결정이 없습니다") {
		t.Errorf("exit code %d\n%s", code, errOut)
	}
	if code, out, _ := replayed(t, "why\nq\n", none); code != problem.ExitOK || !strings.Contains(strings.Join(strings.Fields(out), " "), "답할 결정이 없습니다") {
		t.Errorf("exit code %d\n%s", code, out)
	}
}

// TestReplayOfACutRecording shows what is there, and says what is not.
func TestReplayOfACutRecording(t *testing.T) {
	file := scaling(t, "{\"recording\":1,\"loop\":\"hpa\"}\n")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b[:len(b)-30], 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := replayed(t, "g 끝\n", file)
	if said := strings.Join(strings.Fields(out), " "); code != problem.ExitOK || !strings.Contains(said, "6번째 줄이 중간에서 잘려") || !strings.Contains(said, "기록 4.1") {
		t.Errorf("exit code %d\n%s%s", code, out, errOut)
	}
}

// TestWhatIsKept: sessions are recorded of themselves, the last of them are kept, and
// what was just played is what replay opens.
func TestWhatIsKept(t *testing.T) {
	a := testApp(t)
	var out bytes.Buffer
	a.out, a.errOut = &out, &out
	var u *problem.Error
	if _, err := a.lastKept(); !errors.As(err, &u) || u.Code != problem.ExitUsage {
		t.Errorf("of nothing: %v", err)
	}
	for i := range keptFiles + 5 {
		r, err := a.recorder("", i == 3, fmt.Sprintf("learn-hpa/%02d", i), recording.Header{Lesson: fmt.Sprintf("hpa/%02d", i), Cluster: "embedded"})
		if err != nil {
			t.Fatal(err)
		}
		if i == 4 { // one that never came to a frame
			continue
		}
		if err := r.frame(trace.Frame{Pass: 1, Step: "hpa/x"}); err != nil || (r.kept == nil) != (i == 3) {
			t.Errorf("%d: kept %v, %v", i, r.kept, err)
		}
		if err := r.close(); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(a.kept()); n != keptFiles {
		t.Errorf("%d are kept", n)
	}
	last, err := a.lastKept()
	if err != nil || !strings.Contains(last, "hpa-24") {
		t.Errorf("the last is %s, %v", last, err)
	}
	if info, err := os.Stat(last); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if err := a.showKept("json"); err != nil {
		t.Fatal(err)
	}
	var rows []keptRow
	if err := json.Unmarshal(out.Bytes(), &rows); err != nil || len(rows) != keptFiles || rows[0].Lesson != "hpa/24" || rows[0].File != last || rows[0].Bytes == 0 {
		t.Errorf("%v: %+v", err, rows)
	}
}

// TestPackedRecording: a name that ends in .gz is packed, and read as any other. What was
// written before it was closed is in the file.
func TestPackedRecording(t *testing.T) {
	a := testApp(t)
	file := filepath.Join(t.TempDir(), "web.jsonl.gz")
	r, err := a.recorder(file, true, "run-x", recording.Header{Loop: "hpa"})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.frame(trace.Frame{Pass: 1, Step: "hpa/x"}); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(file)
	if err != nil || before.Size() < 100 {
		t.Errorf("%v, %v", before, err)
	}
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(file); err != nil || !bytes.HasPrefix(b, []byte{0x1f, 0x8b}) {
		t.Errorf("it is not packed: %v", err)
	}
	rec, opened, err := openReplay(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if rec.Len() != 1 || rec.Header.Loop != "hpa" {
		t.Errorf("%d frames, %+v", rec.Len(), rec.Header)
	}
}

// TestKeepingIsNoReasonToFail: where nothing can be kept, the session goes on.
func TestKeepingIsNoReasonToFail(t *testing.T) {
	a := testApp(t)
	dir, err := a.state.Path(keptFolder)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(dir), 0o700), os.WriteFile(dir, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	r, err := a.recorder("", false, "run-x", recording.Header{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.frame(trace.Frame{Step: "hpa/x"}), r.close()); err != nil || r.kept != nil {
		t.Errorf("%v, %v", r.kept, err)
	}
}

// TestKeptIsBounded: a session that goes on for days does not fill the disk.
func TestKeptIsBounded(t *testing.T) {
	a := testApp(t)
	r, err := a.recorder("", false, "run-x", recording.Header{})
	if err != nil {
		t.Fatal(err)
	}
	r.left = 1000
	for range 100 {
		if err := r.frame(trace.Frame{Step: "hpa/x", Err: strings.Repeat("x", 100)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(a.kept()[0]); err != nil || info.Size() > 1500 || info.Size() < 500 {
		t.Errorf("%v, %v", info.Size(), err)
	}
}
