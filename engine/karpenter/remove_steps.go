package karpenter

import (
	"cmp"
	"context"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/controllers/disruption"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

const nothingStarted = "시작한 것이 없습니다."

// start taints the nodes that are to go, and asks for those that take their place.
func start(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get nodes -o custom-columns='NAME:.metadata.name,TAINTS:.spec.taints[*].key'"
	c := s.pass.verdict.command
	if s.waits(f) {
		return nil
	}
	if c == nil {
		f.Add("skipped", nothingStarted, "")
		return nil
	}
	ctx, err := s.withUpstream(ctx)
	if err != nil {
		return err
	}
	if err := s.parts.disrupt.queue.StartCommand(ctx, c); err != nil {
		return err
	}
	s.going = c
	s.pass.acted = map[disruption.Decision]string{disruption.ReplaceDecision: "replaceNode", disruption.DeleteDecision: "removeNode"}[c.Decision()]
	for _, candidate := range c.Candidates {
		n, err := s.node(ctx, candidate.Name())
		if err != nil {
			return err
		}
		if n != nil {
			f.Add("taints/"+n.Name, world.TaintsText(n.Spec.Taints), "")
			f.Changes = append(f.Changes, trace.Change{Object: "node/" + n.Name, Field: "spec.taints", To: karpv1.DisruptedTaintKey})
		}
	}
	for _, r := range c.Replacements {
		f.Add("claim", r.Name, "")
		f.Changes = append(f.Changes, trace.Change{Object: "nodeclaim/" + r.Name, Field: "metadata.name", To: r.Name})
	}
	f.Add("createdClaims", strconv.Itoa(len(c.Replacements)), "")
	if err := s.parts.look(ctx); err != nil {
		return err
	}
	return s.announce(ctx, f)
}

// deleteClaims lets upstream's queue, which has waited for the replacements, delete the
// NodeClaims, and the lifecycle controller their Nodes: both stay until they are empty.
func deleteClaims(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get nodeclaim,nodes"
	c := s.going
	if c == nil {
		f.Add("skipped", nothingStarted, "")
		return nil
	}
	ctx, err := s.withUpstream(ctx)
	if err != nil {
		return err
	}
	if _, err := s.parts.disrupt.queue.Reconcile(ctx, c.Candidates[0].NodeClaim); err != nil {
		return err
	}
	going, err := s.goingClaims(ctx)
	if err != nil {
		return err
	}
	for i := range going {
		if _, err := s.parts.lifecycle.Reconcile(ctx, &going[i]); err != nil {
			return err
		}
		f.Changes = append(f.Changes, trace.Change{Object: "nodeclaim/" + going[i].Name, Field: "metadata.deletionTimestamp", To: "찍힘"})
	}
	f.Add("deletedClaims", strconv.Itoa(len(going)), "")
	if !s.parts.disrupt.queue.HasAny(c.Candidates[0].ProviderID()) { // it is done, or was given up
		s.going = nil
	} else if len(going) == 0 {
		f.Add("skipped", "새 노드가 준비될 때까지 옛 노드를 그대로 둡니다.", "")
	}
	if err := s.parts.look(ctx); err != nil {
		return err
	}
	return s.announce(ctx, f)
}

// goingClaims are the NodeClaims that are being deleted.
func (s *State) goingClaims(ctx context.Context) (going []karpv1.NodeClaim, err error) {
	claims, err := s.claims(ctx)
	for _, c := range claims {
		if c.DeletionTimestamp != nil {
			going = append(going, c)
		}
	}
	return going, err
}

// evict lets upstream drain the nodes: it asks the API server to evict every pod, which a
// PodDisruptionBudget may refuse.
func evict(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = s.KubectlNodes()
	ctx, err := s.withUpstream(ctx)
	if err != nil {
		return err
	}
	evicted, err := s.drain(ctx)
	if err != nil {
		return err
	}
	s.Evicted += len(evicted)
	f.Add("evictedPods", strconv.Itoa(len(evicted)), "")
	for _, p := range evicted {
		f.Changes = append(f.Changes, trace.Change{Object: "pod/" + p, Field: "metadata.deletionTimestamp", To: "찍힘"})
	}
	if len(evicted) == 0 {
		f.Add("skipped", "내보낼 파드가 없습니다.", "")
	}
	return s.announce(ctx, f)
}

// drain calls upstream for every Node that is being deleted, and for the pods that it has
// put into its queue.
func (s *State) drain(ctx context.Context) (evicted []string, err error) {
	var nodes corev1.NodeList
	if err := s.parts.kube.List(ctx, &nodes); err != nil {
		return nil, err
	}
	for i := range nodes.Items {
		n := &nodes.Items[i]
		if n.DeletionTimestamp == nil {
			continue
		}
		if _, err := s.parts.disrupt.ends.Reconcile(ctx, n.DeepCopy()); err != nil {
			return nil, err
		}
		pods, err := s.podsOn(ctx, n.Name)
		if err != nil {
			return nil, err
		}
		for j := range pods {
			p := &pods[j]
			if !s.parts.disrupt.evictions.Has(p) {
				continue
			}
			if _, err := s.parts.disrupt.evictions.Reconcile(ctx, p); err != nil {
				return nil, err
			}
			evicted = append(evicted, p.Name)
		}
	}
	return evicted, nil
}

// mostDrain bounds how long, in virtual time, an empty node may take to go.
const mostDrain = 2 * time.Minute

// terminate lets time pass until the drained nodes are gone: upstream waits a little for
// volumes, gives the machine back, and then lets the Node and the NodeClaim go.
func terminate(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get nodes,nodeclaim"
	ctx, err := s.withUpstream(ctx)
	if err != nil {
		return err
	}
	going, err := s.goingClaims(ctx)
	if err != nil {
		return err
	}
	f.Add("action", cmp.Or(s.pass.acted, "keep"), "")
	machines := s.instancesOf(going)
	if len(going) == 0 {
		f.Add("goneNodes", "0", "")
		f.Add("skipped", "사라질 노드가 없습니다.", "")
		return nil
	}
	took := time.Duration(0)
	for ; len(going) > 0 && took < mostDrain; took += time.Second {
		if err := s.Simulation.Advance(ctx, time.Second); err != nil {
			return err
		}
		if _, err := s.drain(ctx); err != nil {
			return err
		}
		for i := range going {
			if _, err := s.parts.lifecycle.Reconcile(ctx, &going[i]); err != nil {
				return err
			}
		}
		if going, err = s.goingClaims(ctx); err != nil {
			return err
		}
	}
	gone := 0
	for _, in := range machines {
		if !in.gone { // something holds its pods
			continue
		}
		gone++
		if err := s.Machines.Leave(ctx, in.name); err != nil {
			return err
		}
		f.Changes = append(f.Changes, trace.Change{Object: "node/" + in.name, Field: "metadata.name", From: in.name})
	}
	f.Add("goneNodes", strconv.Itoa(gone), "")
	f.Add("drainTime", took.String(), "")
	if err := s.parts.look(ctx); err != nil {
		return err
	}
	return s.announce(ctx, f)
}
