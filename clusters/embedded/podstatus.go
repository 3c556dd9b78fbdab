package embedded

import (
	"context"
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/kubernetes"
)

// patchPodStatus sends what change does to the pod's status, as a kubelet does
// (k8s.io/kubernetes/pkg/util/pod). The patch names the pod's version: it
// replaces the whole list of container statuses, in which somebody else may
// have written since.
func patchPodStatus(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod, change func(*corev1.PodStatus)) (*corev1.Pod, error) {
	status := pod.Status.DeepCopy()
	change(status)
	before, err := json.Marshal(corev1.Pod{Status: pod.Status})
	if err != nil {
		return nil, err
	}
	after, err := json.Marshal(corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{UID: pod.UID, ResourceVersion: pod.ResourceVersion},
		Status:     *status,
	})
	if err != nil {
		return nil, err
	}
	patch, err := strategicpatch.CreateTwoWayMergePatch(before, after, corev1.Pod{})
	if err != nil {
		return nil, err
	}
	return client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
}
