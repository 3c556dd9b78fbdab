package scenarios_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/stepscale/stepscale/scenarios"
)

// podOf is a Ready pod of a workload with these containers; a sidecar's name begins with s.
func podOf(owner, kind, hash, name string, containers ...string) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{},
		OwnerReferences: []metav1.OwnerReference{{Kind: kind, Name: owner, Controller: ptr.To(true)}}}}
	if hash != "" {
		p.Labels["pod-template-hash"] = hash
	}
	for _, c := range containers {
		one := corev1.Container{Name: c, Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{"cpu": resource.MustParse("500m")}}}
		if strings.HasPrefix(c, "s") {
			one.RestartPolicy = ptr.To(corev1.ContainerRestartPolicyAlways)
			p.Spec.InitContainers = append(p.Spec.InitContainers, one)
		} else {
			p.Spec.Containers = append(p.Spec.Containers, one)
		}
	}
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	return p
}

// TestLoadIsLaidOnItsTarget: two Deployments may share every label; their pods are told
// apart by who made them.
func TestLoadIsLaidOnItsTarget(t *testing.T) {
	s, err := scenarios.Parse("x/scenario.yaml", []byte(head+`load: {segments: [{at: 0s, step: 190m}]}
memory: {segments: [{at: 0s, step: 200Mi}], idle: 200Mi}
loads:
- {target: web, container: sidecar, load: {segments: [{at: 0s, step: 20m}]}}
- {target: db, load: {segments: [{at: 0s, step: 30m}]}, memory: {idle: 10Mi, segments: [{at: 0s, step: 10Mi}]}}
`))
	if err != nil {
		t.Fatal(err)
	}
	pods := []*corev1.Pod{
		podOf("web-abc", "ReplicaSet", "abc", "web-abc-1", "app", "log", "sidecar"), podOf("web-def", "ReplicaSet", "def", "web-def-1", "app", "log", "sidecar"),
		podOf("web-canary-abc", "ReplicaSet", "abc", "web-canary-abc-1", "app"), podOf("db", "StatefulSet", "", "db-0", "db"), podOf("other", "ReplicaSet", "", "other-1", "x"),
	}
	const mi = 1 << 20
	web := map[string]scenarios.Use{"app": {CPU: 47.5, Memory: 100 * mi}, "log": {CPU: 47.5, Memory: 100 * mi}, "sidecar": {CPU: 10}}
	want := map[string]map[string]scenarios.Use{"web-abc-1": web, "web-def-1": web, "db-0": {"db": {CPU: 30, Memory: 10 * mi}}}
	if got := s.Uses(time.Minute, pods, time.Time{}); !maps.EqualFunc(got, want, maps.Equal[map[string]scenarios.Use, map[string]scenarios.Use]) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestPodLimitBounds: a pod takes no more than its own limit, whatever its containers'.
func TestPodLimitBounds(t *testing.T) {
	s := parse(t, "  segments:\n  - {at: 0s, step: 900m}\n")
	p := podOf("web", "ReplicaSet", "", "web-1", "a", "b")
	p.Spec.Resources = &corev1.ResourceRequirements{Limits: corev1.ResourceList{"cpu": resource.MustParse("300m")}}
	if got := s.Uses(time.Hour, []*corev1.Pod{p}, time.Time{})["web-1"]; got["a"].CPU != 150 || got["b"].CPU != 150 {
		t.Errorf("%v of a pod that may use 300m", got)
	}
}

func TestLoadsProblems(t *testing.T) {
	for want, c := range map[string]struct {
		loads string
		line  int
	}{
		"objects.yaml에 없습니다: redis":  {"- {target: redis, load: {segments: [{at: 0s, step: 1m}]}}", 6},
		"시나리오의 target과 같습니다: web":    {"- {target: web, load: {segments: [{at: 0s, step: 1m}]}}", 6},
		"그런 컨테이너가 없습니다: proxy":       {"- {target: web, container: proxy, load: {segments: [{at: 0s, step: 1m}]}}", 6},
		"target 키가 없습니다":             {"- {load: {segments: [{at: 0s, step: 1m}]}}", 6},
		"대상이 같은 항목이 두 번 있습니다: web":   {"- {target: web, container: web, load: {segments: [{at: 0s, step: 1m}]}}\n- {target: web, container: web, load: {segments: [{at: 0s, step: 1m}]}}", 7},
		"loads에는 항목을 하나 이상 목록으로 적어야": {"  {}", 6},
	} {
		_, err := scenarios.Load(files(fmt.Sprint(head, "load: {segments: [{at: 0s, step: 1m}]}\nloads:\n", c.loads, "\n"), plain), "x")
		expect(t, err, "x/scenario.yaml", c.line, want)
	}
}

// TestWarming: slow start is one line, and needs somebody who asks.
func TestWarming(t *testing.T) {
	slow := strings.Replace(surge, "load:", "pod: {ready: 85s}\nload:", 1)
	_, err := scenarios.Load(files(slow, plain), "x")
	expect(t, err, "x/scenario.yaml", 4, "readinessProbe도 startupProbe도 없습니다")
	s, err := scenarios.Load(files(slow, strings.Replace(plain, "        image: web\n", "        image: web\n        readinessProbe: {httpGet: {port: 80}}\n", 1)), "x")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Warming(podOf("web-abc", "ReplicaSet", "abc", "p", "web")); got != 85*time.Second || !s.Probed() {
		t.Errorf("%s", got)
	}
	if got := s.Warming(podOf("db", "StatefulSet", "", "db-0", "db")); got != 0 {
		t.Errorf("a database takes %s to start", got)
	}
}
