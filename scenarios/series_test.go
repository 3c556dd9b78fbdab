package scenarios_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/stepscale/stepscale/scenarios"
)

// measured is a scenario whose metrics begin in line 6.
func measured(metrics string) string {
	return head + "load: {segments: [{at: 0s, step: 1m}]}\nmetrics:\n" + metrics + "\n"
}

// asking is plain with an HPA that asks for a metric of each kind, a Service, and another
// Deployment.
var asking = plain[:strings.Index(plain, "  metrics:")] + `  metrics:
  - type: Pods
    pods: {metric: {name: rps}, target: {type: AverageValue, averageValue: "100"}}
  - type: Object
    object:
      describedObject: {apiVersion: v1, kind: Service, name: web}
      metric: {name: hits, selector: {matchLabels: {verb: GET}}}
      target: {type: Value, value: "100"}
  - type: External
    external: {metric: {name: queue, selector: {matchLabels: {queue: orders}}}, target: {type: AverageValue, averageValue: "10"}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: db}
spec: {selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: db, image: db}]}}}
`

const allSeries = `- {pods: rps, segments: [{at: 0s, step: 100}, {at: 1m, step: 0.5}]}
- {object: hits, of: {kind: Service, name: web}, labels: {verb: GET}, segments: [{at: 0s, step: 500m}]}
- {external: queue, labels: {queue: orders, zone: a}, segments: [{at: 0s, step: 7.25}]}
- {external: queue, labels: {queue: orders, zone: b}, segments: [{at: 0s, ramp: 60, for: 1m}]}`

// TestSeries: what belongs to a workload is shared by its Ready pods to the last
// thousandth; the rest is what the timeline says.
func TestSeries(t *testing.T) {
	s, err := scenarios.Load(files(measured(allSeries), asking), "x")
	if err != nil {
		t.Fatal(err)
	}
	unready := podOf("web-abc", "ReplicaSet", "abc", "web-abc-0", "web")
	unready.Status.Conditions[0].Status = corev1.ConditionFalse
	pods := []*corev1.Pod{podOf("web-abc", "ReplicaSet", "abc", "web-abc-3", "web"), unready, podOf("db-abc", "ReplicaSet", "abc", "db-abc-1", "web"),
		podOf("web-abc", "ReplicaSet", "abc", "web-abc-1", "web"), podOf("web-abc", "ReplicaSet", "abc", "web-abc-2", "web")}
	for at, want := range map[time.Duration]string{
		0:                "Pod/web-abc-0=0 Pod/web-abc-1=33334 Pod/web-abc-2=33333 Pod/web-abc-3=33333 Service/web=500 /=7250 /=0",
		30 * time.Second: "Pod/web-abc-0=0 Pod/web-abc-1=33334 Pod/web-abc-2=33333 Pod/web-abc-3=33333 Service/web=500 /=7250 /=30000",
		time.Minute:      "Pod/web-abc-0=0 Pod/web-abc-1=167 Pod/web-abc-2=167 Pod/web-abc-3=166 Service/web=500 /=7250 /=60000",
	} {
		var got []string
		for _, g := range s.Gauges(at, pods) {
			got = append(got, fmt.Sprintf("%s/%s=%d", g.Of.Kind, g.Of.Name, g.Value))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("after %s: %s, want %s", at, strings.Join(got, " "), want)
		}
	}
	if of := s.Gauges(0, nil)[0].Of; of.APIVersion != "v1" || of.Kind != "Service" {
		t.Errorf("without pods the first is of %+v", of)
	}
}

func TestSeriesProblems(t *testing.T) {
	const segments = "segments: [{at: 0s, step: 1}]}"
	for want, c := range map[string]struct {
		metric string
		line   int
	}{
		"metrics에는 항목을 하나 이상 목록으로":            {"  {}", 6},
		"metrics의 항목에는 키와 값을":                 {"- rps", 6},
		"하나만 적어야 합니다: 0개":                     {"- {" + segments, 6},
		"하나만 적어야 합니다: 2개":                     {"- {pods: rps, external: queue, " + segments, 6},
		"모르는 키가 있습니다: \"queue\"":              {"- {queue: rps, " + segments, 6},
		"segments 키가 없습니다":                    {"- {pods: rps}", 6},
		"step에 쓸 수 없는 메트릭 값입니다: 200Mi":        {"- pods: rps\n  segments:\n  - {at: 0s, step: 200Mi}", 8},
		"step에 쓸 수 없는 메트릭 값입니다: 50%":          {"- pods: rps\n  segments:\n  - {at: 0s, step: 50%}", 8},
		"ramp에 쓸 수 없는 메트릭 값입니다: -1":           {"- pods: rps\n  segments:\n  - {at: 0s, ramp: -1, for: 1m}", 8},
		"at에 쓸 수 없는 시간입니다: 1500ms":            {"- pods: rps\n  segments:\n  - {at: 1500ms, step: 1}", 8},
		"percent에 쓸 수 없는 값입니다: 101":           {"- {pods: rps, noise: {percent: 101, seed: 1}, " + segments, 6},
		"메트릭의 이름으로 쓸 수 없습니다: a/b":             {"- {pods: a/b, " + segments, 6},
		"external에는 target을 쓸 수 없습니다":         {"- {external: queue, target: web, " + segments, 6},
		"of가 있어야 하는 것은 object뿐입니다: object":    {"- {object: hits, " + segments, 6},
		"of가 있어야 하는 것은 object뿐입니다: pods":      {"- {pods: rps, of: {kind: Service, name: web}, " + segments, 6},
		"of에 name 키가 없습니다":                    {"- {object: hits, of: {kind: Service}, " + segments, 6},
		"labels에는 키와 값을":                      {"- {external: queue, labels: [a], " + segments, 6},
		"레이블로 쓸 수 없습니다: queue: 주문":            {"- {external: queue, labels: {queue: 주문}, " + segments, 6},
		"labels에 같은 키가 두 번":                   {"- {external: queue, labels: {queue: a, queue: b}, " + segments, 6},
		"이 메트릭을 묻는 HPA가 없습니다: rps":            {"- {pods: rps, target: db, " + segments, 6},
		"이 메트릭을 묻는 HPA가 없습니다: rpm":            {"- {pods: rpm, " + segments, 6},
		"이 메트릭을 묻는 HPA가 없습니다: queue":          {"- {external: queue, labels: {queue: mails}, " + segments, 6},
		"이 메트릭을 묻는 HPA가 없습니다: hits":           {"- {object: hits, of: {kind: Deployment, name: web}, labels: {verb: GET}, " + segments, 6},
		"metrics의 target이 objects.yaml에 없습니다": {"- {pods: rps, target: api, " + segments, 6},
		"objects.yaml에 없습니다: Service api":     {"- {object: hits, of: {kind: Service, name: api}, " + segments, 6},
		"네임스페이스의 메트릭은 쓸 수 없습니다":               {"- {object: hits, of: {kind: Namespace, name: x}, " + segments, 6},
	} {
		_, err := scenarios.Load(files(measured(c.metric), asking), "x")
		expect(t, err, "x/scenario.yaml", c.line, want)
	}
}

// TestMissingMetrics: what nobody answers is announced, or a mistake.
func TestMissingMetrics(t *testing.T) {
	without := strings.Join(strings.Split(allSeries, "\n")[:2], "\n")
	_, err := scenarios.Load(files(measured(without), asking), "x")
	expect(t, err, "x/objects.yaml", 1+strings.Count(asking[:strings.Index(asking, "  - type: External")], "\n"), "queue가 scenario.yaml의 metrics에 없습니다")

	announced := "faults: [missing-metrics]\n"
	if _, err := scenarios.Load(files(measured(without)+announced, asking), "x"); err != nil {
		t.Error(err)
	}
	_, err = scenarios.Load(files(measured(allSeries)+announced, asking), "x")
	expect(t, err, "x/objects.yaml", 0, "missing-metrics가 여기에 없습니다")
}

// TestSeriesOfAnEvent: an HPA that an event changes may ask for a metric that nobody asks
// for at the start.
func TestSeriesOfAnEvent(t *testing.T) {
	metrics := measured("- {external: later, segments: [{at: 0s, step: 1}]}")
	if _, err := scenarios.Load(files(metrics, plain), "x"); err == nil {
		t.Fatal("nobody ever asks for it")
	}
	patched := metrics + `events:
- at: 1m
  patch:
    kind: HorizontalPodAutoscaler
    name: web
    with: {spec: {metrics: [{type: External, external: {metric: {name: later}, target: {type: Value, value: "5"}}}]}}
`
	if _, err := scenarios.Load(files(patched, plain), "x"); err != nil {
		t.Error(err)
	}
}
