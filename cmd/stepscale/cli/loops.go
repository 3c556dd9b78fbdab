package cli

import (
	"context"
	"iter"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// loop is a loop that a stage can take in hand.
type loop struct {
	steps []trace.StepID
	begin func(ctx context.Context, s *clusterStage) (iter.Seq2[trace.Frame, error], error)
}

// loops joins the names that lessons use with the tables of steps.
var loops = map[string]loop{
	"hpa":              hpaLoop(hpa.Steps()),
	"hpa-architecture": hpaLoop(hpa.ArchitectureSteps()),
	"intro":            hpaLoop(hpa.IntroSteps()),
}

func hpaLoop(steps []engine.Step[hpa.State]) loop {
	return loop{steps: stepIDs(steps), begin: func(ctx context.Context, s *clusterStage) (iter.Seq2[trace.Frame, error], error) {
		state, err := s.hpaState()
		if err != nil {
			return nil, err
		}
		return hpa.NewLoop(state, steps).Run(ctx, 1), nil
	}}
}

func (s *clusterStage) hpaState() (*hpa.State, error) {
	w, err := s.world(world.ActorHPA)
	return &hpa.State{World: w, HPA: s.scenario.HPA, Params: hpa.DefaultParams()}, err
}
