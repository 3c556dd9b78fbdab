package embedded

import (
	"runtime/debug"

	"k8s.io/apimachinery/pkg/version"
	"k8s.io/component-base/compatibility"
	baseversion "k8s.io/component-base/version"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// kubernetesVersion is the version of the k8s.io/kubernetes module inside this
// binary. Upstream's own variable is only filled in by its release scripts.
func kubernetesVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "k8s.io/kubernetes" {
				return m.Version
			}
		}
	}
	return "v" + baseversion.DefaultKubeBinaryVersion // a test binary lists no modules
}

// moduleVersion answers /version with kubernetesVersion.
type moduleVersion struct{ compatibility.EffectiveVersion }

func (v moduleVersion) Info() *version.Info {
	info := v.EffectiveVersion.Info()
	if info == nil {
		return nil
	}
	named := *info
	named.GitVersion = kubernetesVersion()
	named.GitCommit = ""
	return &named
}

func nameVersion(c *app.Config) {
	c.Aggregator.GenericConfig.EffectiveVersion = moduleVersion{c.Aggregator.GenericConfig.EffectiveVersion}
}
