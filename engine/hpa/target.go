package hpa

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/engine/world"
)

// workload reads the scale target of this pass, unrecorded.
func (s *State) workload(ctx context.Context) (world.Workload, error) {
	ref := s.pass.hpa.Spec.ScaleTargetRef
	if ref.Kind == "Deployment" {
		return s.Workload(ctx, ref.Name)
	}
	var w world.Workload
	if s.pass.scale == nil || s.pass.scale.Status.Selector == "" {
		return w, nil
	}
	list, err := s.AsObserver().Kube.CoreV1().Pods(s.Namespace).List(ctx, metav1.ListOptions{LabelSelector: s.pass.scale.Status.Selector})
	if err != nil {
		return w, err
	}
	for i := range list.Items {
		w.Pods = append(w.Pods, &list.Items[i])
	}
	return w, nil
}
