package class

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/cmd/stepscale/board"
	"github.com/stepscale/stepscale/engine/vpa"
)

var namespaceKind = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}

const patience = time.Minute

// gone deletes a class, and has it proven.
func (c classroom) gone(t *testing.T, but ...string) {
	t.Helper()
	f, err := c.Find(t.Context(), c.spec.Class)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(t.Context(), c.spec.Class, f, patience, func(int) {}); err != nil {
		t.Fatal(err)
	}
	p, err := c.Prove(t.Context(), c.spec.Class)
	if err != nil || !p.Holds() {
		t.Fatalf("proof %+v, %v", p, err)
	}
	left := c.inventory(t)
	for what := range left {
		if slices.Contains(but, c.plainly(what)) {
			delete(left, what)
		}
	}
	if len(left) > 0 {
		t.Fatalf("the proof holds, and there is %v", left)
	}
}

// TestDelete: what is deleted is gone and its tokens are worth nothing; what keeps something
// is named.
func TestDelete(t *testing.T) {
	t.Parallel()
	c := newClassroom(t, "deleted", 2)
	c.create(t)
	_, tickets := c.hand(t)
	me := tickets[0].kube(t)
	stuck := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "stuck", Finalizers: []string{"example.com/wait"}}}
	within(t, patience, "the learner's namespace takes objects", func() bool {
		_, err := me.CoreV1().ConfigMaps(tickets[0].Namespace).Create(t.Context(), stuck, metav1.CreateOptions{})
		return err == nil
	})
	f, err := c.Find(t.Context(), "deleted")
	if err != nil || len(f.Seats) != 2 || !f.Home {
		t.Fatal(f, err)
	}
	before, err := c.Prove(t.Context(), "deleted")
	for _, name := range []string{board.Home("deleted"), "deleted-s01", "deleted-s02"} {
		if !slices.ContainsFunc(before.Left, func(l Left) bool { return l.What == "namespaces/"+name }) || before.Holds() || err != nil {
			t.Errorf("%s is there, and the proof does not say so: %+v, %v", name, before.Left, err)
		}
	}
	if err := c.Delete(t.Context(), "deleted", f, 5*time.Second, func(int) {}); err != nil {
		t.Fatal(err)
	}
	var p Proof
	within(t, patience, "all but the namespace that is kept is gone, and it says why", func() bool {
		if p, err = c.Prove(t.Context(), "deleted"); err != nil {
			t.Fatal(err)
		}
		return len(p.Left) == 1 && p.Left[0].Why != ""
	})
	if p.Holds() || p.Left[0].What != "namespaces/"+tickets[0].Namespace || !strings.Contains(p.Left[0].Why, "example.com/wait") || p.Left[0].Finalizers[0] != "kubernetes" {
		t.Errorf("proof of a namespace that stays: %+v", p)
	}
	within(t, patience, "the token of a class that is gone is worth nothing", func() bool {
		return apierrors.IsUnauthorized(me.CoreV1().RESTClient().Get().AbsPath("/version").Do(t.Context()).Error())
	})
	patch := []byte(`{"metadata":{"finalizers":null}}`)
	if _, err := c.kube.CoreV1().ConfigMaps(tickets[0].Namespace).Patch(t.Context(), "stuck", "application/merge-patch+json", patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	c.gone(t)
	for _, want := range []string{"deleted", "클러스터 범위의 종류", "clusterroles.rbac.authorization.k8s.io", "모든 네임스페이스의 종류", "configmaps", "이름 stepscale-class-deleted"} {
		if p, _ := c.Prove(t.Context(), "deleted"); !strings.Contains(strings.Join(p.Looked, "\n"), want) {
			t.Errorf("%q is not among what was looked at: %q", want, p.Looked)
		}
	}
}

// TestForeign: whatever somebody writes on an object of theirs, it is not ours to delete or
// to take over.
func TestForeign(t *testing.T) {
	t.Parallel()
	c := newClassroom(t, "forged", 2)
	c.create(t)
	other := newClassroom(t, "otherclass", 1)
	other.Room.signer, other.signer = c.signer, c.signer
	other.create(t)
	real, err := c.kube.CoreV1().Namespaces().Get(t.Context(), "forged-s01", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	stranger := classroom{signer: signer(t)}.room(t, c.admin)
	if is, err := stranger.Knows(t.Context(), "forged"); is != "" || err != nil {
		t.Errorf("another installation knows the class: %q, %v", is, err)
	}
	if is, err := c.Knows(t.Context(), "forged"); is == "" || err != nil {
		t.Errorf("its own does not: %q, %v", is, err)
	}
	copied := func(name string) *corev1.Namespace {
		return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: real.Labels, Annotations: real.Annotations}}
	}
	for _, name := range []string{"forged-s77", "payroll"} { // all that is written of ours, copied
		if _, err := c.kube.CoreV1().Namespaces().Create(t.Context(), copied(name), metav1.CreateOptions{FieldManager: "stepscale"}); err != nil {
			t.Fatal(err)
		}
	}
	apply := `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"forged-s78","labels":{"` + board.LabelClass + `":"forged","` + clusters.LabelManaged + `":"true","` + clusters.LabelOwner + `":"` + c.signer.Owner() + `"}}}`
	if err := c.kube.CoreV1().RESTClient().Patch("application/apply-patch+yaml").AbsPath("/api/v1/namespaces/forged-s78").Param("fieldManager", "stepscale").Param("force", "true").Body([]byte(apply)).Do(t.Context()).Error(); err != nil {
		t.Fatal(err)
	}
	relabel := []byte(`{"metadata":{"labels":{"` + board.LabelClass + `":"forged"}}}`) // one of ours, of another class
	if _, err := c.kube.CoreV1().Namespaces().Patch(t.Context(), "otherclass-s01", "application/merge-patch+json", relabel, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	f, err := c.Find(t.Context(), "forged")
	if err != nil || strings.Join(f.Seats, " ") != "forged-s01 forged-s02" || strings.Join(f.Foreign, " ") != "forged-s77 forged-s78 otherclass-s01 payroll" {
		t.Fatalf("found %+v, %v", f, err)
	}
	wider := c.spec
	wider.Seats = append(Anonymous("forged", 2), Seat{ID: "s77", Namespace: "forged-s77"})
	if _, err := c.Survey(t.Context(), wider); func() bool { var e *vpa.ForeignError; return !errors.As(err, &e) || len(e.Parts) != 1 }() {
		t.Errorf("a seat in somebody else's namespace: %v", err)
	}
	c.gone(t, "Namespace NAME-s77", "Namespace NAME-s78", "Namespace otherclass-s01", "Namespace payroll")
	c.provesOurs(t, "payroll")
	for _, name := range []string{"forged-s77", "forged-s78", "payroll", "otherclass-s01"} {
		if ns, err := c.kube.CoreV1().Namespaces().Get(context.Background(), name, metav1.GetOptions{}); err != nil || ns.DeletionTimestamp != nil {
			t.Errorf("%s of somebody else's: %v, %v", name, ns, err)
		}
	}
}

// provesOurs: what somebody has labelled in a namespace of theirs is not spoken of, and what
// bears our proof is left over wherever it is.
func (c classroom) provesOurs(t *testing.T, namespace string) {
	t.Helper()
	left := func() string {
		t.Helper()
		p, err := c.Prove(t.Context(), c.spec.Class)
		if err != nil || len(p.Unseen) > 0 {
			t.Fatal(p.Unseen, err)
		}
		var all []string
		for _, l := range p.Left {
			all = append(all, l.What)
		}
		slices.Sort(all)
		return strings.Join(all, " ")
	}
	labels := map[string]string{board.LabelClass: c.spec.Class}
	theirs := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "theirs", Labels: labels}}
	if _, err := c.kube.CoreV1().ConfigMaps(namespace).Create(t.Context(), theirs, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := left(); got != "" {
		t.Errorf("left of ours: %s", got)
	}
	ours := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "ours", Namespace: namespace, Labels: labels}}
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "ours-" + c.spec.Class, Labels: labels}}
	c.signer.Sign("ConfigMap", ours)
	c.signer.Sign("ClusterRole", role)
	_, err := c.kube.CoreV1().ConfigMaps(namespace).Create(t.Context(), ours, metav1.CreateOptions{})
	_, errRole := c.kube.RbacV1().ClusterRoles().Create(t.Context(), role, metav1.CreateOptions{})
	if err := errors.Join(err, errRole); err != nil {
		t.Fatal(err)
	}
	if got, want := left(), "clusterroles.rbac.authorization.k8s.io/"+role.Name+" configmaps/"+namespace+"/ours"; got != want {
		t.Errorf("left of ours: %s, not %s", got, want)
	}
	if err := c.kube.RbacV1().ClusterRoles().Delete(t.Context(), role.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// TestUnseenIsNoProof: what an instructor may not list, and a group that does not answer, are
// named, and nothing is proven.
func TestUnseenIsNoProof(t *testing.T) {
	t.Parallel()
	c := newClassroom(t, "unseen", 1)
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "unseen"}, Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"namespaces", "configmaps"}, Verbs: []string{"get", "list"}}}}
	binding := &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "unseen"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "unseen"}, Subjects: []rbacv1.Subject{{Kind: rbacv1.UserKind, Name: "half", APIGroup: rbacv1.GroupName}}}
	_, err := c.kube.RbacV1().ClusterRoles().Create(t.Context(), role, metav1.CreateOptions{})
	_, errBinding := c.kube.RbacV1().ClusterRoleBindings().Create(t.Context(), binding, metav1.CreateOptions{})
	if err = errors.Join(err, errBinding); err != nil {
		t.Fatal(err)
	}
	cfg := rest.CopyConfig(c.admin)
	cfg.Impersonate = rest.ImpersonationConfig{UserName: "half", Groups: []string{"system:authenticated"}}
	half := c.room(t, cfg)
	within(t, patience, "the authorizer has heard of the role", func() bool {
		_, err = half.Find(t.Context(), "unseen")
		return err == nil
	})
	p, err := half.Prove(t.Context(), "unseen")
	if err != nil || p.Holds() || !slices.Contains(p.Unseen, "secrets") || slices.Contains(p.Unseen, "configmaps") || strings.Contains(strings.Join(p.Looked, "\n"), "secrets") {
		t.Errorf("unseen %q, looked at %q, %v", p.Unseen, p.Looked, err)
	}
	half.discovery = deafGroup{half.discovery}
	if p, err = half.Prove(t.Context(), "unseen"); err != nil || p.Holds() || !slices.Contains(p.Unseen, "API 그룹 metrics.example.com/v1") {
		t.Errorf("a group that does not answer: %q, %v", p.Unseen, err)
	}
}

// deafGroup is a cluster with an aggregated API server that does not answer.
type deafGroup struct{ discovery.DiscoveryInterface }

func (d deafGroup) ServerPreferredResources() ([]*metav1.APIResourceList, error) {
	lists, err := d.DiscoveryInterface.ServerPreferredResources()
	gone := map[schema.GroupVersion]error{{Group: "metrics.example.com", Version: "v1"}: errors.New("the server is currently unable to handle the request")}
	return lists, errors.Join(err, &discovery.ErrGroupDiscoveryFailed{Groups: gone})
}
