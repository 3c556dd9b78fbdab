package eks

import (
	"errors"
	"net"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"k8s.io/utils/clock"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/clusters/attached"
)

// Reason is why a cluster could not be attached: one of these, or of attached's.
type Reason = attached.Reason

// The reasons that AWS has, each with something that the user can do.
const (
	NoCredentials Reason = "no AWS credentials"
	Expired       Reason = "AWS credentials have expired"
	NoProfile     Reason = "no such profile"
	NoRegion      Reason = "no region"
	NoCluster     Reason = "no such cluster"
	BadAWSFile    Reason = "AWS file cannot be read"
	NotActive     Reason = "cluster is not active"
	Denied        Reason = "not allowed by IAM"
	BadSignature  Reason = "AWS does not take the signature" // the secret is wrong, or the clock
)

// Reasons are all of them.
var Reasons = []Reason{NoCredentials, Expired, NoProfile, NoRegion, NoCluster, BadAWSFile, NotActive, Denied, BadSignature}

// codes are the error codes of AWS's APIs.
var codes = map[string]Reason{
	"ResourceNotFoundException": NoCluster, "AccessDeniedException": Denied, "AccessDenied": Denied,
	"ExpiredToken": Expired, "ExpiredTokenException": Expired, "InvalidGrantException": Expired, "UnauthorizedException": Expired, // the last two of SSO
	"UnrecognizedClientException": NoCredentials, "InvalidClientTokenId": NoCredentials,
	"SignatureDoesNotMatch": BadSignature, "InvalidSignatureException": BadSignature, "RequestExpired": BadSignature, "RequestTimeTooSkewed": BadSignature,
	"ThrottlingException": attached.Throttled, "TooManyRequestsException": attached.Throttled, "Throttling": attached.Throttled,
}

// timed measures how wrong this machine's clock is where AWS refused a signature.
func timed(err error, c clock.PassiveClock) error {
	var e *attached.Error
	var answer *smithyhttp.ResponseError
	if errors.As(err, &e) && e.Reason == BadSignature && errors.As(err, &answer) {
		now := c.Now()
		e.Skew, _ = clusters.SkewOf(now, now, answer.Response.Header)
	}
	return err
}

// ReasonOf finds the cause in an error of AWS's SDK, or of the API server; empty when
// there is no known one.
func ReasonOf(err error) Reason {
	reason := attached.ReasonOf(err)
	if err == nil || reason != "" && reason != attached.Unreachable { // which is what AWS's errors look like, too
		return reason
	}
	var api smithy.APIError
	var profile config.SharedConfigProfileNotExistError
	switch {
	case errors.As(err, &api) && codes[api.ErrorCode()] != "":
		return codes[api.ErrorCode()]
	case errors.As(err, &profile):
		return NoProfile
	}
	if why := chainReason(err); why != "" {
		return why
	}
	return reason
}

// chainReason tells why the chain gave no credentials, by the SDK's words: it has no types for it.
func chainReason(err error) Reason {
	var dial *net.OpError
	text := err.Error()
	switch {
	case !strings.Contains(text, "failed to refresh cached credentials") && !strings.Contains(text, "get identity: get credentials"):
		return ""
	case errors.As(err, &dial) && !strings.Contains(text, "ec2imds"): // no instance role is no fault of the network
		return attached.Unreachable
	case strings.Contains(text, "SSO session has expired"), strings.Contains(text, "cached SSO token"):
		return Expired
	}
	return NoCredentials
}
