// Package whys knows of which loops one can ask why they decided as they did.
package whys

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/stepscale/stepscale/engine/clusterautoscaler"
	hpa "github.com/stepscale/stepscale/engine/hpa/why"
	"github.com/stepscale/stepscale/engine/karpenter"
	"github.com/stepscale/stepscale/engine/otherwise"
	"github.com/stepscale/stepscale/engine/trace"
	vpa "github.com/stepscale/stepscale/engine/vpa/why"
)

// ErrNone tells of a pass in which nothing was decided that can be asked about.
var ErrNone = errors.New("no decision that can be asked about")

// Answer is why a decision came out as it did.
type Answer struct {
	At  int // index of the decision's frame in its pass
	Why any // the Answer of one of the loops' packages; of nodes []otherwise.Answer
}

// loops are those whose decisions about pods can be asked about. Each answers for the frames
// of a pass, with the index of the one in which it was decided, or with its own error of none.
var loops = []struct {
	none error
	why  func([]trace.Frame) (any, int, error)
}{
	{hpa.ErrNone, of(hpa.Pass)},
	{vpa.ErrNone, of(vpa.Pass)},
}

func of[A any](pass func([]trace.Frame) (A, int, error)) func([]trace.Frame) (any, int, error) {
	return func(frames []trace.Frame) (any, int, error) { return pass(frames) }
}

// nodes are who answers for decisions about nodes, from a frame, by the engine that is named
// in its inputs.
var nodes = map[string]func(ctx context.Context, f trace.Frame, subject string) ([]otherwise.Answer, error){
	clusterautoscaler.Actor:  clusterautoscaler.Why,
	karpenter.ActorKarpenter: karpenter.Why,
}

// Pass are the answers for the decisions of a pass; ErrNone where there are none. On
// another error the last of them says where that is.
func Pass(frames []trace.Frame) (all []Answer, err error) {
	for _, l := range loops {
		a, at, err := l.why(frames)
		if errors.Is(err, l.none) {
			continue
		}
		if all = append(all, Answer{at, a}); err != nil {
			return all, err
		}
	}
	return orNone(all)
}

// Nodes are those for the decisions about nodes: about all of them, or about the one that
// is named, with otherwise.ErrNoSubject where none was about it.
func Nodes(ctx context.Context, frames []trace.Frame, subject string) (all []Answer, err error) {
	var unasked error
	for at, f := range frames {
		var by struct {
			Engine string `json:"engine"`
		}
		if len(f.Inputs) == 0 || f.Err != "" || json.Unmarshal(f.Inputs, &by) != nil || nodes[by.Engine] == nil {
			continue
		}
		answers, err := nodes[by.Engine](ctx, f, subject)
		if errors.Is(err, otherwise.ErrNoSubject) {
			unasked = err
			continue
		}
		if all = append(all, Answer{at, answers}); err != nil {
			return all, err
		}
	}
	if len(all) == 0 && unasked != nil {
		return nil, unasked
	}
	return orNone(all)
}

// All are the answers for all decisions of a pass, those about pods first.
func All(ctx context.Context, frames []trace.Frame) ([]Answer, error) {
	pods, none := Pass(frames)
	if none != nil && !errors.Is(none, ErrNone) {
		return pods, none
	}
	nodes, err := Nodes(ctx, frames, "")
	if errors.Is(err, ErrNone) {
		err = none
	}
	return append(pods, nodes...), err
}

func orNone(all []Answer) ([]Answer, error) {
	if len(all) == 0 {
		return nil, ErrNone
	}
	return all, nil
}
