package clusterautoscaler

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/stepscale/stepscale/engine/instances"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// resize orders nodes from the cloud, and tells the pods what became of them.
func resize(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl, f.Inputs = "kubectl get nodes -L "+groupLabel, s.pass.inputs
	if !s.goesOn(f) {
		f.Add("action", actionKeep, "")
		return nil
	}
	f.Kubectl = "kubectl get events -n " + s.Namespace + " --field-selector source=" + Actor
	u := s.pass.up
	if !s.pass.ordered { // or the step is run again
		s.pass.ordered = true
		u.Size()
		for _, r := range u.Resizes {
			s.order(r.Group, r.To)
			s.autoscaler.ScaledUp(r.Group.Name, r.To-r.From, u.cluster.Now)
		}
	}
	if len(u.Resizes) == 0 {
		f.Add("action", actionKeep, "")
		f.Add("skipped", "주문할 노드가 없습니다.", "")
		return s.tellRefused(ctx, f)
	}
	f.Add("action", actionUp, "")
	return s.tellOrdered(ctx, f)
}

// tellOrdered tells the pods for which nodes were ordered.
func (s *State) tellOrdered(ctx context.Context, f *trace.Frame) error {
	u, ordered := s.pass.up, 0
	var infos []string
	for _, r := range u.Resizes {
		infos = append(infos, fmt.Sprintf("{%s %d->%d (max: %d)}", r.Group.Name, r.From, r.To, r.Group.Max))
		f.Add("groupTarget/"+r.Group.Name, strconv.Itoa(r.To), fmt.Sprintf("%d + %d", r.From, r.To-r.From))
		f.Changes = append(f.Changes, trace.Change{Object: "nodegroup/" + r.Group.Name, Field: "desiredCapacity", From: strconv.Itoa(r.From), To: strconv.Itoa(r.To)})
		ordered += r.To - r.From
	}
	f.Add("orderedNodes", strconv.Itoa(ordered), "")
	for _, limit := range u.Capped {
		f.Add("capped", limit, fmt.Sprintf("%d대가 필요했습니다", u.Wanted))
	}
	text := "pod triggered scale-up: [" + strings.Join(infos, " ") + "]"
	for _, p := range u.Best.Pods {
		if err := s.say(ctx, p, corev1.EventTypeNormal, "TriggeredScaleUp", text); err != nil {
			return err
		}
	}
	f.Add("orderEvent", "TriggeredScaleUp", text)
	return nil
}

// tellRefused tells pods why no node comes for them.
func (s *State) tellRefused(ctx context.Context, f *trace.Frame) error {
	for _, k := range s.pass.up.Kinds {
		text := "pod didn't trigger scale-up: " + s.pass.up.WhyNot(k)
		f.Add("notTriggered", text, k.sample().Name)
		for _, p := range k.Pods {
			if err := s.say(ctx, p, corev1.EventTypeNormal, "NotTriggerScaleUp", text); err != nil {
				return err
			}
		}
	}
	return nil
}

// join lets the machines that have booted register.
func join(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get nodes"
	joined := 0
	for _, m := range s.booting {
		if left := instances.BootTime - s.Clock.Since(m.ordered); left > 0 {
			f.Add("bootLeft/"+m.node.Name, left.String(), "")
			continue
		}
		if m.joined {
			continue
		}
		there, err := s.node(ctx, m.node.Name)
		if err != nil {
			return err
		}
		if there == nil { // or the step is run again
			if err := s.Machines.Join(ctx, m.node); err != nil {
				return err
			}
		}
		m.joined, m.group.Nodes = true, append(m.group.Nodes, m.node.Name)
		f.Changes = append(f.Changes, trace.Change{Object: "node/" + m.node.Name, Field: "metadata.name", To: m.node.Name})
		if err := s.addTaints(ctx, f, m.node.Name); err != nil {
			return err
		}
		joined++
	}
	f.Add("newNodes", strconv.Itoa(joined), "")
	if joined == 0 {
		f.Add("skipped", "등록할 노드가 없습니다.", "")
		return nil
	}
	if !s.Whole { // the node will be Ready in another pass
		return nil
	}
	return s.AwaitWaiting(ctx, trace.ActorScheduler) // to whom a new node is worth another try
}

// startTime is how long a machine takes from the order until its node is Ready.
const startTime = instances.BootTime + instances.NetworkUp

// ready lets the network of the nodes come up that have registered long enough ago.
func ready(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get nodes"
	started := 0
	for _, m := range s.booting {
		if !m.joined || s.Clock.Since(m.ordered) < startTime {
			continue
		}
		if err := s.Machines.Report(ctx, m.node.Name, true); err != nil {
			return err
		}
		f.Changes = append(f.Changes, trace.Change{Object: "node/" + m.node.Name, Field: "status.conditions[Ready]", From: "False", To: "True"})
		if err := s.addTaints(ctx, f, m.node.Name); err != nil {
			return err
		}
		started++
	}
	s.booting = slices.DeleteFunc(s.booting, func(m *machine) bool { return m.joined && s.Clock.Since(m.ordered) >= startTime })
	f.Add("startedNodes", strconv.Itoa(started), "")
	if started == 0 {
		f.Add("skipped", "Ready가 될 노드가 없습니다.", "")
		return nil
	}
	s.pass.opened = len(s.booting) == 0
	if waits, err := s.Waits(ctx, trace.ActorScheduler); waits || err != nil {
		return err // it tries again once it may write what came of its last try
	}
	return s.awaitBindings(ctx, len(s.pass.up.Fitting))
}

// schedulerBackoff is how long the scheduler may leave a pod alone that it has tried before,
// in machine time: its podMaxBackoffSeconds, and some more.
const schedulerBackoff = 12 * time.Second

// awaitBindings gives the scheduler the time to try the pods again for which a node has come.
// That it does not is no error.
func (s *State) awaitBindings(ctx context.Context, n int) error {
	return s.AwaitHeldFor(ctx, schedulerBackoff, trace.ActorScheduler, http.MethodPost, n)
}

// addTaints tells what keeps pods from a node.
func (s *State) addTaints(ctx context.Context, f *trace.Frame, name string) error {
	n, err := s.node(ctx, name)
	if err != nil || n == nil {
		return err
	}
	f.Add("nodeTaints/"+name, world.TaintsText(n.Spec.Taints), "")
	return nil
}
