package referee

import (
	"context"
	"time"

	"github.com/stepscale/stepscale/engine/trace"
)

// SetMemory changes for how long a controller is taken to remember, and returns the
// way back: a player that takes it for endless ticks through every gap.
func SetMemory(d time.Duration) (restore func()) {
	before := leastMemory
	leastMemory = d
	return func() { leastMemory = before }
}

// Syncs is how often upstream's controller has looked.
func (p *Player) Syncs() int { return p.syncs }

// Compare is one pass of the loop beside: a decision of ours, and the comparison.
func (b *Beside) Compare(ctx context.Context, d Decision) (trace.Frame, error) {
	var f trace.Frame
	b.latest = &d
	err := compareStep(ctx, b, &f)
	return f, err
}

// Syncs is how often upstream's controller has looked.
func (b *Beside) Syncs() int { return b.player.syncs }
