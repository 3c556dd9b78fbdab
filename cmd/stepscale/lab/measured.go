package lab

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/wait"
	podutil "k8s.io/kubernetes/pkg/api/v1/pod"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/world"
)

const (
	// settling is how long it takes as a rule until a change is measured in full: the
	// kubelet looks every 15 seconds and the Metrics Server asks it as often, and a rate
	// takes two of its looks.
	settling = 45 * time.Second
	// unsettled is how long a look is put off at most: a Metrics Server may be set to
	// look less often.
	unsettled = 2 * settling
)

// awaitMetrics waits until the Metrics Server has a value for every pod.
func (s *realSite) awaitMetrics(ctx context.Context) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, time.Second, RealTimeout, true, func(ctx context.Context) (bool, error) {
		pods, err := s.objects.kube.CoreV1().Pods(s.Namespace()).List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err
		}
		measured, err := s.metrics.MetricsV1beta1().PodMetricses(s.Namespace()).List(ctx, metav1.ListOptions{})
		if world.IsFault(err) {
			return false, err
		}
		last = err
		return err == nil && len(measured.Items) >= len(pods.Items), nil
	})
	if wait.Interrupted(err) && ctx.Err() == nil {
		return &problem.Error{What: "Metrics Server가 파드의 값을 내놓지 않습니다", Cause: last, Where: s.Namespace(),
			Hint: "kubectl top pods와 kubectl get apiservice v1beta1.metrics.k8s.io로 확인해 주십시오."}
	}
	return err
}

// untilMeasured lets d pass before a look, and more when the load or the pods that share
// it have just changed: in half of it the HPA would find half a reason, and the lesson
// asks about the whole. The cluster's own controller does not wait either.
func (s *realSite) untilMeasured(ctx context.Context, d time.Duration) error {
	if err := s.pause(ctx, d); err != nil || s.Loop.Observes || s.targetLabels == nil {
		return err
	}
	if !s.cluster.Holds {
		s.noteChange(lastChange(s.Scenario.Offered, s.pace.looked, s.pace.now()))
	}
	done, err := s.covered(ctx)
	if err == nil && !done {
		erase := s.cluster.Waits.Busy("Metrics Server가 바뀐 뒤의 값을 온전히 잴 때까지 기다립니다")
		_ = wait.PollUntilContextTimeout(ctx, time.Second, unsettled, true, s.covered)
		erase()
	}
	s.pace.measured = s.pace.changed
	return ctx.Err() // what cannot be read is told by the step that reads it
}

func (s *realSite) noteChange(at time.Time) {
	if at.After(s.pace.changed) {
		s.pace.changed = at
	}
}

// covered tells whether what is measured of all pods that share the load began after the
// last change of it or of them.
func (s *realSite) covered(ctx context.Context) (bool, error) {
	pods, err := s.objects.kube.CoreV1().Pods(s.Namespace()).List(ctx, metav1.ListOptions{LabelSelector: labels.Set(s.targetLabels).String()})
	if err != nil {
		return false, err
	}
	ready := s.share(pods.Items)
	if !s.pace.changed.After(s.pace.measured) {
		return true, nil
	}
	list, err := s.metrics.MetricsV1beta1().PodMetricses(s.Namespace()).List(ctx, metav1.ListOptions{})
	if err != nil {
		return false, err
	}
	for _, m := range list.Items {
		if began(m).After(s.pace.changed) {
			ready.Delete(m.Name)
		}
	}
	return ready.Len() == 0, nil
}

// share notes who takes part in the load now, and returns their names. A new part, and
// one that is given up, changes all others.
func (s *realSite) share(pods []corev1.Pod) sets.Set[string] {
	names, now := sets.Set[string]{}, sets.Set[types.UID]{}
	for _, p := range pods {
		_, c := podutil.GetPodCondition(&p.Status, corev1.PodReady)
		if p.DeletionTimestamp != nil || c == nil || c.Status != corev1.ConditionTrue {
			continue
		}
		names.Insert(p.Name)
		now.Insert(p.UID)
		s.noteChange(c.LastTransitionTime.Time)
	}
	if s.pace.sharing.Difference(now).Len() > 0 {
		s.noteChange(s.pace.now())
	}
	s.pace.sharing = now
	return names
}

// began is the beginning of what a pod's metrics are the mean of.
func began(m metricsv1beta1.PodMetrics) time.Time { return m.Timestamp.Add(-m.Window.Duration) }
