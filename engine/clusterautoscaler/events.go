package clusterautoscaler

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/reference"

	"github.com/stepscale/stepscale/engine/world"
)

// say sends an event as Cluster Autoscaler's. That the API server refuses one is no reason
// to stop, as it is none for upstream.
func (s *State) say(ctx context.Context, about runtime.Object, kind, reason, message string) error {
	of, err := reference.GetReference(scheme.Scheme, about)
	if err != nil {
		return err
	}
	event := world.NewEvent(Actor, *of, kind, reason, message, s.ServerClock().Now())
	_, err = s.Controller.Kube.CoreV1().Events(event.Namespace).Create(ctx, event, metav1.CreateOptions{})
	if world.IsFault(err) {
		return err
	}
	return nil
}
