package problem

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/clusters/attached"
	"github.com/stepscale/stepscale/clusters/eks"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/vpa"
	"github.com/stepscale/stepscale/engine/world"
)

// ResumeHint says that a lesson goes on where it was left.
const ResumeHint = "진도는 저장되어 있습니다. 같은 명령을 다시 실행하시면 이 단계부터 이어집니다."

// stepFaults are the known causes of a step's failure, the first that fits counts.
var stepFaults = []struct {
	is         func(error) bool
	what, hint string
}{
	{wraps(engine.ErrEnd), "루프가 끝나서 더 실행할 단계가 없습니다", ResumeHint},
	{wraps(hpa.ErrSecondEngine), "다른 HPA가 같은 파드를 조절하고 있습니다",
		"두 엔진이 같은 레플리카 수를 쓰게 되므로 멈추었고, 아무것도 쓰지 않았습니다. 그 HPA를 지우거나 다른 네임스페이스에서 다시 실행해 주십시오."},
	{wraps(clusters.ErrNotRunning), "백그라운드 클러스터가 꺼졌습니다", "stepscale cluster up으로 다시 켜 주십시오. " + ResumeHint},
	{wraps(world.ErrNamespaceGone), "수업의 네임스페이스가 지워졌습니다",
		"누군가 지웠거나 정리 작업이 지웠습니다. 같은 명령을 다시 실행하시면 새로 만들고 이 단계부터 이어집니다."},
	{wraps(world.ErrBlocked), "노드의 kubelet이 파드를 시작하지 못합니다", "위의 메시지는 kubelet의 것입니다. 원인을 고치신 뒤 다시 시도해 주십시오. " + ResumeHint},
	{wraps(vpa.ErrForeign), "이 클러스터에는 stepscale이 설치하지 않은 VPA가 있습니다",
		"두 VPA가 같은 파드를 조절하게 되므로 실행하지 않습니다. VPA가 없는 클러스터나 임베디드 클러스터에서 실행해 주십시오."},
	{wraps(vpa.ErrTaken), "같은 이름의 VPA가 이미 있습니다", "stepscale이 만든 것이 아니어서 건드리지 않았습니다. 다른 네임스페이스에서 실행해 주십시오."},
	{wraps(vpa.ErrNoTypes), "이 클러스터에는 VPA의 리소스 종류(CRD)가 없습니다",
		"클러스터 전체에 걸친 것이라 수업이 만들지 않습니다. 강사에게 stepscale class install을 한 번 실행해 달라고 부탁해 주십시오."},
	{because(eks.Expired, eks.NoCredentials), "AWS 자격 증명이 만료되었습니다", "다른 터미널에서 aws sso login으로 다시 로그인해 주십시오. " + ResumeHint},
	{because(eks.BadSignature), "AWS가 서명을 받아 주지 않습니다", "이 컴퓨터의 시각이 맞는지 확인해 주십시오. 5분 넘게 틀리면 이렇게 됩니다. " + ResumeHint},
	{because(attached.BadPlugin), "kubeconfig의 플러그인이 자격 증명을 내주지 않습니다", "다른 터미널에서 다시 로그인해 주십시오(예: aws sso login). " + ResumeHint},
	{apierrors.IsUnauthorized, "API 서버가 토큰을 받아 주지 않습니다. 만료되었을 수 있습니다",
		"다시 로그인해 주십시오(예: aws sso login). 컴퓨터의 시각이 많이 틀려도 이렇게 됩니다. " + ResumeHint},
	{apierrors.IsForbidden, "권한이 없습니다", "stepscale doctor에 같은 --eks나 --context를 적어 모자라는 권한을 확인해 주십시오."},
	{apierrors.IsTooManyRequests, "API 서버가 요청이 너무 많다고 거절했습니다", "잠시 뒤에 다시 시도해 주십시오. " + ResumeHint},
	{unavailable, "API 서버가 지금은 요청을 처리할 수 없다고 답했습니다(503 등)",
		"API 서버가 다시 시작되는 중이거나, Metrics Server 같은 확장 API가 답하지 않는 것입니다. 대개 잠시 뒤에 돌아옵니다. " + ResumeHint},
	{hasText("x509: certificate has expired or is not yet valid"), "서버의 인증서를 믿을 수 없는 시각입니다", "컴퓨터의 시각이 맞는지 확인해 주십시오. " + ResumeHint},
	{hasText("connection refused", "connection reset", "EOF", "i/o timeout", "server closed", "no such host", "network is unreachable", "TLS handshake timeout"),
		"API 서버와 연결이 끊겼습니다", ResumeHint},
}

func wraps(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

// because tells an error that has one of these causes on the way to a token.
func because(reasons ...attached.Reason) func(error) bool {
	return func(err error) bool { return slices.Contains(reasons, eks.ReasonOf(err)) }
}

// unavailable tells that the API server, or a load balancer before it, has answered
// that there is no answer now.
func unavailable(err error) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status) && status.Status().Code >= http.StatusBadGateway && status.Status().Code <= http.StatusGatewayTimeout
}

func hasText(signs ...string) func(error) bool {
	return func(err error) bool {
		for _, sign := range signs {
			if strings.Contains(err.Error(), sign) {
				return true
			}
		}
		return false
	}
}

// OfStep says in Korean that a step failed.
func OfStep(ctx context.Context, where string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	e := &Error{What: "단계를 실행하지 못했습니다", Where: where, Cause: err, Hint: ResumeHint}
	for _, f := range stepFaults {
		if f.is(err) {
			e.What, e.Hint = f.what, f.hint
			break
		}
	}
	if because(attached.BadPlugin)(err) {
		pluginFailed(e)
	}
	for _, said := range []error{engine.ErrEnd, clusters.ErrNotRunning, world.ErrNamespaceGone, vpa.ErrNoTypes} {
		if errors.Is(err, said) {
			e.Cause = nil // it says the same in English
		}
	}
	return e
}

// Root leaves of several errors the one that the others came of: when the cluster in the
// background has gone, nothing can be put back in it either.
func Root(errs []error) []error {
	if slices.ContainsFunc(errs, wraps(clusters.ErrNotRunning)) {
		return []error{OfStep(context.Background(), "", clusters.ErrNotRunning)}
	}
	return errs
}

// Retryable tells what may heal while the loop stands still: a step writes nothing twice.
func Retryable(err error) bool {
	return !errors.Is(err, context.Canceled) && (world.IsFault(err) || apierrors.IsTooManyRequests(err) || unavailable(err) || errors.Is(err, world.ErrStuck) || errors.Is(err, world.ErrBlocked))
}
