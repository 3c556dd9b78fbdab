package attached

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// access is what a lesson does with one resource.
type access struct{ group, resource, verbs string }

// What the lessons do in a namespace, and what they do to have one. A lesson puts up
// with a refusal to look at nodes or namespaces.
var (
	ofNamespaces = []access{{"", "namespaces", "create delete"}}

	// ofAll: apply the scenario and remove it, scale, watch what follows, and tell the
	// load's pod how far the lesson is; HPA objects are made in the observe lesson and where they are disarmed.
	ofAll = []access{
		{"", "pods", "list watch patch"}, {"", "services", "get create patch delete"},
		{"apps", "deployments", "get list create patch delete"}, {"apps", "deployments/scale", "get update"}, {"apps", "replicasets", "list watch"},
		{"autoscaling", "horizontalpodautoscalers", "get list watch create update patch delete"}, {"metrics.k8s.io", "pods", "get list"},
	}

	// ofVPA: upstream's components open an informer on everything that a VPA may have
	// as its target (target/fetcher.go, NewVpaTargetSelectorFetcher).
	ofVPA = []access{
		{"", "pods", "create patch"}, {"", "pods/resize", "patch"}, {"", "pods/eviction", "create"},
		{"", "limitranges", "list watch"}, {"", "replicationcontrollers", "list watch"},
		{"apps", "daemonsets", "list watch"}, {"apps", "deployments", "watch"}, {"apps", "statefulsets", "list watch"},
		{"batch", "jobs", "list watch"}, {"batch", "cronjobs", "list watch"},
		{"autoscaling.k8s.io", "verticalpodautoscalers", "get list watch create patch delete"}, {"autoscaling.k8s.io", "verticalpodautoscalers/status", "patch"},
		{"autoscaling.k8s.io", "verticalpodautoscalercheckpoints", "list watch create patch delete"},
	}

	// ofBudgets is what the lesson about refused evictions does besides.
	ofBudgets = []access{{"policy", "poddisruptionbudgets", "get create patch delete"}}
)

// DeniedVPA is what a lesson about the VPA does in the namespace, which need not exist,
// and the caller may not.
func (c *Cluster) DeniedVPA(ctx context.Context, namespace string) ([]string, error) {
	kube, err := c.reviewer()
	if err != nil {
		return nil, err
	}
	list, err := denied(ctx, kube, cmp.Or(namespace, anyNamespace), ofVPA)
	return list, c.explain(err)
}

// ServesVPA tells whether the cluster knows the VPA's resource types.
func (c *Cluster) ServesVPA(context.Context) (bool, error) {
	kube, err := c.reviewer()
	if err != nil {
		return false, err
	}
	served, err := serves(kube, ofVPAs)
	return served, c.explain(err)
}

// reviewer is a client for a review of every verb.
func (c *Cluster) reviewer() (kubernetes.Interface, error) {
	if c.rest == nil {
		return nil, errors.New("not attached")
	}
	cfg := rest.CopyConfig(c.rest)
	cfg.QPS, cfg.Burst = 50, 100
	return kubernetes.NewForConfig(cfg)
}

// anyNamespace is what is asked about where a lesson makes its own: it need not exist.
const anyNamespace = "stepscale-doctor"

// allowed asks the API server about every verb: a list of the rules would not have
// those of EKS's access policies, which no role holds.
func (r *Report) allowed(ctx context.Context, kube kubernetes.Interface, needs Needs) error {
	namespace := needs.Namespace
	var err error
	if namespace == "" {
		namespace = anyNamespace
		if r.Denied, err = denied(ctx, kube, "", ofNamespaces); err != nil {
			return err
		}
	} else if _, err = kube.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{}); err != nil && !apierrors.IsForbidden(err) {
		if r.NoNamespace = apierrors.IsNotFound(err); !r.NoNamespace {
			return err
		}
	}
	more, err := denied(ctx, kube, namespace, ofAll)
	if err != nil {
		return err
	}
	r.Denied = append(r.Denied, more...)
	r.DeniedVPA, err = denied(ctx, kube, namespace, slices.Concat(ofVPA, ofBudgets))
	return err
}

// denied is what the caller may not do; in no namespace where that is empty.
func denied(ctx context.Context, kube kubernetes.Interface, namespace string, wanted []access) ([]string, error) {
	var all []string
	for _, a := range wanted {
		name, sub, _ := strings.Cut(a.resource, "/")
		var verbs []string
		for verb := range strings.FieldsSeq(a.verbs) {
			review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
				ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: verb, Group: a.group, Resource: name, Subresource: sub},
			}}
			answer, err := kube.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
			if err != nil {
				return nil, err
			}
			if !answer.Status.Allowed {
				verbs = append(verbs, verb)
			}
		}
		if len(verbs) > 0 {
			name = schema.GroupResource{Group: a.group, Resource: name}.String()
			if sub != "" {
				name += "/" + sub
			}
			all = append(all, strings.Join(verbs, ",")+" "+name)
		}
	}
	return all, nil
}
