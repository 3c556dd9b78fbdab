package clusterautoscaler

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Block is why a pod keeps its node (utils/drain/drain.go BlockingPodReason).
type Block string

// The blocks, named as upstream's.
const (
	ControllerNotFound       Block = "ControllerNotFound"
	MinReplicasReached       Block = "MinReplicasReached"
	NotReplicated            Block = "NotReplicated"
	LocalStorageRequested    Block = "LocalStorageRequested"
	NotSafeToEvictAnnotation Block = "NotSafeToEvictAnnotation"
	UnmovableKubeSystemPod   Block = "UnmovableKubeSystemPod"
	NotEnoughPdb             Block = "NotEnoughPdb"
)

// drain is what is done with a pod when its node goes.
type drain int

const (
	undefined  drain = iota // the rule has nothing to say
	drainOK                 // it is moved
	skip                    // nobody minds it
	completion              // it is waited for
	blocked
)

// rule is one of upstream's (simulator/drainability/rules). File is its folder there.
type rule struct {
	file  string
	judge func(d *drainContext, p *corev1.Pod) (drain, Block)
}

// drainContext is what the rules look at beside the pod.
type drainContext struct {
	cluster *Cluster
	options Options
	budgets *pdbTracker
}

// rules are asked in this order and the first that has something to say decides
// (simulator/drainability/rules/rules.go Default).
var rules = []rule{
	{"mirror", when(skip, func(_ *drainContext, p *corev1.Pod) bool { return isMirror(p) })},
	{"longterminating", when(skip, func(d *drainContext, p *corev1.Pod) bool { return terminatesLong(p, d.cluster.Now) })},
	{"replicacount", replicaCount},
	{"daemonset", when(drainOK, func(_ *drainContext, p *corev1.Pod) bool { return ofDaemonSet(p) })},
	{"safetoevict", when(drainOK, annotated("true"))},
	{"terminal", when(drainOK, func(_ *drainContext, p *corev1.Pod) bool { return isTerminal(p) })},
	{"oncompletion", when(completion, annotated("on-completion"))},
	{"replicated", blocks(NotReplicated, func(d *drainContext, p *corev1.Pod) bool { return !replicated(d, p) })},
	{"system", blocks(UnmovableKubeSystemPod, systemPod)},
	{"notsafetoevict", blocks(NotSafeToEvictAnnotation, annotated("false"))},
	{"localstorage", blocks(LocalStorageRequested, func(d *drainContext, p *corev1.Pod) bool {
		return d.options.SkipLocalStorage && len(blockingVolumes(p)) > 0
	})},
	{"pdb", blocks(NotEnoughPdb, func(d *drainContext, p *corev1.Pod) bool { return d.budgets.exhausted(p) })},
}

func when(outcome drain, is func(*drainContext, *corev1.Pod) bool) func(*drainContext, *corev1.Pod) (drain, Block) {
	return func(d *drainContext, p *corev1.Pod) (drain, Block) {
		if is(d, p) {
			return outcome, ""
		}
		return undefined, ""
	}
}

func blocks(why Block, is func(*drainContext, *corev1.Pod) bool) func(*drainContext, *corev1.Pod) (drain, Block) {
	return func(d *drainContext, p *corev1.Pod) (drain, Block) {
		if is(d, p) {
			return blocked, why
		}
		return undefined, ""
	}
}

func annotated(value string) func(*drainContext, *corev1.Pod) bool {
	return func(_ *drainContext, p *corev1.Pod) bool { return p.Annotations[SafeToEvict] == value }
}

// judge is what the rules say of a pod; one of which none says anything is moved.
func (d *drainContext) judge(p *corev1.Pod) (drain, Block) {
	for _, r := range rules {
		if outcome, why := r.judge(d, p); outcome != undefined {
			return outcome, why
		}
	}
	return drainOK, ""
}

// replicaCount is rules/replicacount/rule.go: the controller is there and wants enough.
func replicaCount(d *drainContext, p *corev1.Pod) (drain, Block) {
	owner := metav1.GetControllerOf(p)
	if owner == nil || d.cluster.Replicas == nil || !d.options.SkipCustomControllers || !slices.Contains(recreating, owner.Kind) && !ofDaemonSet(p) {
		return undefined, ""
	}
	replicas, found := d.cluster.Replicas(p.Namespace, owner)
	counts := owner.Kind == "ReplicaSet" || owner.Kind == "ReplicationController"
	switch {
	case !found:
		return blocked, ControllerNotFound
	case counts && replicas < d.options.MinReplicas:
		return blocked, MinReplicasReached
	}
	return undefined, ""
}

// recreating are the kinds of controller that upstream knows to make a pod again.
var recreating = []string{"ReplicationController", "Job", "ReplicaSet", "StatefulSet"}

// replicated is rules/replicated/rule.go.
func replicated(d *drainContext, p *corev1.Pod) bool {
	owner := metav1.GetControllerOf(p)
	return owner != nil && (!d.options.SkipCustomControllers || slices.Contains(recreating, owner.Kind))
}

// systemPod is rules/system/rule.go: one of kube-system for which no budget speaks blocks
// for its first hour.
func systemPod(d *drainContext, p *corev1.Pod) bool {
	old := !p.CreationTimestamp.Add(d.options.SystemPodTimeout).After(d.cluster.Now)
	return d.options.SkipSystemPods && p.Namespace == metav1.NamespaceSystem && len(d.budgets.matching(p)) == 0 && !old
}
