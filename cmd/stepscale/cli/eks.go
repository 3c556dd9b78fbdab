package cli

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"github.com/stepscale/stepscale/clusters/attached"
	"github.com/stepscale/stepscale/clusters/eks"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/outside"
	"github.com/stepscale/stepscale/engine/vpa"
)

// examineCluster attaches to a cluster that somebody else runs and tells what a
// lesson would miss there, or in the namespace that is given. Nothing is written to it.
func (d deps) examineCluster(ctx context.Context, o lab.Attachment, namespace string) ([]finding, error) {
	c := o.Open()
	cfg, err := c.Up(ctx)
	if err != nil {
		return nil, problem.OfCluster(err)
	}
	r, err := c.Examine(ctx, attached.Needs{Namespace: namespace, PodCPU: lessonPodCPU})
	if err != nil {
		return nil, problem.OfCluster(err)
	}
	if r.Fence != nil {
		if err := lookAtPolicy(ctx, cfg, namespace, r.Fence); err != nil {
			return nil, problem.OfCluster(err)
		}
	}
	return eksFindings(c.Info().Name, r), nil
}

// lookAtPolicy adds the part of the fence that stands outside of the namespace.
func lookAtPolicy(ctx context.Context, cfg *rest.Config, namespace string, f *attached.Fence) error {
	const part = "ValidatingAdmissionPolicy " + vpa.FencePolicy
	class, err := vpa.NewClass(cfg)
	if err != nil {
		return err
	}
	speaks, err := class.Fenced(ctx, namespace)
	switch {
	case errors.As(err, new(apierrors.APIStatus)): // the caller may not try, or somebody else refuses
		f.Unseen = append(f.Unseen, part)
	case err != nil:
		return err
	case !speaks:
		f.Missing = append(f.Missing, part)
	}
	return nil
}

// newEksTokenCommand makes tokens for kubectl, so that it needs no other program.
func newEksTokenCommand(d deps) *cobra.Command {
	var o eks.Options
	cmd := &cobra.Command{
		Use: "eks-token", Short: "kubectl이 EKS에 쓸 토큰을 만듭니다", Hidden: true, Args: cobra.NoArgs,
		Long:    "kubeconfig의 exec 플러그인으로 쓰입니다(client.authentication.k8s.io/v1). 토큰은 15분이 지나면 쓸 수 없고, 어디에도 저장하지 않습니다.",
		Example: "  stepscale eks-token --cluster my-cluster --region ap-northeast-2",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Name == "" {
				return problem.Usage("--cluster에 EKS 클러스터의 이름을 적어 주십시오.", "예: stepscale eks-token --cluster my-cluster --region ap-northeast-2")
			}
			credential, err := eks.New(o).ExecCredential(cmd.Context())
			if err != nil {
				return problem.OfCluster(err)
			}
			return json.NewEncoder(outside.JSONWriter(d.out)).Encode(credential)
		},
	}
	cmd.Flags().StringVar(&o.Name, "cluster", "", "EKS 클러스터의 `이름`")
	awsFlags(cmd.Flags(), &o, "")
	return cmd
}
