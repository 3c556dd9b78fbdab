package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/clusters/eks"
)

// examineCluster attaches to a cluster that somebody else runs and tells what a
// lesson would miss there. Nothing is written to it.
func (a *app) examineCluster(ctx context.Context, o eks.Options) ([]finding, error) {
	c := eks.New(o)
	if _, err := c.Up(ctx); err != nil {
		return nil, eksError(err)
	}
	r, err := c.Examine(ctx)
	if err != nil {
		return nil, eksError(err)
	}
	return eksFindings(c.Info().Name, r), nil
}

func eksFindings(name string, r eks.Report) []finding {
	who := r.Username
	if r.Identity != "" {
		who += " (" + r.Identity + ")"
	}
	found := []finding{
		{"클러스터", statusOK, name + ", 쿠버네티스 " + r.Version, ""},
		{"신원", statusOK, who, ""},
		access(r), nodes(r),
		served("Metrics Server", r.Metrics, statusFail, "metrics.k8s.io에 답이 없습니다", "EKS에는 처음부터 들어 있지 않습니다. 강사가 aws eks create-addon --addon-name metrics-server로 설치해야 합니다."),
		served("VPA", r.VPA, statusWarn, "설치되어 있지 않습니다", "HPA 수업에는 필요하지 않습니다."),
		served("MutatingAdmissionPolicy", r.Policies, statusWarn, "admissionregistration.k8s.io/v1에 없습니다", "1.36부터 기본입니다. 그 전 버전에서는 새 파드에 VPA의 추천을 넣을 웹훅을 클러스터 안에 두어야 합니다."),
	}
	return found
}

func access(r eks.Report) finding {
	if len(r.Denied) == 0 {
		return finding{"권한", statusOK, "수업에 필요한 권한이 모두 있습니다", ""}
	}
	return finding{"권한", statusFail, "없는 권한: " + strings.Join(r.Denied, ", "),
		"AmazonEKSEditPolicy에는 pods/resize가 없습니다. 액세스 항목의 kubernetesGroups에 그룹을 적고, 그 그룹에 이 권한의 Role을 묶어 달라고 강사에게 부탁해 주십시오."}
}

func nodes(r eks.Report) finding {
	switch {
	case r.NodesDenied:
		return finding{"노드", statusWarn, "노드를 볼 권한이 없어 용량을 알 수 없습니다", "nodes의 list 권한이 있으면 용량까지 확인해 드립니다."}
	case r.Nodes == 0:
		return finding{"노드", statusFail, "파드를 받을 수 있는 노드가 없습니다", "노드 그룹의 크기를 확인해 주십시오."}
	}
	return finding{"노드", statusOK, fmt.Sprintf("%d개, 할당할 수 있는 CPU %s, 메모리 %s (이미 쓰는 것은 빼지 않았습니다)", r.Nodes, r.CPU.String(), r.Memory.String()), ""}
}

func served(name string, is bool, otherwise, detail, hint string) finding {
	if is {
		return finding{name, statusOK, "있습니다", ""}
	}
	return finding{name, otherwise, detail, hint}
}

// eksReasons is what a learner can do about each.
var eksReasons = map[eks.Reason]struct{ what, hint string }{
	eks.NoCredentials: {"AWS 자격 증명을 찾지 못했거나 맞지 않습니다", "aws configure 또는 aws sso login을 실행하시거나, --profile로 프로필을 골라 주십시오."},
	eks.Expired:       {"AWS 자격 증명이 만료되었습니다", "aws sso login으로 다시 로그인해 주십시오. 임시 자격 증명이라면 새로 받아 주십시오."},
	eks.NoProfile:     {"그런 AWS 프로필이 없습니다", "aws configure list-profiles로 이름을 확인해 주십시오."},
	eks.NoRegion:      {"리전을 알 수 없습니다", "--region을 적어 주십시오. 예: --region ap-northeast-2"},
	eks.NoCluster:     {"그런 EKS 클러스터가 없습니다", "이름과 리전을 확인해 주십시오. 예: aws eks list-clusters --region ap-northeast-2"},
	eks.NoContext:     {"kubeconfig에 그런 컨텍스트가 없습니다", "kubectl config get-contexts로 이름을 확인해 주십시오."},
	eks.NotActive:     {"클러스터가 아직 준비되지 않았습니다", "상태가 ACTIVE가 된 뒤에 다시 실행해 주십시오."},
	eks.Denied:        {"IAM이 허락하지 않습니다", "이 신원에 eks:DescribeCluster 권한이 필요합니다. 강사에게 부탁해 주십시오."},
	eks.NoEntry:       {"API 서버가 이 신원을 모릅니다", "IAM 신원에 액세스 항목(access entry)이 있는지 확인해 주십시오: aws eks list-access-entries. 컴퓨터의 시각이 15분 넘게 틀려도 이렇게 됩니다."},
	eks.Throttled:     {"요청이 너무 많아 거절되었습니다", "잠시 뒤에 다시 실행해 주십시오."},
	eks.Unreachable:   {"서버에 닿지 않습니다", "네트워크와 VPN을 확인해 주십시오. EKS의 퍼블릭 엔드포인트가 꺼져 있거나 지금 계신 곳의 IP를 허용하지 않을 수 있습니다."},
}

// eksError says in Korean what the provider says with a known cause.
func eksError(err error) error {
	var e *eks.Error
	if !errors.As(err, &e) {
		return err
	}
	r := eksReasons[e.Reason]
	return &userError{what: r.what, hint: r.hint, cause: e.Err}
}

// eksTokenCommand makes tokens for kubectl, so that it needs no other program.
func (a *app) eksTokenCommand() *cobra.Command {
	var o eks.Options
	cmd := &cobra.Command{
		Use: "eks-token", Short: "kubectl이 EKS에 쓸 토큰을 만듭니다", Hidden: true, Args: cobra.NoArgs,
		Long:    "kubeconfig의 exec 플러그인으로 쓰입니다(client.authentication.k8s.io/v1). 토큰은 15분이 지나면 쓸 수 없고, 어디에도 저장하지 않습니다.",
		Example: "  stepscale eks-token --cluster my-cluster --region ap-northeast-2",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Name == "" {
				return usageError("--cluster에 EKS 클러스터의 이름을 적어 주십시오.", "예: stepscale eks-token --cluster my-cluster --region ap-northeast-2")
			}
			credential, err := eks.New(o).ExecCredential(cmd.Context())
			if err != nil {
				return eksError(err)
			}
			return json.NewEncoder(a.out).Encode(credential)
		},
	}
	cmd.Flags().StringVar(&o.Name, "cluster", "", "EKS 클러스터의 `이름`")
	cmd.Flags().StringVar(&o.Region, "region", "", "AWS `리전`")
	cmd.Flags().StringVar(&o.Profile, "profile", "", "AWS `프로필`")
	return cmd
}
