package scenarios_test

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/scenarios"
)

// eventful is a scenario whose events begin in line 6.
func eventful(events string) string {
	return head + "load: {segments: [{at: 0s, step: 1m}]}\nevents:\n" + events + "\n"
}

// TestEvents: what is written in any order happens in the order of time, and one event
// meets what another has left.
func TestEvents(t *testing.T) {
	s, err := scenarios.Load(files(eventful(`- {at: 3m, delete: {kind: ConfigMap, name: flags}}
- at: 1m
  by: 배포
  patch:
    kind: Deployment
    name: web
    with: {spec: {strategy: {rollingUpdate: {maxSurge: 1}}, template: {spec: {containers: [{name: web, image: "web:2"}]}}}}
- {at: 2m, apply: {apiVersion: v1, kind: ConfigMap, metadata: {name: flags}, data: {a: b}}}
- {at: 4m, patch: {kind: HorizontalPodAutoscaler, name: web, with: {spec: {maxReplicas: 20}}}}
- {at: 5m, delete: {pods: web, count: 2}}
- {at: 6m, evict: {pods: web}}
- {at: 7m, crash: {pods: web, container: web}}
- {at: 8m, notReady: {node: sim-node-2, for: 6m}}
- {at: 9m, metricsAway: {for: 1m}}
- {at: 10m, freeze: {pods: web, for: 2m}}`), plain), "x")
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, e := range s.Events() {
		order = append(order, e.What)
	}
	if got := strings.Join(order, " "); got != "patch apply delete patch delete evict crash notReady metricsAway freeze" {
		t.Errorf("they happen as %s", got)
	}
	first, second, last := s.Events()[0], s.Events()[1], s.Events()[9]
	if first.Actor != trace.ActorPipeline || first.At != time.Minute || !strings.Contains(string(first.Patch), `"maxSurge":1`) || first.Object.GetAPIVersion() != "apps/v1" {
		t.Errorf("%+v %s", first, first.Patch)
	}
	if second.Actor != trace.ActorLearner || second.Object.GetName() != "flags" {
		t.Errorf("%+v", second)
	}
	if last.For != 2*time.Minute || last.Pods != (scenarios.Pick{Of: "web", Count: 1}) {
		t.Errorf("%+v", last)
	}
}

func TestEventProblems(t *testing.T) {
	for want, c := range map[string]struct {
		event string
		line  int
	}{
		"events에는 항목을 하나 이상 목록으로":                            {"  {}", 6},
		"일어날 일을 하나만 적어야 합니다: 0개":                             {"- {at: 1m}", 6},
		"일어날 일을 하나만 적어야 합니다: 2개":                             {"- {at: 1m, evict: {pods: web}, crash: {pods: web}}", 6},
		"at에 쓸 수 없는 시간입니다: 0s":                               {"- {at: 0s, evict: {pods: web}}", 6},
		"at에 쓸 수 없는 시간입니다: 400d":                             {"- {at: 400d, evict: {pods: web}}", 6},
		"at 키가 없습니다":                                         {"- {evict: {pods: web}}", 6},
		"by에 모르는 이름이 있습니다: 누구":                               {"- {at: 1m, by: 누구, evict: {pods: web}}", 6},
		"모르는 키가 있습니다: \"explode\"":                           {"- {at: 1m, explode: {pods: web}, evict: {pods: web}}", 6},
		"그때 Deployment api는 없습니다":                            {"- {at: 1m, patch: {kind: Deployment, name: api, with: {spec: {replicas: 3}}}}", 6},
		"patch에 쓸 수 없는 종류입니다: Secret":                        {"- {at: 1m, patch: {kind: Secret, name: api, with: {data: {}}}}", 6},
		"그때 파드를 만드는 api는 없습니다":                               {"- {at: 1m, evict: {pods: api}}", 6},
		"그런 컨테이너가 없습니다: proxy":                               {"- {at: 1m, crash: {pods: web, container: proxy}}", 6},
		"그런 노드는 없습니다: node-9":                                {"- {at: 1m, notReady: {node: node-9, for: 1m}}", 6},
		"notReady에 for 키가 없습니다":                              {"- {at: 1m, notReady: {node: sim-node-1}}", 6},
		"count에 쓸 수 없는 값입니다: 0":                              {"- {at: 1m, delete: {pods: web, count: 0}}", 6},
		"모르는 필드입니다: spec.replica":                            {"- at: 1m\n  patch:\n    kind: Deployment\n    name: web\n    with:\n      spec:\n        replica: 3", 12},
		"spec.maxReplicas":                                   {"- at: 1m\n  patch:\n    kind: HorizontalPodAutoscaler\n    name: web\n    with:\n      spec:\n        maxReplicas: -1", 12},
		"spec.selector":                                      {"- at: 1m\n  patch:\n    kind: Deployment\n    name: web\n    with:\n      spec:\n        template: {metadata: {labels: {v: x}}}\n        selector: {matchLabels: {v: x}}", 13},
		"시나리오에 쓸 수 없는 필드입니다: spec.template.spec.hostNetwork": {"- at: 1m\n  patch:\n    kind: Deployment\n    name: web\n    with: {spec: {template: {spec:\n      {hostNetwork: true}}}}", 11},
		"시나리오에 쓸 수 없는 종류입니다: v1 Secret":                      {"- at: 1m\n  apply:\n    apiVersion: v1\n    kind: Secret\n    metadata: {name: x}", 9},
		"오브젝트의 이름이 없습니다":                                     {"- at: 1m\n  apply:\n    apiVersion: v1\n    kind: ConfigMap\n    metadata: {}", 10},
		"같은 필드가 두 번 있습니다: data":                              {"- at: 1m\n  apply:\n    apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: x}\n    data: {}\n    data: {}", 12},
		"그때 ConfigMap x는 없습니다":                               {"- {at: 2m, apply: {apiVersion: v1, kind: ConfigMap, metadata: {name: x}}}\n- {at: 1m, delete: {kind: ConfigMap, name: x}}", 7},
		"노드에 들어가는 파드의 수":                                     {"- {at: 1m, patch: {kind: Deployment, name: web, with: {spec: {replicas: 9000}}}}", 6},
	} {
		_, err := scenarios.Load(files(eventful(c.event), plain), "x")
		expect(t, err, "x/scenario.yaml", c.line, want)
	}
}

// TestEventProblemsTogether: an author is told of all that is wrong, in both files.
func TestEventProblemsTogether(t *testing.T) {
	_, err := scenarios.Load(files(eventful("- {at: 1m, evict: {pods: api}}\n- {at: 2m, crash: {pods: web, container: proxy}}\n- {at: x, metricsAway: {for: 1m}}"), plain), "x")
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("told of %v, want three problems", err)
	}
}

// TestPick: the oldest pods are meant, and none that is on its way out.
func TestPick(t *testing.T) {
	now := metav1.Now()
	pod := func(name string, age time.Duration, owner string) corev1.Pod {
		p := podOf(owner+"-abc", "ReplicaSet", "abc", name, "web")
		p.CreationTimestamp = metav1.NewTime(now.Add(-age))
		return *p
	}
	going := pod("going", time.Hour, "web")
	going.DeletionTimestamp = &now
	pods := []corev1.Pod{pod("b", time.Minute, "web"), pod("a", time.Minute, "web"), pod("old", time.Hour, "web"), pod("other", 2*time.Hour, "db"), going}
	var names []string
	for _, p := range (scenarios.Pick{Of: "web", Count: 2}).Choose(pods) {
		names = append(names, p.Name)
	}
	if got := strings.Join(names, " "); got != "old a" {
		t.Errorf("chose %s", got)
	}
	if all := (scenarios.Pick{Of: "web", Count: 9}).Choose(pods); len(all) != 3 {
		t.Errorf("chose %d of 3 pods", len(all))
	}
}
