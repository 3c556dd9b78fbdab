package clusterautoscaler

import (
	"context"

	corev1 "k8s.io/api/core/v1"
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
	if of.Namespace == "" {
		of.Namespace = metav1.NamespaceDefault
	}
	now := metav1.NewTime(s.ServerClock().Now())
	_, err = s.Controller.Kube.CoreV1().Events(of.Namespace).Create(ctx, &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{GenerateName: of.Name + ".", Namespace: of.Namespace},
		InvolvedObject: *of, Type: kind, Reason: reason, Message: message,
		Source: corev1.EventSource{Component: Actor}, ReportingController: Actor,
		FirstTimestamp: now, LastTimestamp: now, Count: 1,
	}, metav1.CreateOptions{})
	if world.IsFault(err) {
		return err
	}
	return nil
}
