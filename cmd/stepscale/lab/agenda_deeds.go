package lab

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"

	"github.com/stepscale/stepscale/clusters/embedded"
	"github.com/stepscale/stepscale/clusters/manifest"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
	"github.com/stepscale/stepscale/scenarios"
)

// begin lets an event happen, and puts its end on the agenda where it has one.
func (a *agenda) begin(ctx context.Context, e scenarios.Event) ([]trace.Event, error) {
	switch {
	case e.Pods.Of != "":
		return a.toPods(ctx, e)
	case e.What == trace.EventNotReady:
		return a.disturb(ctx, e, trace.EventReady, "node/"+e.Node, embedded.Disturbance{Node: e.Node})
	case e.What == trace.EventAway:
		return a.disturb(ctx, e, trace.EventBack, "apiservice/v1beta1.metrics.k8s.io", embedded.Disturbance{})
	}
	err := a.write(ctx, e)
	event, err := a.told(e, e.What, objectName(e.Object.GetKind(), e.Object.GetName()), string(e.Patch), err)
	return []trace.Event{event}, err
}

// write applies, patches or deletes an object as the event's actor.
func (a *agenda) write(ctx context.Context, e scenarios.Event) error {
	h, err := a.hand(e.Actor)
	if err != nil {
		return err
	}
	obj := e.Object.DeepCopy()
	a.stage.objects.place(obj)
	if e.What == trace.EventApply {
		_, err := h.manifests.Apply(ctx, obj)
		return err
	}
	client, err := h.manifests.Resource(obj)
	if err != nil {
		return err
	}
	if e.What == trace.EventDelete {
		return client.Delete(ctx, obj.GetName(), metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationBackground)})
	}
	merge := types.StrategicMergePatchType
	if obj.GroupVersionKind().Group == vpav1.SchemeGroupVersion.Group || obj.GetKind() == kindNodePool { // no API server knows the lists of a CRD
		merge = types.MergePatchType
	}
	_, err = client.Patch(ctx, obj.GetName(), merge, e.Patch, metav1.PatchOptions{FieldManager: manifest.FieldManager})
	return err
}

var errNoPods = errors.New("그때 그런 파드가 없었습니다")

// toPods lets the event happen to every pod that it means.
func (a *agenda) toPods(ctx context.Context, e scenarios.Event) (events []trace.Event, err error) {
	list, err := a.stage.objects.kube.CoreV1().Pods(a.stage.Namespace()).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	pods := e.Pods.Choose(list.Items)
	if len(pods) == 0 {
		event, err := a.told(e, e.What, "", e.Pods.Of, errNoPods)
		return []trace.Event{event}, err
	}
	for _, pod := range pods {
		more, err := a.toPod(ctx, e, pod)
		if err != nil {
			return nil, err
		}
		events = append(events, more...)
	}
	return events, nil
}

func (a *agenda) toPod(ctx context.Context, e scenarios.Event, pod corev1.Pod) ([]trace.Event, error) {
	object := objectName("Pod", pod.Name)
	if e.What == trace.EventCrash || e.What == trace.EventFreeze {
		return a.disturb(ctx, e, trace.EventThaw, object, embedded.Disturbance{Namespace: pod.Namespace, Pod: pod.Name, Container: e.Pods.Container})
	}
	h, err := a.hand(e.Actor)
	if err != nil {
		return nil, err
	}
	if e.What == trace.EventEvict {
		err = h.kube.PolicyV1().Evictions(pod.Namespace).Evict(ctx, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace}})
	} else {
		err = h.kube.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{})
	}
	event, err := a.told(e, e.What, object, "", err)
	return []trace.Event{event}, err
}

// disturb lets something go wrong on the simulated cluster, and get well when it is over.
func (a *agenda) disturb(ctx context.Context, e scenarios.Event, over, object string, d embedded.Disturbance) ([]trace.Event, error) {
	d.What = e.What
	detail := e.Pods.Container
	if e.For > 0 {
		detail = e.For.String()
		end := d
		end.What = over
		a.add(e.At+e.For, func(ctx context.Context) ([]trace.Event, error) {
			event, err := a.told(e, over, object, "", a.Disturb(ctx, end))
			return []trace.Event{event}, err
		})
	}
	event, err := a.told(e, e.What, object, detail, a.Disturb(ctx, d))
	return []trace.Event{event}, err
}

// objectName is how frames name an object: the autoscalers are called as kubectl calls them.
func objectName(kind, name string) string {
	switch kind {
	case kindHPA:
		kind = "hpa"
	case kindVPA:
		kind = "vpa"
	}
	return world.ObjectName(kind, name)
}
