package world

import "k8s.io/utils/clock"

// KubectlNodes is the command that shows where the pods are. The columns are quoted:
// zsh would take brackets for a pattern.
func (w *World) KubectlNodes() string {
	return "kubectl get pods -n " + w.Namespace + " -o custom-columns='NAME:.metadata.name,STATUS:.status.phase,NODE:.spec.nodeName'"
}

// KubectlMetrics is the command that shows what metrics.k8s.io says of the pods.
func (w *World) KubectlMetrics() string { return "kubectl get pods.metrics.k8s.io -n " + w.Namespace }

// ServerClock is the clock of the API server and of kubectl: what they show the age of, an
// event say, is stamped with it.
func (w *World) ServerClock() clock.PassiveClock {
	if w.Wall != nil {
		return w.Wall
	}
	return w.Clock
}
