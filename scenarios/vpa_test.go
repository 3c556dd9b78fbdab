package scenarios_test

import (
	"encoding/json"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/admission-controller/resource/vpa"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/stepscale/stepscale/scenarios"
)

// vpaHead goes with the objects of vpa-web, whose VPA begins in line 26: the spec
// is in 28, updateMode in 34, and the only container policy in 37.
const vpaHead = "title: t\nvpa: web\ntarget: web\n"

const someLoad = "load: {segments: [{at: 0s, step: 1m}]}\n"

func own(t *testing.T, name string) string {
	t.Helper()
	text, err := scenarios.FS.ReadFile(name + "/objects.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// vpaRules are the rules of the VPA itself. In legal ones the want is empty;
// schema are those that the CRD has and the admission controller has not.
var vpaRules = map[string]struct {
	old, new string
	line     int
	want     string
	schema   bool
}{
	"Off":                 {"Recreate", `"Off"`, 0, "", false},
	"Initial":             {"Recreate", "Initial", 0, "", false},
	"InPlaceOrRecreate":   {"Recreate", "InPlaceOrRecreate", 0, "", false},
	"Auto":                {"Recreate", "Auto", 0, "", false},
	"no policies":         {"  updatePolicy:\n    updateMode: Recreate\n", "", 0, "", false},
	"min is max":          {"[cpu]", "[cpu]\n      minAllowed: {cpu: 100m}\n      maxAllowed: {cpu: 100m}", 0, "", false},
	"other resources":     {"[cpu]", "[cpu]\n      minAllowed: {cpu: 100m}\n      maxAllowed: {memory: 1Mi}", 0, "", false},
	"off":                 {"[cpu]", "[cpu]\n      mode: \"Off\"\n      controlledValues: RequestsOnly", 0, "", false},
	"one recommender":     {"  updatePolicy", "  recommenders: [{name: default}]\n  updatePolicy", 0, "", false},
	"mode Off is a bool":  {"Recreate", "Off", 36, "updateMode에 쓸 수 없는 값", true},
	"unknown mode":        {"Recreate", "Often", 36, "updateMode를 알 수 없습니다", false},
	"InPlace":             {"Recreate", "InPlace", 36, "기능 게이트 InPlace", false},
	"no mode":             {"    updateMode: Recreate", "    minReplicas: 2", 35, "updateMode가 필요", false},
	"min replicas":        {"updateMode: Recreate", "updateMode: Recreate\n    minReplicas: 0", 37, "1보다 작습니다: 0", false},
	"after OOM":           {"updateMode: Recreate", "updateMode: Recreate\n    evictAfterOOMSeconds: 60", 37, "PerVPAConfig", false},
	"change requirement":  {"updateMode: Recreate", "updateMode: Recreate\n    evictionRequirements:\n    - resources: [cpu]\n      changeRequirement: Higher", 39, `"Higher"`, true},
	"boost":               {"  updatePolicy", "  startupBoost: {cpu: {type: Factor, factor: 2}}\n  updatePolicy", 35, "CPUStartupBoost", false},
	"two recommenders":    {"  updatePolicy", "  recommenders: [{name: a}, {name: b}]\n  updatePolicy", 35, "recommenders", false},
	"no container":        {"- containerName: web\n      c", "- c", 39, "containerName이 없습니다", false},
	"policy mode":         {"[cpu]", "[cpu]\n      mode: Manual", 41, `"Manual"`, false},
	"max below min":       {"[cpu]", "[cpu]\n      minAllowed:\n        cpu: 200m\n      maxAllowed:\n        cpu: 100m", 44, "maxAllowed(100m)가 minAllowed(200m)보다 작습니다: cpu", false},
	"part of a millicore": {"[cpu]", "[cpu]\n      minAllowed: {cpu: 100u}", 41, "너무 잘게", false},
	"part of a byte":      {"[cpu]", "[cpu]\n      maxAllowed:\n        memory: 1500m", 42, "너무 잘게", false},
	"resource":            {"[cpu]", "[cpu, nvidia.com/gpu]", 40, "nvidia.com/gpu", false},
	"values":              {"[cpu]", "[cpu]\n      controlledValues: LimitsOnly", 41, `"LimitsOnly"`, true},
	"off with limits":     {"[cpu]", "[cpu]\n      mode: \"Off\"\n      controlledValues: RequestsAndLimits", 42, "mode가 Off이면", false},
	"bump ratio":          {"[cpu]", "[cpu]\n      oomBumpUpRatio: \"1.5\"", 41, "PerVPAConfig", false},
	"bump":                {"[cpu]", "[cpu]\n      oomMinBumpUp: 1Mi", 41, "PerVPAConfig", false},
	"interval":            {"[cpu]", "[cpu]\n      memoryAggregationIntervalSeconds: 60", 41, "PerVPAConfig", false},
	"intervals":           {"[cpu]", "[cpu]\n      memoryAggregationIntervalCount: 8", 41, "PerVPAConfig", false},
	"container's boost":   {"[cpu]", "[cpu]\n      startupBoost: {cpu: {type: Factor, factor: 2}}", 41, "CPUStartupBoost", false},
	"unknown field":       {"controlledResources", "controlledResource", 40, "모르는 필드", true},
}

// TestVPARules asks the room and, for what is not a matter of the schema, the
// admission controller of the VPA: they have to agree.
func TestVPARules(t *testing.T) {
	text := own(t, "vpa-web")
	original := vpa.NewResourceHandler(vpa.NewDefaultPreProcessor())
	for name, c := range vpaRules {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(text, c.old, c.new, 1)
			if changed == text {
				t.Fatal("nothing was replaced")
			}
			_, err := scenarios.Load(files(vpaHead+someLoad, changed), "x")
			if c.want != "" {
				expect(t, err, "x/objects.yaml", c.line, c.want)
			} else if err != nil {
				t.Error(err)
			}
			if c.schema {
				return
			}
			raw, err := yaml.ToJSON([]byte(changed[strings.Index(changed, "---\n"):]))
			if err != nil || !json.Valid(raw) {
				t.Fatal(err)
			}
			_, _, refused := original.GetPatches(t.Context(), &admissionv1.AdmissionRequest{Operation: admissionv1.Create, Object: runtime.RawExtension{Raw: raw}})
			if (len(refused) > 0) != (c.want != "") {
				t.Errorf("the admission controller says %v", refused)
			}
		})
	}
}

func TestVPACrossCheck(t *testing.T) {
	fight := "title: t\nhpa: web\nvpa: web\ntarget: web\n" + someLoad
	for name, c := range map[string]struct {
		scenario, objects, old, new string
		line                        int
		want                        string
	}{
		"not there":               {vpaHead + someLoad, "web-surge", "", "", 1, "VPA web이 없습니다"},
		"HPA is not there":        {fight, "vpa-web", "", "", 1, "HPA web이 없습니다"},
		"old version":             {vpaHead + someLoad, "vpa-web", "k8s.io/v1\n", "k8s.io/v1beta2\n", 27, "쿠버네티스에 없는"},
		"a StatefulSet":           {vpaHead + someLoad, "vpa-web", "kind: Deployment\n    name: web", "kind: StatefulSet\n    name: web", 33, "디플로이먼트만 따라갑니다"},
		"no target":               {vpaHead + someLoad, "vpa-web", "  targetRef:\n    apiVersion: apps/v1\n    kind: Deployment\n    name: web\n", "", 30, "targetRef가 없습니다"},
		"another target":          {vpaHead + someLoad, "vpa-web", "    name: web\n", "    name: api\n", 34, "target(web)과 다릅니다"},
		"another kind":            {vpaHead + someLoad, "vpa-web", "    kind: Deployment\n", "    kind: DaemonSet\n", 33, "apps/v1의 Deployment, StatefulSet, ReplicaSet이어야"},
		"HPA and VPA differ":      {fight, "hpa-vpa-fight", "    name: web\n  updatePolicy", "    name: api\n  updatePolicy", 53, "VPA web의 대상(api)"},
		"target is not there":     {vpaHead + someLoad, "vpa-web", "  name: web\nspec:\n  replicas", "  name: api\nspec:\n  replicas", 34, "VPA web의 대상인 디플로이먼트 web이 없습니다"},
		"target is there":         {vpaHead + "faults: [missing-target]\n" + someLoad, "vpa-web", "", "", 34, "missing-target"},
		"two":                     {vpaHead + someLoad, "vpa-two", "", "", 47, "VPA가 또 있습니다"},
		"one":                     {vpaHead + "faults: [two-vpas]\n" + someLoad, "vpa-web", "", "", 31, "two-vpas"},
		"the second has another":  {vpaHead + "faults: [two-vpas]\n" + someLoad, "vpa-two", "    name: web\n  updatePolicy:\n    updateMode: Recreate\n  resourcePolicy:\n    containerPolicies:\n    - containerName: web\n      controlledResources: [cpu]\n---", "    name: api\n  updatePolicy:\n    updateMode: Recreate\n---", 31, "two-vpas"},
		"no requests for the HPA": {fight, "hpa-vpa-fight", "          requests:\n            cpu: 100m\n          limits:\n            cpu: 300m\n", "          requests: {}\n", 17, "cpu requests가 없습니다"},
		"disruption budget":       {vpaHead + someLoad, "vpa-pdb", "minAvailable: 2", "minAvailable: 2\n  minReady: 2", 0, "minReady"},
	} {
		t.Run(name, func(t *testing.T) {
			text := own(t, c.objects)
			changed := strings.Replace(text, c.old, c.new, 1)
			if c.old != "" && changed == text {
				t.Fatal("nothing was replaced")
			}
			_, err := scenarios.Load(files(c.scenario, changed), "x")
			expect(t, err, "x/objects.yaml", c.line, c.want)
		})
	}
}

// TestBrokenSecondVPA: what cannot be read proves nothing about the fault.
func TestBrokenSecondVPA(t *testing.T) {
	text := own(t, "vpa-two")
	i := strings.LastIndex(text, "targetRef:")
	_, err := scenarios.Load(files(vpaHead+"faults: [two-vpas]\n"+someLoad, text[:i]+"targetRef: web\n"), "x")
	expect(t, err, "x/objects.yaml", 0, "targetRef")
	if strings.Contains(err.Error(), "two-vpas") {
		t.Error(err)
	}
}

// TestVPAWithoutRequests: the VPA does not divide by the requests.
func TestVPAWithoutRequests(t *testing.T) {
	text := strings.Replace(own(t, "vpa-web"), "          requests:\n            cpu: 100m\n          limits:\n            cpu: 300m\n", "          requests: {}\n", 1)
	if _, err := scenarios.Load(files(vpaHead+someLoad, text), "x"); err != nil {
		t.Error(err)
	}
}

func TestClientsSchemeStaysAsItWas(t *testing.T) {
	if _, err := scenarios.Load(scenarios.FS, "vpa-web"); err != nil {
		t.Fatal(err)
	}
	if scheme.Scheme.IsGroupRegistered("autoscaling.k8s.io") {
		t.Error("the VPA is in client-go's own scheme")
	}
}
