package cli

import (
	"cmp"
	"strings"
	"time"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stepscale/stepscale/clusters/eks"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
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
	updateRecreate = "recreate" // as the scenario says
	updateInPlace  = "in-place" // first, and eviction second
)

// target is the cluster on which a loop is played, and how.
type target struct {
	cluster   string // clusterEmbedded or clusterKind
	name      string // of the kind cluster; empty for the usual one
	attach    lab.Attachment
	namespace string // that somebody made for the learner; empty to make one
	mode      string // "drive" or "disarmed", where the HPA controller cannot be turned off
	vpaUpdate string // updateInPlace or updateRecreate, on a cluster of somebody else's
	image     string // of the workload that burns CPU
	yes       bool
	holds     bool        // the load waits for who reads; see lab.Real
	seated    bool        // it is the learner's seat in a class, which needs no flags
	ends      time.Time   // of the seat's token; zero where nobody knows
	silent    bool        // who has it does not want to report
	foreign   lab.Foreign // the cluster, where more than one part of a command asks it; see open
}

// open is the cluster of somebody else's, attached to once.
func (t target) open() lab.Foreign {
	if t.foreign != nil {
		return t.foreign
	}
	return t.attach.Open()
}

// guest is what a lab has to know of a cluster of somebody else's.
func (t target) guest() lab.Target { return lab.Target{Attach: t.attach, Namespace: t.namespace} }

// attached tells that the cluster is somebody else's.
func (t target) attached() bool { return t.attach.Name != "" || t.attach.Context != "" }

// real tells that time, nodes and load are real there.
func (t target) real() bool { return t.attached() || t.cluster == clusterKind }

// kind is what kind of cluster it is; never which one.
func (t target) kind() string {
	if t.attached() {
		return "context"
	}
	return t.cluster
}

// label is what the cluster is called on the learner's own screen: the end of an ARN, which
// EKS contexts are, and never more.
func (t target) label() string {
	name := cmp.Or(t.attach.Name, t.attach.Context, t.kind())
	return view.OneLine(name[strings.LastIndexByte(name, '/')+1:])
}

func (t *target) flags(d deps, cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&t.cluster, "cluster", clusterEmbedded, "실행할 `클러스터`: embedded 또는 kind")
	f.StringVar(&t.name, "name", "", "--cluster kind의 `이름` (stepscale이 기본)")
	d.attachFlags(f, &t.attach)
	f.StringVarP(&t.namespace, "namespace", "n", "", "강사가 만들어 준 `네임스페이스` (없으면 새로 만들고 끝나면 지웁니다)")
	f.StringVar(&t.mode, "hpa-mode", string(hpa.ModeDrive), "HPA 컨트롤러를 끌 수 없는 클러스터에서의 `방식`: drive 또는 disarmed")
	f.StringVar(&t.vpaUpdate, "vpa-update", updateRecreate, "다른 사람의 클러스터에서 VPA가 파드를 바꾸는 `방법`: recreate(시나리오대로) 또는 in-place(시나리오가 축출하는 파드도 그 자리에서 먼저, 안 되면 축출)")
	f.StringVar(&t.image, "image", "", "CPU를 쓰는 워크로드의 `이미지` (stepscale image로 만들어 올린 것)")
	f.BoolVar(&t.yes, "yes", false, "다른 사람의 클러스터에 쓰기 전에 묻지 않습니다")
	knows(cmd, "cluster", clusterEmbedded, clusterKind)
	knows(cmd, "hpa-mode", string(hpa.ModeDrive), string(hpa.ModeDisarmed))
	knows(cmd, "vpa-update", updateRecreate, updateInPlace)
}

// attachFlags are those that name a cluster that somebody else runs.
func (d deps) attachFlags(f *pflag.FlagSet, o *lab.Attachment) {
	o.Kubeconfig = d.kubeconfig
	f.StringVar(&o.Context, "context", "", "kubeconfig의 `컨텍스트`")
	f.StringVar(&o.Name, "eks", "", "EKS 클러스터의 `이름`")
	awsFlags(f, &o.Options, "--eks의 ")
}

// awsFlags say where an EKS cluster is, and for whom.
func awsFlags(f *pflag.FlagSet, o *eks.Options, of string) {
	f.StringVar(&o.Region, "region", "", of+"AWS `리전`")
	f.StringVar(&o.Profile, "profile", "", of+"AWS `프로필`")
}

// check refuses flags that say two things.
func (t target) check() error {
	switch {
	case t.cluster != "" && t.cluster != clusterEmbedded && t.cluster != clusterKind:
		return problem.Usage("모르는 클러스터입니다: "+t.cluster, "--cluster에는 embedded 또는 kind를, EKS라면 --eks 이름을, 그 밖의 클러스터라면 --context 이름을 적어 주십시오.")
	case t.attach.Name != "" && t.attach.Context != "":
		return problem.Usage("--eks와 --context는 하나만 쓸 수 있습니다.", "실행할 클러스터 하나를 골라 주십시오.")
	case t.attached() && t.cluster == clusterKind:
		return problem.Usage("--cluster kind는 --eks, --context와 함께 쓸 수 없습니다.", "실행할 클러스터 하나를 골라 주십시오.")
	case t.name != "" && t.cluster != clusterKind:
		return problem.Usage("--name은 --cluster kind와 함께 씁니다.", "예: --cluster kind --name "+t.name)
	case t.mode != "" && t.mode != string(hpa.ModeDrive) && t.mode != string(hpa.ModeDisarmed):
		return problem.Usage("모르는 방식입니다: "+t.mode, "--hpa-mode에는 drive 또는 disarmed를 적어 주십시오.")
	case t.vpaUpdate != "" && t.vpaUpdate != updateInPlace && t.vpaUpdate != updateRecreate:
		return problem.Usage("모르는 방법입니다: "+t.vpaUpdate, "--vpa-update에는 recreate 또는 in-place를 적어 주십시오.")
	case t.namespace != "" && !t.attached():
		return problem.Usage("--namespace는 --eks나 --context와 함께 씁니다.", "임베디드와 kind 클러스터에서는 stepscale이 네임스페이스를 만듭니다.")
	case t.namespace != "":
		return checkNamespace(t.namespace)
	}
	return nil
}

// words are the flags that name the same cluster again.
func (t target) words() []string {
	var words []string
	flag := func(name, value string) {
		if value != "" {
			words = append(words, name, shellescape.Quote(value))
		}
	}
	if t.cluster == clusterKind {
		flag("--cluster", clusterKind)
	}
	flag("--name", t.name)
	if !t.seated {
		flag("--context", t.attach.Context)
		flag("--eks", t.attach.Name)
		flag("--region", t.attach.Region)
		flag("-n", t.namespace)
	}
	flag("--profile", t.attach.Profile)
	if t.mode != string(hpa.ModeDrive) {
		flag("--hpa-mode", t.mode)
	}
	if t.vpaUpdate != updateRecreate {
		flag("--vpa-update", t.vpaUpdate)
	}
	if !t.seated {
		flag("--image", t.image)
	}
	return words
}
