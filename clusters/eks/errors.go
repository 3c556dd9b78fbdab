package eks

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
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
	NotActive     Reason = "cluster is not active"
	Denied        Reason = "not allowed by IAM"
	NoEntry       Reason = "no access entry" // the API server does not know the identity
	Throttled     Reason = "throttled"
	Unreachable   Reason = "API server cannot be reached"
)

// Error is a failure with a known cause.
type Error struct {
	Reason Reason
	Err    error
}

func (e *Error) Error() string { return fmt.Sprintf("eks: %s: %v", e.Reason, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// codes are the error codes of AWS's APIs.
var codes = map[string]Reason{
	"ResourceNotFoundException": NoCluster, "AccessDeniedException": Denied, "AccessDenied": Denied,
	"ExpiredToken": Expired, "ExpiredTokenException": Expired, "RequestExpired": Expired,
	"UnrecognizedClientException": NoCredentials, "InvalidClientTokenId": NoCredentials, "SignatureDoesNotMatch": NoCredentials,
	"ThrottlingException": Throttled, "TooManyRequestsException": Throttled, "Throttling": Throttled,
}

// explain finds the cause. An error that has no known one comes back as it is,
// and the learner's interruption always does.
func explain(err error) error {
	var known *Error
	if err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if reason := reasonOf(err); reason != "" {
		return &Error{Reason: reason, Err: err}
	}
	return err
}

func reasonOf(err error) Reason {
	var api smithy.APIError
	var profile config.SharedConfigProfileNotExistError
	var network net.Error
	switch {
	case errors.As(err, &api) && codes[api.ErrorCode()] != "":
		return codes[api.ErrorCode()]
	case errors.As(err, &profile):
		return NoProfile
	case apierrors.IsUnauthorized(err):
		return NoEntry
	case apierrors.IsTooManyRequests(err):
		return Throttled
	case isMissing(err):
		return NoCredentials
	case errors.As(err, &network):
		return Unreachable
	}
	return ""
}

// isMissing tells that no provider of the chain had credentials: the SDK has no
// type for it.
func isMissing(err error) bool {
	return strings.Contains(err.Error(), "failed to refresh cached credentials") || strings.Contains(err.Error(), "get identity: get credentials")
}
