package problem

import (
	"errors"

	"github.com/stepscale/stepscale/clusters/attached"
	"github.com/stepscale/stepscale/clusters/kind"
)

// words are what goes wrong, and what a learner can do about it.
type words struct{ what, hint string }

// OfCluster says in Korean what a provider of clusters says with a known cause. Others
// come back as they are, and so does a cause that has no words here.
func OfCluster(err error) error {
	if e, ok := errors.AsType[*kind.Error](err); ok {
		return kindError(e)
	}
	if e, ok := errors.AsType[*attached.Error](err); ok {
		return attachedError(e)
	}
	return err
}
