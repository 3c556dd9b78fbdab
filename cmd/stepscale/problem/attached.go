package problem

import (
	"github.com/stepscale/stepscale/clusters/attached"
	"github.com/stepscale/stepscale/clusters/eks"
)

// ofAttached is what a learner can do about each reason.
var ofAttached = map[attached.Reason]words{
	eks.NoCredentials:      {"AWS 자격 증명을 찾지 못했거나 맞지 않습니다", "aws configure 또는 aws sso login을 실행하시거나, --profile로 프로필을 골라 주십시오."},
	eks.Expired:            {"AWS 자격 증명이 만료되었습니다", "aws sso login으로 다시 로그인해 주십시오. 임시 자격 증명이라면 새로 받아 주십시오."},
	eks.NoProfile:          {"그런 AWS 프로필이 없습니다", "aws configure list-profiles로 이름을 확인해 주십시오."},
	eks.NoRegion:           {"리전을 알 수 없습니다", "--region을 적어 주십시오. 예: --region ap-northeast-2"},
	eks.NoCluster:          {"그런 EKS 클러스터가 없습니다", "이름과 리전을 확인해 주십시오. 예: aws eks list-clusters --region ap-northeast-2"},
	attached.NoContext:     {"kubeconfig에 그런 컨텍스트가 없습니다", "kubectl config get-contexts로 이름을 확인해 주십시오."},
	attached.NoKubeconfig:  {"kubeconfig가 없거나 컨텍스트가 하나도 없습니다", "KUBECONFIG 환경 변수나 ~/.kube/config를 확인해 주십시오. kubectl config get-contexts로 볼 수 있습니다. EKS라면 --eks 이름만 적으셔도 됩니다."},
	attached.BadKubeconfig: {"kubeconfig를 읽을 수 없습니다", "파일을 고치시거나, KUBECONFIG 환경 변수에 다른 파일을 적어 주십시오."},
	eks.BadAWSFile:         {"AWS의 설정 파일을 읽을 수 없습니다", "파일과 AWS_로 시작하는 환경 변수를 확인해 주십시오."},
	attached.BadPlugin:     {"kubeconfig의 플러그인이 자격 증명을 내주지 않습니다", "다른 터미널에서 다시 로그인해 주십시오(예: aws sso login)."},
	eks.NotActive:          {"클러스터가 아직 준비되지 않았습니다", "상태가 ACTIVE가 된 뒤에 다시 실행해 주십시오."},
	eks.Denied:             {"IAM이 허락하지 않습니다", "이 신원에 eks:DescribeCluster 권한이 필요합니다. 강사에게 부탁해 주십시오."},
	attached.NoEntry:       {"API 서버가 이 신원을 모릅니다", "IAM 신원에 액세스 항목(access entry)이 있는지 확인해 주십시오: aws eks list-access-entries. 컴퓨터의 시각이 15분 넘게 틀려도 이렇게 됩니다."},
	eks.BadSignature:       {"AWS가 서명을 받아 주지 않습니다", "이 컴퓨터의 시각이 맞는지, 비밀 액세스 키가 맞는지 확인해 주십시오. AWS는 시각이 5분 넘게 틀린 서명을 받지 않습니다."},
	attached.BadTime:       {"지금 시각에는 유효하지 않은 인증서입니다", "이 컴퓨터의 시각이 맞는지 먼저 확인해 주십시오. 맞다면 서버의 인증서가 만료된 것이니 강사에게 알려 주십시오."},
	attached.Throttled:     {"요청이 너무 많아 거절되었습니다", "잠시 뒤에 다시 실행해 주십시오."},
	attached.Unreachable:   {"서버에 닿지 않습니다", "네트워크와 VPN을 확인해 주십시오. EKS의 퍼블릭 엔드포인트가 꺼져 있거나 지금 계신 곳의 IP를 허용하지 않을 수 있습니다."},
	attached.Elsewhere:     {"API 서버가 다른 서버로 보냈습니다", "자격 증명을 다른 서버에 넘기지 않으려고 따라가지 않았습니다. kubeconfig의 server 주소가 맞는지 확인해 주십시오."},
	attached.Nonsense:      {"API 서버의 대답이라고 볼 수 없는 것을 받았습니다", "kubeconfig의 server 주소가 맞는지, 중간의 프록시나 로그인 화면이 대신 답하지 않는지 확인해 주십시오."},
}

func attachedError(e *attached.Error) error {
	w, known := ofAttached[e.Reason]
	if !known {
		return e
	}
	u := &Error{What: w.what, Where: e.File, Hint: ClockIs(e.Skew) + w.hint, Cause: e.Err}
	switch e.Reason {
	case attached.NoKubeconfig:
		u.Cause = nil // it says the same in English
	case attached.BadPlugin:
		pluginFailed(u)
	case attached.BadKubeconfig, eks.BadAWSFile:
		unreadable(u)
	}
	return u
}
