package scenarios_test

import (
	"testing"
	"time"

	"github.com/stepscale/stepscale/scenarios"
)

const mi = 1 << 20

func remember(t *testing.T, memory string) *scenarios.Scenario {
	t.Helper()
	s, err := scenarios.Parse("x/scenario.yaml", []byte(vpaHead+someLoad+memory))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestMemory(t *testing.T) {
	grown := scenarios.Pod{ContainerAge: 24 * time.Hour}
	day := "memory:\n  idle: 60Mi\n  growth: 10m\n  segments:\n  - {at: 0s, step: 300Mi}\n  - {at: 1h, ramp: 400Mi, for: 30m}\n  - {at: 2h, spike: 50Mi, for: 1m}\n"
	for name, c := range map[string]struct {
		memory  string
		elapsed time.Duration
		pod     scenarios.Pod
		want    int64
	}{
		"nothing is said":   {"", time.Hour, grown, 0},
		"just started":      {day, 0, scenarios.Pod{}, 60 * mi},
		"before it started": {day, 0, scenarios.Pod{ContainerAge: -time.Second}, 60 * mi},
		"half grown":        {day, 5 * time.Minute, scenarios.Pod{ContainerAge: 5 * time.Minute}, 180 * mi},
		"grown":             {day, 10 * time.Minute, scenarios.Pod{ContainerAge: 10 * time.Minute}, 300 * mi},
		"old":               {day, 50 * time.Minute, grown, 300 * mi},
		"restarted":         {day, 50 * time.Minute, scenarios.Pod{Age: 50 * time.Minute, ContainerAge: time.Minute}, 84 * mi},
		"in the ramp":       {day, 75 * time.Minute, grown, 350 * mi},
		"in the spike":      {day, 2 * time.Hour, grown, 450 * mi},
		"after the spike":   {day, 3 * time.Hour, grown, 400 * mi},
		"no growth":         {"memory: {segments: [{at: 0s, step: 1.5Gi}]}\n", 0, scenarios.Pod{}, 1536 * mi},
		"default idle":      {"memory: {growth: 1m, segments: [{at: 0s, step: 1Gi}]}\n", 0, scenarios.Pod{}, 48 * mi},
		"plain bytes":       {"memory: {segments: [{at: 0s, step: 104857600}]}\n", 0, grown, 100 * mi},
		"kibibytes":         {"memory: {segments: [{at: 0s, step: 512Ki}]}\n", 0, grown, mi / 2},
		"below idle":        {"memory: {growth: 10s, segments: [{at: 0s, step: 8Mi}]}\n", 0, scenarios.Pod{ContainerAge: 5 * time.Second}, 28 * mi},
		"the largest":       {"memory: {segments: [{at: 0s, step: 1024Gi}]}\n", 0, grown, 1 << 40},
	} {
		t.Run(name, func(t *testing.T) {
			if got := remember(t, c.memory).Memory(c.elapsed, c.pod); got != c.want {
				t.Errorf("%d, want %d", got, c.want)
			}
		})
	}
}

// TestMemoryNoise: uneven, within its percentage, and the same for every asking.
func TestMemoryNoise(t *testing.T) {
	s := remember(t, "memory:\n  noise: {percent: 2, seed: 7}\n  segments:\n  - {at: 0s, step: 200Mi}\n")
	seen := map[int64]bool{}
	for at := range 100 {
		elapsed := time.Duration(at) * time.Second
		got := s.Memory(elapsed, scenarios.Pod{Name: "a"})
		if got < 196*mi || got > 204*mi {
			t.Errorf("after %s: %d", elapsed, got)
		}
		if again := s.Memory(elapsed, scenarios.Pod{Name: "b", Ready: true}); again != got {
			t.Errorf("after %s: %d and %d", elapsed, got, again)
		}
		seen[got] = true
	}
	if len(seen) < 50 {
		t.Errorf("noise made %d amounts only", len(seen))
	}
}

func TestMemoryProblems(t *testing.T) {
	segment := func(item string) string { return "memory:\n  segments:\n  - {at: 0s, step: 1Mi}\n  - " + item + "\n" }
	for name, c := range map[string]struct {
		memory string // from line 5
		line   int
		want   string
	}{
		"empty":            {"memory: {}\n", 5, "segments 키가 없습니다"},
		"no mapping":       {"memory: 200Mi\n", 5, "키와 값"},
		"no segments":      {"memory:\n  segments: []\n", 6, "하나 이상"},
		"unknown key":      {"memory:\n  unit: rps\n  segments: [{at: 0s, step: 1Mi}]\n", 6, "모르는 키"},
		"idle":             {"memory:\n  idle: few\n  segments: [{at: 0s, step: 1Mi}]\n", 6, "idle에 쓸 수 없는 메모리 양"},
		"growth":           {"memory:\n  growth: -1s\n  segments: [{at: 0s, step: 1Mi}]\n", 6, "growth에 쓸 수 없는 시간"},
		"noise":            {"memory:\n  noise: {percent: 101, seed: 1}\n  segments: [{at: 0s, step: 1Mi}]\n", 6, "percent"},
		"negative":         {segment("{at: 1s, step: -1Mi}"), 8, "메모리 양"},
		"like CPU":         {segment("{at: 1s, step: 200m}"), 8, "메모리 양"},
		"part of a byte":   {segment("{at: 1s, step: 1.5}"), 8, "메모리 양"},
		"decimal suffix":   {segment("{at: 1s, step: 200M}"), 8, "메모리 양"},
		"suffix alone":     {segment("{at: 1s, step: Mi}"), 8, "메모리 양"},
		"huge":             {segment("{at: 1s, step: 1024.001Gi}"), 8, "메모리 양"},
		"huge in bytes":    {segment("{at: 1s, step: 1099511627777}"), 8, "메모리 양"},
		"overflow":         {segment("{at: 1s, step: 999999999Gi}"), 8, "메모리 양"},
		"ramp without for": {segment("{at: 1s, ramp: 1Mi}"), 8, "for가 필요"},
		"backwards":        {segment("{at: 0s, step: 2Mi}"), 8, "뒤여야"},
		"begins late":      {"memory:\n  segments:\n  - {at: 1s, step: 1Mi}\n", 7, "0s의 step"},
		"begins with ramp": {"memory:\n  segments:\n  - {at: 0s, ramp: 1Mi, for: 1m}\n", 7, "0s의 step"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := scenarios.Parse("x/scenario.yaml", []byte(vpaHead+someLoad+c.memory))
			expect(t, err, "x/scenario.yaml", c.line, c.want)
		})
	}
}

// TestVPANumbers holds the numbers that the comments of the scenarios tell.
func TestVPANumbers(t *testing.T) {
	two := []scenarios.Pod{{Name: "a", Ready: true, CPULimit: 300}, {Name: "b", Ready: true, CPULimit: 300}}
	for _, name := range []string{"vpa-web", "vpa-off", "vpa-initial", "vpa-inplace", "vpa-pdb", "vpa-two"} {
		s, err := scenarios.Load(scenarios.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		for at := range 3600 {
			for _, used := range s.Usage(time.Duration(at)*time.Second, two) {
				if used < 240 || used > 252 {
					t.Fatalf("%s after %ds: %dm", name, at, used)
				}
			}
		}
	}
	oom, err := scenarios.Load(scenarios.FS, "vpa-oom")
	if err != nil {
		t.Fatal(err)
	}
	for age, over := range map[time.Duration]bool{490 * time.Second: false, 491 * time.Second: true} {
		if got := oom.Memory(0, scenarios.Pod{ContainerAge: age}); got > 256*mi != over {
			t.Errorf("after %s: %d", age, got)
		}
	}
	day, err := scenarios.Load(scenarios.FS, "vpa-day")
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[time.Duration]struct{ cpu, memory int64 }{0: {600, 400}, 6 * time.Hour: {1000, 500}, 18 * time.Hour: {200, 300}, 30 * time.Hour: {1000, 500}} {
		cpu, memory := day.Offered(at), day.Memory(at, scenarios.Pod{})/mi
		if cpu*20 < want.cpu*19 || cpu*20 > want.cpu*21 || memory*20 < want.memory*19 || memory*20 > want.memory*21 {
			t.Errorf("after %s: %dm and %dMi", at, cpu, memory)
		}
	}
}
