package attached

import (
	"context"
	"slices"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"

	"github.com/stepscale/stepscale/clusters"
)

// Needs is what the lessons ask of a cluster.
type Needs struct {
	Namespace string            // that somebody made for the learner; empty when a lesson makes its own
	PodCPU    resource.Quantity // request of one pod of a lesson
}

// Report is what a lesson needs of a cluster, and what there is. Nothing is
// written to find it out but the API server's own reviews, which store nothing.
type Report struct {
	Identity string // as the cloud knows the caller (an ARN); empty when a kubeconfig's plugin signs
	Username string // as the API server knows the caller
	Groups   []string
	Version  string
	Skew     time.Duration // how far this machine's clock is ahead of the API server's

	Nodes               int               // Ready ones that take pods
	CPU, Memory         resource.Quantity // allocatable on them
	FreeCPU, FreeMemory resource.Quantity // of that, what no pod on them has requested
	Room                int               // pods that request Needs.PodCPU and find room on a node
	NodesDenied         bool              // the caller may not list nodes
	PodsDenied          bool              // nor the pods of all namespaces: what is free is not known

	Metrics     bool     // metrics.k8s.io is served
	VPA         bool     // autoscaling.k8s.io is served
	Policies    bool     // MutatingAdmissionPolicy v1 is served
	NoNamespace bool     // Needs.Namespace is not there, as far as the caller may look
	Denied      []string // what every lesson does and the caller may not, as "create,patch deployments.apps"
	DeniedVPA   []string // what only the lessons about the VPA do
	Fence       *Fence   // of Needs.Namespace, where it is there
}

// Examine looks at an attached cluster.
func (c *Cluster) Examine(ctx context.Context, needs Needs) (Report, error) {
	r := Report{Version: c.version}
	kube, err := c.reviewer()
	if err != nil {
		return r, err
	}
	if r.Skew, err = clusters.Skew(ctx, c.rest, c.clock); err != nil {
		return r, c.explain(err)
	}
	for _, look := range []func(context.Context, kubernetes.Interface, Needs) error{r.whoami, r.capacity, r.served, r.allowed, r.fence} {
		if err := look(ctx, kube, needs); err != nil {
			return r, c.explain(err)
		}
	}
	return r, nil
}

func (r *Report) whoami(ctx context.Context, kube kubernetes.Interface, _ Needs) error {
	review, err := kube.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	r.Username, r.Groups = review.Status.UserInfo.Username, review.Status.UserInfo.Groups
	return nil
}

// ofVPAs is the resource that says that a cluster knows VPAs.
var ofVPAs = schema.GroupVersionResource{Group: "autoscaling.k8s.io", Version: "v1", Resource: "verticalpodautoscalers"}

// served asks discovery.
func (r *Report) served(_ context.Context, kube kubernetes.Interface, _ Needs) (err error) {
	for _, x := range []struct {
		found *bool
		of    schema.GroupVersionResource
	}{
		{&r.Metrics, schema.GroupVersionResource{Group: "metrics.k8s.io", Version: "v1beta1", Resource: "pods"}},
		{&r.VPA, ofVPAs},
		{&r.Policies, schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingadmissionpolicies"}},
	} {
		if *x.found, err = serves(kube, x.of); err != nil {
			return err
		}
	}
	return nil
}

// serves tells whether the API has a resource. An aggregated API that does not answer is
// not there.
func serves(kube kubernetes.Interface, of schema.GroupVersionResource) (bool, error) {
	list, err := kube.Discovery().ServerResourcesForGroupVersion(of.GroupVersion().String())
	if apierrors.IsNotFound(err) || apierrors.IsServiceUnavailable(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(list.APIResources, func(a metav1.APIResource) bool { return a.Name == of.Resource }), nil
}
