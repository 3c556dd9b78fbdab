package world

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// BlockedWithin is how long pods may make no progress before what keeps them from running
// is told: a kubelet tries a failed image again after 10 and after 20 seconds, so one
// that is only slow has had its second chance.
const BlockedWithin = 20 * time.Second

// ErrBlocked tells that a kubelet cannot start a pod, and says so itself.
var ErrBlocked = errors.New("pod cannot start")

// blocks are the kubelet's reasons for which a container waits in vain
// (pkg/kubelet/images/types.go, pkg/kubelet/container/sync_result.go).
var blocks = []string{"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "RegistryUnavailable",
	"CrashLoopBackOff", "CreateContainerConfigError", "CreateContainerError", "RunContainerError"}

// Blocked is why a kubelet cannot start a pod, in its own words; empty while it may.
func Blocked(p *corev1.Pod) string {
	for _, c := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		w := c.State.Waiting
		if w == nil || !slices.Contains(blocks, w.Reason) {
			continue
		}
		why := w.Reason + ": " + cmp.Or(w.Message, c.Image)
		if t := c.LastTerminationState.Terminated; t != nil {
			why += fmt.Sprintf(" (%s, exit code %d%s)", t.Reason, t.ExitCode, strings.TrimRight(" "+t.Message, " "))
		}
		return why
	}
	return ""
}

// blocked remembers since when the same pods stand still.
type blocked struct {
	ready int
	since time.Time
}

// look returns ErrBlocked when no pod has become Ready for BlockedWithin and a kubelet
// says why. Simulated kubelets have no images.
func (b *blocked) look(w Workload, now time.Time) error {
	if ready := w.Ready(); b.since.IsZero() || ready > b.ready {
		b.ready, b.since = ready, now
	}
	if now.Sub(b.since) < BlockedWithin {
		return nil
	}
	for _, p := range w.Active() {
		if why := Blocked(p); why != "" {
			return fmt.Errorf("%w: %s: %s", ErrBlocked, p.Name, why)
		}
	}
	return nil
}
