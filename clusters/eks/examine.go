package eks

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
)

// Report is what a lesson needs of a cluster, and what there is. Nothing is
// written to find it out but the API server's own reviews, which store nothing.
type Report struct {
	Identity string // the caller's ARN; empty when a kubeconfig's plugin signs
	Username string // as the API server knows the caller
	Groups   []string
	Version  string

	Nodes       int               // Ready ones that take pods
	CPU, Memory resource.Quantity // allocatable on them
	NodesDenied bool              // the caller may not list nodes

	Metrics  bool     // metrics.k8s.io is served
	VPA      bool     // autoscaling.k8s.io is served
	Policies bool     // MutatingAdmissionPolicy v1 is served
	Denied   []string // what a lesson does and the caller may not, as "create deployments.apps"
}

// access is one thing that a lesson does.
type access struct {
	verb, group, resource, sub string
	cluster                    bool // not in a namespace
}

// needed is what the HPA lessons do in drive mode and the VPA lessons with
// pods/resize. Reading nodes and namespaces is for the checks themselves.
var needed = []access{
	{verb: "create", resource: "namespaces", cluster: true}, {verb: "delete", resource: "namespaces", cluster: true},
	{verb: "create", group: "apps", resource: "deployments"}, {verb: "patch", group: "apps", resource: "deployments"},
	{verb: "update", group: "apps", resource: "deployments", sub: "scale"}, {verb: "list", group: "apps", resource: "replicasets"},
	{verb: "list", resource: "pods"}, {verb: "watch", resource: "pods"}, {verb: "patch", resource: "pods", sub: "resize"},
	{verb: "create", resource: "pods", sub: "eviction"}, {verb: "list", group: "metrics.k8s.io", resource: "pods"},
	{verb: "list", group: "autoscaling", resource: "horizontalpodautoscalers"}, {verb: "create", resource: "events"},
}

// Examine looks at an attached cluster.
func (c *Cluster) Examine(ctx context.Context) (Report, error) {
	r := Report{Version: c.version}
	if c.rest == nil {
		return r, errors.New("not attached")
	}
	kube, err := kubernetes.NewForConfig(c.rest)
	if err != nil {
		return r, err
	}
	if c.opts.Name != "" {
		who, err := sts.NewFromConfig(c.aws).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			return r, explain(err)
		}
		r.Identity = aws.ToString(who.Arn)
	}
	for _, look := range []func(context.Context, kubernetes.Interface) error{r.whoami, r.capacity, r.served, r.allowed} {
		if err := look(ctx, kube); err != nil {
			return r, explain(err)
		}
	}
	return r, nil
}

func (r *Report) whoami(ctx context.Context, kube kubernetes.Interface) error {
	review, err := kube.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	r.Username, r.Groups = review.Status.UserInfo.Username, review.Status.UserInfo.Groups
	return nil
}

// capacity adds up the nodes that take pods; what runs on them already is not
// taken off.
func (r *Report) capacity(ctx context.Context, kube kubernetes.Interface) error {
	nodes, err := kube.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if apierrors.IsForbidden(err) {
		r.NodesDenied = true
		return nil
	}
	if err != nil {
		return err
	}
	for _, n := range nodes.Items {
		ready := slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
			return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
		})
		if n.Spec.Unschedulable || !ready {
			continue
		}
		r.Nodes++
		r.CPU.Add(*n.Status.Allocatable.Cpu())
		r.Memory.Add(*n.Status.Allocatable.Memory())
	}
	return nil
}

// served asks discovery. An aggregated API that does not answer is not there.
func (r *Report) served(_ context.Context, kube kubernetes.Interface) error {
	for _, x := range []struct {
		found    *bool
		version  schema.GroupVersion
		resource string
	}{
		{&r.Metrics, schema.GroupVersion{Group: "metrics.k8s.io", Version: "v1beta1"}, "pods"},
		{&r.VPA, schema.GroupVersion{Group: "autoscaling.k8s.io", Version: "v1"}, "verticalpodautoscalers"},
		{&r.Policies, schema.GroupVersion{Group: "admissionregistration.k8s.io", Version: "v1"}, "mutatingadmissionpolicies"},
	} {
		list, err := kube.Discovery().ServerResourcesForGroupVersion(x.version.String())
		if apierrors.IsNotFound(err) || apierrors.IsServiceUnavailable(err) {
			continue
		}
		if err != nil {
			return err
		}
		*x.found = slices.ContainsFunc(list.APIResources, func(a metav1.APIResource) bool { return a.Name == x.resource })
	}
	return nil
}

func (r *Report) allowed(ctx context.Context, kube kubernetes.Interface) error {
	for _, n := range needed {
		attributes := &authorizationv1.ResourceAttributes{Verb: n.verb, Group: n.group, Resource: n.resource, Subresource: n.sub}
		if !n.cluster {
			attributes.Namespace = "stepscale-doctor" // it need not exist
		}
		review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: attributes}}
		answer, err := kube.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		if !answer.Status.Allowed {
			r.Denied = append(r.Denied, n.String())
		}
	}
	return nil
}

func (a access) String() string {
	name := schema.GroupResource{Group: a.group, Resource: a.resource}.String()
	if a.sub != "" {
		name += "/" + a.sub
	}
	return a.verb + " " + name
}
