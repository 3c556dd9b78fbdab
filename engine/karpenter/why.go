package karpenter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/controllers/disruption"
	"sigs.k8s.io/karpenter/pkg/controllers/provisioning"
	"sigs.k8s.io/karpenter/pkg/events"

	"github.com/stepscale/stepscale/engine/otherwise"
	"github.com/stepscale/stepscale/engine/trace"
)

// The verdicts, beside upstream's decisions delete and replace.
const (
	Claims    = "CreateNodeClaims"
	NoPlace   = "FailedScheduling" // an event of upstream's
	OnNodes   = "Nominated"        // on nodes that there are; an event of upstream's
	NoPending = "NoPendingPods"
	NoPools   = "NoReadyNodePools"
	Kept      = "NoOp"
	Early     = "NotConsolidatable"
)

// Why says why a recorded decision came out as it did: of more nodes as a whole, of fewer
// for every node of Karpenter's. One that is named is alone; otherwise.ErrNoSubject where the
// decision was not about it. Upstream decides, and no cluster is needed.
func Why(ctx context.Context, f trace.Frame, subject string) (answers []otherwise.Answer, err error) {
	defer func() {
		if p := recover(); p != nil { // upstream trusts the API server, and this may be anybody's file
			err = fmt.Errorf("%w: %v", errRecorded, p)
		}
	}()
	r, err := ReadRecorded(f.Inputs)
	if err != nil {
		return nil, err
	}
	if ctx, err = withOptions(ctx); err != nil {
		return nil, err
	}
	if r.Disruption {
		return r.whyDisrupted(ctx, f, subject)
	}
	return r.whyPlanned(ctx, f, subject)
}

func (r Recorded) whyPlanned(ctx context.Context, f trace.Frame, subject string) ([]otherwise.Answer, error) {
	plan, base, err := r.planned(ctx)
	if err != nil {
		return nil, err
	}
	if told, ok := f.Fact("createdClaims"); ok && (plan == nil || told != strconv.Itoa(len(plan.NewNodeClaims))) {
		return nil, otherwise.ErrDiffers
	}
	question, about := otherwise.NoNode, ""
	if base.Verdict == Claims {
		question, about = otherwise.TypeChosen, base.About[0]
	}
	if subject != "" && subject != about {
		return nil, otherwise.ErrNoSubject
	}
	a, err := otherwise.Ask(ctx, question, about, base, otherwise.Sparse, r.inputsOfPlan(plan))
	return []otherwise.Answer{a}, err
}

// planned plans again for the pods that wait. The plan is nil where there is none.
func (r Recorded) planned(ctx context.Context) (*plan, otherwise.Outcome, error) {
	p, clk, err := r.parts(ctx)
	if err != nil {
		return nil, otherwise.Outcome{}, err
	}
	pods, err := p.pending(ctx, clk)
	if err != nil {
		return nil, otherwise.Outcome{}, err
	}
	if len(pods) == 0 {
		return nil, otherwise.Outcome{Verdict: NoPending, Ref: "controllers/provisioning/provisioner.go: GetPendingPods"}, nil
	}
	plan, err := p.schedule(ctx, pods, p.cluster.DeepCopyNodes().Active())
	if errors.Is(err, provisioning.ErrNodePoolsNotFound) {
		return nil, otherwise.Outcome{Verdict: NoPools, Ref: "controllers/provisioning/provisioner.go: NewScheduler"}, nil
	}
	if err != nil {
		return nil, otherwise.Outcome{}, err
	}
	return plan, plan.outcome(), nil
}

// outcome is which types are rented, and for how many pods there is no place.
func (p *plan) outcome() otherwise.Outcome {
	o := otherwise.Outcome{Verdict: OnNodes, Ref: "controllers/provisioning/scheduling/existingnode.go: CanAdd"}
	if len(p.PodErrors) > 0 {
		o = otherwise.Outcome{Verdict: NoPlace, About: []string{strconv.Itoa(len(p.PodErrors))}, Ref: "controllers/provisioning/scheduling/scheduler.go: Solve"}
		for _, pod := range p.pods {
			if err := p.failed(pod); err != nil {
				o.Note = err.Error()
				break
			}
		}
	}
	if len(p.NewNodeClaims) == 0 {
		return o
	}
	var names []string
	for _, claim := range p.NewNodeClaims {
		names = append(names, claim.InstanceTypeOptions.OrderByPrice(claim.Requirements)[0].Name)
	}
	slices.Sort(names)
	if n := len(p.PodErrors); n > 0 {
		names = append(names, noPlaceFor+strconv.Itoa(n))
	}
	return otherwise.Outcome{Verdict: Claims, About: names, Note: o.Note, Ref: "cloudprovider/types.go: OrderByPrice"}
}

// noPlaceFor begins the last thing that Claims is about where some pods have no place.
const noPlaceFor = "no place: "

func (r Recorded) whyDisrupted(ctx context.Context, f trace.Frame, subject string) ([]otherwise.Answer, error) {
	base, err := r.disrupted(ctx)
	if err != nil {
		return nil, err
	}
	decided := string(disruption.NoOpDecision)
	for _, o := range base {
		if stays(o) == 0 {
			decided = o.Verdict
		}
	}
	if told, ok := f.Fact("decision"); ok && told != decided {
		return nil, otherwise.ErrDiffers
	}
	nodes := r.managed()
	slices.SortStableFunc(nodes, func(a, b string) int { return stays(base[a]) - stays(base[b]) })
	memo := otherwise.Memo{}
	return otherwise.AskNodes(ctx, nodes, subject, base, func(o otherwise.Outcome) bool { return stays(o) == 0 }, otherwise.Sparse,
		func(node string) []otherwise.Probe { return r.inputsOfDisruption(node, memo) })
}

// stays is 1 for a node that does.
func stays(o otherwise.Outcome) int {
	if o.Verdict == Kept || o.Verdict == Early {
		return 1
	}
	return 0
}

// managed are the nodes that Karpenter has made, in the order of their names.
func (r Recorded) managed() (nodes []string) {
	for _, c := range r.Claims {
		if c.Status.NodeName != "" && c.DeletionTimestamp == nil {
			nodes = append(nodes, c.Status.NodeName)
		}
	}
	slices.Sort(nodes)
	return nodes
}

// disrupted is what is decided about each node of Karpenter's.
func (r Recorded) disrupted(ctx context.Context) (map[string]otherwise.Outcome, error) {
	p, clk, err := r.parts(ctx)
	if err != nil {
		return nil, err
	}
	of := map[string]otherwise.Outcome{}
	for _, claim := range r.Claims { // whether the quiet time is over
		if _, err := p.disrupt.conditions.Reconcile(ctx, claim.DeepCopy()); err != nil {
			return nil, err
		}
		now := &karpv1.NodeClaim{}
		if err := p.kube.Get(ctx, keyOf(claim), now); err != nil {
			return nil, err
		}
		of[claim.Status.NodeName] = otherwise.Outcome{Verdict: Kept, Ref: "controllers/disruption/consolidation.go: computeConsolidation"}
		if !met(now, karpv1.ConditionTypeConsolidatable) {
			of[claim.Status.NodeName] = otherwise.Outcome{Verdict: Early, Ref: "controllers/nodeclaim/disruption/consolidation.go: Reconcile"}
		}
	}
	if err := p.look(ctx); err != nil {
		return nil, err
	}
	p.said.said = nil
	v, err := p.judge(ctx, clk)
	if err != nil {
		return nil, err
	}
	for name, o := range of {
		if o.Verdict == Kept {
			o.Note = p.said.about(name)
			of[name] = o
		}
	}
	if v.command == nil {
		return of, nil
	}
	for _, c := range v.command.Candidates {
		o := otherwise.Outcome{Verdict: string(v.command.Decision()), Note: string(v.command.Reason()), Ref: "controllers/disruption/consolidation.go: computeConsolidation"}
		if v.command.Decision() == disruption.DeleteDecision && c.IsEmpty() {
			o.Ref = "controllers/disruption/emptiness.go: ComputeCommands"
		}
		for _, by := range v.command.Replacements {
			o.About = append(o.About, by.InstanceTypeOptions.OrderByPrice(by.Requirements)[0].Name)
		}
		of[c.Name()] = o
	}
	return of, nil
}

// about is what upstream said last of a node that stays, or of its NodePool.
func (r *recorder) about(node string) string {
	of := func(e events.Event, name string) bool {
		n, ok := e.InvolvedObject.(*corev1.Node)
		return ok && n.Name == name
	}
	pool := ""
	for _, e := range slices.Backward(r.said) {
		if of(e, node) {
			return e.Message
		}
		if _, ok := e.InvolvedObject.(*karpv1.NodePool); ok && strings.Contains(e.Message, "disruption") {
			pool = e.Message
		}
	}
	return pool
}
