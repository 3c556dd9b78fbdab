package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/world"
	"github.com/stepscale/stepscale/scenarios"
)

// readiness is how many pods of the scenario are Ready, of how many.
type readiness struct{ ready, wanted int32 }

// waitRunning waits until every Deployment of the scenario has all pods Ready: as
// long as more and more of them are, however many there are.
func (s *Stage) waitRunning(ctx context.Context) error {
	p := s.objects.access.Pods
	return s.await(ctx, p.Every, p.Within)
}

// await gives up when no more pods have become Ready within that time.
func (s *Stage) await(ctx context.Context, every, within time.Duration) error {
	var now readiness
	best, progress := int32(-1), time.Time{}
	return wait.PollUntilContextCancel(ctx, every, true, func(ctx context.Context) (bool, error) {
		ctx, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		done, err := s.running(ctx, &now)
		if err != nil || done {
			return done, err
		}
		if now.ready > best {
			best, progress = now.ready, time.Now()
		}
		switch stands := time.Since(progress); {
		case stands > within:
			return false, s.explainPods(ctx, now)
		case stands > world.BlockedWithin:
			return false, s.whileStanding(ctx, now)
		}
		return false, s.overQuota(ctx, now)
	})
}

// fits refuses, before anything is written, more pods than the nodes of a cluster that
// we made have places for. On others' more nodes may come, and the nodes may not be ours
// to look at.
func (s *Stage) fits(ctx context.Context) error {
	if !s.objects.access.Info.Disposable {
		return nil
	}
	nodes, err := s.objects.kube.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	var places, wanted int64
	for _, n := range nodes.Items {
		places += n.Status.Allocatable.Pods().Value()
	}
	for _, o := range s.Scenario.Parts() {
		if slices.Contains(scenarios.Targets, o.GetKind()) {
			wanted += replicasOf(o)
		}
	}
	if wanted <= places {
		return nil
	}
	return &problem.Error{What: fmt.Sprintf("시나리오의 파드는 %d개인데, 이 클러스터의 노드에는 %d개까지만 들어갑니다", wanted, places), Code: problem.ExitUsage,
		Where: "scenarios/" + s.Scenario.Name + "/objects.yaml", Hint: "아무것도 쓰지 않았습니다. replicas를 줄이시거나, --cluster 없이 임베디드 클러스터에서 실행해 주십시오."}
}

// running counts the pods of the scenario's workloads. Where time is simulated it has to
// pass for those that are asked before they are ready.
func (s *Stage) running(ctx context.Context, now *readiness) (bool, error) {
	list, err := s.objects.kube.AppsV1().Deployments(s.Namespace()).List(ctx, metav1.ListOptions{LabelSelector: clusters.LabelManaged})
	if err != nil {
		return false, err
	}
	*now = readiness{}
	done := true
	for _, d := range list.Items {
		now.ready += d.Status.ReadyReplicas
		now.wanted += *d.Spec.Replicas // the API server writes the default
		done = done && d.Status.ObservedGeneration >= d.Generation && d.Status.ReadyReplicas == *d.Spec.Replicas
	}
	others, err := s.othersRunning(ctx, now)
	if done = done && others; done || err != nil || !s.Scenario.Probed() {
		return done, err
	}
	return false, s.site.probe(ctx)
}

// othersRunning counts the pods of what is no Deployment, where the scenario has it.
func (s *Stage) othersRunning(ctx context.Context, now *readiness) (bool, error) {
	done, ours := true, metav1.ListOptions{LabelSelector: clusters.LabelManaged}
	count := func(m metav1.Object, observed int64, ready, wanted int32) {
		now.ready += ready
		now.wanted += wanted
		done = done && observed >= m.GetGeneration() && ready == wanted
	}
	if s.Scenario.Has("StatefulSet") {
		list, err := s.objects.kube.AppsV1().StatefulSets(s.Namespace()).List(ctx, ours)
		if err != nil {
			return false, err
		}
		for _, o := range list.Items {
			count(&o, o.Status.ObservedGeneration, o.Status.ReadyReplicas, *o.Spec.Replicas)
		}
	}
	if s.Scenario.Has("ReplicaSet") {
		list, err := s.objects.kube.AppsV1().ReplicaSets(s.Namespace()).List(ctx, ours)
		if err != nil {
			return false, err
		}
		for _, o := range list.Items {
			count(&o, o.Status.ObservedGeneration, o.Status.ReadyReplicas, *o.Spec.Replicas)
		}
	}
	if s.Scenario.Has("DaemonSet") {
		list, err := s.objects.kube.AppsV1().DaemonSets(s.Namespace()).List(ctx, ours)
		if err != nil {
			return false, err
		}
		for _, o := range list.Items {
			count(&o, o.Status.ObservedGeneration, o.Status.NumberReady, o.Status.DesiredNumberScheduled)
		}
	}
	return done, nil
}

// overQuota ends a wait that nothing would end; other refusals may be of the first
// moment of a namespace.
func (s *Stage) overQuota(ctx context.Context, now readiness) error {
	if why := s.cannotCreate(ctx); strings.Contains(why, problem.OverQuota) {
		return s.explainPods(ctx, now)
	}
	return nil
}

// cannotCreate is what a ReplicaSet says of pods that it may not make.
func (s *Stage) cannotCreate(ctx context.Context) string {
	sets, err := s.objects.kube.AppsV1().ReplicaSets(s.Namespace()).List(ctx, metav1.ListOptions{})
	if err != nil {
		return ""
	}
	for i := range sets.Items {
		if why := (world.Workload{ReplicaSets: []*appsv1.ReplicaSet{&sets.Items[i]}}).Failure(); why != "" {
			return why
		}
	}
	return ""
}

// whileStanding ends a wait that the cluster says is in vain, and tells why of one that
// may still end: nodes may come.
func (s *Stage) whileStanding(ctx context.Context, now readiness) error {
	found, err := s.obstacle(ctx, now)
	switch {
	case err != nil || found == nil:
		return err
	case found.lasts:
		return found.Error
	case found.Cause.Error() != s.told:
		s.told = found.Cause.Error()
		s.Phases.Note(fmt.Sprintf("%s. 아직 기다립니다: %s", found.What, s.told))
	}
	return nil
}

// explainPods says why pods are not Ready, as far as the cluster tells.
func (s *Stage) explainPods(ctx context.Context, now readiness) error {
	found, err := s.obstacle(ctx, now)
	if err == nil && found != nil {
		return found.Error
	}
	return errors.Join(s.notReady(now), err)
}

func (s *Stage) notReady(now readiness) *problem.Error {
	return &problem.Error{What: fmt.Sprintf("시나리오의 파드 %d개 가운데 %d개만 준비되었습니다", now.wanted, now.ready), Where: s.Namespace(),
		Hint: fmt.Sprintf("다시 실행하시고, 그동안 다른 터미널에서 kubectl get pods,events -n %s 이유를 확인해 주십시오.", korean.By(s.Namespace()))}
}

// obstacle is what keeps pods from being Ready.
type obstacle struct {
	*problem.Error
	lasts bool // it does not go away by itself
}

// obstacle asks the cluster; nil when nobody there says anything.
func (s *Stage) obstacle(ctx context.Context, now readiness) (*obstacle, error) {
	e := s.notReady(now)
	if why := s.cannotCreate(ctx); why != "" {
		s.blame(e, why, "파드를 만들 수 없습니다", "정책이나 웹훅이 막고 있습니다. 클러스터를 관리하는 분께 위의 메시지를 보여 주십시오.")
		return &obstacle{e, true}, nil
	}
	pods, err := s.objects.kube.CoreV1().Pods(s.Namespace()).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for _, p := range pods.Items {
		if why := world.Blocked(&p); why != "" {
			blockedPod(e, why)
			return &obstacle{e, true}, nil
		}
		if why, is := world.Unschedulable(&p); is {
			s.blame(e, why, "파드를 놓을 노드가 없습니다", "kubectl describe nodes로 노드의 상태를 확인해 주십시오.")
			return &obstacle{e, false}, nil
		}
	}
	if created := int32(len(pods.Items)); created < now.wanted {
		e.Cause = fmt.Errorf("파드가 %d개만 만들어졌습니다", created)
		return &obstacle{e, false}, nil
	}
	return nil, nil
}

// blockedPod tells what a kubelet says of a pod that it cannot start.
func blockedPod(e *problem.Error, why string) {
	e.Cause = fmt.Errorf("%s (%s)", why, e.What)
	e.What, e.Hint = "노드의 kubelet이 파드를 시작하지 못합니다", "위의 메시지는 kubelet의 것입니다. kubectl describe pods로 자세한 내용을 보실 수 있습니다."
	if strings.Contains(why, "Image") {
		e.What = "노드가 이미지를 내려받지 못했습니다"
		e.Hint = "이미지가 레지스트리에 있는지, 노드가 그 레지스트리에 닿는지 확인해 주십시오. stepscale image로 만들어 올린 이미지를 --image로 적습니다."
	}
}

// blame tells what the cluster says, with the pods that are missing.
func (s *Stage) blame(e *problem.Error, why, what, hint string) {
	e.Cause = fmt.Errorf("%s (%s)", why, e.What)
	e.What, e.Hint = what, hint
	if known, advice, ok := problem.OfPods(why); ok {
		e.What, e.Hint = known, advice
	}
	if strings.Contains(why, "nodes are available") {
		e.Hint += s.objects.access.Pods.Full
	}
}
