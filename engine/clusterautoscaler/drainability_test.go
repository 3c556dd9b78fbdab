package clusterautoscaler

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func volume(source corev1.VolumeSource) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: source}} }
}

func system(age time.Duration) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Namespace, p.CreationTimestamp = "kube-system", metav1.NewTime(now.Add(-age))
	}
}

func deleted(ago time.Duration) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{Time: now.Add(-ago)} }
}

func ended(phase corev1.PodPhase, policy corev1.RestartPolicy) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Status.Phase, p.Spec.RestartPolicy = phase, policy }
}

var (
	emptyDir = corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}
	inMemory = corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory}}
	hostPath = corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/var"}}
)

// TestDrainability has the rules of simulator/drainability/rules/rules.go Default in their
// order, with what each says and what a later rule would have said.
func TestDrainability(t *testing.T) {
	type change = func(*corev1.Pod)
	unsafe := note(SafeToEvict, "false")
	for _, c := range []struct {
		mirrors string
		pod     []change
		options func(*Options)
		want    drain
		block   Block
	}{
		{"nothing is against it", nil, nil, drainOK, ""},
		{"mirror/rule.go", []change{note(corev1.MirrorPodAnnotationKey, "x"), bare}, nil, skip, ""},
		{"longterminating/rule.go: grace period and 30 s are over", []change{deleted(time.Minute + 1), bare}, nil, skip, ""},
		{"longterminating/rule.go: not yet", []change{deleted(time.Minute), bare}, nil, blocked, NotReplicated},
		{"replicacount/rule.go: the controller is gone", []change{owned("ReplicaSet", "gone"), note(SafeToEvict, "true")}, nil, blocked, ControllerNotFound},
		{"replicacount/rule.go: a Job that is gone", []change{owned("Job", "gone")}, nil, blocked, ControllerNotFound},
		{"replicacount/rule.go: a DaemonSet that is gone", []change{owned("DaemonSet", "gone")}, nil, blocked, ControllerNotFound},
		{"replicacount/rule.go: too few replicas", nil, func(o *Options) { o.MinReplicas = 3 }, blocked, MinReplicasReached},
		{"replicacount/rule.go: just enough", nil, func(o *Options) { o.MinReplicas = 2 }, drainOK, ""},
		{"daemonset/rule.go", []change{owned("DaemonSet", "web"), unsafe}, nil, drainOK, ""},
		{"safetoevict/rule.go: before all that blocks", []change{note(SafeToEvict, "true"), bare, volume(emptyDir)}, nil, drainOK, ""},
		{"terminal/rule.go: failed", []change{ended(corev1.PodFailed, corev1.RestartPolicyAlways), bare}, nil, drainOK, ""},
		{"terminal/rule.go: succeeded", []change{ended(corev1.PodSucceeded, corev1.RestartPolicyOnFailure), bare}, nil, drainOK, ""},
		{"terminal/rule.go: succeeded and started again", []change{ended(corev1.PodSucceeded, corev1.RestartPolicyAlways), bare}, nil, blocked, NotReplicated},
		{"oncompletion/rule.go", []change{note(SafeToEvict, "on-completion"), bare}, nil, completion, ""},
		{"replicated/rule.go: no controller", []change{bare, unsafe}, nil, blocked, NotReplicated},
		{"replicated/rule.go: a controller that nobody knows", []change{owned("Rollout", "web")}, nil, blocked, NotReplicated},
		{"replicated/rule.go: --skip-nodes-with-custom-controller-pods=false", []change{owned("Rollout", "web")}, func(o *Options) { o.SkipCustomControllers = false }, drainOK, ""},
		{"system/rule.go: no budget, not an hour old", []change{system(time.Hour - 1), unsafe}, nil, blocked, UnmovableKubeSystemPod},
		{"system/rule.go: an hour old", []change{system(time.Hour)}, nil, drainOK, ""},
		{"system/rule.go: a budget", []change{system(0), labelled("app", "dns")}, nil, drainOK, ""},
		{"system/rule.go: --skip-nodes-with-system-pods=false", []change{system(0)}, func(o *Options) { o.SkipSystemPods = false }, drainOK, ""},
		{"notsafetoevict/rule.go", []change{unsafe, volume(emptyDir)}, nil, blocked, NotSafeToEvictAnnotation},
		{"localstorage/rule.go: emptyDir", []change{volume(emptyDir), labelled("app", "spent")}, nil, blocked, LocalStorageRequested},
		{"localstorage/rule.go: hostPath", []change{volume(hostPath)}, nil, blocked, LocalStorageRequested},
		{"localstorage/rule.go: in memory", []change{volume(inMemory)}, nil, drainOK, ""},
		{"localstorage/rule.go: called safe", []change{volume(emptyDir), note(SafeToEvictLocalVolumes, "cache,data")}, nil, drainOK, ""},
		{"localstorage/rule.go: another one is", []change{volume(emptyDir), note(SafeToEvictLocalVolumes, "cache")}, nil, blocked, LocalStorageRequested},
		{"localstorage/rule.go: --skip-nodes-with-local-storage=false", []change{volume(emptyDir)}, func(o *Options) { o.SkipLocalStorage = false }, drainOK, ""},
		{"pdb/rule.go", []change{labelled("app", "spent")}, nil, blocked, NotEnoughPdb},
		{"pdb/rule.go: one is left", []change{labelled("app", "guarded")}, nil, drainOK, ""},
	} {
		o := DefaultOptions()
		if c.options != nil {
			c.options(&o)
		}
		dns := budget("dns", 1)
		dns.Namespace = "kube-system"
		budgets, err := newPDBTracker([]*policyv1.PodDisruptionBudget{budget("spent", 0), budget("guarded", 1), dns})
		if err != nil {
			t.Fatal(err)
		}
		d := &drainContext{cluster: &Cluster{Now: now, Replicas: replicas}, options: o, budgets: budgets}
		if got, block := d.judge(pod("p", "1", "1Gi", c.pod...)); got != c.want || block != c.block {
			t.Errorf("%s: %v %s, want %v %s", c.mirrors, got, block, c.want, c.block)
		}
	}
}

// replicas are two of every controller, unless it is gone.
func replicas(_ string, owner *metav1.OwnerReference) (int32, bool) { return 2, owner.Name != "gone" }
