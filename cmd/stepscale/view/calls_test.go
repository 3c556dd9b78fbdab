package view

import (
	"strings"
	"testing"
	"time"

	"github.com/stepscale/stepscale/engine/trace"
)

func shown(f trace.Frame, simulated bool) string {
	var out strings.Builder
	NewFixed(&out, 120, false).Step(StepView{Frame: f, Simulated: simulated})
	return out.String()
}

// TestNobodyIsNamedForWhatOthersDid: the step's own calls come first, in whatever order
// they were made, and those of others stand apart, folded, under their own names.
func TestNobodyIsNamedForWhatOthersDid(t *testing.T) {
	f := trace.Frame{Step: "hpa/4-deployment/replicaset", Actor: trace.ActorDeployment, Calls: []trace.Call{
		{Actor: trace.ActorReplicaSet, Verb: "PUT", Path: "/apis/apps/v1/namespaces/x/replicasets/web/status", Status: 409},
		{Actor: trace.ActorReplicaSet, Verb: "POST", Path: "/api/v1/namespaces/x/pods", Status: 201},
		{Actor: trace.ActorReplicaSet, Verb: "POST", Path: "/api/v1/namespaces/x/pods", Status: 201},
		{Actor: trace.ActorKubelet, Verb: "DELETE", Path: "/api/v1/namespaces/x/pods/web-1", Status: 404},
		{Actor: trace.ActorDeployment, Verb: "PUT", Path: "/apis/apps/v1/namespaces/x/replicasets/web", Status: 409, Latency: time.Millisecond},
		{Actor: trace.ActorReplicaSet, Verb: "GET", Path: "/api/v1/namespaces/x/pods/web-1", Status: 200},
		{Actor: trace.ActorDeployment, Verb: "PUT", Path: "/apis/apps/v1/namespaces/x/replicasets/web", Status: 200, Latency: time.Millisecond},
	}}
	own, others, ok := strings.Cut(shown(f, false), "그동안 다른 액터가 한 일")
	if !ok || !strings.Contains(own, "API 호출 2건") || strings.Contains(own, "pods") || !strings.Contains(own, "다시 읽고 다시 씁니다") {
		t.Errorf("its own:\n%s", own)
	}
	for _, want := range []string{
		"레플리카셋 컨트롤러 (replicaset-controller)  PUT replicasets/status (409: 읽은 뒤에 다른 액터가 먼저 고쳤습니다.",
		"POST pods ×2, 읽기", "kubelet  DELETE pods (404: 이미 사라진 오브젝트입니다)",
	} {
		if !strings.Contains(others, want) {
			t.Errorf("no %q in\n%s", want, others)
		}
	}
}

// TestRemarksOnCalls: what was not found may never have been there, and a read that only
// our engine makes is told from upstream's.
func TestRemarksOnCalls(t *testing.T) {
	for want, c := range map[string]trace.Call{
		"404: 아직 없는 오브젝트입니다.":                        {Verb: "GET", Status: 404},
		"404: 이미 사라진 오브젝트입니다.":                       {Verb: "DELETE", Status: 404},
		"404: 그런 오브젝트가 없습니다. 아직 만들지 않았거나 이미 사라졌습니다.": {Verb: "PATCH", Status: 404},
		"업스트림은 묻지 않고, watch로 채워 둔 캐시에서 꺼냅니다.":        {Verb: "GET", Status: 200, Cached: true},
	} {
		c.Path = "/api/v1/namespaces/x/pods/web-1"
		asked := c
		asked.Cached, asked.Status = false, 200
		got := shown(trace.Frame{Calls: []trace.Call{c, asked}}, false)
		if strings.Count(got, "         "+want) != 1 {
			t.Errorf("not once %q in\n%s", want, got)
		}
	}
}

// TestWhoMoved names the actor of the step, and says what he did where he wrote nothing.
func TestWhoMoved(t *testing.T) {
	call := func(actor, verb string, status int) []trace.Call {
		return []trace.Call{{Actor: actor, Verb: verb, Status: status, Path: "/api/v1/namespaces/x/pods"}}
	}
	for want, f := range map[string]trace.Frame{
		"움직인 액터: HPA 컨트롤러 (hpa-controller)\n":                       {Actor: trace.ActorHPA, Calls: call(trace.ActorHPA, "PUT", 200)},
		"움직인 액터: HPA 컨트롤러 (hpa-controller). 읽기만 했습니다.":              {Actor: trace.ActorHPA, Calls: call(trace.ActorHPA, "GET", 200)},
		"움직인 액터: HPA 컨트롤러 (hpa-controller). 계산만 했습니다.":              {Actor: trace.ActorHPA},
		"움직인 액터: 없음. 스케줄러 (scheduler)에게는 할 일이 없었습니다.":               {Actor: trace.ActorScheduler, Calls: call(trace.ActorKubelet, "DELETE", 200)},
		"움직인 액터: VPA Updater (vpa-updater). 쓰려 했지만 API 서버가 거절했습니다.": {Actor: "vpa-updater", Calls: call("vpa-updater", "POST", 429)},
		"(replicaset-controller). 요청을 보냈고, API 서버가 웹훅의 대답을 기다립니다.":  {Actor: trace.ActorReplicaSet, Facts: []trace.Fact{{Name: "admissionReviews", Value: "1"}}},
		"움직인 액터: kubelet. 쓰기가 게이트에서 기다립니다.":                         {Actor: trace.ActorKubelet, Waiting: []trace.Waiting{{Actor: trace.ActorKubelet, Verb: "DELETE"}}},
	} {
		if got := shown(f, false); !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// TestClocks: virtual times have their day, and a command that shows ages says whose clock
// they are of.
func TestClocks(t *testing.T) {
	f := trace.Frame{At: time.Date(2026, 1, 5, 0, 0, 15, 0, time.UTC), Kubectl: "kubectl get pods -n x"}
	if got := shown(f, true); !strings.Contains(got, "가상 시각 2026-01-05 00:00:15") || !strings.Contains(got, "이 컴퓨터의 시계") {
		t.Error(got)
	}
	if got := shown(f, false); strings.Contains(got, "이 컴퓨터의 시계") {
		t.Error(got)
	}
	for _, ageless := range []string{"kubectl get pods -n x -o custom-columns='NAME:.metadata.name'", "kubectl get --raw '/apis/x'"} {
		f.Kubectl = ageless
		if got := shown(f, true); strings.Contains(got, "이 컴퓨터의 시계") {
			t.Error(got)
		}
	}
}

// TestPassOfAnHPA: while the window holds a scale-down back, the row shows what the pass
// proposed beside the highest proposal of the window.
func TestPassOfAnHPA(t *testing.T) {
	f := trace.Frame{At: start, Pass: 18, Facts: []trace.Fact{{Name: "currentReplicas", Value: "4"}, {Name: "proposal#1", Value: "1"},
		{Name: "metricDesiredReplicas", Value: "2"}, {Name: "recommendationMax", Value: "4"}, {Name: "desiredReplicas", Value: "4"}, {Name: "action", Value: "keep"}}}
	for width, want := range map[int]string{58: "    2      4         4 유지", 57: "     -      -         4 유지"} {
		var out strings.Builder
		s := NewFixed(&out, width, false)
		tick := NewTick([]trace.Frame{f})
		s.TickHeader(tick)
		s.Tick(tick, start)
		if told := strings.Contains(out.String(), "제안 최댓값"); !strings.Contains(out.String(), want) || told != (width == 58) {
			t.Errorf("%d columns: no %q in\n%s", width, want, &out)
		}
	}
}

// TestPassOfAMetric: an amount is no utilization, and has no bar.
func TestPassOfAMetric(t *testing.T) {
	row := func(facts ...trace.Fact) string {
		var out strings.Builder
		s := NewFixed(&out, 100, false)
		tick := NewTick([]trace.Frame{{At: start, Pass: 1, Facts: facts}})
		s.TickHeader(tick)
		s.Tick(tick, start)
		return out.String()
	}
	average := row(trace.Fact{Name: "metricValue", Value: "30"}, trace.Fact{Name: "targetAverageValue", Value: "10"}, trace.Fact{Name: "averageValue", Value: "15"})
	if !strings.Contains(average, "     값   목표") || strings.Contains(average, "사용률") || !strings.Contains(average, "     15     10") {
		t.Error(average)
	}
	if got := row(trace.Fact{Name: "currentUtilization", Value: "95%"}, trace.Fact{Name: "targetUtilization", Value: "50%"}); !strings.Contains(got, "사용률과 목표") {
		t.Error(got)
	}
}

// TestPassOfAVPA: the row is about the resource that the VPA sizes, and shows what the
// request was and what it is.
func TestPassOfAVPA(t *testing.T) {
	tick := func(facts ...string) string {
		f := trace.Frame{Pass: 1, At: start}
		for i := 0; i < len(facts); i += 2 {
			f.Add(facts[i], facts[i+1], "")
		}
		var out strings.Builder
		NewFixed(&out, 80, false).Tick(NewTick([]trace.Frame{f}), start)
		return out.String()
	}
	for want, got := range map[string]string{
		" 256Mi→422.3Mi ": tick("target/web.memory", "422.3Mi", "before/web.cpu", "100m × 2", "after/web.cpu", "100m × 2", "before/web.memory", "256Mi × 2", "after/web.memory", "256Mi × 1, 422.3Mi × 1"),
		" 100m→300m ":     tick("target/web.cpu", "300m", "before/web.cpu", "100m × 1, 300m × 1", "after/web.cpu", "300m × 2"),
		" 300m ":          tick("target/web.cpu", "300m", "before/web.cpu", "300m × 2", "after/web.cpu", "300m × 2"),
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
}

// TestWhereTheyWait: a write waits at a gate, and where an API server has asked for one, in the
// webhook perhaps.
func TestWhereTheyWait(t *testing.T) {
	held := []trace.Waiting{{Actor: "vpa-admission-controller", Verb: "POST", Path: "/mutate"}}
	for want, f := range map[string]trace.Frame{
		"쓰기가 게이트에서":     {Actor: trace.ActorReplicaSet, Waiting: held},
		"쓰기가 게이트나 웹훅에서": {Actor: trace.ActorReplicaSet, Waiting: held, Facts: []trace.Fact{{Name: "admissionReviews", Value: "1"}}},
	} {
		if got := shown(f, false); !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}
