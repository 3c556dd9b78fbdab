package clusterautoscaler

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

func rescale(ctx context.Context, s *State, f *trace.Frame) error {
	return s.TurnDeployment(ctx, f, s.Target)
}

// order begins a pass: time goes by, and the candidates are found.
func order(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get nodes -L " + groupLabel
	if !s.Whole {
		if err := s.begin(ctx); err != nil {
			return err
		}
		if _, err := s.Tick(ctx, s.Options.ScanInterval); err != nil {
			return err
		}
		f.Add("interval", s.Options.ScanInterval.String(), "")
	}
	c, err := s.cluster(ctx)
	if err != nil {
		return err
	}
	if s.pass.inputs, err = s.autoscaler.record(c, true); err != nil {
		return err
	}
	s.autoscaler.Observe(c)
	d, err := s.autoscaler.ScaleDown(c)
	if err != nil {
		return err
	}
	s.pass.down = d
	if !c.Healthy(s.Options) { // upstream ends the loop here
		s.autoscaler.Forget()
		f.Add("skipped", "준비되지 않은 노드가 너무 많아 아무것도 줄이지 않습니다.", "")
		return nil
	}
	d.Order()
	empty := slices.DeleteFunc(names(d.Candidates), func(n string) bool { return !d.isEmpty(n) })
	f.Add("clusterNodes", strconv.Itoa(len(c.Nodes)), "")
	f.Add("candidateNodes", strconv.Itoa(len(d.Candidates)), "")
	f.Add("emptyNodes", strconv.Itoa(len(empty)), world.SomeNames(empty))
	f.Add("nodeOrder", strings.Join(names(d.Candidates), ", "), "")
	for _, x := range d.Excluded {
		f.Add("nodeExcluded/"+x.Node.Name, string(x.Reason), s.sizes(x.Node.Name))
	}
	return nil
}

// sizes are those of a node's group, in words.
func (s *State) sizes(node string) string {
	g := (&Cluster{Groups: s.Groups}).GroupOf(node)
	if g == nil {
		return ""
	}
	return fmt.Sprintf("%s의 목표 %d, 최소 %d", g.Name, g.Target, g.Min)
}

// eligible compares what is asked of each node with the threshold.
func eligible(_ context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl describe nodes"
	d := s.pass.down
	d.Eligible()
	f.Add("utilizationThreshold", ratio(s.Options.UtilizationThreshold), "")
	n := 0
	for _, c := range d.Checked {
		if c.Known {
			f.Add("nodeUtilization/"+c.Node.Name, ratio(c.Utilization.Value()), fmt.Sprintf("CPU %s, 메모리 %s 가운데 큰 값", ratio(c.Utilization.CPU), ratio(c.Utilization.Memory)))
		}
		if c.Reason == "" {
			n++
			continue
		}
		remark := ""
		if until, ok := s.autoscaler.recheck[c.Node.Name]; ok {
			remark = until.Sub(d.cluster.Now).String() + " 뒤에 다시 봅니다"
		}
		f.Add("ineligible/"+c.Node.Name, string(c.Reason), remark)
	}
	f.Add("eligibleNodes", strconv.Itoa(n), "")
	return nil
}

func ratio(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) }

// blockedBy takes the nodes away in a simulation, and tells which of their pods forbid it.
func blockedBy(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = s.KubectlNodes()
	d := s.pass.down
	if err := d.Simulate(ctx); err != nil {
		return err
	}
	n := 0
	for _, r := range d.Removals {
		if r.Reason == BlockedByPod {
			f.Add("blockingPod/"+r.Node.Name, string(r.Block), r.Blocker.Namespace+"/"+r.Blocker.Name)
			n++
		}
	}
	f.Add("blockedNodes", strconv.Itoa(n), "")
	return nil
}

// placed tells where the pods would go.
func placed(_ context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = s.KubectlNodes()
	n := 0
	for _, r := range s.pass.down.Removals {
		switch r.Reason {
		case NoPlaceToMovePods:
			var why []string
			for _, node := range slices.Sorted(maps.Keys(r.Refused)) {
				why = append(why, node+" "+r.Refused[node].String())
			}
			f.Add("homelessPod/"+r.Node.Name, r.Homeless.Name, strings.Join(why, "; "))
		case "":
			n++
			for i, m := range r.Moves {
				if i < world.ShownNames {
					f.Add("podMove/"+m.Pod, m.Node, r.Node.Name+"에서")
				}
			}
		}
	}
	f.Add("removableNodes", strconv.Itoa(n), "")
	return nil
}

// since counts for how long each node has been unneeded.
func since(_ context.Context, s *State, f *trace.Frame) error {
	d := s.pass.down
	d.Unneeded()
	d.Judge()
	f.Add("unneededNodes", strconv.Itoa(len(d.Since)), "")
	for _, v := range d.Removable {
		f.Add("unneededFor/"+v.Node.Name, d.cluster.Now.Sub(d.Since[v.Node.Name]).String(), "")
		f.Add("unneededLeft/"+v.Node.Name, v.Left.String(), d.threshold(v.Node).String()+"보다 길어야 합니다")
	}
	return nil
}

// pick chooses the nodes that go now.
func pick(_ context.Context, s *State, f *trace.Frame) error {
	f.Kubectl, f.Inputs = "kubectl get nodes", s.pass.inputs
	d := s.pass.down
	d.Pick()
	going := slices.Concat(d.Empty, d.Drain)
	action := actionKeep
	if len(going) > 0 {
		s.autoscaler.Deleting(d.cluster.Now)
		action = actionDown
	}
	f.Add("action", action, "")
	for _, v := range d.Removable {
		if v.Reason != "" {
			remark := s.sizes(v.Node.Name)
			if v.Reason == NotUnneededLongEnough || v.Reason == NotUnreadyLongEnough {
				remark = v.Left.String() + " 남음"
			}
			f.Add("nodeKept/"+v.Node.Name, string(v.Reason), remark)
		}
	}
	f.Add("nodesToDelete", strconv.Itoa(len(going)), world.SomeNames(removalNames(going)))
	f.Add("heldNodes", strconv.Itoa(len(d.Held)), world.SomeNames(removalNames(d.Held)))
	return nil
}

func removalNames(of []*Removal) (list []string) {
	for _, r := range of {
		list = append(list, r.Node.Name)
	}
	return list
}

// going are the nodes that are deleted in this pass; nothing goes on where there are none.
func (s *State) going(f *trace.Frame) []*Removal {
	going := slices.Concat(s.pass.down.Empty, s.pass.down.Drain)
	if len(going) == 0 {
		f.Add("skipped", "이번 패스에 지울 노드가 없습니다.", "")
	}
	return going
}
