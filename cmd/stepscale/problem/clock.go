package problem

import (
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/stepscale/stepscale/clusters/eks"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

// How wrong this machine's clock may be. AWS takes no signature that is five minutes
// off, and EKS no token that is fifteen.
const (
	SkewWarn = time.Minute
	SkewFail = 5 * time.Minute
)

// ClockIs says how wrong this machine's clock is, as a sentence to put before others;
// empty when it is right to the minute.
func ClockIs(skew time.Duration) string {
	about := view.Duration(skew.Abs().Round(time.Minute))
	switch {
	case skew.Abs() < SkewWarn:
		return ""
	case skew < 0:
		return "이 컴퓨터의 시각이 약 " + about + " 느립니다. "
	}
	return "이 컴퓨터의 시각이 약 " + about + " 빠릅니다. "
}

// ClockSuspect tells whether a wrong clock may be why credentials were refused.
func ClockSuspect(err error) bool {
	return apierrors.IsUnauthorized(err) || because(eks.BadSignature)(err)
}
