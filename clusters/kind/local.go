package kind

import (
	"context"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"sigs.k8s.io/kind/pkg/apis/config/defaults"
)

// engines are the programs that may have images on this machine.
var engines = []string{"docker", "podman", "nerdctl"}

// nodeImage is the library's own, without its digest where only that is here: an
// image that came on a disk to a room without a network has lost it.
func nodeImage(ctx context.Context) string {
	if tagged, _, _ := strings.Cut(defaults.Image, "@"); !here(ctx, defaults.Image) && here(ctx, tagged) {
		return tagged
	}
	return defaults.Image
}

// patches are what the host asks of the nodes' kubeadm configuration. It is told as a phase.
func (c *Cluster) patches(ctx context.Context) []string {
	if !cgroupV1(ctx) {
		return nil
	}
	if c.opts.Progress != nil {
		c.opts.Progress(AllowingCgroupV1, 0)
		c.opts.Progress(AllowingCgroupV1, time.Nanosecond)
	}
	return []string{allowCgroupV1}
}

// AllowingCgroupV1 is a phase of ours: the kubelet is told to run on a host with cgroup v1.
const AllowingCgroupV1 = "Allowing cgroup v1"

// cgroupV1 asks the first container engine that answers, in the order in which kind
// looks for one. An engine may run in a virtual machine, so it is not this host's.
func cgroupV1(ctx context.Context) bool {
	for _, ask := range [][]string{
		{"docker", "info", "--format", "{{.CgroupVersion}}"},
		{"nerdctl", "info", "--format", "{{.CgroupVersion}}"},
		{"podman", "info", "--format", "{{.Host.CgroupsVersion}}"},
	} {
		if said, err := exec.CommandContext(ctx, ask[0], ask[1:]...).Output(); err == nil {
			return strings.TrimPrefix(strings.TrimSpace(string(said)), "v") == "1"
		}
	}
	return false
}

// here tells whether a container engine of this machine has the image.
func here(ctx context.Context, image string) bool {
	for _, engine := range engines {
		if exec.CommandContext(ctx, engine, "image", "inspect", image).Run() == nil {
			return true
		}
	}
	return false
}

// metricsImage is the one in our manifest.
func metricsImage() string { return string(imageLine.FindSubmatch(metricsServer)[1]) }

var imageLine = regexp.MustCompile(`(?m)^\s+image: (\S+)$`)

// loadLocal puts an image into the nodes that a container engine of this machine has.
// One that none has is left for the nodes to pull.
func (c *Cluster) loadLocal(ctx context.Context, image string) error {
	for _, engine := range engines {
		archive, err := exec.CommandContext(ctx, engine, "save", image).Output()
		if err == nil {
			return c.LoadImage(ctx, image, func() ([]byte, error) { return archive, nil })
		}
	}
	return ctx.Err()
}
