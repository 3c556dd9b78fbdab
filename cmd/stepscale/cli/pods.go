package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/world"
)

// readiness is how many pods of the scenario are Ready, of how many.
type readiness struct{ ready, wanted int32 }

// waitRunning waits until every Deployment of the scenario has all pods Ready: as
// long as more and more of them are, however many there are.
func (s *clusterStage) waitRunning(ctx context.Context) error {
	if s.conn.live() {
		return s.await(ctx, time.Second, liveTimeout)
	}
	return s.await(ctx, 20*time.Millisecond, applyTimeout)
}

// await gives up when no more pods have become Ready within that time.
func (s *clusterStage) await(ctx context.Context, every, within time.Duration) error {
	var now readiness
	best, patience := int32(-1), time.Time{}
	return wait.PollUntilContextCancel(ctx, every, true, func(ctx context.Context) (bool, error) {
		ctx, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		done, err := s.running(ctx, &now)
		if err != nil || done {
			return done, err
		}
		if now.ready > best {
			best, patience = now.ready, time.Now().Add(within)
		}
		if time.Now().After(patience) {
			return false, s.explainPods(ctx, now)
		}
		return false, s.overQuota(ctx, now)
	})
}

// fits refuses, before anything is written, more pods than the nodes of a cluster that
// we made have places for. On others' more nodes may come, and the nodes may not be ours
// to look at.
func (s *clusterStage) fits(ctx context.Context) error {
	if !s.conn.info.Disposable {
		return nil
	}
	nodes, err := s.kube.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	var places, wanted int64
	for _, n := range nodes.Items {
		places += n.Status.Allocatable.Pods().Value()
	}
	for _, o := range s.scenario.Parts() {
		if o.GetKind() == "Deployment" {
			wanted += replicasOf(o)
		}
	}
	if wanted <= places {
		return nil
	}
	return &problem.Error{What: fmt.Sprintf("시나리오의 파드는 %d개인데, 이 클러스터의 노드에는 %d개까지만 들어갑니다", wanted, places), Code: problem.ExitUsage,
		Where: "scenarios/" + s.scenario.Name + "/objects.yaml", Hint: "아무것도 쓰지 않았습니다. replicas를 줄이시거나, --cluster 없이 임베디드 클러스터에서 실행해 주십시오."}
}

// running counts the pods of the scenario's Deployments.
func (s *clusterStage) running(ctx context.Context, now *readiness) (bool, error) {
	list, err := s.kube.AppsV1().Deployments(s.namespace).List(ctx, metav1.ListOptions{LabelSelector: clusters.LabelManaged})
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
	return done, nil
}

// overQuota ends a wait that nothing would end; other refusals may be of the first
// moment of a namespace.
func (s *clusterStage) overQuota(ctx context.Context, now readiness) error {
	if why := s.cannotCreate(ctx); strings.Contains(why, problem.OverQuota) {
		return s.explainPods(ctx, now)
	}
	return nil
}

// cannotCreate is what a ReplicaSet says of pods that it may not make.
func (s *clusterStage) cannotCreate(ctx context.Context) string {
	sets, err := s.kube.AppsV1().ReplicaSets(s.namespace).List(ctx, metav1.ListOptions{})
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

// explainPods says why pods are not Ready, as far as the cluster tells.
func (s *clusterStage) explainPods(ctx context.Context, now readiness) error {
	e := &problem.Error{What: fmt.Sprintf("시나리오의 파드 %d개 가운데 %d개만 준비되었습니다", now.wanted, now.ready), Where: s.namespace,
		Hint: fmt.Sprintf("다시 실행하시고, 그동안 다른 터미널에서 kubectl get pods,events -n %s로 이유를 확인해 주십시오.", s.namespace)}
	if why := s.cannotCreate(ctx); why != "" {
		s.blame(e, why, "파드를 만들 수 없습니다", "정책이나 웹훅이 막고 있습니다. 클러스터를 관리하는 분께 위의 메시지를 보여 주십시오.")
		return e
	}
	pods, err := s.kube.CoreV1().Pods(s.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return errors.Join(e, err)
	}
	for _, p := range pods.Items {
		if image := unpulled(p); image != "" {
			e.What = "노드가 이미지를 내려받지 못했습니다: " + image
			e.Hint = "이미지가 레지스트리에 있는지, 노드가 그 레지스트리에 닿는지 확인해 주십시오. stepscale image로 만들어 올린 이미지를 --image로 적습니다."
			return e
		}
		if why, is := world.Unschedulable(&p); is {
			s.blame(e, why, "파드를 놓을 노드가 없습니다", "kubectl describe nodes로 노드의 상태를 확인해 주십시오.")
			return e
		}
	}
	if created := int32(len(pods.Items)); created < now.wanted {
		e.Cause = fmt.Errorf("파드가 %d개만 만들어졌습니다", created)
	}
	return e
}

// blame tells what the cluster says, with the pods that are missing.
func (s *clusterStage) blame(e *problem.Error, why, what, hint string) {
	e.Cause = fmt.Errorf("%s (%s)", why, e.What)
	e.What, e.Hint = what, hint
	if known, advice, ok := problem.OfPods(why); ok {
		e.What, e.Hint = known, advice
	}
	switch {
	case !s.conn.live() || !strings.Contains(why, "nodes are available"):
	case s.conn.info.Disposable:
		e.Hint += " Docker에 CPU와 메모리를 더 주시거나, 쓰지 않는 kind 클러스터를 지우셔도 됩니다."
	default:
		e.Hint += " 남은 용량은 stepscale doctor에 같은 --eks나 --context를 적어 보실 수 있습니다."
	}
}

// unpulled is the image that a pod waits for in vain.
func unpulled(p corev1.Pod) string {
	for _, c := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		if w := c.State.Waiting; w != nil && slices.Contains([]string{"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}, w.Reason) {
			return c.Image
		}
	}
	return ""
}
