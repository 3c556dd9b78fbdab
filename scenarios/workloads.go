package scenarios

import (
	"context"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	api "k8s.io/kubernetes/pkg/apis/core"
	registry "k8s.io/kubernetes/pkg/registry/core/pod"
	"k8s.io/kubernetes/plugin/pkg/admission/limitranger"
	"k8s.io/utils/ptr"
)

// workload is an object that makes pods of a template.
type workload struct {
	object
	kind, name string
	field      string // that says how many pods; empty: one per node
	replicas   int64
	template   corev1.PodTemplateSpec
}

// Targets are the kinds that an autoscaler of a scenario may scale, of apps/v1.
var Targets = []string{"Deployment", "StatefulSet", "ReplicaSet"}

var koreanKind = map[string]string{"Deployment": "디플로이먼트", "StatefulSet": "스테이트풀셋", "ReplicaSet": "레플리카셋"}

// workloadOf is the object as a workload, if it is one.
func workloadOf(o object) (workload, bool) {
	switch v := o.value.(type) {
	case *appsv1.Deployment:
		return workload{o, "Deployment", v.Name, "replicas", int64(ptr.Deref(v.Spec.Replicas, 1)), v.Spec.Template}, true
	case *appsv1.StatefulSet:
		return workload{o, "StatefulSet", v.Name, "replicas", int64(ptr.Deref(v.Spec.Replicas, 1)), v.Spec.Template}, true
	case *appsv1.ReplicaSet:
		return workload{o, "ReplicaSet", v.Name, "replicas", int64(ptr.Deref(v.Spec.Replicas, 1)), v.Spec.Template}, true
	case *appsv1.DaemonSet:
		return workload{o, "DaemonSet", v.Name, "", simulatedNodes, v.Spec.Template}, true
	case *batchv1.Job:
		return workload{o, "Job", v.Name, "parallelism", int64(ptr.Deref(v.Spec.Parallelism, 1)), v.Spec.Template}, true
	}
	return workload{}, false
}

const simulatedNodes = 3 // of the embedded cluster

// findWorkload is the workload of a kind by its name.
func findWorkload(objects []object, kind, name string) (workload, bool) {
	for _, o := range objects {
		if w, ok := workloadOf(o); ok && w.kind == kind && w.name == name {
			return w, true
		}
	}
	return workload{}, false
}

// containers are the names of those that run as long as the pods do.
func (w workload) containers() (names []string) {
	for _, c := range Running(&corev1.Pod{Spec: w.template.Spec}) {
		names = append(names, c.Name)
	}
	return names
}

// probed tells whether its pods are asked before they are ready.
func (w workload) probed() bool {
	return slices.ContainsFunc(Running(&corev1.Pod{Spec: w.template.Spec}), func(c corev1.Container) bool {
		return c.ReadinessProbe != nil || c.StartupProbe != nil
	})
}

// pod is what an API server would store of a pod of the template: with the defaults, and
// with what the LimitRanges of the scenario put into it (the admission plugin LimitRanger).
// What the pod as a whole requests is completed last, when all containers are known.
func (w workload) pod(objects []object) (*corev1.Pod, error) {
	versioned := &corev1.Pod{ObjectMeta: w.template.ObjectMeta, Spec: *w.template.Spec.DeepCopy()}
	legacyscheme.Scheme.Default(versioned)
	internal := &api.Pod{}
	if err := legacyscheme.Scheme.Convert(versioned, internal, nil); err != nil {
		return nil, err
	}
	for _, o := range objects {
		if limits, ok := o.value.(*corev1.LimitRange); ok {
			if err := limitranger.PodMutateLimitFunc(limits, internal); err != nil {
				return nil, err
			}
		}
	}
	registry.Strategy.PrepareForCreate(context.Background(), internal)
	stored, err := legacyscheme.Scheme.ConvertToVersion(internal, corev1.SchemeGroupVersion)
	if err != nil {
		return nil, err
	}
	return stored.(*corev1.Pod), nil
}
