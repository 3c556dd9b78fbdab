package class

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
)

// TestNames: a class's name is a label's value and the beginning of names, and is not the one
// that a namespace of no class has; all of its seats bear it.
func TestNames(t *testing.T) {
	for name, ok := range map[string]bool{"k8s": true, "a": true, "true": false, "": false, "K8s": false, "8k": false, "a-": false, "a_b": false, strings.Repeat("a", 40): true, strings.Repeat("a", 41): false, "가": false} {
		if ValidName(name) != ok {
			t.Errorf("%q as a name: %t", name, !ok)
		}
	}
	for _, seat := range Anonymous("k8s", Most) {
		if !bearsName("k8s", seat.Namespace) || !seatName.MatchString(seat.ID) {
			t.Fatalf("%+v is not found again", seat)
		}
	}
	for _, foreign := range []string{"k8s-s1", "k8s-s1234", "k8s-prod", "k8s", "k8s-s01-x", "other-s01", board.Home("other")} {
		if bearsName("k8s", foreign) {
			t.Errorf("%s could be the class's", foreign)
		}
	}
}

// TestProofHolds: where nobody could look, nothing is proven.
func TestProofHolds(t *testing.T) {
	for _, c := range []struct {
		proof Proof
		want  bool
	}{{Proof{}, true}, {Proof{Left: []Left{{What: "x"}}}, false}, {Proof{Unseen: []string{"x"}}, false}} {
		if c.proof.Holds() != c.want {
			t.Errorf("%+v holds: %t", c.proof, !c.want)
		}
	}
}

// TestTokenEnds: the token of a learner ends with the class, also that of a class for exactly
// as long as a pod's token, which would live for a year.
func TestTokenEnds(t *testing.T) {
	t.Parallel()
	c := newClassroom(t, "tokenends", 1)
	now := time.Now()
	c.spec.Ends = now.Add(podsToken)
	c.create(t)
	file := NewFile(c.spec.Class, c.spec.Ends)
	handed, err := c.Hand(t.Context(), c.spec, c.spec.Seats, file, now)
	if err != nil {
		t.Fatal(err)
	}
	ticket, err := file.Open(handed[0].Code)
	if err != nil {
		t.Fatal(err)
	}
	review, err := kubernetes.NewForConfigOrDie(ticket.config(t)).AuthenticationV1().SelfSubjectReviews().Create(t.Context(), &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil || review.Status.UserInfo.Username != c.spec.User(c.spec.Seats[0]) {
		t.Fatal(err, review)
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(ticket.config(t).BearerToken, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	claims := struct{ Exp, Iat int64 }{}
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	if got := claims.Exp - claims.Iat; got > int64(podsToken/time.Second)+2 {
		t.Errorf("the token is for %d s", got)
	}
	account, err := c.kube.CoreV1().ServiceAccounts(board.Home("tokenends")).Get(t.Context(), "s01", metav1.GetOptions{})
	if err != nil || account.AutomountServiceAccountToken == nil || *account.AutomountServiceAccountToken || len(account.Secrets) > 0 {
		t.Errorf("pods of Home would get the learner's token: %+v, %v", account, err)
	}
}

// TestReplaced: a namespace that somebody made in the place of ours, after it was looked at, is
// not deleted; nor is one that was taken out of the class.
func TestReplaced(t *testing.T) {
	t.Parallel()
	c := newClassroom(t, "replaced", 1)
	c.create(t)
	f, err := c.Find(t.Context(), "replaced")
	if err != nil || len(f.Seats) != 1 {
		t.Fatal(f, err)
	}
	f.uids["replaced-s01"] = "11111111-1111-1111-1111-111111111111" // as it was before somebody made it anew
	if err := c.Delete(t.Context(), "replaced", f, time.Second, func(int) {}); err != nil {
		t.Fatal(err)
	}
	ns, err := c.kube.CoreV1().Namespaces().Get(t.Context(), "replaced-s01", metav1.GetOptions{})
	if err != nil || ns.DeletionTimestamp != nil {
		t.Errorf("another's namespace is deleted: %v", err)
	}
	relabel := func(class string) {
		t.Helper()
		patch := []byte(`{"metadata":{"labels":{"` + board.LabelClass + `":"` + class + `"}}}`)
		if _, err := c.kube.CoreV1().Namespaces().Patch(t.Context(), "replaced-s01", "application/merge-patch+json", patch, metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	relabel("kept") // by somebody who wants to keep it
	if f, err := c.Find(t.Context(), "replaced"); err != nil || len(f.Seats) != 0 || !slices.Equal(f.Foreign, []string{"replaced-s01"}) {
		t.Errorf("a namespace that was taken out of the class: %+v, %v", f, err)
	}
	relabel("replaced")
	c.gone(t)
}

// TestMembers: no group that others are in.
func TestMembers(t *testing.T) {
	s := Spec{Class: "k8s", Identity: IdentityToken, Seats: Anonymous("k8s", 2)}
	for _, m := range s.members() {
		if m.Name != "system:serviceaccounts:stepscale-class-k8s" {
			t.Errorf("%s is in the class", m.Name)
		}
	}
	s.Identity = IdentityGroup
	if got := s.members(); len(got) != 2 || slices.ContainsFunc(got, func(m rbacv1.Subject) bool { return strings.HasPrefix(m.Name, reserved) }) {
		t.Errorf("%+v", got)
	}
}

// TestListening: what every learner reads in Home is ConfigMaps, by the names of what is spoken,
// and nothing is written.
func TestListening(t *testing.T) {
	objects, err := Spec{Class: "k8s", Identity: IdentityToken}.listening(signer(t))
	if err != nil || len(objects) != 2 {
		t.Fatal(objects, err)
	}
	role := rbacv1.Role{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(objects[0].Object, &role); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, part := range spoken {
		names = append(names, board.Object(part))
	}
	want := []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: names, Verbs: []string{"get", "list", "watch"}}}
	if !reflect.DeepEqual(role.Rules, want) || slices.Contains(names, board.Object(PartClass)) {
		t.Errorf("learners may %+v", role.Rules)
	}
}
