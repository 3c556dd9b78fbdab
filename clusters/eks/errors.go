package eks

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"github.com/stepscale/stepscale/clusters"
)

// Reason is why a cluster could not be attached.
type Reason string

// The reasons, each with something that the user can do.
const (
	NoCredentials Reason = "no AWS credentials"
	Expired       Reason = "AWS credentials have expired"
	NoProfile     Reason = "no such profile"
	NoRegion      Reason = "no region"
	NoCluster     Reason = "no such cluster"
	NoContext     Reason = "no such kubeconfig context"
	NoKubeconfig  Reason = "no kubeconfig"
	BadKubeconfig Reason = "kubeconfig cannot be used"
	BadAWSFile    Reason = "AWS file cannot be read"
	BadPlugin     Reason = "credential plugin has failed" // the kubeconfig's
	NotActive     Reason = "cluster is not active"
	Denied        Reason = "not allowed by IAM"
	NoEntry       Reason = "no access entry"                       // the API server does not know the identity
	BadSignature  Reason = "AWS does not take the signature"       // the secret is wrong, or the clock
	BadTime       Reason = "certificate is not valid at this time" // or this machine's clock is wrong
	Throttled     Reason = "throttled"
	Unreachable   Reason = "API server cannot be reached"
	Elsewhere     Reason = "API server sends us to another server"
	Nonsense      Reason = "not an answer of an API server"
)

// Reasons are all of them.
var Reasons = []Reason{
	NoCredentials, Expired, NoProfile, NoRegion, NoCluster, NoContext, NoKubeconfig, BadKubeconfig,
	BadAWSFile, BadPlugin, NotActive, Denied, NoEntry, BadSignature, BadTime, Throttled, Unreachable, Elsewhere, Nonsense,
}

// Error is a failure with a known cause.
type Error struct {
	Reason Reason
	File   string // that is at fault, where one is
	Err    error
	// Skew is how far this machine's clock is ahead of theirs who refused us; 0 when
	// it is right or was not measured. It is measured for NoEntry and BadSignature.
	Skew time.Duration
}

func (e *Error) Error() string { return fmt.Sprintf("eks: %s: %v", e.Reason, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// codes are the error codes of AWS's APIs.
var codes = map[string]Reason{
	"ResourceNotFoundException": NoCluster, "AccessDeniedException": Denied, "AccessDenied": Denied,
	"ExpiredToken": Expired, "ExpiredTokenException": Expired, "InvalidGrantException": Expired, "UnauthorizedException": Expired, // the last two of SSO
	"UnrecognizedClientException": NoCredentials, "InvalidClientTokenId": NoCredentials,
	"SignatureDoesNotMatch": BadSignature, "InvalidSignatureException": BadSignature, "RequestExpired": BadSignature, "RequestTimeTooSkewed": BadSignature,
	"ThrottlingException": Throttled, "TooManyRequestsException": Throttled, "Throttling": Throttled,
}

// explain finds the cause. An error that has no known one comes back as it is,
// and the learner's interruption always does.
func explain(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var known *Error
	if reason := ReasonOf(err); reason != "" && !errors.As(err, &known) {
		return &Error{Reason: reason, Err: err}
	}
	return err
}

// explainTimed is explain where a wrong clock may be the cause, which it measures. The
// API server at cfg is asked, unless it was AWS that refused.
func (c *Cluster) explainTimed(ctx context.Context, cfg *rest.Config, err error) error {
	err = explain(err)
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	var answer *smithyhttp.ResponseError
	switch now := c.opts.Clock.Now(); {
	case e.Reason == NoEntry && cfg != nil:
		e.Skew, _ = clusters.Skew(ctx, rest.AnonymousClientConfig(cfg), c.opts.Clock)
	case e.Reason == BadSignature && errors.As(err, &answer):
		e.Skew, _ = clusters.SkewOf(now, now, answer.Response.Header)
	}
	return err
}

// ReasonOf finds the cause in an error of AWS's SDK, or of the API server; empty when
// there is no known one.
func ReasonOf(err error) Reason {
	var known *Error
	var api smithy.APIError
	var profile config.SharedConfigProfileNotExistError
	var network net.Error
	var certificate x509.CertificateInvalidError
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
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
	case errors.As(err, &api) && codes[api.ErrorCode()] != "":
		return codes[api.ErrorCode()]
	case errors.As(err, &profile):
		return NoProfile
	case apierrors.IsUnauthorized(err):
		return NoEntry
	case apierrors.IsTooManyRequests(err):
		return Throttled
	}
	if reason := chainReason(err); reason != "" {
		return reason
	}
	if errors.As(err, &network) {
		return Unreachable
	}
	return ""
}

// chainReason tells why the chain gave no credentials, by the SDK's words: it has no types for it.
func chainReason(err error) Reason {
	var dial *net.OpError
	text := err.Error()
	switch {
	case !strings.Contains(text, "failed to refresh cached credentials") && !strings.Contains(text, "get identity: get credentials"):
		return ""
	case errors.As(err, &dial) && !strings.Contains(text, "ec2imds"): // no instance role is no fault of the network
		return Unreachable
	case strings.Contains(text, "SSO session has expired"), strings.Contains(text, "cached SSO token"):
		return Expired
	}
	return NoCredentials
}
