package scenarios

import (
	"math"
	"math/rand/v2"
	"time"
)

// Shape is how a segment changes the amount.
type Shape string

// Steps and ramps set the level; waves and spikes come on top of it.
const (
	ShapeStep  Shape = "step"
	ShapeRamp  Shape = "ramp"
	ShapeWave  Shape = "wave"
	ShapeSpike Shape = "spike"
)

// Segment is one row of a timeline.
type Segment struct {
	Shape  Shape
	At     time.Duration // since the load began
	Amount float64       // millicores or bytes: the new level, the amplitude, or the height
	For    time.Duration // of a ramp, a spike, or a wave; 0: a wave never ends
	Period time.Duration // of a wave
}

// Noise makes a timeline uneven. It depends on the seed and the second only.
type Noise struct {
	Percent float64
	Seed    uint64
}

// Timeline is an amount over time: the load that is offered to all pods
// together, or the memory of one.
type Timeline struct {
	Segments []Segment
	Noise    Noise
}

// Offered is the load in millicores, elapsed after it began.
func (s *Scenario) Offered(elapsed time.Duration) int64 { return s.Load.At(elapsed) }

// At is the amount, elapsed after the load began. It never is negative.
func (t Timeline) At(elapsed time.Duration) int64 {
	elapsed = max(elapsed, 0)
	level, extra := 0.0, 0.0
	for _, s := range t.Segments {
		if elapsed < s.At {
			continue
		}
		since := elapsed - s.At
		switch s.Shape {
		case ShapeStep:
			level = s.Amount
		case ShapeRamp:
			level = ramp(level, s.Amount, since, s.For)
		case ShapeWave:
			if s.For == 0 || since < s.For {
				extra += wave(s.Amount, since, s.Period)
			}
		case ShapeSpike:
			if since < s.For {
				extra += s.Amount
			}
		}
	}
	return int64(math.Round(max(t.Noise.apply(level+extra, elapsed), 0)))
}

func ramp(from, to float64, since, length time.Duration) float64 {
	if since >= length {
		return to
	}
	return from + float64((to-from)*(since.Seconds()/length.Seconds()))
}

func wave(amplitude float64, since, period time.Duration) float64 {
	if period <= 0 {
		return 0
	}
	return float64(amplitude * math.Sin(2*math.Pi*(since%period).Seconds()/period.Seconds()))
}

func (n Noise) apply(load float64, elapsed time.Duration) float64 {
	if n.Percent == 0 {
		return load
	}
	second := uint64(elapsed / time.Second)
	random := rand.New(rand.NewPCG(n.Seed, second)).Float64()
	return load + float64(load*n.Percent/100*(2*random-1))
}
