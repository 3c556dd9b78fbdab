package clusters

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
)

// annotationParked on a Deployment of ours says how many replicas it had when they were
// taken away, so that they can be given back.
const annotationParked = "stepscale.io/parked-replicas"

// Workloads are the Deployments of ours in a namespace, or in all with "".
func Workloads(ctx context.Context, kube kubernetes.Interface, namespace string) ([]appsv1.Deployment, error) {
	list, err := kube.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{LabelSelector: LabelManaged + "=true"})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

// Park scales all Deployments of ours in a namespace to nothing. Nothing is deleted, and
// how many there were is written in the same write: however often it is called, and wherever
// it is killed, Wake gives back what was there before the first.
func Park(ctx context.Context, kube kubernetes.Interface, namespace string) error {
	return eachWorkload(ctx, kube, namespace, func(d appsv1.Deployment) *parking {
		if n := *d.Spec.Replicas; n > 0 { // the API server writes the default
			return parked(0, strconv.Itoa(int(n)))
		}
		return nil
	})
}

// Wake gives back what Park has taken. What somebody has scaled up since stays so.
func Wake(ctx context.Context, kube kubernetes.Interface, namespace string) error {
	return eachWorkload(ctx, kube, namespace, func(d appsv1.Deployment) *parking {
		had, is := d.Annotations[annotationParked]
		if !is {
			return nil
		}
		n, err := strconv.ParseInt(had, 10, 32)
		if now := *d.Spec.Replicas; err != nil || n < 0 || now > 0 {
			n = int64(now)
		}
		return parked(int32(n), nil)
	})
}

// Parked tells whether something is there that Park has taken and Wake has not given back.
func Parked(ctx context.Context, kube kubernetes.Interface, namespace string) (bool, error) {
	all, err := Workloads(ctx, kube, namespace)
	return slices.ContainsFunc(all, func(d appsv1.Deployment) bool { return d.Annotations[annotationParked] != "" }), err
}

// parking is a merge patch.
type parking struct {
	Metadata struct {
		ResourceVersion string         `json:"resourceVersion"`
		Annotations     map[string]any `json:"annotations"`
	} `json:"metadata"`
	Spec struct {
		Replicas int32 `json:"replicas"`
	} `json:"spec"`
}

// parked makes a patch to so many replicas; had is the annotation, nil to remove it.
func parked(n int32, had any) *parking {
	p := &parking{}
	p.Metadata.Annotations = map[string]any{annotationParked: had}
	p.Spec.Replicas = n
	return p
}

// moved is how long a Deployment is looked at again that has changed since: its controller
// writes its status as pods come and go.
var moved = wait.Backoff{Duration: 20 * time.Millisecond, Factor: 2, Jitter: 0.1, Steps: 10, Cap: time.Second}

// eachWorkload patches Deployments of ours as they were looked at: where one has changed
// since, all are looked at again.
func eachWorkload(ctx context.Context, kube kubernetes.Interface, namespace string, change func(appsv1.Deployment) *parking) error {
	err := retry.RetryOnConflict(moved, func() error {
		all, err := Workloads(ctx, kube, namespace)
		if err != nil {
			return err
		}
		for _, d := range all {
			p := change(d)
			if p == nil {
				continue
			}
			p.Metadata.ResourceVersion = d.ResourceVersion
			raw, err := json.Marshal(p)
			if err != nil {
				return err
			}
			_, err = kube.AppsV1().Deployments(namespace).Patch(ctx, d.Name, types.MergePatchType, raw, metav1.PatchOptions{})
			if err != nil && !apierrors.IsNotFound(err) { // the lesson has ended
				return err
			}
		}
		return nil
	})
	if err != nil && ctx.Err() != nil { // and not what was wrong the last time
		return ctx.Err()
	}
	return err
}
