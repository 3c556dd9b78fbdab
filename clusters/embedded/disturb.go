package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/stepscale/stepscale/engine/trace"
)

// Disturbance is something that goes wrong on a simulated node, or gets well again.
type Disturbance struct {
	What      string `json:"what"` // trace.EventCrash and what follows it
	Node      string `json:"node,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Pod       string `json:"pod,omitempty"`
	Container string `json:"container,omitempty"` // empty: every container of the pod
}

// Disturb lets it happen now. It returns when its effect is in the API.
func (c *Cluster) Disturb(ctx context.Context, d Disturbance) error {
	if c.usage == nil || c.metrics == nil {
		return ErrNotRunning
	}
	switch d.What {
	case trace.EventNotReady:
		return c.Report(ctx, d.Node, false)
	case trace.EventReady:
		return c.Report(ctx, d.Node, true)
	case trace.EventAway, trace.EventBack:
		return c.setMetricsAway(ctx, d.What == trace.EventAway)
	}
	pod, err := c.usage.kubelet.CoreV1().Pods(d.Namespace).Get(ctx, d.Pod, metav1.GetOptions{})
	if err != nil {
		return err
	}
	switch d.What {
	case trace.EventCrash:
		return c.usage.crash(ctx, pod, d.Container)
	case trace.EventFreeze:
		c.usage.freeze(pod)
	case trace.EventThaw:
		c.usage.thaw(pod.UID)
	default:
		return fmt.Errorf("%w: disturbance %q", errBadRequest, d.What)
	}
	return nil
}

// calm lets everything get well that was disturbed.
func (c *Cluster) calm(ctx context.Context) error {
	if c.usage == nil || c.metrics == nil {
		return nil
	}
	c.usage.thawAll()
	failed := c.restoreNodes(ctx)
	c.mu.Lock()
	sick := slices.Collect(maps.Keys(c.sick))
	c.mu.Unlock()
	for _, node := range sick {
		failed = errors.Join(failed, c.Report(ctx, node, true))
	}
	c.leaveNodes()
	return errors.Join(failed, c.setMetricsAway(ctx, false))
}

// Report writes what the node's kubelet says of it: that it is Ready, or that its network
// is not. Its containers go on running, and their pods are Ready as they were: upstream
// takes that away only from nodes that say nothing any more. It returns when the
// controllers of nodes know of it.
func (c *Cluster) Report(ctx context.Context, name string, ready bool) error {
	l, err := c.watchNodes(ctx)
	if err != nil {
		return err
	}
	if err := c.patchNode(ctx, name, ready); err != nil {
		return err
	}
	return c.settled(ctx, l)
}

func (c *Cluster) patchNode(ctx context.Context, name string, ready bool) error {
	patch, err := json.Marshal(map[string]any{"status": map[string]any{"conditions": []corev1.NodeCondition{c.readiness(ready)}}})
	if err != nil {
		return err
	}
	if _, err := c.usage.kubelet.CoreV1().Nodes().Patch(ctx, name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status"); err != nil {
		return err
	}
	c.noteHealth(name, ready)
	return nil
}

// noteHealth remembers which nodes are not Ready.
func (c *Cluster) noteHealth(name string, ready bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sick == nil {
		c.sick = map[string]bool{}
	}
	if delete(c.sick, name); !ready {
		c.sick[name] = true
	}
}

// networkDown is what a kubelet says without a network plugin (kubelet/runtime.go,
// networkErrors). It starts no pods then, and ends those that are deleted.
const networkDown = "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized (simulated)"

// crash lets the processes of a pod's containers end with an error. The kubelet starts
// them again at once the first time, and after a back-off then.
func (u *usage) crash(ctx context.Context, pod *corev1.Pod, container string) error {
	ended := map[string]bool{}
	for _, c := range containersOf(pod) {
		if _, waits := inBackOff(pod, c.Name); !waits && (container == "" || container == c.Name) {
			ended[c.Name] = true
		}
	}
	if len(ended) == 0 {
		return apierrors.NewNotFound(corev1.Resource("containers"), container)
	}
	_, err := u.kill(ctx, pod, ended, crashed, u.clock.Now())
	return err
}

// frozen is what a kubelet goes on telling of a pod.
type frozen struct {
	stamp   int64 // milliseconds since 1970
	cgroups map[string]cgroup
}

// freeze lets the kubelet tell of the pod what it would tell now, with the time of now.
func (u *usage) freeze(pod *corev1.Pod) {
	u.mu.Lock()
	defer u.mu.Unlock()
	still := frozen{u.clock.Now().UnixMilli(), map[string]cgroup{}}
	for _, c := range containersOf(pod) {
		still.cgroups[c.Name] = *u.cgroup(pod, c.Name)
	}
	u.frozen[pod.UID] = still
}

func (u *usage) thaw(pod types.UID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.frozen, pod)
}

func (u *usage) thawAll() {
	u.mu.Lock()
	defer u.mu.Unlock()
	clear(u.frozen)
}

// told is what the kubelet tells of a container, and of when. u.mu is held.
func (u *usage) told(pod *corev1.Pod, container string, now int64) (cgroup, int64) {
	if still, ok := u.frozen[pod.UID]; ok {
		if g, ok := still.cgroups[container]; ok {
			return g, still.stamp
		}
	}
	return *u.cgroup(pod, container), now
}
