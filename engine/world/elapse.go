package world

import (
	"context"
	"fmt"
	"time"
)

// MetricResolution is the Metrics Server's --metric-resolution, as its own manifest sets it.
const MetricResolution = 15 * time.Second

// Elapse lets d pass with a scrape of the Metrics Server after every MetricResolution of
// it, and returns how many. In real time the Metrics Server scrapes on its own.
func (w *World) Elapse(ctx context.Context, d time.Duration) (scrapes int, err error) {
	if w.Simulation == nil {
		if w.Pause != nil {
			return 0, w.Pause(ctx, d)
		}
		return 0, pause(ctx, d)
	}
	for left := d; left > 0; left -= MetricResolution {
		if err := w.Simulation.Advance(ctx, min(left, MetricResolution)); err != nil {
			return scrapes, fmt.Errorf("가상 시간을 옮기지 못했습니다: %w", err)
		}
		if err := w.Simulation.Scrape(ctx); err != nil {
			return scrapes, fmt.Errorf("kubelet의 메트릭을 Metrics Server가 읽지 못했습니다: %w", err)
		}
		scrapes++
	}
	return scrapes, nil
}

// Tick lets time pass until the loop's next turn is due, a period after the last one:
// upstream's controllers are woken by a ticker too. What the learner took to read is
// part of it. In virtual time nothing has passed meanwhile, unless other loops let it
// (Steady).
func (w *World) Tick(ctx context.Context, period time.Duration) (scrapes int, err error) {
	left := period
	if (w.Simulation == nil || w.Steady) && !w.ticked.IsZero() {
		left = max(0, period-w.Clock.Since(w.ticked))
	}
	if scrapes, err = w.Elapse(ctx, left); err == nil {
		w.ticked = w.Clock.Now()
	}
	return scrapes, err
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
