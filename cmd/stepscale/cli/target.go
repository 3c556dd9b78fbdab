package cli

import (
	"strings"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stepscale/stepscale/clusters/eks"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/hpa"
)

// The clusters that --cluster names. Others are named by their context, or by
// their name at AWS.
const (
	clusterEmbedded = "embedded"
	clusterKind     = "kind"
)

// How a VPA that recreates pods does it on somebody else's cluster.
const (
	updateInPlace  = "in-place" // first, and eviction second
	updateRecreate = "recreate" // as the scenario says
)

// target is the cluster on which a loop is played, and how.
type target struct {
	cluster   string // clusterEmbedded or clusterKind
	name      string // of the kind cluster; empty for the usual one
	attach    eks.Options
	namespace string // that somebody made for the learner; empty to make one
	mode      string // "drive" or "disarmed", where the HPA controller cannot be turned off
	vpaUpdate string // updateInPlace or updateRecreate, on a cluster of somebody else's
	image     string // of the workload that burns CPU
	yes       bool
}

// attached tells that the cluster is somebody else's.
func (p target) attached() bool { return p.attach.Name != "" || p.attach.Context != "" }

func (p *target) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&p.cluster, "cluster", clusterEmbedded, "실행할 `클러스터`: embedded 또는 kind")
	f.StringVar(&p.name, "name", "", "--cluster kind의 `이름` (stepscale이 기본)")
	attachFlags(f, &p.attach)
	f.StringVarP(&p.namespace, "namespace", "n", "", "강사가 만들어 준 `네임스페이스` (없으면 새로 만들고 끝나면 지웁니다)")
	f.StringVar(&p.mode, "hpa-mode", string(hpa.ModeDrive), "HPA 컨트롤러를 끌 수 없는 클러스터에서의 `방식`: drive 또는 disarmed")
	f.StringVar(&p.vpaUpdate, "vpa-update", updateInPlace, "다른 사람의 클러스터에서 VPA가 파드를 바꾸는 `방법`: in-place(그 자리에서 먼저, 안 되면 축출) 또는 recreate(시나리오대로 축출)")
	f.StringVar(&p.image, "image", "", "CPU를 쓰는 워크로드의 `이미지` (stepscale image로 만들어 올린 것)")
	f.BoolVar(&p.yes, "yes", false, "다른 사람의 클러스터에 쓰기 전에 묻지 않습니다")
}

// attachFlags are those that name a cluster that somebody else runs.
func attachFlags(f *pflag.FlagSet, o *eks.Options) {
	f.StringVar(&o.Context, "context", "", "kubeconfig의 `컨텍스트`")
	f.StringVar(&o.Name, "eks", "", "EKS 클러스터의 `이름`")
	awsFlags(f, o, "--eks의 ")
}

// awsFlags say where an EKS cluster is, and for whom.
func awsFlags(f *pflag.FlagSet, o *eks.Options, of string) {
	f.StringVar(&o.Region, "region", "", of+"AWS `리전`")
	f.StringVar(&o.Profile, "profile", "", of+"AWS `프로필`")
}

// check refuses flags that say two things.
func (p target) check() error {
	switch {
	case p.cluster != "" && p.cluster != clusterEmbedded && p.cluster != clusterKind:
		return problem.Usage("모르는 클러스터입니다: "+p.cluster, "--cluster에는 embedded 또는 kind를, EKS라면 --eks 이름을, 그 밖의 클러스터라면 --context 이름을 적어 주십시오.")
	case p.attach.Name != "" && p.attach.Context != "":
		return problem.Usage("--eks와 --context는 하나만 쓸 수 있습니다.", "실행할 클러스터 하나를 골라 주십시오.")
	case p.attached() && p.cluster == clusterKind:
		return problem.Usage("--cluster kind는 --eks, --context와 함께 쓸 수 없습니다.", "실행할 클러스터 하나를 골라 주십시오.")
	case p.name != "" && p.cluster != clusterKind:
		return problem.Usage("--name은 --cluster kind와 함께 씁니다.", "예: --cluster kind --name "+p.name)
	case p.mode != "" && p.mode != string(hpa.ModeDrive) && p.mode != string(hpa.ModeDisarmed):
		return problem.Usage("모르는 방식입니다: "+p.mode, "--hpa-mode에는 drive 또는 disarmed를 적어 주십시오.")
	case p.vpaUpdate != "" && p.vpaUpdate != updateInPlace && p.vpaUpdate != updateRecreate:
		return problem.Usage("모르는 방법입니다: "+p.vpaUpdate, "--vpa-update에는 in-place 또는 recreate를 적어 주십시오.")
	case p.namespace != "" && !p.attached():
		return problem.Usage("--namespace는 --eks나 --context와 함께 씁니다.", "임베디드와 kind 클러스터에서는 stepscale이 네임스페이스를 만듭니다.")
	case p.namespace != "":
		return checkNamespace(p.namespace)
	}
	return nil
}

// saved says how to go on after the learner has stopped, on the same cluster.
func (p target) saved() string {
	text := "여기까지 저장했습니다. "
	if p.attached() {
		text += "클러스터에 만든 것은 모두 지웠습니다. "
	}
	return text + strings.Join(append([]string{"stepscale learn"}, p.words()...), " ") + "(으)로 이어서 하실 수 있습니다."
}

// words are the flags that name the same cluster again.
func (p target) words() []string {
	var words []string
	flag := func(name, value string) {
		if value != "" {
			words = append(words, name, shellescape.Quote(value))
		}
	}
	if p.cluster == clusterKind {
		flag("--cluster", clusterKind)
	}
	flag("--name", p.name)
	flag("--context", p.attach.Context)
	flag("--eks", p.attach.Name)
	flag("--region", p.attach.Region)
	flag("--profile", p.attach.Profile)
	flag("-n", p.namespace)
	if p.mode != string(hpa.ModeDrive) {
		flag("--hpa-mode", p.mode)
	}
	if p.vpaUpdate != updateInPlace {
		flag("--vpa-update", p.vpaUpdate)
	}
	flag("--image", p.image)
	return words
}
