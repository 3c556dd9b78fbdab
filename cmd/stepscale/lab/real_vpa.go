package lab

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/stepscale/stepscale/engine/vpa"
)

func (s *realSite) equipVPA(state *vpa.State) {
	state.Watches = ourselves{&s.calls} // the components are in this process
	state.Pause, state.Starting = s.untilSampled, s.starting
	s.cluster.Host.equipVPA(state)
	state.InPlaceFirst = state.InPlaceFirst && !s.budget // which is about evictions
}

// longPart is what takes long enough for a line of its own.
const longPart = time.Second

// starting tells of a part of the VPA that starts, and how long it took where that was long.
func (s *realSite) starting(part string) (done func()) {
	s.Phases.Phase(part, 0)
	begin := time.Now()
	return func() {
		if took := time.Since(begin); took >= longPart {
			s.Phases.Phase(part, took)
		}
	}
}

// early is how much less than a period may lie between the samples of two looks. A kubelet
// measures its containers every 10 to 20 seconds (cAdvisor's housekeeping), so the first
// sample that is new enough is as much too new at most.
const early = 19 * time.Second

// sampled is what the looks so far were at.
type sampled struct {
	first, newest time.Time // the oldest and the newest sample, by the node's clock
	looks         int
}

// due is the sample that the next look is to have at least: a period after the last one's,
// counted from the first so that it does not wander off.
func (s sampled) due(period time.Duration) time.Time {
	due := s.first.Add(time.Duration(s.looks) * period)
	if s.newest.After(due.Add(early - period)) { // somebody has read meanwhile
		due = s.newest.Add(period)
	}
	return due.Add(-early)
}

// untilSampled lets d pass before a look, and a little more or less: the recommender goes by
// the time of a sample, which is any time of the half minute before. It is as confident as
// its samples are days apart, and after three of them a second decides.
func (s *realSite) untilSampled(ctx context.Context, d time.Duration) error {
	first := s.sampled.looks == 0
	if !first {
		d = max(d-early, 0)
	}
	if err := s.pause(ctx, d); err != nil {
		return err
	}
	oldest, newest := s.samples(ctx)
	if !first && newest.Before(s.sampled.due(s.period())) {
		erase := s.cluster.Waits.Busy("Metrics Server의 다음 표본을 기다립니다")
		_ = wait.PollUntilContextTimeout(ctx, time.Second, 2*early, true, func(ctx context.Context) (bool, error) {
			_, newest = s.samples(ctx)
			return !newest.Before(s.sampled.due(s.period())), nil
		})
		erase()
	}
	if first {
		s.sampled.first = oldest
	}
	s.sampled.newest = newest
	s.sampled.looks++
	return ctx.Err()
}

// samples are the oldest and the newest that the Metrics Server has of the target's pods; zero
// where it has none, which is told by the step that reads it.
func (s *realSite) samples(ctx context.Context) (oldest, newest time.Time) {
	list, err := s.metrics.MetricsV1beta1().PodMetricses(s.Namespace()).List(ctx, metav1.ListOptions{LabelSelector: labels.Set(s.targetLabels).String()})
	if err != nil {
		return oldest, newest
	}
	for i, m := range list.Items {
		at := m.Timestamp.Time
		if i == 0 || at.Before(oldest) {
			oldest = at
		}
		if at.After(newest) {
			newest = at
		}
	}
	return oldest, newest
}
