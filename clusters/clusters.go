// Package clusters says what every kind of cluster offers to the rest of the
// house. It knows none of the other rooms but engine/trace, in whose words it tells what
// actors do, and clusters/manifest.
package clusters

import (
	"context"
	"errors"

	"k8s.io/client-go/rest"

	"github.com/stepscale/stepscale/clusters/manifest"
)

// LabelManaged marks every object that stepscale made; cleanup touches no other.
const LabelManaged = manifest.LabelManaged

// LabelOwner tells the objects of one installation of stepscale from those of
// another on the same cluster. Clusters that we made have one owner and no label.
const LabelOwner = "stepscale.io/owner"

// ErrNotRunning is returned by everything that needs a running cluster of ours. It is
// here and not with the cluster, so that those who only tell of it need not contain one.
var ErrNotRunning = errors.New("the embedded cluster is not running")

// Provider brings a cluster up and takes it down.
type Provider interface {
	// Up starts or finds the cluster. It is safe to call twice.
	Up(context.Context) (*rest.Config, error)
	// Down removes what Up made and nothing else.
	Down(context.Context) error
	Info() Info
}

// Info describes a cluster to the learner.
type Info struct {
	Name       string   `json:"name"`
	Version    string   `json:"version"`              // of the API server, "v1.37.2"
	Simulated  []string `json:"simulated,omitempty"`  // "nodes", "load", "time"
	Disposable bool     `json:"disposable"`           // we made it and may remove it
	Kubeconfig string   `json:"kubeconfig,omitempty"` // path of the admin kubeconfig
}
