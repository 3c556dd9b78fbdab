package scenarios_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stepscale/stepscale/scenarios"
)

const surge = head + "load: {segments: [{at: 0s, step: 1m}]}\n"

// plain is a Deployment with one container and an HPA that wants 50 % of its CPU.
const plain = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web
        resources: {requests: {cpu: 100m}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  maxReplicas: 10
  metrics:
  - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}
`

// TestUpstreamRefuses: what the API server would refuse is told before there is one,
// in Korean and where it is written.
func TestUpstreamRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		old, new string
		line     int
		msg      string
		hint     string
	}{
		"window too long": {"  maxReplicas: 10\n", "  maxReplicas: 10\n  behavior:\n    scaleDown:\n      stabilizationWindowSeconds: 7200\n", 22,
			"stabilizationWindowSeconds: 7200", "3600 이하의 수"},
		"utilization and value":  {"averageUtilization: 50}", "averageUtilization: 50, averageValue: 50m}", 21, "target.averageValue", "가운데 하나만"},
		"zero without a metric":  {"  maxReplicas: 10\n", "  maxReplicas: 10\n  minReplicas: 0\n", 21, "spec.metrics", "Object나 External"},
		"selector":               {"{matchLabels: {app: web}}", "{matchLabels: {app: api}}", 7, "template.metadata.labels", "selector의 레이블"},
		"name":                   {"metadata: {name: web}\nspec:\n  selector", "metadata: {name: Web_1}\nspec:\n  selector", 3, "metadata.name: Web_1", "영문 소문자"},
		"no image":               {"        image: web\n", "", 10, "containers[0].image", ""},
		"requests over limits":   {"{requests: {cpu: 100m}}", "{requests: {cpu: 100m}, limits: {cpu: 50m}}", 12, "requests: 100m", "limits보다 클 수 없습니다"},
		"unknown strategy":       {"spec:\n  selector", "spec:\n  strategy: {type: Slow}\n  selector", 5, "API 서버가 모르는 값입니다: spec.strategy", "RollingUpdate"},
		"uid of an export":       {"metadata: {name: web}\nspec:\n  selector", "metadata: {name: web, uid: 1-2}\nspec:\n  selector", 3, "metadata.uid", "지워"},
		"quantity":               {"{cpu: 100m}", "{cpu: 100 m}", 12, "100 m. 수량이어야", "100m, 0.5"},
		"two quantities":         {"{cpu: 100m}", "{cpu: a, memory: b}", 12, "requests.memory에 쓸 수 없는 값입니다: b", "100m"},
		"number where text goes": {"kind: Deployment, name: web}", "kind: Deployment, name: 7}", 18, "scaleTargetRef.name에 쓸 수 없는 값입니다: 7", ""},
		"unknown kind":           {"apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler", "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject", 15, "쿠버네티스에 없는", "철자"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(plain, c.old, c.new, 1)
			if text == plain {
				t.Fatal("nothing was replaced")
			}
			_, err := scenarios.Load(files(surge, text), "x")
			expect(t, err, "x/objects.yaml", c.line, c.msg)
			var list scenarios.Problems
			if errors.As(err, &list); !strings.Contains(err.Error(), c.hint) {
				t.Errorf("no %q in %v", c.hint, err)
			}
			for _, leak := range []string{"scheme.go", "no kind", "Go struct", "must be", "may not"} {
				if strings.Contains(err.Error(), leak) {
					t.Errorf("%q is told in %v", leak, err)
				}
			}
		})
	}
}

// TestRequests: the HPA's requests are those that calculateRequests of upstream's
// replica_calculator.go reads, after the API server's defaults.
func TestRequests(t *testing.T) {
	const memory = "  - {type: Resource, resource: {name: memory, target: {type: Utilization, averageUtilization: 80}}}\n"
	const limits = "---\napiVersion: v1\nkind: LimitRange\nmetadata: {name: defaults}\nspec: {limits: [{type: Container, default: {cpu: 500m}}]}\n"
	none := strings.Replace(plain, "        resources: {requests: {cpu: 100m}}\n", "", 1)
	for name, c := range map[string]struct {
		text string
		line int // 0: nothing is missing
		want string
	}{
		"there":            {plain, 0, ""},
		"not there":        {none, 10, "컨테이너 web에 cpu requests"},
		"of the pod":       {strings.Replace(none, "      containers:", "      resources: {requests: {cpu: 200m}}\n      containers:", 1), 0, ""},
		"limits of a pod":  {strings.Replace(none, "      containers:", "      resources: {limits: {cpu: 200m}}\n      containers:", 1), 0, ""},
		"LimitRange":       {none + limits, 0, ""},
		"native sidecar":   {strings.Replace(plain, "      containers:", "      initContainers: [{name: proxy, image: p, restartPolicy: Always}]\n      containers:", 1), 9, "컨테이너 proxy에 cpu requests"},
		"init container":   {strings.Replace(plain, "      containers:", "      initContainers: [{name: once, image: p}]\n      containers:", 1), 0, ""},
		"memory":           {plain + memory, 10, "컨테이너 web에 memory requests"},
		"memory of a pod":  {strings.Replace(plain, "      containers:", "      resources: {requests: {cpu: 200m}}\n      containers:", 1) + memory, 9, "파드의 resources에 memory requests"},
		"of one container": {strings.Replace(plain, "        image: web\n", "        image: web\n      - {name: proxy, image: p}\n", 1), 12, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "of one container" { // the other has the resources, and is the one that counts
				c.text = strings.Replace(plain, "{type: Resource, resource: {name: cpu,", "{type: ContainerResource, containerResource: {name: cpu, container: web,", 1)
				c.text = strings.Replace(c.text, "      containers:", "      containers:\n      - {name: proxy, image: p}", 1)
				c.line = 0
			}
			_, err := scenarios.Load(files(surge, c.text), "x")
			if c.line > 0 {
				expect(t, err, "x/objects.yaml", c.line, c.want)
				_, err = scenarios.Load(files(head+"faults: [missing-requests]\nload: {segments: [{at: 0s, step: 1m}]}\n", c.text), "x")
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestOlderVersion: a v1 HPA is applied and shown as v2, by upstream's conversion.
func TestOlderVersion(t *testing.T) {
	i := strings.Index(plain, "  metrics:")
	text := strings.Replace(plain[:i], "autoscaling/v2", "autoscaling/v1", 1) + "  targetCPUUtilizationPercentage: 50\n"
	s, err := scenarios.Load(files(surge, text), "x")
	if err != nil {
		t.Fatal(err)
	}
	h := s.Parts()[1]
	metrics, _ := h.Object["spec"].(map[string]any)["metrics"].([]any)
	if h.GetAPIVersion() != "autoscaling/v2" || len(metrics) != 1 || h.Object["status"] != nil {
		t.Errorf("not in the v2 form: %v", h.Object)
	}
}
