package vpa

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/logic"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/model"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
)

var start = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// usageState is a container's history: samples a minute apart, with OOMs' peaks.
func usageState(rng *rand.Rand, minutes int) *model.AggregateContainerState {
	s := model.NewAggregateContainerState()
	cpu, memory := rng.Float64()*2000, rng.Float64()*2e9
	for i := range minutes {
		at := start.Add(time.Duration(i) * time.Minute)
		s.AddSample(&model.ContainerUsageSample{MeasureStart: at, Resource: model.ResourceCPU, Usage: model.ResourceAmount(cpu * (0.5 + rng.Float64()))})
		if i%600 == 0 {
			s.AddSample(&model.ContainerUsageSample{MeasureStart: at, Resource: model.ResourceMemory, Usage: model.ResourceAmount(memory * (0.8 + rng.Float64()/2))})
		}
	}
	return s
}

// TestTheLayersEndWhereUpstreamDoes holds the explanation against upstream's own
// recommender, for random histories of one to three containers.
func TestTheLayersEndWhereUpstreamDoes(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for n := range 300 {
		p := DefaultParams()
		if n%2 == 0 {
			p.Format.RoundCPUMillicores = 1
		}
		containers := model.ContainerNameToAggregateStateMap{}
		for i := range 1 + rng.IntN(3) {
			containers[string(rune('a'+i))] = usageState(rng, rng.IntN(3000))
		}
		want := logic.MapToListOfRecommendedContainerResources(logic.CreatePodResourceRecommender(p.Recommendation).GetRecommendedPodResources(containers), p.Format)
		for name, s := range containers {
			for _, r := range resources {
				for _, b := range p.bounds(r) {
					l := p.explain(r, s, b, 1/float64(len(containers)))
					if got, want := l.rounded, amountOf(r, list(recommendedFor(want, name), b.name)); got != want {
						t.Fatalf("history %d, %s %s %s: explained %d, upstream %d", n, name, r, b.name, got, want)
					}
				}
			}
		}
	}
}

// TestConfidenceIsUpstreams computes the multiplier from our confidence and
// expects the layer that upstream computes.
func TestConfidenceIsUpstreams(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	p := DefaultParams()
	for range 100 {
		s := usageState(rng, 2+rng.IntN(5000))
		value, _ := confidence(s, p.Recommendation.ConfidenceIntervalCPU)
		for _, b := range p.bounds(model.ResourceCPU) {
			l := p.explain(model.ResourceCPU, s, b, 1)
			want := l.margin
			if b.multiplier != 0 {
				want = model.ScaleResource(l.margin, pow(1+b.multiplier/value, b.exponent))
			}
			if l.confident != want {
				t.Errorf("%s: layer %d, from the confidence %v: %d", b.name, l.confident, value, want)
			}
		}
	}
}

// TestRoundedIsTold also where rounding changes nothing: it is known, and may be asked.
func TestRoundedIsTold(t *testing.T) {
	s := &State{Params: DefaultParams()}
	s.Params.Format.RoundCPUMillicores = 10
	s.pass.model = &modelView{names: []string{"web"}}
	for amount, want := range map[model.ResourceAmount]string{296: "300m 10m 단위로 올림", 300: "300m 10m 단위라 그대로"} {
		var f trace.Frame
		addMinimum(s, &f, "web", model.ResourceCPU, layers{bound: bound{name: "target"}, confident: amount, atLeast: amount, rounded: s.Params.round(model.ResourceCPU, amount)})
		value, _ := f.Fact("targetRounded/web.cpu")
		if got := value + " " + f.Facts[len(f.Facts)-1].Expr; got != want {
			t.Errorf("%dm: %q, want %q", amount, got, want)
		}
	}
}

func TestTexts(t *testing.T) {
	for got, want := range map[string]string{
		text(model.ResourceCPU, 296):                     "296m",
		text(model.ResourceCPU, model.MaxResourceAmount): "무제한",
		text(model.ResourceMemory, 262144000):            "250Mi",
		text(model.ResourceMemory, 523*1<<20+400*1<<10):  "523.4Mi",
		signed(model.ResourceCPU, 200):                   "+200m",
		signed(model.ResourceCPU, -50):                   "-50m",
		ratio(0.00069444):                                "0.000694",
		ratio(1.1186):                                    "1.119",
		ratio(481):                                       "481",
		plain(0):                                         "0s",
		plain(3 * time.Minute):                           "3m",
		plain(24 * time.Hour):                            "24h",
		plain(8 * 24 * time.Hour):                        "8d",
		plain(59*time.Minute + 57*time.Second):           "59m57s",
		plain(12*time.Hour + 30*time.Minute):             "12h30m",
		plain(12*time.Hour + 30*time.Second):             "12h0m30s",
		plain(10 * time.Second):                          "10s",
		tally(model.ResourceCPU, []corev1.ResourceList{cpu("300m"), cpu("100m"), nil, cpu("300m")}): "100m × 1, 300m × 2",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestStepsAreTheContract(t *testing.T) {
	ids := map[trace.StepID]bool{}
	for _, loop := range []engine.Defined[State]{Loop(), Architecture(), History()} {
		for _, s := range loop.Table {
			if s.Ref == "" || s.Actor == "" || s.Do == nil || ids[s.ID] {
				t.Errorf("step %s: ref, actor, function and an ID of its own are required", s.ID)
			}
			ids[s.ID] = true
			if len(s.Tells) == 0 {
				t.Errorf("step %s has no facts that a lesson may ask about", s.ID)
			}
		}
	}
	if !ids[UpdateStep] {
		t.Errorf("no step %s", UpdateStep)
	}
}

// TestManifestsAreUpstreams compares our copies with the module's files.
func TestManifestsAreUpstreams(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/autoscaler/vertical-pod-autoscaler").Output()
	if err != nil {
		t.Fatal(err)
	}
	for file, ours := range map[string][]byte{"vpa-v1-crd-gen.yaml": crdManifest, "vpa-rbac.yaml": rbacManifest} {
		want, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "deploy", file))
		if err != nil {
			t.Fatal(err)
		}
		if string(want) != string(ours) {
			t.Errorf("%s is not what the module has", file)
		}
	}
}
