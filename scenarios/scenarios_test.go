package scenarios_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stepscale/stepscale/scenarios"
)

func TestOwnScenariosLoad(t *testing.T) {
	names, err := scenarios.List(scenarios.FS)
	if err != nil || len(names) < 15 {
		t.Fatalf("%v, %v", names, err)
	}
	for _, name := range names {
		if s, err := scenarios.Load(scenarios.FS, name); err != nil {
			t.Error(err)
		} else if s.Title == "" || s.HPA == "" && s.VPA == "" && s.Karpenter == "" && len(s.Groups) == 0 || len(s.Objects) == 0 || len(s.Raw) == 0 {
			t.Errorf("%s is not whole", name)
		}
	}
}

func parse(t *testing.T, load string) *scenarios.Scenario {
	t.Helper()
	s, err := scenarios.Parse("x/scenario.yaml", []byte("title: t\nhpa: web\ntarget: web\npod: {idle: 2m, startup: {cpu: 50m, for: 20s}}\nload:\n"+load))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOffered(t *testing.T) {
	s := parse(t, "  segments:\n  - {at: 0s, step: 100m}\n  - {at: 1m, ramp: 200m, for: 1m}\n  - {at: 3m, spike: 500m, for: 10s}\n")
	for at, want := range map[time.Duration]int64{
		0: 100, 59 * time.Second: 100, 90 * time.Second: 150, 2 * time.Minute: 200, 3 * time.Minute: 700, 190 * time.Second: 200,
	} {
		if got := s.Offered(at); got != want {
			t.Errorf("after %s: %dm, want %dm", at, got, want)
		}
	}
	rps := parse(t, "  unit: rps\n  cost: 2m\n  segments:\n  - {at: 0s, step: 50}\n")
	if got := rps.Offered(0); got != 100 {
		t.Errorf("50 requests at 2m: %dm, want 100m", got)
	}
}

// TestLoadIsConserved is the law of the model: what is offered is used or told
// as unserved, no pod uses more than its limit, and only Ready pods are loaded.
func TestLoadIsConserved(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	s := parse(t, "  noise: {percent: 10, seed: 7}\n  segments:\n  - {at: 0s, step: 900m}\n  - {at: 30s, wave: 300m, period: 1m}\n")
	for range 2000 {
		var pods []scenarios.Pod
		var own int64
		for i := range rng.IntN(12) {
			p := scenarios.Pod{Name: fmt.Sprint("p", i), Ready: rng.IntN(4) > 0, Age: time.Duration(rng.IntN(40)) * time.Second, CPULimit: int64(rng.IntN(3) * 60)}
			pods = append(pods, p)
			own += s.Pod.Own(p)
		}
		at := time.Duration(rng.IntN(200)) * time.Second
		spread := s.Spread(at, pods)
		var used int64
		for _, p := range pods {
			u := spread.Usage[p.Name]
			used += u
			if p.CPULimit > 0 && u > p.CPULimit {
				t.Fatalf("%+v uses %dm", p, u)
			}
			if !p.Ready && u != s.Pod.Own(p) {
				t.Fatalf("%+v is not Ready and uses %dm", p, u)
			}
		}
		if used+spread.Unserved != s.Offered(at)+own {
			t.Fatalf("used %d + unserved %d != offered %d + own %d", used, spread.Unserved, s.Offered(at), own)
		}
		if again := s.Spread(at, pods); fmt.Sprint(again) != fmt.Sprint(spread) {
			t.Fatal("the same second gave another spread")
		}
	}
}

func TestProblemsComeAllAtOnceWithLines(t *testing.T) {
	fsys := fstest.MapFS{
		"bad/scenario.yaml": {Data: []byte("title: t\ncolour: red\nhpa: web\ntarget: web\nload:\n  segments:\n  - {at: 0s, step: many}\n  - {at: -1s, jump: 5m}\n")},
		"bad/objects.yaml": {Data: []byte(`apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicaz: 2
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 5
  maxReplicas: 2
`)},
	}
	_, err := scenarios.Load(fsys, "bad")
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"bad/scenario.yaml:2:", "bad/scenario.yaml:7:", "bad/scenario.yaml:8:", "bad/objects.yaml:5:", "bad/objects.yaml:13:", "maxReplicas", "도움"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
	if _, err := scenarios.Load(fsys, "../etc"); err == nil {
		t.Error("a path is taken for a name")
	}
	if _, err := scenarios.Load(fsys, "none"); err == nil || !strings.Contains(err.Error(), "none/scenario.yaml") {
		t.Errorf("a missing scenario gives %v", err)
	}
}

// TestUnseenIsRefused: in the text, in its comments, and where YAML's escapes make it.
func TestUnseenIsRefused(t *testing.T) {
	const rest = "hpa: web\ntarget: web\nload:\n  segments:\n  - {at: 0s, step: 100m}\n"
	for name, c := range map[string]struct{ scenario, objects, want string }{
		"comment":    {"title: t # \u202e\n" + rest, "", "s/scenario.yaml:1: 쓸 수 없는 글자가 있습니다: U+202E RIGHT-TO-LEFT OVERRIDE (12번째 글자)"},
		"escape":     {`title: "t\e]52;c;eA==\a"` + "\n" + rest, "", "s/scenario.yaml:1: 쓸 수 없는 글자가 있습니다: U+001B ESCAPE"},
		"not UTF-8":  {"title: \xff\n" + rest, "", `s/scenario.yaml:1: 쓸 수 없는 글자가 있습니다: UTF-8이 아닌 바이트 \xff`},
		"null":       {"title: t\n" + rest + "# \x00\n", "", "s/scenario.yaml:7: 쓸 수 없는 글자가 있습니다: U+0000 NULL"},
		"object":     {"title: t\n" + rest, "apiVersion: v1\nkind: Service\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: \"web\\u202egpj\"\n", "s/objects.yaml:7: 쓸 수 없는 글자가 있습니다: U+202E"},
		"annotation": {"title: t\n" + rest, "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  annotations:\n    \"a\\x9b\": b\n", "s/objects.yaml:6: 쓸 수 없는 글자가 있습니다: U+009B"},
	} {
		_, err := scenarios.Load(fstest.MapFS{"s/scenario.yaml": {Data: []byte(c.scenario)}, "s/objects.yaml": {Data: []byte(c.objects)}}, "s")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := scenarios.Load(fstest.MapFS{}, "we\u200bb"); err == nil || !strings.Contains(err.Error(), "시나리오 이름으로") {
		t.Errorf("the name: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("title: t\nhpa: a\ntarget: b\nload: {segments: [{at: 0s, step: 1m}]}\n")
	f.Add("title: t\nvpa: a\ntarget: b\nload: {segments: [{at: 0s, step: 1m}]}\nmemory: {growth: 1m, segments: [{at: 0s, step: 1.5Gi}, {at: 9s, wave: 1Mi, period: 2s}]}\n")
	f.Add("load: [")
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := scenarios.Parse("x/scenario.yaml", []byte(text)); err == nil {
			s.Spread(time.Minute, []scenarios.Pod{{Name: "a", Ready: true}})
			if got := s.Memory(time.Minute, scenarios.Pod{ContainerAge: time.Second}); got < 0 {
				t.Errorf("%d bytes", got)
			}
		}
	})
}
