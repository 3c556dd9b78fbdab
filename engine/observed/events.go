package observed

import (
	"context"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/pager"
)

// mostEvents of each are told, the newest.
const mostEvents = 12

// readEvents tells what the two said last. Only theirs are asked for: a cluster has many.
func (x *reading) readEvents(ctx context.Context) error {
	for _, source := range []string{"karpenter", "cluster-autoscaler"} {
		var list []*corev1.Event
		opts := metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("source", source).String()}
		err := pager.New(pager.SimplePageFunc(func(o metav1.ListOptions) (runtime.Object, error) {
			return x.Kube.CoreV1().Events(metav1.NamespaceAll).List(ctx, o)
		})).EachListItem(ctx, opts, func(o runtime.Object) error {
			list = append(list, o.(*corev1.Event))
			return nil
		})
		ok, err := x.may("events", err)
		if err != nil {
			return err
		}
		if !ok {
			return nil
		}
		slices.SortStableFunc(list, func(a, b *corev1.Event) int { return lastOf(b).Compare(lastOf(a)) })
		for _, e := range list[:min(len(list), mostEvents)] {
			a := x.by(e)
			if a == nil {
				continue
			}
			a.say(Seen, aboutOf(e), e.Reason, e.Message, lastOf(e))
			if n := timesOf(e); n > 1 {
				a.Lines[len(a.Lines)-1].Times = n
			}
		}
	}
	return nil
}

// aboutOf is the object of an event.
func aboutOf(e *corev1.Event) string {
	o := e.InvolvedObject
	name := strings.ToLower(o.Kind) + "/" + o.Name
	if o.Namespace != "" && o.Kind == "Pod" {
		name = "pod/" + o.Namespace + "/" + o.Name
	}
	return name
}

// lastOf is when an event came last: of a series, of one that was counted, or alone.
func lastOf(e *corev1.Event) time.Time {
	switch {
	case e.Series != nil && !e.Series.LastObservedTime.IsZero():
		return e.Series.LastObservedTime.Time
	case !e.LastTimestamp.IsZero():
		return e.LastTimestamp.Time
	case !e.EventTime.IsZero():
		return e.EventTime.Time
	}
	return e.CreationTimestamp.Time
}

func timesOf(e *corev1.Event) int {
	if e.Series != nil {
		return int(e.Series.Count)
	}
	return int(e.Count)
}
