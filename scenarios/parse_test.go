package scenarios_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/stepscale/stepscale/scenarios"
)

const head = "title: t\nhpa: web\ntarget: web\n" // three lines

// load is a scenario.yaml with its segments in line 6.
func load(item string) string { return head + "load:\n  segments:\n  - " + item + "\n" }

var badScenarios = map[string]struct {
	text string
	line int
	want string
}{
	"empty":            {"", 1, "비어"},
	"only a comment":   {"# 없음\n", 1, "비어"},
	"syntax":           {"title: t\nload: [\n", 0, "YAML 문법"},
	"a list":           {"- a\n", 1, "키와 값"},
	"two documents":    {load("{at: 0s, step: 1m}") + "---\na: b\n", 7, "하나만"},
	"no load":          {head, 1, "load 키가 없습니다"},
	"no segments":      {head + "load: {}\n", 4, "segments 키가 없습니다"},
	"segments empty":   {head + "load:\n  segments: []\n", 5, "하나 이상"},
	"unknown key":      {head + "extra: 1\nload: {segments: [{at: 0s, step: 1m}]}\n", 4, "모르는 키"},
	"key twice":        {head + "title: u\nload: {segments: [{at: 0s, step: 1m}]}\n", 4, "두 번"},
	"null value":       {"title:\nhpa: web\ntarget: web\nload: {segments: [{at: 0s, step: 1m}]}\n", 1, "title"},
	"alias":            {"title: &a t\nhpa: *a\ntarget: web\nload: {segments: [{at: 0s, step: 1m}]}\n", 2, "별칭"},
	"unknown fault":    {head + "faults: [fire]\nload: {segments: [{at: 0s, step: 1m}]}\n", 4, "fire"},
	"unit":             {head + "load:\n  unit: qps\n  segments: [{at: 0s, step: 1m}]\n", 0, "qps"},
	"rps without cost": {head + "load:\n  unit: rps\n  segments: [{at: 0s, step: 1}]\n", 0, "cost가 필요"},
	"cost without rps": {head + "load:\n  cost: 2m\n  segments: [{at: 0s, step: 1m}]\n", 5, "rps일 때만"},
	"noise":            {head + "load:\n  noise: {percent: 101, seed: 1}\n  segments: [{at: 0s, step: 1m}]\n", 5, "percent"},
	"seed":             {head + "load:\n  noise: {percent: 1, seed: -1}\n  segments: [{at: 0s, step: 1m}]\n", 5, "seed"},
	"no at":            {load("{step: 1m}"), 6, "at 키가 없습니다"},
	"negative at":      {load("{at: -1s, step: 1m}"), 6, "at에 쓸 수 없는 시간"},
	"part of a second": {load("{at: 1500ms, step: 1m}"), 6, "at에 쓸 수 없는 시간"},
	"no shape":         {load("{at: 0s}"), 6, "0개"},
	"two shapes":       {load("{at: 0s, step: 1m, spike: 1m}"), 6, "2개"},
	"ramp without for": {load("{at: 0s, ramp: 1m}"), 6, "for가 필요"},
	"wave, no period":  {load("{at: 0s, wave: 1m}"), 6, "period가 필요"},
	"step with for":    {load("{at: 0s, step: 1m, for: 1s}"), 6, "for를 쓸 수 없습니다"},
	"negative load":    {load("{at: 0s, step: -1m}"), 6, "CPU 양"},
	"huge load":        {load("{at: 0s, step: 999999999}"), 6, "CPU 양"},
	"backwards":        {load("{at: 9s, step: 1m}\n  - {at: 8s, step: 2m}"), 7, "뒤여야"},
	"no autoscaler":    {"title: t\ntarget: web\nload: {segments: [{at: 0s, step: 1m}]}\n", 1, "hpa도 vpa도 없습니다"},
	"vpa is null":      {"title: t\nvpa:\ntarget: web\nload: {segments: [{at: 0s, step: 1m}]}\n", 2, "vpa"},
	"two-vpas, no vpa": {head + "faults: [two-vpas]\nload: {segments: [{at: 0s, step: 1m}]}\n", 4, "vpa가 있을 때만"},
	"requests, no hpa": {"title: t\nvpa: web\ntarget: web\nfaults: [missing-requests]\nload: {segments: [{at: 0s, step: 1m}]}\n", 4, "hpa가 있을 때만"},
	"inside a ramp":    {load("{at: 0s, ramp: 1m, for: 9s}\n  - {at: 8s, step: 2m}"), 7, "ramp가"},
}

func TestParseProblems(t *testing.T) {
	for name, c := range badScenarios {
		t.Run(name, func(t *testing.T) {
			_, err := scenarios.Parse("x/scenario.yaml", []byte(c.text))
			expect(t, err, "x/scenario.yaml", c.line, c.want)
		})
	}
}

// expect wants a problem with a place, a hint and the text. Line 0 is any line.
func expect(t *testing.T, err error, file string, line int, want string) {
	t.Helper()
	var list scenarios.Problems
	if !errors.As(err, &list) {
		t.Fatalf("no Problems: %v", err)
	}
	found := false
	for _, p := range list {
		if p.Line < 1 || p.Hint == "" || p.Msg == "" {
			t.Errorf("not whole: %+v", p)
		}
		found = found || p.File == file && (line == 0 || p.Line == line) && strings.Contains(p.Msg, want)
	}
	if !found {
		t.Errorf("no %q in line %d:\n%v", want, line, err)
	}
}

func TestObjectProblems(t *testing.T) {
	own, err := scenarios.FS.ReadFile("web-surge/objects.yaml")
	if err != nil {
		t.Fatal(err)
	}
	good := head + "load: {segments: [{at: 0s, step: 1m}]}\n"
	faulty := func(f string) string { return head + "faults: [" + f + "]\nload: {segments: [{at: 0s, step: 1m}]}\n" }
	for name, c := range map[string]struct {
		scenario, old, new string
		line               int
		want               string
	}{
		"unknown kind":       {good, "kind: Deployment\nmeta", "kind: Deploiment\nmeta", 2, "쿠버네티스에 없는"},
		"no kind":            {good, "kind: Deployment\nmeta", "meta", 1, "kind가 없습니다"},
		"unknown field":      {good, "minReplicas", "minReplica", 35, "minReplica"},
		"field twice":        {good, "  maxReplicas: 10\n", "  maxReplicas: 10\n  maxReplicas: 9\n", 37, "두 번"},
		"wrong type":         {good, "maxReplicas: 10", "maxReplicas: ten", 36, "maxReplicas"},
		"bad quantity":       {good, "cpu: 100m", "cpu: lots", 22, "수량이어야 합니다"},
		"max below min":      {good, "maxReplicas: 10", "maxReplicas: 1", 36, "API 서버가 거절하는 값입니다: spec.maxReplicas: 1"},
		"max zero":           {good, "maxReplicas: 10", "maxReplicas: 0", 36, "API 서버가 거절하는 값입니다: spec.maxReplicas: 0"},
		"min zero":           {good, "minReplicas: 2", "minReplicas: 0", 37, "API 서버가 여기에서 받지 않는 필드입니다: spec.metrics"},
		"old version":        {good, "autoscaling/v2", "autoscaling/v1", 37, "모르는 필드입니다: spec.metrics"},
		"namespace":          {good, "metadata:\n  name: web\nspec:\n  replicas", "metadata:\n  name: web\n  namespace: x\nspec:\n  replicas", 5, "namespace"},
		"no name":            {good, "  name: web\nspec:\n  replicas", "  labels: {}\nspec:\n  replicas", 3, "이름이 없습니다"},
		"another target":     {good, "    name: web\n", "    name: api\n", 34, "target"},
		"target not there":   {good, "  name: web\nspec:\n  replicas", "  name: api\nspec:\n  replicas", 34, "web"},
		"no requests":        {good, "        resources:\n          requests:\n            cpu: 100m\n          limits:\n            cpu: 500m\n", "", 17, "requests"},
		"fault not there":    {faulty("missing-target"), "", "", 34, "missing-target"},
		"requests are there": {faulty("missing-requests"), "", "", 0, "missing-requests"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(string(own), c.old, c.new, 1)
			if c.old != "" && text == string(own) {
				t.Fatal("nothing was replaced")
			}
			_, err := scenarios.Load(files(c.scenario, text), "x")
			expect(t, err, "x/objects.yaml", c.line, c.want)
		})
	}
	if _, err := scenarios.Load(files(good, ""), "x"); err == nil {
		t.Error("no objects, no problem")
	}
}

func files(scenario, objects string) fstest.MapFS {
	return fstest.MapFS{"x/scenario.yaml": {Data: []byte(scenario)}, "x/objects.yaml": {Data: []byte(objects)}}
}

// TestWebSurge holds the numbers that the lessons tell.
func TestWebSurge(t *testing.T) {
	s, err := scenarios.Load(scenarios.FS, "web-surge")
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[time.Duration]int64{0: 100, 59 * time.Second: 100, time.Minute: 190, 239 * time.Second: 190, 4 * time.Minute: 90, time.Hour: 90} {
		if got := s.Offered(at); got != want {
			t.Errorf("after %s: %dm, want %dm", at, got, want)
		}
	}
	two := []scenarios.Pod{{Name: "a", Ready: true, CPULimit: 500}, {Name: "b", Ready: true, CPULimit: 500}}
	if got := s.Usage(time.Minute, two); got["a"] != 95 || got["b"] != 95 {
		t.Errorf("190m on two pods: %v", got)
	}
	text := string(s.Objects)
	value, _, err := scheme.Codecs.UniversalDeserializer().Decode([]byte(text[strings.Index(text, "---\n")+4:]), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if h := value.(*autoscalingv2.HorizontalPodAutoscaler); h.Spec.Behavior != nil || *h.Spec.MinReplicas != 2 || h.Spec.MaxReplicas != 10 {
		t.Errorf("the lessons need min 2, max 10, and no behavior: %+v", h.Spec)
	}
}

func TestOverflowGoesToPodsWithRoom(t *testing.T) {
	s := parse(t, "  segments:\n  - {at: 0s, step: 300m}\n")
	pods := []scenarios.Pod{
		{Name: "small", Ready: true, Age: time.Hour, CPULimit: 52}, {Name: "big", Ready: true, Age: time.Hour},
		{Name: "new", Ready: false, CPULimit: 30}, {Name: "wide", Ready: true, Age: time.Hour, CPULimit: 500},
	}
	want := map[string]int64{"small": 52, "big": 127, "wide": 127, "new": 30}
	if got := s.Spread(0, pods); !maps.Equal(got.Usage, want) || got.Unserved != 0 {
		t.Errorf("%+v, want %v", got, want)
	}
	if got := s.Unserved(0, pods[:1]); got != 250 {
		t.Errorf("a full pod leaves %dm, want 250m", got)
	}
	if got := s.Unserved(0, nil); got != 300 {
		t.Errorf("no pods leave %dm, want 300m", got)
	}
}

// TestOrderDoesNotMatter asks in another order of time and of pods.
func TestOrderDoesNotMatter(t *testing.T) {
	s := parse(t, "  noise: {percent: 20, seed: 3}\n  segments:\n  - {at: 0s, step: 500m}\n")
	var pods []scenarios.Pod
	for i := range 7 {
		pods = append(pods, scenarios.Pod{Name: fmt.Sprint("p", i), Ready: true, CPULimit: int64(60 + i%3*20)})
	}
	back := slices.Clone(pods)
	slices.Reverse(back)
	var forward []map[string]int64
	for at := range 60 {
		forward = append(forward, s.Usage(time.Duration(at)*time.Second, pods))
	}
	seen := map[int64]bool{}
	for at := 59; at >= 0; at-- {
		if got := s.Usage(time.Duration(at)*time.Second, back); !maps.Equal(got, forward[at]) {
			t.Fatalf("after %ds: %v, want %v", at, got, forward[at])
		}
		offered := s.Offered(time.Duration(at) * time.Second)
		if offered < 400 || offered > 600 {
			t.Errorf("noise of 20%% made %dm of 500m", offered)
		}
		seen[offered] = true
	}
	if len(seen) < 10 {
		t.Errorf("noise made %d loads only", len(seen))
	}
}

func FuzzObjects(f *testing.F) {
	for _, name := range []string{"web-surge", "no-requests", "missing-target", "wave", "big", "vpa-pdb", "vpa-two", "hpa-vpa-fight"} {
		text, err := scenarios.FS.ReadFile(name + "/objects.yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add(every)
	for _, field := range []string{"hostPID: true", "volumes: [{name: a, hostPath: {path: /}}]", "securityContext: &a {privileged: true}", "<<: {nodeName: a}"} {
		f.Add(strings.Replace(every, "automountServiceAccountToken: false", field, 1))
	}
	f.Add("---\nkind: List\napiVersion: v1\nitems: []\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := scenarios.Load(files(someScenario, text), "x")
		var list scenarios.Problems
		switch {
		case err == nil:
			harmless(t, s)
		case !errors.As(err, &list):
			t.Fatalf("not Problems: %v", err)
		}
	})
}
