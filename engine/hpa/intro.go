package hpa

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// What the learner does by hand, as in the seed document's pictures.
const (
	handReplicas = 4
	handRequest  = 200 // millicores
)

// scaleByHand changes the number of pods and leaves their size: horizontal.
func scaleByHand(ctx context.Context, s *State, f *trace.Frame) error {
	_, w, err := s.target(ctx)
	if err != nil {
		return err
	}
	name, from := w.Deployment.Name, w.Replicas()
	f.Kubectl = "kubectl get deployment,pods -n " + s.Namespace
	if err := s.setReplicas(ctx, name, handReplicas); err != nil {
		return err
	}
	if from != handReplicas {
		f.Changes = append(f.Changes, change("deployment/"+name, "spec.replicas", from, handReplicas))
	}
	after, err := s.RollOut(ctx, w)
	if err != nil {
		return err
	}
	request := int64(0)
	if pod := firstReady(after); pod != nil {
		request = cpuRequest(pod)
	}
	f.Add("currentReplicas", strconv.Itoa(int(from)), "")
	f.Add("desiredReplicas", strconv.Itoa(handReplicas), "")
	f.Add("readyPods", strconv.Itoa(after.Ready()), "")
	addTotal(f, request, after.Ready())
	addReplaced(f, w, after)
	return nil
}

// setReplicas writes the scale subresource, again when somebody else wrote the
// Deployment meanwhile.
func (s *State) setReplicas(ctx context.Context, name string, to int32) error {
	deployments := s.AsLearner().Kube.AppsV1().Deployments(s.Namespace)
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		scale, err := deployments.GetScale(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		scale.Spec.Replicas = to
		_, err = deployments.UpdateScale(ctx, name, scale, metav1.UpdateOptions{})
		return err
	})
}

// resizeByHand changes the size of the pods and leaves their number: vertical.
// The pod template changes, so the Deployment replaces every pod.
func resizeByHand(ctx context.Context, s *State, f *trace.Frame) error {
	_, w, err := s.target(ctx)
	if err != nil {
		return err
	}
	name := w.Deployment.Name
	if len(w.Deployment.Spec.Template.Spec.Containers) == 0 {
		return fmt.Errorf("디플로이먼트 %s에 컨테이너가 없습니다", name)
	}
	c := w.Deployment.Spec.Template.Spec.Containers[0]
	f.Kubectl = "kubectl get replicaset,pods -n " + s.Namespace
	patch, err := requestPatch(c.Name)
	if err != nil {
		return err
	}
	_, err = s.AsLearner().Kube.AppsV1().Deployments(s.Namespace).Patch(ctx, name, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return err
	}
	from := c.Resources.Requests.Cpu().MilliValue()
	if from != handRequest {
		f.Changes = append(f.Changes, trace.Change{
			Object: "deployment/" + name, Field: "spec.template.spec.containers[0].resources.requests.cpu",
			From: quantityOf("cpu", from), To: quantityOf("cpu", handRequest),
		})
	}
	after, err := s.RollOut(ctx, w)
	if err != nil {
		return err
	}
	f.Add("currentRequest", quantityOf("cpu", from), "")
	f.Add("desiredRequest", quantityOf("cpu", handRequest), "")
	f.Add("readyPods", strconv.Itoa(after.Ready()), "")
	if pod := firstReady(after); pod != nil {
		addTotal(f, cpuRequest(pod), after.Ready())
	}
	addReplaced(f, w, after)
	return nil
}

// requestPatch is the strategic merge patch that `kubectl set resources` sends.
func requestPatch(container string) ([]byte, error) {
	type object = map[string]any
	return json.Marshal(object{"spec": object{"template": object{"spec": object{"containers": []object{{
		"name": container, "resources": object{"requests": object{"cpu": quantityOf("cpu", handRequest)}},
	}}}}}})
}

func addTotal(f *trace.Frame, request int64, pods int) {
	f.Add("requestsPerPod", quantityOf("cpu", request), "")
	f.Add("totalRequests", quantityOf("cpu", request*int64(pods)), fmt.Sprintf("%dm × %d", request, pods))
}

// addReplaced counts which pods stayed, which came and which went.
func addReplaced(f *trace.Frame, before, after world.Workload) {
	known := world.Fingerprints(before.Active())
	created, deleted := world.DiffPods(known, after, f)
	f.Add("createdPods", strconv.Itoa(len(created)), world.SomeNames(created))
	f.Add("deletedPods", strconv.Itoa(len(deleted)), world.SomeNames(deleted))
	f.Add("keptPods", strconv.Itoa(len(known)-len(deleted)), "")
}

// autoscaler is one of the four that the seed document names.
type autoscaler struct {
	name, acts      string
	group, resource string // of the API it is driven by; empty when it has none
}

var autoscalers = []autoscaler{
	{name: "HPA", acts: "파드의 수 (디플로이먼트의 spec.replicas)", group: "autoscaling", resource: "horizontalpodautoscalers"},
	{name: "VPA", acts: "파드의 크기 (컨테이너의 requests)", group: "autoscaling.k8s.io", resource: "verticalpodautoscalers"},
	{name: "ClusterAutoscaler", acts: "노드의 수 (노드 그룹의 크기)"},
	{name: "Karpenter", acts: "노드의 수와 종류 (필요한 인스턴스를 직접 만듭니다)", group: "karpenter.sh", resource: "nodepools"},
}

// findAutoscalers asks the API server's discovery which of the four are served.
func findAutoscalers(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl api-resources | grep -iE 'autoscal|karpenter'"
	groups, err := s.AsLearner().Kube.Discovery().ServerGroups()
	if err != nil {
		return err
	}
	served := 0
	for _, a := range autoscalers {
		version, err := s.servedVersion(ctx, a, groups)
		if err != nil {
			return err
		}
		f.Add("served/"+a.name, strconv.FormatBool(version != ""), version)
		f.Add("acts/"+a.name, a.acts, "")
		if version != "" {
			served++
		}
	}
	f.Add("servedAutoscalers", strconv.Itoa(served), "")
	return nil
}

// servedVersion returns "group/version" of the autoscaler's API, or where the
// Cluster Autoscaler runs, which has no API of its own; empty when it is not here.
func (s *State) servedVersion(ctx context.Context, a autoscaler, groups *metav1.APIGroupList) (string, error) {
	if a.group == "" {
		return s.clusterAutoscaler(ctx)
	}
	i := slices.IndexFunc(groups.Groups, func(g metav1.APIGroup) bool { return g.Name == a.group })
	if i < 0 {
		return "", nil
	}
	version := groups.Groups[i].PreferredVersion.GroupVersion
	list, err := s.AsLearner().Kube.Discovery().ServerResourcesForGroupVersion(version)
	if apierrors.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	for _, r := range list.APIResources {
		if r.Name == a.resource {
			return version, nil
		}
	}
	return "", nil
}

// clusterAutoscaler looks for its Deployment in kube-system, where it is
// installed as a rule.
func (s *State) clusterAutoscaler(ctx context.Context) (string, error) {
	list, err := s.AsLearner().Kube.AppsV1().Deployments(metav1.NamespaceSystem).List(ctx, metav1.ListOptions{})
	if apierrors.IsForbidden(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	for _, d := range list.Items {
		if strings.Contains(d.Name, "cluster-autoscaler") || runsImage(d.Spec.Template.Spec, "cluster-autoscaler") {
			return "deployment/" + d.Name, nil
		}
	}
	return "", nil
}

func runsImage(spec corev1.PodSpec, part string) bool {
	return slices.ContainsFunc(spec.Containers, func(c corev1.Container) bool { return strings.Contains(c.Image, part) })
}
