package world

import (
	"cmp"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// NewEvent is an event as client-go's recorder makes it (tools/record/event.go: makeEvent).
// That one sends it some time later, in whoever's step that would be. At is the clock that
// kubectl counts its age with.
func NewEvent(by string, about corev1.ObjectReference, kind, reason, message string, at time.Time) *corev1.Event {
	now := metav1.NewTime(at)
	return &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{GenerateName: about.Name + ".", Namespace: cmp.Or(about.Namespace, metav1.NamespaceDefault)},
		InvolvedObject: about, Type: kind, Reason: reason, Message: message,
		FirstTimestamp: now, LastTimestamp: now, Count: 1,
		Source: corev1.EventSource{Component: by}, ReportingController: by,
	}
}
