// Package observed tells what the node autoscalers of somebody's cluster did last, as they
// say it themselves, and calculates beside it why pods wait and nodes stay, where the inputs
// can be read. Nothing is written.
package observed

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
)

// Mark says where a line comes from.
type Mark string

// The marks.
const (
	Seen         Mark = "observed"     // read from the API
	Recalculated Mark = "recalculated" // by us, from what was read
	Unknown      Mark = "unknown"      // cannot be read
)

// Line is one thing that is known, or not, of one object.
type Line struct {
	Mark   Mark       `json:"source"`
	About  string     `json:"about"`            // "node/a", "nodepool/default"; empty: the whole
	Reason string     `json:"reason,omitempty"` // in upstream's word
	Text   string     `json:"text"`             // upstream's own, or Korean
	At     *time.Time `json:"at,omitempty"`
	Times  int        `json:"times,omitempty"` // that an event has come
}

// Autoscaler is one of the two.
type Autoscaler struct {
	Installed bool   `json:"installed"`
	Lines     []Line `json:"lines"`
}

// Report is what was seen at one moment.
type Report struct {
	At                time.Time  `json:"at"`
	Karpenter         Autoscaler `json:"karpenter"`
	ClusterAutoscaler Autoscaler `json:"clusterAutoscaler"`
	Pending           []Line     `json:"pending"` // pods that the scheduler found no node for
	Denied            []string   `json:"denied"`  // what may not be read: "events"
}

// Reader reads a cluster.
type Reader struct {
	Kube    kubernetes.Interface
	Dynamic dynamic.Interface
	Clock   clock.PassiveClock
	// StatusNamespace and StatusName are of Cluster Autoscaler's ConfigMap (its flags
	// --namespace and --status-config-map-name).
	StatusNamespace, StatusName string
}

// The defaults of upstream's flags (config/flags/flags.go).
const (
	StatusNamespace = "kube-system"
	StatusName      = "cluster-autoscaler-status"
)

// New reads with the configuration.
func New(cfg *rest.Config) (*Reader, error) {
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	d, err := dynamic.NewForConfig(cfg)
	return &Reader{Kube: kube, Dynamic: d, Clock: clock.RealClock{}, StatusNamespace: StatusNamespace, StatusName: StatusName}, err
}

// reading collects a report; what is denied is left out of it and told.
type reading struct {
	*Reader
	Report
	world world
}

// Read looks once. What may not be read is no error: the report says so.
func (r *Reader) Read(ctx context.Context) (Report, error) {
	x := &reading{Reader: r, Report: Report{At: r.Clock.Now(), Karpenter: Autoscaler{Lines: []Line{}}, ClusterAutoscaler: Autoscaler{Lines: []Line{}}, Pending: []Line{}, Denied: []string{}}}
	for _, read := range []func(context.Context) error{x.readWorld, x.readKarpenter, x.readStatus, x.readEvents, x.tellNodes, x.calculate} {
		if err := read(ctx); err != nil {
			return x.Report, err
		}
	}
	return x.Report, nil
}

// may tells whether a resource could be read, and notes where it may not be.
func (x *reading) may(resource string, err error) (bool, error) {
	if apierrors.IsForbidden(err) {
		x.Denied = append(x.Denied, resource)
		return false, nil
	}
	return err == nil, err
}

// say adds a line.
func (a *Autoscaler) say(mark Mark, about, reason, text string, at time.Time) {
	l := Line{Mark: mark, About: about, Reason: reason, Text: text}
	if !at.IsZero() {
		l.At = &at
	}
	a.Lines = append(a.Lines, l)
}

// by is the autoscaler that an event is of; nil where it is of neither.
func (x *reading) by(e *corev1.Event) *Autoscaler {
	source := e.Source.Component
	if source == "" {
		source = e.ReportingController
	}
	switch source {
	case "karpenter":
		return &x.Karpenter
	case "cluster-autoscaler":
		return &x.ClusterAutoscaler
	}
	return nil
}

// Role is what reading takes, and no more: a ClusterRole as kubectl apply takes it.
const Role = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: stepscale-observe-nodes
rules:
- apiGroups: [""]
  resources: [nodes, pods, events]
  verbs: [list]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [list]
- apiGroups: [karpenter.sh]
  resources: [nodepools, nodeclaims]
  verbs: [list]
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: [cluster-autoscaler-status]
  verbs: [get]
`
