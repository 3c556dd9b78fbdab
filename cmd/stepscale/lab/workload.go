package lab

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/stepscale/stepscale/clusters/workload"
)

const (
	workloadPort       = 8080
	requestCost        = 5 * time.Millisecond // of CPU
	loadLength         = 2 * time.Hour        // how far ahead the generator knows its timeline
	loadStep           = 5 * time.Second
	loadName           = "stepscale-load"
	quickEnd     int64 = 5 // seconds that a pod has for its end

	// annotationPosition of the generator's pod says where in its timeline it is, where
	// the load waits for the lesson.
	annotationPosition = "stepscale.io/load-position"
	positionDir        = "/lesson" // where the generator finds it as a file
)

// loadLabels select the generator's pod.
var loadLabels = map[string]string{"app": loadName}

// runWorkload lets the scenario's containers burn the CPU that requests ask of them.
func (s *realSite) runWorkload(obj *unstructured.Unstructured) error {
	d := &appsv1.Deployment{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, d); err != nil {
		return err
	}
	pod := &d.Spec.Template.Spec
	for i := range pod.Containers {
		s.asWorkload(&pod.Containers[i], workloadPort+i)
	}
	// Others than sidecars end before the first metric, and their images are not ours.
	pod.InitContainers = slices.DeleteFunc(pod.InitContainers, func(c corev1.Container) bool {
		return c.RestartPolicy == nil || *c.RestartPolicy != corev1.ContainerRestartPolicyAlways
	})
	for i := range pod.InitContainers {
		s.asWorkload(&pod.InitContainers[i], workloadPort+len(pod.Containers)+i)
	}
	restrictPod(pod)
	if d.Name == s.Scenario.Target {
		s.targetLabels = d.Spec.Selector.MatchLabels
	}
	u, err := toUnstructured(d)
	if err == nil {
		obj.Object = u.Object
	}
	return err
}

// asWorkload makes a container ours: nothing of what its own image would have needed is left.
func (s *realSite) asWorkload(c *corev1.Container, port int) {
	c.Image, c.Command, c.ImagePullPolicy = s.cluster.Image, nil, corev1.PullIfNotPresent
	c.Args = []string{"burn", "--listen", fmt.Sprintf(":%d", port)}
	c.ReadinessProbe = &corev1.Probe{PeriodSeconds: 1, ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromInt(port)}}}
	c.LivenessProbe, c.StartupProbe, c.Lifecycle = nil, nil, nil
	c.SecurityContext = restricted()
}

// restrictPod asks for what a namespace of the "restricted" Pod Security Standard wants,
// and for a quick end.
func restrictPod(pod *corev1.PodSpec) {
	pod.TerminationGracePeriodSeconds = new(quickEnd)
	pod.AutomountServiceAccountToken = new(false)
	pod.SecurityContext = &corev1.PodSecurityContext{RunAsNonRoot: new(true), RunAsUser: new(int64(workload.User)),
		SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}}
}

func restricted() *corev1.SecurityContext {
	return &corev1.SecurityContext{AllowPrivilegeEscalation: new(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}}
}

// loadObjects are the Service before the target's pods, and the generator that
// sends it the scenario's load. A target that is missing gets none.
func (s *realSite) loadObjects() []any {
	if s.targetLabels == nil {
		return nil
	}
	points, _ := json.Marshal(workload.Points(s.Scenario.Offered, loadLength, loadStep)) // numbers only
	load := &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{Name: loadName},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(1)), Selector: &metav1.LabelSelector{MatchLabels: loadLabels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: loadLabels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{
				Name: "load", Image: s.cluster.Image, ImagePullPolicy: corev1.PullIfNotPresent, SecurityContext: restricted(),
				Args: []string{"load", "--url", fmt.Sprintf("http://%s:%d", s.Scenario.Target, workloadPort), "--cost", requestCost.String(), "--timeline", string(points)},
				Resources: corev1.ResourceRequirements{
					Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("50m"), corev1.ResourceMemory: resource.MustParse("32Mi")},
					Limits:   corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1"), corev1.ResourceMemory: resource.MustParse("256Mi")},
				},
			}}}},
		},
	}
	restrictPod(&load.Spec.Template.Spec)
	if s.cluster.Holds {
		hold(&load.Spec.Template)
	}
	service := &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{Name: s.Scenario.Target},
		Spec:       corev1.ServiceSpec{Selector: s.targetLabels, Ports: []corev1.ServicePort{{Port: workloadPort, TargetPort: intstr.FromInt32(workloadPort)}}},
	}
	return []any{service, load}
}

// hold lets the generator read its position from an annotation of its own pod: the
// kubelet writes it into a file whenever it changes, and no more rights are needed than
// to patch a pod.
func hold(pod *corev1.PodTemplateSpec) {
	const volume, file = "lesson", "position"
	pod.Annotations = map[string]string{annotationPosition: "0s"}
	pod.Spec.Volumes = []corev1.Volume{{Name: volume, VolumeSource: corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{
		Items: []corev1.DownwardAPIVolumeFile{{Path: file, FieldRef: &corev1.ObjectFieldSelector{FieldPath: fmt.Sprintf("metadata.annotations['%s']", annotationPosition)}}}}}}}
	c := &pod.Spec.Containers[0]
	c.VolumeMounts = []corev1.VolumeMount{{Name: volume, MountPath: positionDir, ReadOnly: true}}
	c.Args = append(c.Args, "--position", positionDir+"/"+file)
}
