package clusterautoscaler

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/stepscale/stepscale/engine/otherwise"
	"github.com/stepscale/stepscale/engine/trace"
)

// The verdicts that are no Verdict and no Reason.
const (
	ScaledUp  = "ScaledUpGroup"
	NoTrigger = "NotTriggerScaleUp"
	Capped    = "ScaleUpCapped"
	Unhealthy = "ClusterUnhealthy"
	Removed   = "ScaleDown"
	Cooling   = "ScaleDownInCooldown"
	Budgeted  = "ScaleDownBudget"
)

// Why says why a recorded decision came out as it did: of more nodes as a whole, of fewer
// nodes for every node, those that go first. One that is named is alone; ErrNoSubject where
// the decision was not about it. No cluster is needed.
func Why(ctx context.Context, f trace.Frame, subject string) (answers []otherwise.Answer, err error) {
	defer func() {
		if p := recover(); p != nil { // upstream's plugins trust the API server, and this may be anybody's file
			err = fmt.Errorf("%w: %v", errRecorded, p)
		}
	}()
	r, err := ReadRecorded(f.Inputs)
	if err != nil {
		return nil, err
	}
	judge, err := NewJudge(ctx)
	if err != nil {
		return nil, err
	}
	if r.Down {
		return r.whyDown(ctx, judge, f, subject)
	}
	return r.whyUp(ctx, judge, f, subject)
}

// differs tells whether the frame says that something else was done.
func differs(f trace.Frame, action string) bool {
	told, ok := f.Fact("action")
	return ok && told != action
}

func (r Recorded) whyUp(ctx context.Context, judge *Judge, f trace.Frame, subject string) ([]otherwise.Answer, error) {
	u, err := r.up(ctx, judge)
	if err != nil {
		return nil, err
	}
	base := u.outcome()
	question, about, action := otherwise.NoNode, "", actionKeep
	if len(u.Resizes) > 0 {
		question, about, action = otherwise.GroupChosen, u.Best.Group.Name, actionUp
	}
	if differs(f, action) {
		return nil, otherwise.ErrDiffers
	}
	if subject != "" && subject != about {
		return nil, otherwise.ErrNoSubject
	}
	a, err := otherwise.Ask(ctx, question, about, base, otherwise.Coarse, r.inputsUp(judge, u))
	return []otherwise.Answer{a}, err
}

// outcome is what was decided about more nodes.
func (u *ScaleUp) outcome() otherwise.Outcome {
	o := otherwise.Outcome{Verdict: string(u.Verdict), Ref: "core/static_autoscaler.go: shouldScaleUp"}
	switch {
	case !u.cluster.Healthy(u.autoscaler.Options):
		return otherwise.Outcome{Verdict: Unhealthy, Ref: ofHealth}
	case u.Verdict != Needed:
		return o
	case u.Best == nil:
		o = otherwise.Outcome{Verdict: NoTrigger, Ref: "processors/status/eventing_scale_up_processor.go: ReasonsMessage"}
		if len(u.Kinds) > 0 {
			o.Note = u.WhyNot(u.Kinds[0])
		}
		return o
	case len(u.Resizes) == 0:
		return otherwise.Outcome{Verdict: Capped, About: u.Capped, Ref: "core/scaleup/orchestrator/orchestrator.go: prepareScaleUp"}
	}
	o = otherwise.Outcome{Verdict: ScaledUp, Ref: "core/scaleup/orchestrator/orchestrator.go: ScaleUp"}
	for _, r := range u.Resizes {
		o.About = append(o.About, r.Group.Name, strconv.Itoa(r.To-r.From))
	}
	if len(u.Rounds) > 0 {
		o.Note = u.Rounds[0].Expander
	}
	return o
}

func (r Recorded) whyDown(ctx context.Context, judge *Judge, f trace.Frame, subject string) ([]otherwise.Answer, error) {
	d, err := r.down(ctx, judge)
	if err != nil {
		return nil, err
	}
	base, action := outcomes(d), actionKeep
	for _, o := range base {
		if o.Verdict == Removed {
			action = actionDown
		}
	}
	if differs(f, action) {
		return nil, otherwise.ErrDiffers
	}
	memo := otherwise.Memo{}
	return otherwise.AskNodes(ctx, ranked(base), subject, base, func(o otherwise.Outcome) bool { return o.Verdict == Removed }, otherwise.Coarse,
		func(node string) []otherwise.Probe { return r.inputsDown(judge, d, node, memo) })
}

// ranked are the nodes that go, then the others, and then those of no group.
func ranked(outcomes map[string]otherwise.Outcome) []string {
	nodes := slices.Sorted(maps.Keys(outcomes))
	rank := func(node string) int {
		switch outcomes[node].Verdict {
		case Removed:
			return 0
		case string(NotAutoscaled):
			return 2
		}
		return 1
	}
	slices.SortStableFunc(nodes, func(a, b string) int { return rank(a) - rank(b) })
	return nodes
}

// The upstream files and functions of the reasons.
const (
	ofEligibility = "core/scaledown/eligibility/eligibility.go: unremovableReasonAndNodeUtilization"
	ofSimulation  = "simulator/cluster.go: SimulateNodeRemoval"
	ofRemovable   = "core/scaledown/unneeded/nodes.go: RemovableAt"
	ofPrefilter   = "processors/nodes/pre_filtering_processor.go: GetScaleDownCandidates"
	ofCooldown    = "core/static_autoscaler.go: isScaleDownInCooldown"
	ofBudgets     = "core/scaledown/budgets/budgets.go: CropNodes"
	ofHealth      = "clusterstate/clusterstate.go: IsClusterHealthy"
	ofActuation   = "core/scaledown/actuation/actuator.go: StartDeletion"
)

// outcomes are what was decided about each node, by name.
func outcomes(d *ScaleDown) map[string]otherwise.Outcome {
	of := map[string]otherwise.Outcome{}
	if d == nil {
		return of
	}
	note := func(node string, o otherwise.Outcome) { of[node] = o }
	for _, x := range d.Excluded {
		note(x.Node.Name, otherwise.Outcome{Verdict: string(x.Reason), Note: d.sizes(x.Node.Name), Ref: ofPrefilter})
	}
	for _, c := range d.Checked {
		o := otherwise.Outcome{Verdict: string(c.Reason), Ref: ofEligibility}
		if c.Known {
			o.Note = ratio(c.Utilization.Value())
		}
		note(c.Node.Name, o)
	}
	for _, r := range d.Removals {
		o := otherwise.Outcome{Verdict: string(r.Reason), Ref: ofSimulation}
		switch r.Reason {
		case BlockedByPod:
			o.About, o.Note = []string{string(r.Block)}, r.Blocker.Name
		case NoPlaceToMovePods:
			o.Note = r.Homeless.Name
		}
		note(r.Node.Name, o)
	}
	for _, v := range d.Removable {
		note(v.Node.Name, d.verdict(v))
	}
	return of
}

// verdict is what becomes of an unneeded node.
func (d *ScaleDown) verdict(v Verdicted) otherwise.Outcome {
	held := func(r *Removal) bool { return r == v.Removal }
	switch {
	case v.Reason == NotUnneededLongEnough || v.Reason == NotUnreadyLongEnough:
		return otherwise.Outcome{Verdict: string(v.Reason), Note: v.Left.String(), Ref: ofRemovable}
	case v.Reason != "":
		return otherwise.Outcome{Verdict: string(v.Reason), Note: d.sizes(v.Node.Name), Ref: ofRemovable}
	case slices.ContainsFunc(d.Held, held) && d.Cooldown.On():
		return otherwise.Outcome{Verdict: Cooling, Note: d.Cooldown.Left().String(), Ref: ofCooldown}
	case slices.ContainsFunc(d.Held, held):
		return otherwise.Outcome{Verdict: Budgeted, Ref: ofBudgets}
	}
	return otherwise.Outcome{Verdict: Removed, Ref: ofActuation}
}

// sizes are those of a node's group: "2 1", its target and its least.
func (d *ScaleDown) sizes(node string) string {
	g := d.cluster.GroupOf(node)
	if g == nil {
		return ""
	}
	return fmt.Sprintf("%d %d", g.Target, g.Min)
}
