package lab

import (
	"context"

	"github.com/stepscale/stepscale/clusters"
)

// Revive gives the scenario its pods back where somebody has parked them, and waits until
// they run and are measured: the loop goes on where it stood. The timeline of a load that
// waits for the lesson does, too.
func (s *Stage) Revive(ctx context.Context) error {
	for parked := true; parked; { // by a sweep that was under way still
		if err := clusters.Wake(ctx, s.objects.kube, s.Namespace()); err != nil {
			return err
		}
		if err := s.waitRunning(ctx); err != nil {
			return err
		}
		var err error
		if parked, err = clusters.Parked(ctx, s.objects.kube, s.Namespace()); err != nil {
			return err
		}
	}
	if real, ok := s.site.(*realSite); ok {
		return real.revived(ctx)
	}
	return nil
}

func (s *realSite) revived(ctx context.Context) error {
	if s.cluster.Holds {
		if err := s.tellPosition(ctx, s.pace.looked); err != nil { // the generator's pod is another
			return err
		}
	}
	done := s.cluster.Waits.Busy("Metrics Server가 파드를 다시 재기를 기다립니다")
	err := s.awaitMetrics(ctx)
	done()
	s.noteChange(s.pace.now())
	return err
}
