package referee

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/trace"
)

// CompareStep lets upstream's controller decide what ours has just decided.
const CompareStep trace.StepID = "hpa-beside/3-scale/compare"

// Beside is the HPA loop with upstream's controller at its side. Upstream's runs
// in this process on the inputs that ours read; it touches no cluster. Close must be
// called.
type Beside struct {
	hpa.State
	player     Player    // the controller remembers, so it runs as long as the loop
	latest     *Decision // of this pass; nil when it has none
	waiting    []trace.Waiting
	decisions  int // compared so far
	conditions int
}

// Close ends upstream's controller.
func (b *Beside) Close(context.Context) error {
	b.player.Close()
	return nil
}

// Loop is the HPA loop with the comparison after the scale write.
func Loop() engine.Defined[Beside] {
	main := hpa.Loop()
	steps := engine.Lift(main.Table, func(b *Beside) *hpa.State { return &b.State })
	at := slices.IndexFunc(steps, func(s engine.Step[Beside]) bool { return s.ID == hpa.UpdateStep })
	update := steps[at].Do
	steps[at].Do = func(ctx context.Context, b *Beside, f *trace.Frame) error {
		if err := update(ctx, b, f); err != nil {
			return err
		}
		return b.remember(f)
	}
	d := main.Definition
	d.Name, d.Facts = "hpa-beside", d.Facts.With(facts)
	return engine.Define(d, slices.Insert(steps, at+1, engine.Step[Beside]{
		ID: CompareStep, Actor: hpa.ActorCluster, Do: compareStep,
		Ref:   "horizontal.go: (*HorizontalController).reconcileAutoscaler",
		Tells: []string{"agrees", "ourReplicas", "upstreamReplicas", "comparedDecisions", "comparedConditions"},
	}), func(b *Beside) string { return main.Subject(&b.State) }, func(b *Beside) time.Time { return main.Now(&b.State) })
}

// facts are what the comparison tells beside those of the HPA loop.
var facts = engine.Facts{
	engine.Count: {"upstreamReplicas", "comparedDecisions", "comparedConditions"},
	engine.Text:  {"upstreamCondition", "upstreamEvent"},
}

func (b *Beside) remember(f *trace.Frame) error {
	b.latest, b.waiting = nil, f.Waiting
	if len(f.Inputs) == 0 {
		return nil
	}
	recorded, err := hpa.ReadRecorded(f.Inputs)
	if err != nil {
		return err
	}
	refusal, _ := f.Fact("rescaleError")
	b.latest = &Decision{Recorded: recorded, Refused: refusal}
	return nil
}

// compareStep lets upstream's controller decide what ours has decided in this pass.
func compareStep(ctx context.Context, b *Beside, f *trace.Frame) error {
	f.Kubectl, f.Waiting = "kubectl describe hpa "+b.HPA+" -n "+b.Namespace, b.waiting // nobody moves meanwhile
	if b.latest == nil {
		f.Add("skipped", "이번 패스에는 비교할 결정이 없습니다. HPA나 그 대상을 읽지 못했습니다.", "")
		return nil
	}
	p, err := b.player.Next(ctx, *b.latest)
	if err != nil {
		return err
	}
	in := b.latest.Input
	b.decisions++
	b.conditions += p.Upstream.Conditions()
	f.Add("ourReplicas", strconv.Itoa(int(p.Ours.Replicas(in.SpecReplicas))), "")
	f.Add("upstreamReplicas", strconv.Itoa(int(p.Upstream.Replicas(in.SpecReplicas))), "")
	if p.Upstream.Status != nil {
		for _, c := range p.Upstream.Status.Conditions {
			f.Add("upstreamCondition/"+string(c.Type), string(c.Status)+" "+c.Reason, "")
		}
	}
	for _, e := range p.Upstream.Events {
		f.Add("upstreamEvent/"+e.Reason, e.Message, "")
	}
	f.Add("comparedDecisions", strconv.Itoa(b.decisions), "")
	f.Add("comparedConditions", strconv.Itoa(b.conditions), "")
	for _, d := range p.Differences {
		f.Add("difference/"+d.What, "stepscale "+d.Ours+", upstream "+d.Upstream, "")
	}
	f.Add("agrees", strconv.FormatBool(len(p.Differences) == 0), "")
	return nil
}

// Replicas is the target's replica count after the outcome.
func (o Outcome) Replicas(current int32) int32 {
	if n := len(o.Writes); n > 0 {
		return o.Writes[n-1]
	}
	return current
}

// Conditions is how many conditions the written status has.
func (o Outcome) Conditions() int {
	if o.Status == nil {
		return 0
	}
	return len(o.Status.Conditions)
}
