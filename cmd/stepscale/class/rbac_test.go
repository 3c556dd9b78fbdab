package class

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
)

// verbs are all that RBAC knows of resources.
var verbs = []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "impersonate", "bind", "escalate", "approve"}

// everyone may ask who they are and what they may (ClusterRole system:basic-user), and every
// ServiceAccount may read whom the cluster trusts (system:cluster-trust-bundle-discovery):
// Kubernetes binds both by itself.
var everyone = []string{
	"create selfsubjectaccessreviews.authorization.k8s.io", "create selfsubjectrulesreviews.authorization.k8s.io", "create selfsubjectreviews.authentication.k8s.io",
	"get clustertrustbundles.certificates.k8s.io", "list clustertrustbundles.certificates.k8s.io", "watch clustertrustbundles.certificates.k8s.io",
}

// thing is a resource or a subresource that the API server serves.
type thing struct {
	gv         schema.GroupVersion
	resource   string
	sub        string
	namespaced bool
}

func (x thing) String() string {
	name := schema.GroupResource{Group: x.gv.Group, Resource: x.resource}.String()
	if x.sub != "" {
		name += "/" + x.sub
	}
	return name
}

// served are all that there are, and what only an authorizer knows.
func served(t *testing.T, kube kubernetes.Interface) (all []thing) {
	t.Helper()
	_, lists, err := kube.Discovery().ServerGroupsAndResources()
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list.APIResources {
			resource, sub, _ := strings.Cut(r.Name, "/")
			all = append(all, thing{gv, resource, sub, r.Namespaced})
		}
	}
	for _, name := range []string{"users", "groups", "uids"} {
		all = append(all, thing{resource: name})
	}
	if len(all) < 100 {
		t.Fatalf("only %d kinds are served", len(all))
	}
	return all
}

// TestWall: a learner, with nothing but a seat's token, may do nothing with any kind in
// another's namespace, in Home, or in the cluster, but read the four objects in Home.
func TestWall(t *testing.T) {
	t.Parallel()
	c, next := newClassroom(t, "wall", 2), newClassroom(t, "nextdoor", 1)
	c.create(t)
	next.create(t)
	_, tickets := c.hand(t)
	me := tickets[0].kube(t)
	things := served(t, c.kube)
	places := map[string]string{"another's namespace": tickets[1].Namespace, "Home": board.Home("wall"), "the cluster": ""}
	var mu sync.Mutex
	asked := map[string]int{}
	type question struct {
		place string
		thing thing
		verb  string
	}
	var questions []question
	for place := range places {
		for _, x := range things {
			for _, verb := range verbs {
				questions = append(questions, question{place, x, verb})
			}
		}
	}
	err := each(t.Context(), len(questions), func(ctx context.Context, i int) error {
		q := questions[i]
		review, err := me.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: places[q.place], Verb: q.verb, Group: q.thing.gv.Group, Version: q.thing.gv.Version, Resource: q.thing.resource, Subresource: q.thing.sub},
		}}, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		if what := q.verb + " " + q.thing.String(); review.Status.Allowed && !slices.Contains(everyone, what) {
			t.Errorf("in %s a learner may %s", q.place, what)
		}
		mu.Lock()
		defer mu.Unlock()
		asked[q.place]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d kinds and subresources, %d verbs: %v", len(things), len(verbs), asked)
	tried(t, me, things, tickets[1].Namespace, board.Home("wall"))
	listens(t, me, c)
}

// tried makes the requests themselves, by the names that are there: the API server's answer
// to each is Forbidden.
func tried(t *testing.T, me kubernetes.Interface, things []thing, namespaces ...string) {
	t.Helper()
	type try struct{ method, path, query string }
	var tries []try
	for _, x := range things {
		base := "/apis/" + x.gv.String()
		switch {
		case x.gv.Version == "":
			continue
		case x.gv.Group == "":
			base = "/api/v1"
		}
		in := []string{base}
		if x.namespaced {
			in = nil
			for _, ns := range namespaces {
				in = append(in, base+"/namespaces/"+ns)
			}
			if x.sub == "" {
				tries = append(tries, try{http.MethodGet, base + "/" + x.resource, ""}) // of all namespaces
			}
		}
		for _, place := range in {
			all, one := place+"/"+x.resource, place+"/"+x.resource+"/stepscale"
			if x.sub != "" {
				one += "/" + x.sub
			} else {
				tries = append(tries, try{http.MethodGet, all, ""}, try{http.MethodGet, all, "watch"}, try{http.MethodPost, all, ""}, try{http.MethodDelete, all, ""}, try{http.MethodDelete, one, ""})
			}
			tries = append(tries, try{http.MethodGet, one, ""}, try{http.MethodPut, one, ""}, try{http.MethodPatch, one, ""})
		}
	}
	err := each(t.Context(), len(tries), func(ctx context.Context, i int) error {
		x := tries[i]
		r := me.CoreV1().RESTClient().Verb(x.method).AbsPath(x.path)
		if x.query != "" {
			r = r.Param(x.query, "1").Param("timeoutSeconds", "1")
		}
		if x.method == http.MethodPatch {
			r = r.SetHeader("Content-Type", "application/merge-patch+json")
		}
		if x.method != http.MethodGet {
			r = r.Body([]byte("{}"))
		}
		err := r.Do(ctx).Error()
		allowed := slices.ContainsFunc(everyone, func(e string) bool {
			verb, resource, _ := strings.Cut(e, " ")
			name, _, _ := strings.Cut(resource, ".")
			return strings.Contains(x.path, "/"+name) && (verb == "create") == (x.method == http.MethodPost) && (x.method == http.MethodPost || x.method == http.MethodGet)
		})
		if !apierrors.IsForbidden(err) && !allowed {
			t.Errorf("%s %s %s: %v", x.method, x.path, x.query, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d requests", len(tries))
}

// listens: the four objects in Home are read and watched by their names, and nothing else is.
func listens(t *testing.T, me kubernetes.Interface, c classroom) {
	t.Helper()
	home := me.CoreV1().ConfigMaps(board.Home(c.spec.Class))
	for _, part := range spoken {
		byName := metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, board.Object(part)).String()}
		if cm, err := home.Get(t.Context(), board.Object(part), metav1.GetOptions{}); err != nil || cm.Data[board.Key] != "{}" || cm.Labels[board.LabelPart] != part {
			t.Errorf("%s: %v, %v", part, cm, err)
		}
		if list, err := home.List(t.Context(), byName); err != nil || len(list.Items) != 1 {
			t.Errorf("%s: %v, %v", part, list, err)
		}
		w, err := home.Watch(t.Context(), byName)
		if err != nil {
			t.Errorf("%s: %v", part, err)
			continue
		}
		w.Stop()
	}
	if _, err := home.Get(t.Context(), board.Object(PartClass), metav1.GetOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("what the class is: %v", err)
	}
	for _, o := range []metav1.ListOptions{{}, {LabelSelector: board.LabelPart + "=" + board.PartPace}, {FieldSelector: "metadata.name!=x"}} {
		if _, err := home.List(t.Context(), o); !apierrors.IsForbidden(err) {
			t.Errorf("a list of board.Home by %+v: %v", o, err)
		}
	}
	pace := c.spec.configMap(board.PartPace, `{"step":""}`)
	_, updated := home.Update(t.Context(), pace, metav1.UpdateOptions{})
	_, patched := home.Patch(t.Context(), pace.Name, "application/merge-patch+json", []byte(`{"data":{"json":"{}"}}`), metav1.PatchOptions{})
	applied := me.CoreV1().RESTClient().Patch("application/apply-patch+yaml").AbsPath("/api/v1/namespaces", board.Home(c.spec.Class), "configmaps", pace.Name).
		Param("fieldManager", "stepscale").Param("force", "true").Body([]byte(`{"apiVersion":"v1","kind":"ConfigMap"}`)).Do(t.Context()).Error()
	for what, err := range map[string]error{"update": updated, "patch": patched, "apply": applied, "delete": home.Delete(t.Context(), pace.Name, metav1.DeleteOptions{})} {
		if !apierrors.IsForbidden(err) {
			t.Errorf("%s of the pace: %v", what, err)
		}
	}
	if _, err := me.CoreV1().ConfigMaps(board.Home("nextdoor")).Get(t.Context(), board.Object(board.PartPace), metav1.GetOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("the pace of another class: %v", err)
	}
}
