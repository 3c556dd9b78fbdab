package lab

import (
	"context"
	"encoding/json"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
)

// heard is how long it takes at most until the generator has read a new position: the
// kubelet writes it into the pod's volume when it syncs the pod.
const heard = 2 * time.Second

// pace is how the loop and what it looks at keep step.
type pace struct {
	looked   time.Duration // where in the load's timeline the last pass began to look
	changed  time.Time     // when the load, or who shares it, became what it is
	measured time.Time     // the last change that was waited for
	sharing  sets.Set[types.UID]
	ahead    time.Duration // of the cluster's clocks, this machine's
}

// now is the time by the cluster's clocks, which the metrics and the pods go by. The nodes
// keep the API server's time as a rule; this machine may not.
func (p *pace) now() time.Time { return time.Now().Add(-p.ahead) }

// pause lets d pass. Where the load waits for the lesson, its timeline goes on by one
// pass.
func (s *realSite) pause(ctx context.Context, d time.Duration) error {
	if s.cluster.Holds {
		if err := s.goOn(ctx); err != nil {
			return err
		}
	}
	err := s.cluster.Waits.Pause(ctx, d)
	if !s.cluster.Holds {
		s.pace.looked = s.elapsed()
	}
	return err
}

// goOn moves the load's timeline to the next pass.
func (s *realSite) goOn(ctx context.Context) error {
	next := s.pace.looked + s.period()
	if err := s.tellPosition(ctx, next); err != nil {
		return err
	}
	offered := s.Scenario.Offered
	if offered(next) != offered(s.pace.looked) && offered(next) == offered(next+s.period()) { // or it goes on changing
		s.pace.changed = s.pace.now().Add(heard)
	}
	s.pace.looked = next
	return nil
}

// tellPosition tells the generator where in its timeline it is: an annotation of its
// pod, which it reads from a file.
func (s *realSite) tellPosition(ctx context.Context, at time.Duration) error {
	pods := s.objects.kube.CoreV1().Pods(s.Namespace())
	list, err := pods.List(ctx, metav1.ListOptions{LabelSelector: labels.Set(loadLabels).String()})
	if err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{annotationPosition: at.String()}}})
	if err != nil {
		return err
	}
	for _, p := range list.Items {
		if p.Annotations[annotationPosition] == at.String() {
			continue
		}
		if _, err := pods.Patch(ctx, p.Name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// lastChange is when the load became what it is at that moment, now; zero where that is
// long ago, or it goes on changing and nothing is to be waited for.
func lastChange(offered func(time.Duration) int64, at time.Duration, now time.Time) time.Time {
	for since := time.Duration(0); since < settling; since += loadStep {
		if offered(at-since-loadStep) == offered(at) {
			continue
		}
		if offered(at+settling-since) != offered(at) {
			return time.Time{}
		}
		return now.Add(-since)
	}
	return time.Time{}
}

// loadChanged tells whether the next look, due a period after the last one, meets
// another load.
func (s *realSite) loadChanged() bool {
	next := s.pace.looked + s.period()
	if !s.cluster.Holds {
		next = max(s.elapsed(), next)
	}
	return s.Scenario.Offered(s.pace.looked) != s.Scenario.Offered(next)
}
