package attached

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"github.com/stepscale/stepscale/clusters"
)

// Reason is why a cluster could not be attached.
type Reason string

// The reasons of any cluster, each with something that the user can do.
const (
	NoContext     Reason = "no such kubeconfig context"
	NoKubeconfig  Reason = "no kubeconfig"
	BadKubeconfig Reason = "kubeconfig cannot be used"
	BadPlugin     Reason = "credential plugin has failed"          // the kubeconfig's
	NoEntry       Reason = "no access entry"                       // the API server does not know the identity
	BadTime       Reason = "certificate is not valid at this time" // or this machine's clock is wrong
	Throttled     Reason = "throttled"
	Unreachable   Reason = "API server cannot be reached"
	Elsewhere     Reason = "API server sends us to another server"
	Nonsense      Reason = "not an answer of an API server"
)

// Reasons are all of them.
var Reasons = []Reason{NoContext, NoKubeconfig, BadKubeconfig, BadPlugin, NoEntry, BadTime, Throttled, Unreachable, Elsewhere, Nonsense}

// Error is a failure with a known cause.
type Error struct {
	Reason Reason
	File   string // that is at fault, where one is
	Err    error
	// Skew is how far this machine's clock is ahead of theirs who refused us; 0 when
	// it is right or was not measured. It is measured where a wrong clock may be why.
	Skew time.Duration
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.Reason, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// explain finds the cause. An error that has no known one comes back as it is,
// and the learner's interruption always does.
func (c *Cluster) explain(err error) error { return Explain(err, c.source.ReasonOf) }

// Explain makes an *Error of one whose cause reasonOf knows. One that is an *Error, or
// has no known cause, comes back as it is, and the learner's interruption always does.
func Explain(err error, reasonOf func(error) Reason) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var known *Error
	if reason := reasonOf(err); reason != "" && !errors.As(err, &known) {
		return &Error{Reason: reason, Err: err}
	}
	return err
}

// explainTimed is explain where the API server at cfg may have refused us for a wrong
// clock, which it measures.
func (c *Cluster) explainTimed(ctx context.Context, cfg *rest.Config, err error) error {
	err = c.explain(err)
	var e *Error
	if errors.As(err, &e) && e.Reason == NoEntry {
		e.Skew, _ = clusters.Skew(ctx, rest.AnonymousClientConfig(cfg), c.clock)
	}
	return err
}

// ReasonOf finds the cause in an error of the API server, or on the way to it; empty
// when there is no known one.
func ReasonOf(err error) Reason {
	var known *Error
	var network net.Error
	var certificate x509.CertificateInvalidError
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &known):
		return known.Reason
	case strings.Contains(err.Error(), "getting credentials: "): // client-go has no type for it, and makes it one of the network
		return BadPlugin
	case errors.Is(err, errElsewhere):
		return Elsewhere
	case errors.Is(err, errTooLarge), errors.As(err, &syntax), errors.As(err, &kind):
		return Nonsense
	case errors.As(err, &certificate) && certificate.Reason == x509.Expired:
		return BadTime
	case apierrors.IsUnauthorized(err):
		return NoEntry
	case apierrors.IsTooManyRequests(err):
		return Throttled
	case errors.As(err, &network):
		return Unreachable
	}
	return ""
}
