package kind

import (
	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
)

// hpaController is the controller that our engine replaces
// (cmd/kube-controller-manager/names/controller_names.go).
const hpaController = "horizontal-pod-autoscaler-controller"

// controllers is kubeadm's own list without the HPA controller: what is given
// replaces the default, so its two additions have to be repeated.
const controllers = "*,bootstrapsigner,tokencleaner,-" + hpaController

// allowCgroupV1 lets the kubelet run on a host with cgroup v1, which it refuses by default
// (pkg/kubelet/apis/config/validation/validation_linux.go). Kubelets that do not know the
// field only warn of it.
const allowCgroupV1 = `kind: KubeletConfiguration
apiVersion: kubelet.config.k8s.io/v1beta1
failCgroupV1: false
`

// configuration is a cluster of one node. Nodes from v1.36 use kubeadm v1beta4,
// where extraArgs is a list: a JSON patch appends to it, where a merge patch would
// drop kind's own entries. Older nodes use v1beta3, where it is a map.
func configuration(name string, kubeadmPatches ...string) *v1alpha4.Cluster {
	patch := func(version, text string) v1alpha4.PatchJSON6902 {
		return v1alpha4.PatchJSON6902{Group: "kubeadm.k8s.io", Version: version, Kind: "ClusterConfiguration", Patch: text}
	}
	return &v1alpha4.Cluster{
		TypeMeta:             v1alpha4.TypeMeta{Kind: "Cluster", APIVersion: "kind.x-k8s.io/v1alpha4"},
		Name:                 name,
		Nodes:                []v1alpha4.Node{{Role: v1alpha4.ControlPlaneRole}},
		KubeadmConfigPatches: kubeadmPatches,
		KubeadmConfigPatchesJSON6902: []v1alpha4.PatchJSON6902{
			patch("v1beta4", `[{"op":"add","path":"/controllerManager/extraArgs/-","value":{"name":"controllers","value":"`+controllers+`"}}]`),
			patch("v1beta3", `[{"op":"add","path":"/controllerManager/extraArgs/controllers","value":"`+controllers+`"}]`),
		},
	}
}
