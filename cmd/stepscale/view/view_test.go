package view

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/stepscale/stepscale/engine/trace"
)

var update = flag.Bool("update", false, "write the golden files again")

var start = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

func ratioFrame() trace.Frame {
	f := trace.Frame{Pass: 2, Step: "hpa/2-replicas/ratio", Subject: "demo/web", Actor: "hpa-controller",
		At: start.Add(15 * time.Second), Kubectl: "kubectl -n demo get hpa web -o jsonpath='{.status.currentMetrics}'"}
	f.Add("totalUsage", "360m", "180m + 180m")
	f.Add("totalRequests", "200m", "100m × 2")
	f.Add("currentUtilization", "180%", "360m × 100 / 200m")
	f.Add("targetUtilization", "50%", "")
	f.Add("usageRatio", "3.6", "180 / 50")
	f.Add("podMetric/web-7c5b8d-abcde", "180m", "")
	f.Add("usageRatio#2", "1.1", "55 / 50")
	return f
}

func podsFrame() trace.Frame {
	f := trace.Frame{Pass: 2, Step: "hpa/5-pods/create", Subject: "demo/web", Actor: "replicaset-controller",
		At: start.Add(15 * time.Second), Kubectl: "kubectl -n demo get pods"}
	for i := range 4 {
		f.Calls = append(f.Calls, trace.Call{Actor: "replicaset-controller", Verb: "POST",
			Path: "/api/v1/namespaces/demo/pods", Status: 201, Latency: time.Duration(1200+100*i) * time.Microsecond})
		f.Calls = append(f.Calls, trace.Call{Actor: "kubelet", Verb: "PATCH",
			Path: fmt.Sprintf("/api/v1/namespaces/demo/pods/web-7c5b8d-%d/status?fieldManager=kwok", i), Status: 200, Latency: 2 * time.Millisecond})
	}
	f.Calls = append(f.Calls, trace.Call{Actor: "replicaset-controller", Verb: "PUT",
		Path: "/apis/apps/v1/namespaces/demo/replicasets/web-7c5b8d/status", Latency: 12 * time.Millisecond})
	f.Changes = []trace.Change{{Object: "pod/web-7c5b8d-0", Field: "metadata.name", To: "web-7c5b8d-0"},
		{Object: "deployment/web", Field: "spec.replicas", From: "2", To: "4"}}
	f.Waiting = []trace.Waiting{{Actor: "scheduler", Verb: "POST", Path: "/api/v1/namespaces/demo/pods/web-7c5b8d-0/binding"},
		{Actor: "scheduler", Verb: "POST", Path: "/api/v1/namespaces/demo/pods/web-7c5b8d-1/binding"}}
	f.Err = "connection refused"
	return f
}

const markdown = `# 적정 파드 수를 계산합니다

> **원문 2)-2)** HPA는 내부적인 알고리즘을 통해 Replicas의 적정 파드 수량을 계산

HPA 컨트롤러는 지금 쓰는 양을 ` + "`requests`" + `로 나눠 **사용률**을 구하고, 목표 사용률과 비교해서 비율을 얻습니다.

- 비율이 1보다 크면 파드를 늘립니다.
- 작으면 줄입니다.

| 단계 | 액터 | 하는 일 |
|---|---|---|
| 1 | HPA 컨트롤러 | 메트릭을 조회합니다 |
| 2 | 디플로이먼트 컨트롤러 | 레플리카셋을 고칩니다 |

` + "```\nceil(비율 × 현재 레플리카 수)\n```\n"

func draw(s *Screen) {
	s.Title("2. HPA의 동작 순서")
	s.Prose(markdown)
	s.Coming("HPA 컨트롤러가 파드를 준비됨, 준비되지 않음, 메트릭 없음으로 나눈 다음 사용 비율을 계산합니다.")
	s.Question("다음 레플리카 수는 얼마가 될까요?")
	s.Hint("올림(ceil)을 잊지 마세요.")
	s.Step(StepView{Frame: ratioFrame(), Start: start, Title: "비율을 계산합니다", Simulated: true})
	s.Step(StepView{Frame: podsFrame(), Start: start, Recorded: true, Simulated: true})
	s.Right(FactLabel("proposal"), "4")
	s.Wrong(FactLabel("action"), "유지", "scaleUp")
	s.TickHeader(Tick{})
	s.Tick(NewTick([]trace.Frame{ratioFrame()}), start)
	s.Tick(Tick{Pass: 3, At: start.Add(30 * time.Second), Current: "2", Desired: "4", Utilization: "90%", Target: "50%", Proposal: "4", Max: "4", Action: "scaleUp"}, start)
	s.Tick(Tick{Pass: 4, At: start.Add(65 * time.Minute), Current: "4", Desired: "4", Utilization: "45%", Target: "50%", Action: "keep"}, start)
	s.Tick(Tick{Pass: 5, At: start.Add(66 * time.Minute)}, start)
	s.Skipped(18)
	s.Section("명령")
	s.Pairs([][2]string{{"다음  (Enter, n, next)", "다음 단계를 실행합니다. 되돌아가 있을 때는 기록을 한 칸 앞으로 넘깁니다."}, {"q, quit", "저장하고 끝냅니다."}})
	s.Problem("시나리오를 찾지 못했습니다: web-surj", "scenarios/web-surj", "혹시 web-surge를 찾으셨습니까? 시나리오 목록은 stepscale check로 볼 수 있습니다.")
}

// TestTickOfARetriedPass: the row has the time of the try that decided, and no fact of one
// that was broken off. What fails after the decision changes nothing.
func TestTickOfARetriedPass(t *testing.T) {
	frame := func(seconds int, step trace.StepID, err, fact, value string) trace.Frame {
		f := trace.Frame{Pass: 3, Step: step, At: start.Add(time.Duration(seconds) * time.Second), Err: err}
		f.Add(fact, value, "")
		return f
	}
	for name, c := range map[string]struct {
		frames  []trace.Frame
		at      int
		current string
	}{
		"at once":     {[]trace.Frame{frame(30, "scrape", "", "scrapedPods", "2"), frame(31, "update", "", "action", "scaleUp")}, 30, ""},
		"first step":  {[]trace.Frame{frame(30, "scrape", "gone", "x", ""), frame(60, "scrape", "gone", "x", ""), frame(103, "scrape", "", "scrapedPods", "2"), frame(104, "update", "", "action", "scaleUp")}, 103, ""},
		"second step": {[]trace.Frame{frame(30, "scrape", "", "scrapedPods", "2"), frame(35, "query", "gone", "currentReplicas", "2"), frame(103, "query", "", "currentReplicas", "3"), frame(104, "update", "", "action", "keep")}, 103, "3"},
		"afterwards":  {[]trace.Frame{frame(30, "scrape", "", "scrapedPods", "2"), frame(31, "update", "", "action", "scaleUp"), frame(35, "run", "gone", "currentReplicas", "9"), frame(103, "run", "", "readyPods", "4")}, 30, ""},
	} {
		if tick := NewTick(c.frames); tick.Pass != 3 || !tick.At.Equal(start.Add(time.Duration(c.at)*time.Second)) || tick.Current != c.current {
			t.Errorf("%s: %+v, want +%ds", name, tick, c.at)
		}
	}
}

// TestNodesBesideAnHPA: what was done with nodes has a row of its own where an HPA has
// decided in the same pass, and the decision is the HPA's.
func TestNodesBesideAnHPA(t *testing.T) {
	frame := func(step trace.StepID, facts ...string) trace.Frame {
		f := trace.Frame{Pass: 4, Step: step}
		for i := 0; i < len(facts); i += 2 {
			f.Add(facts[i], facts[i+1], "")
		}
		return f
	}
	added := frame("karpenter/5-pods/run", "action", "addNode", "instanceType", "c5.xlarge")
	for name, c := range map[string]struct {
		frames              []trace.Frame
		action, also, nodes string
	}{
		"an HPA that keeps":  {[]trace.Frame{added, frame("hpa/3-scale/update", "currentReplicas", "7", "action", "keep")}, "keep", "", "addNode"},
		"an HPA that scales": {[]trace.Frame{added, frame("hpa/3-scale/update", "currentReplicas", "3", "action", "scaleUp")}, "scaleUp", "", "addNode"},
		"nothing with nodes": {[]trace.Frame{frame("hpa/3-scale/update", "currentReplicas", "3", "action", "scaleUp")}, "scaleUp", "", ""},
		"no HPA":             {[]trace.Frame{added}, "addNode", "", ""},
	} {
		tick := NewTick(c.frames)
		if tick.Action != c.action || tick.Also != c.also || tick.NodeAction != c.nodes {
			t.Errorf("%s: %q, %q, %q", name, tick.Action, tick.Also, tick.NodeAction)
		}
		var out bytes.Buffer
		NewFixed(&out, 60, false).Tick(tick, time.Time{})
		if got := strings.Contains(out.String(), "\n     노드 추가 c5.xlarge\n"); got != (c.nodes != "") {
			t.Errorf("%s: %q", name, out.String())
		}
	}
}

func TestGolden(t *testing.T) {
	for _, width := range []int{40, 60, 80, 120} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			var out bytes.Buffer
			draw(NewFixed(&out, width, false))
			file := filepath.Join("testdata", fmt.Sprintf("screen-%d.txt", width))
			if *update {
				if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(out.Bytes(), want) {
				t.Errorf("the screen differs from %s; run go test -update and read the difference\n%s", file, out.String())
			}
			fits(t, out.String(), width)
		})
	}
}

// fits fails on a line that is wider than the screen. A kubectl command may be:
// it is there to be copied.
func fits(t *testing.T, text string, width int) {
	t.Helper()
	for l := range strings.SplitSeq(text, "\n") {
		if ansi.StringWidth(l) > width && !strings.Contains(l, "kubectl ") {
			t.Errorf("%d columns, want at most %d: %q", ansi.StringWidth(l), width, l)
		}
	}
}

// TestColorSaysTheSame: without its colors a screen is the plain one, letter by letter,
// but for the bar beside a quotation.
func TestColorSaysTheSame(t *testing.T) {
	for _, width := range []int{40, 60, 80, 120} {
		var colored, plain bytes.Buffer
		draw(NewFixed(&colored, width, true))
		draw(NewFixed(&plain, width, false))
		fits(t, colored.String(), width)
		got, want := strings.Split(ansi.Strip(colored.String()), "\n"), strings.Split(plain.String(), "\n")
		if len(got) != len(want) {
			t.Errorf("%d columns: %d lines with colors, %d without", width, len(got), len(want))
		}
		for i := range min(len(got), len(want)) {
			if strings.Replace(got[i], "  ┃ ", "  | ", 1) != want[i] {
				t.Errorf("%d columns, line %d: with colors %q, without %q", width, i+1, got[i], want[i])
			}
		}
		for _, c := range []string{bold, faint, red, green, yellow, cyan, title} {
			if !strings.Contains(colored.String(), "\x1b["+c+"m") {
				t.Errorf("%d columns: nothing has the color %s", width, c)
			}
		}
	}
}

func TestPipeHasNoColor(t *testing.T) {
	t.Setenv("COLUMNS", "100")
	var out bytes.Buffer
	s := New(&out)
	draw(s)
	if s.Width() != 100 || strings.Contains(out.String(), "\x1b") {
		t.Errorf("width %d, escape sequences %v", s.Width(), strings.Contains(out.String(), "\x1b"))
	}
}

func TestShorten(t *testing.T) {
	path := "/apis/metrics.k8s.io/v1beta1/namespaces/demo/pods"
	got := shorten(path, 30)
	if ansi.StringWidth(got) != 30 || !strings.HasSuffix(got, "/demo/pods") || !strings.HasPrefix(got, "/apis") {
		t.Errorf("got %q", got)
	}
	if got := shorten("가나다라마바사", 9); ansi.StringWidth(got) > 9 {
		t.Errorf("%q is %d columns", got, ansi.StringWidth(got))
	}
}

func TestManyFactsAreCounted(t *testing.T) {
	var f trace.Frame
	for i := range 1000 {
		f.Add(fmt.Sprintf("podMetric/web-%d", i), "1m", "")
	}
	var short, all bytes.Buffer
	NewFixed(&short, 80, false).Step(StepView{Frame: f})
	NewFixed(&all, 80, false).Facts(f)
	if !strings.Contains(short.String(), "외 988개") || strings.Count(all.String(), "파드 사용량") != 1000 {
		t.Errorf("short: %s", short.String())
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0초", 20 * time.Millisecond: "20밀리초", 90 * time.Second: "1분 30초", time.Hour + time.Minute: "1시간 1분", 49 * time.Hour: "2일 1시간",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestWriteErrorIsKept(t *testing.T) {
	s := NewFixed(broken{}, 80, false)
	s.Line("하나")
	s.Line("둘")
	if s.Err() == nil {
		t.Error("the writer's error was lost")
	}
}

// TestCodeIsNotWrapped: a long command is there to be copied.
func TestCodeIsNotWrapped(t *testing.T) {
	var out strings.Builder
	long := "    kubectl get pod " + strings.Repeat("x", 90)
	NewFixed(&out, 60, false).Prose("앞의 글입니다.\n\n" + long + "\n\n뒤의 글입니다.\n\n- 하나\n  - 둘\n")
	if !strings.Contains(out.String(), "\n"+long+"\n") || !strings.Contains(out.String(), "뒤의 글입니다.") {
		t.Errorf("shown as\n%s", out.String())
	}
}

// TestLongWordsFillLines: what has no place to break in, a URL as a rule, is cut at the width,
// without an empty line.
func TestLongWordsFillLines(t *testing.T) {
	url := `"https://10.99.77.2:6443/apis/metrics.k8s.io/v1beta1/namespaces/stepscale-web-surge-cvcp6/pods?labelSelector=app%3Dweb-a-b-c"`
	for _, width := range []int{40, 60, 80} {
		var out strings.Builder
		s := NewFixed(&out, width, false)
		s.Note("단계를 실행하지 못해 5초 뒤에 다시 실행합니다. (Get " + url + ": dial tcp: connection refused)")
		s.Problem("API 서버와 연결이 끊겼습니다: Get "+url+": EOF", "hpa/1-metrics/query", "")
		for line := range strings.Lines(out.String()) {
			if ansi.StringWidth(strings.TrimRight(line, "\n")) > width || strings.TrimSpace(line) == "" {
				t.Errorf("at %d columns: %q", width, line)
			}
		}
		if joined := strings.Join(strings.Fields(out.String()), ""); strings.Count(joined, url) != 2 {
			t.Errorf("at %d columns the URL is torn: %s", width, out.String())
		}
	}
}
