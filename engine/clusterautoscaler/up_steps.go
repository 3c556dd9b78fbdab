package clusterautoscaler

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// The values of the fact "action".
const (
	actionUp   = "addNode"
	actionDown = "removeNode"
	actionKeep = "keep"
)

// list begins a decision: it reads the cluster and finds the pods that wait.
func list(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get nodes -L " + groupLabel
	c, err := s.cluster(ctx)
	if err != nil {
		return err
	}
	if s.pass.inputs, err = s.autoscaler.record(c, false); err != nil {
		return err
	}
	s.autoscaler.Observe(c)
	s.pass.up = s.autoscaler.ScaleUp(c)
	s.pass.up.List()
	healthy := c.Healthy(s.Options)
	f.Add("clusterNodes", strconv.Itoa(len(c.Nodes)), "")
	f.Add("clusterHealthy", strconv.FormatBool(healthy), "")
	for _, g := range c.Groups {
		f.Add("groupSize/"+g.Name, strconv.Itoa(g.Target), "")
		f.Add("groupLimits/"+g.Name, fmt.Sprintf("%d~%d", g.Min, g.Max), "")
	}
	f.Add("waitingPods", strconv.Itoa(len(s.pass.up.Pending)), world.SomeNames(names(s.pass.up.Pending)))
	if !healthy { // upstream ends the loop here
		s.pass.up.Pending = nil
	}
	return nil
}

// groupLabel is that of the nodes of a group (engine/instances.LabelGroup).
const groupLabel = "stepscale.io/node-group"

// upcoming counts what is ordered and not there.
func upcoming(_ context.Context, s *State, f *trace.Frame) error {
	u := s.pass.up
	u.AddUpcoming()
	total := 0
	for _, g := range s.Groups {
		n := u.Upcoming[g.Name]
		if total += n; n > 0 {
			f.Add("upcomingNodes/"+g.Name, strconv.Itoa(n), fmt.Sprintf("목표 %d − 준비된 노드 %d", g.Target, g.Target-n))
		}
	}
	f.Add("upcomingNodes", strconv.Itoa(total), "")
	return nil
}

// filter leaves the pods that only a new node can help.
func filter(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = s.KubectlNodes()
	u := s.pass.up
	if err := u.FilterPods(ctx); err != nil {
		return err
	}
	if n := len(u.Expendable); n > 0 {
		f.Add("expendablePods", strconv.Itoa(n), world.SomeNames(names(u.Expendable)))
	}
	f.Add("fittingPods", strconv.Itoa(len(u.Fitting)), "")
	for i, p := range u.Fitting {
		if i < world.ShownNames {
			f.Add("fitsOn/"+p.Pod, p.Node, "")
		}
	}
	f.Add("helpPods", strconv.Itoa(len(u.Help)), world.SomeNames(names(u.Help)))
	return nil
}

// young decides whether to go on at all.
func young(_ context.Context, s *State, f *trace.Frame) error {
	u := s.pass.up
	u.Decide()
	if len(u.Help) > 0 {
		oldest := slices.MinFunc(u.Help, func(a, b *corev1.Pod) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
		f.Add("oldestPodAge", u.cluster.Now.Sub(oldest.CreationTimestamp.Time).String(), oldest.Name)
	}
	f.Add("scaleUpVerdict", string(u.Verdict), "")
	return nil
}

// goesOn tells whether the pass is to find a node group, and says in the frame why not.
func (s *State) goesOn(f *trace.Frame) bool {
	why := map[Verdict]string{
		NotNeeded:     "새 노드가 필요한 파드가 없으므로 할 일이 없습니다.",
		LimitedByMax:  "노드가 이미 --max-nodes-total만큼 있어 더 늘리지 않습니다.",
		AllPodsAreNew: "파드가 모두 생긴 지 2초가 안 되어, 더 올 파드를 한 바퀴 기다립니다.",
	}[s.pass.up.Verdict]
	if why != "" {
		f.Add("skipped", why, "")
	}
	return why == ""
}

func equivalence(_ context.Context, s *State, f *trace.Frame) error {
	if !s.goesOn(f) {
		return nil
	}
	f.Kubectl = "kubectl get pods -n " + s.Namespace + " --field-selector=status.phase=Pending"
	u := s.pass.up
	u.Equivalence()
	f.Add("podKinds", strconv.Itoa(len(u.Kinds)), "")
	for i, k := range u.Kinds {
		if i < world.ShownNames {
			f.Add("podKind/"+k.sample().Name, strconv.Itoa(len(k.Pods)), "")
		}
	}
	return nil
}

func valid(_ context.Context, s *State, f *trace.Frame) error {
	if !s.goesOn(f) {
		return nil
	}
	u := s.pass.up
	u.Valid()
	f.Add("validGroups", strconv.Itoa(len(u.Candidates)), groupNames(u.Candidates))
	for _, skipped := range u.Skipped {
		f.Add("groupSkipped/"+skipped.Group.Name, skipped.Reason, fmt.Sprintf("목표 %d, 최대 %d", skipped.Group.Target, skipped.Group.Max))
		if left := s.autoscaler.backedOff(skipped.Group.Name, u.cluster.Now); left > 0 {
			f.Add("backoffLeft/"+skipped.Group.Name, left.String(), "")
		}
	}
	return nil
}

func groupNames(groups []*NodeGroup) string {
	list := make([]string, len(groups))
	for i, g := range groups {
		list[i] = g.Name
	}
	return world.SomeNames(list)
}

// predicates asks for every group whether the pods fit on a new node of it. Pods that no
// group can help are told so, unless the pass orders something (NotTriggerScaleUp).
func predicates(ctx context.Context, s *State, f *trace.Frame) error {
	if !s.goesOn(f) {
		return nil
	}
	u := s.pass.up
	u.Predicates(ctx)
	for _, g := range u.Candidates {
		fits := 0
		for _, k := range u.fitting(g) {
			fits += len(k.Pods)
		}
		f.Add("groupFits/"+g.Name, strconv.Itoa(fits), "")
		for _, k := range u.Kinds {
			if no := k.Refused[g.Name]; no != nil {
				f.Add("groupRefused/"+g.Name, no.String(), k.sample().Name)
			}
		}
	}
	return nil
}

func binpack(ctx context.Context, s *State, f *trace.Frame) error {
	if !s.goesOn(f) {
		return nil
	}
	u := s.pass.up
	if err := u.Estimate(ctx); err != nil {
		return err
	}
	if len(u.Choices) == 0 {
		f.Add("skipped", "파드가 들어갈 노드 그룹이 없습니다.", "")
	}
	for _, c := range u.Choices {
		f.Add("nodesNeeded/"+c.Group.Name, strconv.Itoa(c.Nodes), "")
		f.Add("podsHelped/"+c.Group.Name, strconv.Itoa(len(c.Pods)), "")
		for i, b := range c.Bins {
			if i < world.ShownNames {
				f.Add("bin/"+strings.TrimPrefix(b.Node, "template-node-for-"), world.SomeNames(b.Pods), fmt.Sprintf("파드 %d개", len(b.Pods)))
			}
		}
	}
	return nil
}

func expand(_ context.Context, s *State, f *trace.Frame) error {
	if !s.goesOn(f) {
		return nil
	}
	u := s.pass.up
	if err := u.Expand(); err != nil {
		return err
	}
	for _, r := range u.Rounds {
		f.Add("expander", r.Expander, "")
		for _, score := range r.Scores {
			if !math.IsInf(score.Value, 0) {
				f.Add("groupScore/"+score.Group, fmt.Sprintf("%.4f", score.Value), score.Expr)
			}
		}
	}
	if u.Best == nil {
		f.Add("skipped", "고를 노드 그룹이 없습니다.", "")
		return nil
	}
	f.Add("bestGroup", u.Best.Group.Name, "")
	return nil
}
