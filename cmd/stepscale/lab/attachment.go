package lab

import (
	"context"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/clusters/attached"
	"github.com/stepscale/stepscale/clusters/eks"
)

// Attachment names a cluster that somebody else runs: by its name at EKS, or by a
// context of a kubeconfig where that name is empty.
type Attachment struct {
	eks.Options
	Context    string
	Kubeconfig string // path; kubectl's own rules when empty
}

// Foreign is a cluster that somebody else runs: *attached.Cluster and *eks.Cluster.
type Foreign interface {
	clusters.Provider
	Namespace() string
	Examine(context.Context, attached.Needs) (attached.Report, error)
	Permissions
}

// Open returns the cluster, not attached yet.
func (o Attachment) Open() Foreign {
	if o.Name != "" {
		return eks.New(o.Options)
	}
	return attached.New(attached.Options{Context: o.Context, Kubeconfig: o.Kubeconfig, Clock: o.Clock})
}
