package karpenter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/stepscale/stepscale/engine/instances"
	"github.com/stepscale/stepscale/engine/otherwise"
	"github.com/stepscale/stepscale/engine/trace"
)

// asked are random clusters whose decision is asked why, of each loop.
const asked = 20

// recordedOf is what a decision would have recorded of a cluster.
func recordedOf(t *testing.T, p *parts, disruption bool, types []instances.Type) Recorded {
	t.Helper()
	r := Recorded{Engine: ActorKarpenter, Disruption: disruption, Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Types: types}
	for _, o := range allOf(t, p.kube) {
		r.keep(o)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if r, err = ReadRecorded(b); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRecordedDecidesTheSame: what was recorded decides as the cluster did from which it was.
func TestRecordedDecidesTheSame(t *testing.T) {
	t.Parallel()
	ctx, err := withOptions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(60) {
		p := randomWorld(t, ctx, rand.New(rand.NewPCG(seed, 1)))
		var types []instances.Type
		for _, it := range p.cloud.types {
			size, _ := instances.Find(it.Name)
			types = append(types, size)
		}
		pods, err := p.provision.GetPendingPods(ctx)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := p.schedule(ctx, pods, p.cluster.DeepCopyNodes().Active())
		if err != nil {
			t.Fatal(err)
		}
		recorded, want := recordedOf(t, p, false, types), whole.outcome()
		same := false
		for range 60 { // upstream chooses among what is as good by the order of a map
			_, again, err := recorded.planned(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if same = again.Same(want); same {
				break
			}
		}
		if !same {
			t.Errorf("seed %d: it never decides as it was recorded, %v", seed, want)
		}
	}
}

// TestWhyIsTrue: on random clusters, what is named as the smallest change of an input flips
// upstream's decision, and one unit less does not.
func TestWhyIsTrue(t *testing.T) {
	t.Parallel()
	ctx, err := withOptions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]int{}
	for seed := range uint64(asked) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		r := recordedOf(t, randomWorld(t, ctx, rand.New(rand.NewPCG(seed, 1))), false, instances.All()[:12])
		plan, base, err := r.planned(ctx)
		if err != nil {
			t.Fatal(err)
		}
		told["up "+base.Verdict]++
		flips(t, ctx, seed, base, sample(rnd, r.inputsOfPlan(plan)), told)

		p, _ := shrunkWorld(t, ctx, seed)
		r = recordedOf(t, p, true, instances.All())
		r.Now = time.Now().Add(time.Hour) // upstream stamps conditions with the machine's clock
		for _, c := range r.Claims {
			c.Status.LastPodEventTime = metav1.NewTime(r.Now.Add(-time.Duration(20+rnd.IntN(60)) * time.Second))
		}
		of, err := r.disrupted(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for i, node := range r.managed() {
			if told["down "+of[node].Verdict]++; i > 0 { // all would take long
				continue
			}
			flips(t, ctx, seed, of[node], sample(rnd, r.inputsOfDisruption(node, map[string]map[string]otherwise.Outcome{})), told)
		}
	}
	t.Log(told)
	for _, kind := range []string{"up CreateNodeClaims", "down delete", "down NoOp", "down NotConsolidatable", "requests.cpu", "waitingPods"} {
		if told[kind] == 0 {
			t.Errorf("%s never: the generator is too tame", kind)
		}
	}
}

func sample(r *rand.Rand, of []otherwise.Probe) []otherwise.Probe {
	r.Shuffle(len(of), func(i, j int) { of[i], of[j] = of[j], of[i] })
	return of[:min(len(of), 2)]
}

func flips(t *testing.T, ctx context.Context, seed uint64, base otherwise.Outcome, inputs []otherwise.Probe, told map[string]int) {
	t.Helper()
	a, err := otherwise.Ask(ctx, "", "", base, otherwise.Sparse, inputs)
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	for _, c := range a.Changes {
		told[c.Kind]++
		step := int64(1)
		if c.To < c.From {
			step = -1
		}
		probe := inputs[slices.IndexFunc(inputs, func(p otherwise.Probe) bool { return p.Input == c.Input })]
		if got, err := probe.Decide(ctx, c.To); err != nil || got.Same(base) || !got.Same(c.Outcome) {
			t.Errorf("seed %d: %s of %s %d → %d gives %v, %v is said, %v was decided, %v", seed, c.Kind, c.Of, c.From, c.To, got, c.Outcome, base, err)
		}
		if got, err := probe.Decide(ctx, c.To-step); err != nil || !got.Same(base) {
			t.Errorf("seed %d: %s of %s %d → %d, and one less gives %v already, %v was decided, %v", seed, c.Kind, c.Of, c.From, c.To, got, base, err)
		}
	}
}

// TestWhyNamesTheNumbers: four pods of 500m fit in the 3920m of an m5.xlarge; the 1930m of an
// m5.large are 70m too few, and with requests of 482m they do.
func TestWhyNamesTheNumbers(t *testing.T) {
	ctx, err := withOptions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var rent []instances.Type
	for _, name := range []string{"m5.large", "m5.xlarge"} {
		it, _ := instances.Find(name)
		rent = append(rent, it)
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	pool := randomPool(rnd, 0)
	pool.Spec.Template.Spec.Requirements, pool.Spec.Template.Spec.Taints, pool.Spec.Limits = pool.Spec.Template.Spec.Requirements[:1], nil, map[corev1.ResourceName]resource.Quantity{corev1.ResourceCPU: resource.MustParse("8")}
	pool.Spec.Template.Spec.Requirements[0].Values = []string{"amd64"}
	r := Recorded{Engine: ActorKarpenter, Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Types: rent}
	r.keep(pool)
	for i := range 4 {
		p := randomPod(rnd, fmt.Sprintf("web-%d", i))
		p.Spec = corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("500m"), corev1.ResourceMemory: resource.MustParse("64Mi")}}}}}
		p.OwnerReferences = owner("web")
		r.keep(p)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	answers, err := Why(ctx, trace.Frame{Inputs: b}, "")
	if err != nil || len(answers) != 1 {
		t.Fatalf("%v, %v", answers, err)
	}
	a := answers[0]
	if a.Question != otherwise.TypeChosen || fmt.Sprint(a.Outcome.About) != "[m5.xlarge]" {
		t.Fatalf("%+v", a)
	}
	for _, want := range []string{
		"requests.cpu web 500→482 [m5.large]", "kubelet.cpu m5.large 1930→2000 [m5.large]", "waitingPods  4→3 [m5.large]", "waitingPods  4→8 [m5.large m5.xlarge]", "limits.cpu pool-0 8→3 [m5.large no place: 1]",
	} {
		found := false
		for _, c := range a.Changes {
			found = found || fmt.Sprintf("%s %s %d→%d %v", c.Kind, c.Of, c.From, c.To, c.Outcome.About) == want
		}
		if !found {
			t.Errorf("%s is not said", want)
		}
	}
	if t.Failed() {
		for _, c := range a.Changes {
			t.Logf("%s %s %d→%d %v", c.Kind, c.Of, c.From, c.To, c.Outcome.About)
		}
	}
	if _, err := Why(ctx, trace.Frame{Inputs: b}, "nobody"); !errors.Is(err, otherwise.ErrNoSubject) {
		t.Errorf("of nobody: %v", err)
	}
	told := trace.Frame{Inputs: b}
	told.Add("createdClaims", "2", "")
	if _, err := Why(ctx, told, ""); !errors.Is(err, otherwise.ErrDiffers) {
		t.Errorf("of a frame in which two were made: %v", err)
	}
	for _, text := range []string{`{}`, `null`, `{"engine":"karpenter","types":[{}],"pods":[null]}`, `{"engine":"karpenter"}`} {
		if _, err := Why(ctx, trace.Frame{Inputs: []byte(text)}, ""); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

// allOf are the objects of a test's cluster.
func allOf(t *testing.T, from client.Client) (objects []client.Object) {
	t.Helper()
	for _, list := range recordedLists() {
		if err := from.List(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		if err := meta.EachListItem(list, func(o runtime.Object) error {
			objects = append(objects, o.DeepCopyObject().(client.Object))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	return objects
}

func owner(name string) []metav1.OwnerReference {
	return []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "StatefulSet", Name: name, UID: types.UID(name), Controller: new(true)}}
}
