package cli

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/hpa/referee"
	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/engine/trace"
)

// calm is a recording of an HPA that has nothing to do, one line for each decision.
// change may change what was recorded.
func calm(t testing.TB, passes int, change func(pass int, f *trace.Frame, r *hpa.Recorded)) []byte {
	t.Helper()
	begun := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	object := &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "ns"},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"},
			MinReplicas:    new(int32(1)), MaxReplicas: 10,
			Metrics: []autoscalingv2.MetricSpec{{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{
				Name: corev1.ResourceCPU, Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: new(int32(50))},
			}}},
		},
	}
	var lines bytes.Buffer
	memory := hpa.History{}
	for pass := 1; pass <= passes; pass++ {
		at := begun.Add(time.Duration(pass) * 15 * time.Second)
		r := hpa.Recorded{Params: hpa.DefaultParams(), Input: hpa.Input{Now: at, HPA: object, SpecReplicas: 2, StatusReplicas: 2, Selector: "app=web"},
			History: hpa.History{Recommendations: slices.Clone(memory.Recommendations)}}
		r.Input.Metrics = []hpa.MetricData{{Err: fmt.Errorf("no metrics")}}
		f := trace.Frame{Pass: pass, Step: hpa.UpdateStep, Subject: "ns/web", At: at}
		f.Add("desiredReplicas", "2", "")
		if change != nil {
			change(pass, &f, &r)
		}
		result := hpa.Decide(r.Params, r.Input, &memory)
		var err error
		if f.Inputs, err = json.Marshal(r); err == nil {
			err = f.Write(&lines)
		}
		if err != nil {
			t.Fatal(err)
		}
		object = object.DeepCopy()
		object.Status = result.Status
	}
	return lines.Bytes()
}

// verifyFile runs the command on a file and returns its exit code and what it said.
func verifyFile(t *testing.T, ctx context.Context, file string) (int, string) {
	t.Helper()
	referee.Quiet()
	var out bytes.Buffer
	a := newApp()
	a.out, a.errOut = &out, &out
	code := a.execute(ctx, []string{"verify", file})
	return code, strings.Join(strings.Fields(out.String()), " ") // lines are wrapped
}

func TestVerifyRefuses(t *testing.T) {
	whole := string(calm(t, 3, nil))
	lines := strings.SplitAfter(whole, "\n")
	packed := bytes.NewBuffer(zipped(t, []byte(whole)))
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write([]byte(lines[0]))
	for range mostUnpacked>>20 + 1 {
		_, _ = z.Write(bytes.Repeat([]byte("\n"), 1<<20))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	const header = "{\"recording\":1}\n"
	subject := func(pass int, f *trace.Frame, _ *hpa.Recorded) { f.Subject = "other/web" }
	late := func(_ int, f *trace.Frame, _ *hpa.Recorded) { f.Pass, f.At = f.Pass+3, f.At.Add(-time.Hour) }
	body := func(pass int, _ *trace.Frame, r *hpa.Recorded) {
		if pass == 2 {
			r.Input.HPA = r.Input.HPA.DeepCopy()
			r.Input.HPA.Spec.Metrics[0].Resource = nil
		}
	}
	for name, c := range map[string]struct {
		content string
		line    int // 0: none is named
		says    string
	}{
		"empty":                {"", 0, "빈 파일입니다"},
		"gzip, torn":           {packed.String()[:packed.Len()-60], 2, "줄 중간에서 끝납니다"},
		"gzip, damaged":        {packed.String()[:packed.Len()-6] + "damage", 0, "gzip으로 압축된 기록을 풀 수 없습니다"},
		"gzip bomb":            {bomb.String(), 0, "너무 큽니다"},
		"zip":                  {"PK\x03\x04\x14\x00", 0, "압축된 파일입니다(zip)"},
		"two headers":          {header + header + whole, 2, "머리줄이 두 번"},
		"of tomorrow":          {"{\"recording\":2}\n" + whole, 1, "더 새로운 stepscale"},
		"binary":               {"\x7fELF\x02\x01\x01\x00\x00", 0, "이진 파일입니다"},
		"UTF-16":               {"\xff\xfe{\x00\"\x00", 0, "UTF-16"},
		"YAML":                 {"apiVersion: v1\nkind: Pod\n", 0, "JSON 줄로 된 기록이 아닙니다"},
		"an array":             {"[1]", 0, "JSON 줄로 된 기록이 아닙니다"},
		"another JSON":         {"{\"apiVersion\":\"v1\"}\n", 1, "단계(step)가 없습니다"},
		"torn":                 {whole[:len(whole)-20], 3, "줄 중간에서 끝납니다"},
		"not UTF-8":            {lines[0] + strings.Replace(lines[1], "app=web", "app=\xff", 1), 2, "UTF-8이 아닌"},
		"twice":                {whole + whole, 4, "패스 번호가 돌아갑니다(3 → 1)"},
		"twice, of one pass":   {lines[0] + lines[0], 2, "같은 단계가 두 번"},
		"a line is missing":    {lines[0] + lines[2], 2, "패스 번호를 건너뜁니다(1 → 3)"},
		"another subject":      {lines[0] + strings.SplitAfter(string(calm(t, 2, subject)), "\n")[1], 2, "대상이 바뀝니다(ns/web → other/web)"},
		"back in time":         {whole + string(calm(t, 1, late)), 4, "시각이 돌아갑니다"},
		"a huge number":        {strings.Replace(whole, `"selector":"app`, `"x":"1e-1000000000","selector":"app`, 1) + "{", 4, "줄 중간"},
		"no body":              {string(calm(t, 3, body)), 2, "input.HPA.spec.metrics[0].resource: 값이 없습니다"},
		"a huge number inside": {strings.Replace(whole, `"SpecReplicas":2`, `"SpecReplicas":1e-1000000000`, 1), 1, "긴 수"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "web.jsonl")
			if err := os.WriteFile(file, []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			code, said := verifyFile(t, t.Context(), file)
			if code != problem.ExitUsage || !strings.Contains(said, c.says) || !strings.Contains(said, "도움:") {
				t.Errorf("exit code %d, %q is not said:\n%s", code, c.says, said)
			}
			if at := fmt.Sprintf("web.jsonl:%d", c.line); c.line > 0 && !strings.Contains(said, at) {
				t.Errorf("%s is not named:\n%s", at, said)
			}
		})
	}
}

// TestVerifyAgreesOnACalmRecording with a header, packed, and as they were of old.
func TestVerifyAgreesOnACalmRecording(t *testing.T) {
	of := calm(t, 3, nil)
	headed := append([]byte("{\"recording\":1,\"loop\":\"hpa\",\"tomorrow\":1}\n"), of...)
	for name, content := range map[string][]byte{"of old": of, "with a header": headed, "packed": zipped(t, headed)} {
		file := filepath.Join(t.TempDir(), "web.jsonl")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if code, said := verifyFile(t, t.Context(), file); code != problem.ExitOK || !strings.Contains(said, "결정 3개가 모두 같습니다") {
			t.Errorf("%s: exit code %d:\n%s", name, code, said)
		}
	}
}

func zipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// TestPackedRecordingIsCutOff: whoever ends the process while it records, or loses the end of
// the file, loses the last frame at the most.
func TestPackedRecordingIsCutOff(t *testing.T) {
	file := filepath.Join(t.TempDir(), "web.jsonl.GZ")
	r, err := deps{}.recorder(file, true, "", recording.Header{})
	if err != nil {
		t.Fatal(err)
	}
	frames, err := recording.Read(bytes.NewReader(calm(t, 20, nil)))
	if err != nil {
		t.Fatal(err)
	}
	var ends []int64 // of the file, after each frame
	for _, f := range frames {
		if err := r.frame(f); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, info.Size())
	}
	whole, err := os.ReadFile(file)
	if err != nil || !bytes.HasPrefix(whole, []byte{0x1f, 0x8b}) {
		t.Fatalf("%v, %x", err, whole[:2])
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		cut := ends[0] + random.Int64N(int64(len(whole))-ends[0]+1)
		if err := os.WriteFile(file, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		rec, opened, err := openReplay(t.Context(), file)
		if err != nil {
			t.Fatalf("cut after %d bytes: %v", cut, err)
		}
		written, _ := slices.BinarySearch(ends, cut+1)
		if rec.Len() < written || rec.Len() > written+1 {
			t.Errorf("cut after %d bytes: %d frames, %d were written", cut, rec.Len(), written)
		}
		if err := opened.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestVerifyReadsRegularFilesOnly: a pipe that nobody writes to would hang.
func TestVerifyReadsRegularFilesOnly(t *testing.T) {
	dir := t.TempDir()
	pipe, large := filepath.Join(dir, "pipe"), filepath.Join(dir, "large")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, mostRecorded+1); err != nil {
		t.Fatal(err)
	}
	for file, says := range map[string]string{pipe: "일반 파일이 아닙니다", "/dev/zero": "일반 파일이 아닙니다", dir: "폴더입니다", large: "너무 큽니다", dir + "/none": "읽을 수 없습니다"} {
		if code, said := verifyFile(t, t.Context(), file); code != problem.ExitUsage || !strings.Contains(said, says) {
			t.Errorf("%s: exit code %d:\n%s", file, code, said)
		}
	}
}

// endsAfter is a context that has ended once somebody has looked a number of times.
type endsAfter struct {
	context.Context
	looks atomic.Int64
}

func (c *endsAfter) Err() error {
	if c.looks.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// TestVerifyIsInterrupted while it reads, and while it decides: it looks whether
// somebody wants it to end more often than once for each decision.
func TestVerifyIsInterrupted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "web.jsonl")
	const passes = 100
	recording := calm(t, passes, nil)
	if err := os.WriteFile(file, recording, 0o600); err != nil {
		t.Fatal(err)
	}
	ended := &endsAfter{Context: t.Context()}
	if err := readRecording(ended, file, func(line int, _ trace.Frame) error { t.Errorf("line %d was read", line); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("reading: %v", err)
	}
	reads := len(recording) / 4096
	for _, looks := range []int{0, reads / 2, reads + passes/2, reads + passes} {
		ctx := &endsAfter{Context: t.Context()}
		ctx.looks.Store(int64(looks))
		if code, said := verifyFile(t, ctx, file); code != problem.ExitInterrupted || !strings.Contains(said, "중단했습니다") {
			t.Errorf("%d: exit code %d:\n%s", looks, code, said)
		}
	}
}

// FuzzVerify: no file makes it panic, or hang, or fail without a word.
func FuzzVerify(f *testing.F) {
	whole := calm(f, 2, nil)
	f.Add(whole)
	f.Add(whole[:len(whole)-20])
	f.Add(append(whole, whole...))
	f.Add([]byte("{\"step\":\"a/b\"}\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		file := filepath.Join(t.TempDir(), "x.jsonl")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		code, said := verifyFile(t, ctx, file)
		if said == "" || ctx.Err() != nil || strings.Contains(said, "멈췄습니다") || strings.Contains(said, "stepscale doctor") {
			t.Errorf("exit code %d, %v: %s", code, ctx.Err(), said)
		}
	})
}

// FuzzKubeconfig: no kubeconfig makes the attachment to a cluster panic. The context
// has ended, so that nobody is called and no plugin is run.
func FuzzKubeconfig(f *testing.F) {
	f.Add([]byte("apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts:\n- name: a\n  context: {cluster: a, user: a, namespace: n}\nclusters:\n- name: a\n  cluster: {server: 'https://127.0.0.1:1'}\nusers:\n- name: a\n  user: {token: t}\n"), "a")
	f.Add([]byte("contexts:\n- name: a\n"), "a")
	f.Add([]byte("clusters: null\ncontexts: {}\n"), "")
	f.Fuzz(func(t *testing.T, content []byte, name string) {
		file := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("KUBECONFIG", file)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := (lab.Attachment{Context: name}).Open().Up(ctx); err == nil {
			t.Error("a cluster answered")
		}
		if kubeContexts().Detail == "" {
			t.Error("doctor has nothing to say about it")
		}
	})
}
