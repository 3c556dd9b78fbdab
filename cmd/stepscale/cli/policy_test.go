package cli

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	autoscaling "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/admission-controller/resource/pod/patch"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/admission-controller/resource/pod/recommendation"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/limitrange"
	vpautil "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/vpa"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
)

// randomPods is how many pods the policy and upstream's calculator are asked about.
const randomPods = 60

// TestPolicyAgainstUpstream: what the API server makes of a pod is what upstream's
// patch calculator would, with controlledValues RequestsOnly.
func TestPolicyAgainstUpstream(t *testing.T) {
	t.Parallel()
	c := newClassroom(t)
	if out, code := c.run("class", "install", "--context", "stepscale", "--yes"); code != problem.ExitOK {
		t.Fatalf("install: exit %d, %s", code, out)
	}
	limits := limitrange.NewNoopLimitsCalculator()
	upstream := patch.NewResourceUpdatesCalculator(recommendation.NewProvider(limits, vpautil.NewCappingRecommendationProcessor(limits)), resource.QuantityValue{})
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	for n := range randomPods {
		const name = "web"
		namespace := "shop" + strconv.Itoa(n) // the policy knows one VPA of a namespace
		c.namespace(t, namespace, true)
		v, pod := randomVPA(random, name), randomPod(random, namespace, name)
		c.create(t, namespace, v)
		want := applied(t, upstream, v, pod)
		var got *corev1.Pod
		// A minute, where the types of a test before are gone and these are new: the API
		// server's reflector tries again after 30 s at most, with as much of a jitter.
		within(t, 70*time.Second, "the policy knows the VPA of "+namespace, func() bool {
			var err error
			got, err = c.kube.CoreV1().Pods(namespace).Create(t.Context(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
			if apierrors.IsForbidden(err) { // the namespace has no service account yet
				return false
			}
			if err != nil {
				t.Fatalf("seed %d, pod %d: %v", seed, n, err)
			}
			return got.Annotations["stepscale.io/vpa"] == name || len(v.Status.Recommendation.ContainerRecommendations) == 0
		})
		for i := range pod.Spec.Containers {
			if g, w := sizes(got.Spec.Containers[i]), sizes(want.Spec.Containers[i]); g != w {
				t.Errorf("seed %d, pod %d, container %d: the policy gives %s, upstream %s; the pod has %s, the recommendation is %+v",
					seed, n, i, g, w, sizes(pod.Spec.Containers[i]), v.Status.Recommendation)
			}
		}
	}
}

func sizes(c corev1.Container) string {
	text := func(l corev1.ResourceList) string {
		return fmt.Sprint(l.Cpu().MilliValue(), " ", l.Memory().Value(), " ", l.StorageEphemeral().Value())
	}
	return text(c.Resources.Requests) + " / " + text(c.Resources.Limits)
}

// create makes a VPA with its status.
func (c classroom) create(t *testing.T, namespace string, v *vpav1.VerticalPodAutoscaler) {
	t.Helper()
	vpas := c.vpa.AutoscalingV1().VerticalPodAutoscalers(namespace)
	within(t, 10*time.Second, "a VPA is taken", func() bool {
		live, err := vpas.Create(t.Context(), v, metav1.CreateOptions{})
		if err != nil {
			return false
		}
		live.Status = v.Status
		_, err = vpas.UpdateStatus(t.Context(), live, metav1.UpdateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return true
	})
}

// applied is the pod with upstream's patches, which are all additions.
func applied(t *testing.T, c patch.Calculator, v *vpav1.VerticalPodAutoscaler, pod *corev1.Pod) *corev1.Pod {
	t.Helper()
	patches, err := c.CalculatePatches(pod, v)
	if err != nil {
		t.Fatal(err)
	}
	pod = pod.DeepCopy()
	for _, p := range patches {
		parts := strings.Split(p.Path, "/") // "", spec, containers, 0, resources, requests, cpu
		if len(parts) < 7 || parts[1] != "spec" {
			continue
		}
		i, err := strconv.Atoi(parts[3])
		if err != nil || parts[5] != "requests" {
			t.Fatalf("a patch of %s", p.Path)
		}
		r := &pod.Spec.Containers[i].Resources
		if r.Requests == nil {
			r.Requests = corev1.ResourceList{}
		}
		r.Requests[corev1.ResourceName(parts[6])] = resource.MustParse(fmt.Sprint(p.Value))
	}
	return pod
}

// containers are the names that a random recommendation may speak of.
var containers = []string{"app", "proxy", "log"}

func randomVPA(r *rand.Rand, name string) *vpav1.VerticalPodAutoscaler {
	only := vpav1.ContainerControlledValuesRequestsOnly
	v := &vpav1.VerticalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: vpav1.VerticalPodAutoscalerSpec{
		TargetRef:      &autoscaling.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: name},
		UpdatePolicy:   &vpav1.PodUpdatePolicy{UpdateMode: new([]vpav1.UpdateMode{vpav1.UpdateModeInitial, vpav1.UpdateModeRecreate, vpav1.UpdateModeInPlaceOrRecreate}[r.IntN(3)])},
		ResourcePolicy: &vpav1.PodResourcePolicy{ContainerPolicies: []vpav1.ContainerResourcePolicy{{ContainerName: "*", ControlledValues: &only}}},
	}}
	v.Status.Recommendation = &vpav1.RecommendedPodResources{}
	for _, c := range containers[:1+r.IntN(len(containers))] {
		target := randomSize(r)
		if len(target) == 0 {
			target[corev1.ResourceCPU] = resource.MustParse("1")
		}
		v.Status.Recommendation.ContainerRecommendations = append(v.Status.Recommendation.ContainerRecommendations,
			vpav1.RecommendedContainerResources{ContainerName: c, Target: target, LowerBound: target, UpperBound: target})
	}
	return v
}

func randomSize(r *rand.Rand) corev1.ResourceList {
	l := corev1.ResourceList{}
	if r.IntN(4) > 0 {
		l[corev1.ResourceCPU] = resource.MustParse([]string{"25m", "0.3", "1", "1500m", "2"}[r.IntN(5)])
	}
	if r.IntN(4) > 0 {
		l[corev1.ResourceMemory] = resource.MustParse([]string{"64Mi", "262144k", "1Gi", "250000000", "2G"}[r.IntN(5)])
	}
	return l
}

// randomPod is one that the API server takes: no request is above its limit.
func randomPod(r *rand.Rand, namespace, target string) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		GenerateName: target + "-abc12-", Namespace: namespace, Labels: map[string]string{"pod-template-hash": "abc12"},
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: target + "-abc12", UID: "1", Controller: new(true)}},
	}}
	if r.IntN(2) == 0 {
		pod.Annotations = map[string]string{"given": "yes"}
	}
	for _, name := range containers {
		c := corev1.Container{Name: name, Image: "app"}
		requests, limits := randomSize(r), randomSize(r)
		for key, request := range requests {
			if limit, ok := limits[key]; ok && limit.Cmp(request) < 0 {
				limits[key] = request
			}
		}
		for key, limit := range limits {
			if _, ok := requests[key]; !ok { // the API server's own default comes before any admission
				requests[key] = limit
			}
		}
		if len(requests) > 0 {
			c.Resources.Requests = requests
		}
		if len(limits) > 0 {
			c.Resources.Limits = limits
		}
		pod.Spec.Containers = append(pod.Spec.Containers, c)
	}
	return pod
}
