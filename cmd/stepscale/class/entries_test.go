package class

import (
	"context"
	"errors"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/clusters/eks"
	"github.com/stepscale/stepscale/cmd/stepscale/board"
)

// account is an AWS account's access entries; clusters/eks has what goes over the wire.
type account map[string]eks.Entry

func (a account) Grant(_ context.Context, e eks.Entry) error {
	if old, there := a[e.Principal]; there && old.Tags[board.LabelClass] != e.Tags[board.LabelClass] {
		return eks.ErrForeignEntry
	}
	a[e.Principal] = e
	return nil
}

func (a account) Revoke(_ context.Context, principal string) error {
	delete(a, principal)
	return nil
}

func (a account) Entries(_ context.Context, tags map[string]string) (all []eks.Entry, err error) {
	for _, e := range a {
		fits := true
		for k, v := range tags {
			fits = fits && e.Tags[k] == v
		}
		if fits {
			all = append(all, e)
		}
	}
	return all, nil
}

// TestIdentityEKS: learners with AWS identities are bound by the groups that their access
// entries give, without an account or a token, and what is left of the entries is told.
func TestIdentityEKS(t *testing.T) {
	t.Parallel()
	c := newClassroom(t, "iam", 2)
	c.spec.Identity, c.spec.Cluster, c.spec.Region = IdentityEKS, "eks-1", "ap-northeast-2"
	c.spec.Seats[0].Principal, c.spec.Seats[1].Principal = "arn:aws:iam::1:role/a", "arn:aws:iam::1:role/b"
	c.create(t)
	a := account{}
	for range 2 {
		if err := c.Grant(t.Context(), c.spec, a); err != nil {
			t.Fatal(err)
		}
	}
	binding, err := c.kube.RbacV1().RoleBindings("iam-s02").Get(t.Context(), "stepscale-student", metav1.GetOptions{})
	want := rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: a["arn:aws:iam::1:role/b"].Groups[0]}
	if err != nil || len(binding.Subjects) != 1 || binding.Subjects[0] != want {
		t.Errorf("bound are %+v, %v", binding.Subjects, err)
	}
	home, err := c.kube.RbacV1().RoleBindings(board.Home("iam")).Get(t.Context(), listener, metav1.GetOptions{})
	if err != nil || len(home.Subjects) != 2 || home.Subjects[1] != want {
		t.Errorf("who listens: %+v, %v", home, err)
	}
	if accounts, err := c.kube.CoreV1().ServiceAccounts(board.Home("iam")).List(t.Context(), metav1.ListOptions{LabelSelector: board.LabelClass}); err != nil || len(accounts.Items) > 0 {
		t.Errorf("accounts: %v, %v", accounts, err)
	}
	_, tickets := c.hand(t)
	if x := tickets[1]; x.EKS != "eks-1" || x.Region != "ap-northeast-2" || len(x.Kubeconfig) > 0 || x.Namespace != "iam-s02" {
		t.Errorf("the ticket has %+v", x)
	}
	var p Proof
	if err := c.ProveEntries(t.Context(), "iam", a, &p); err != nil || len(p.Left) != 2 {
		t.Errorf("left are %+v, %v", p, err)
	}
	a["arn:aws:iam::1:role/theirs"] = eks.Entry{Principal: "arn:aws:iam::1:role/theirs", Tags: map[string]string{board.LabelClass: "iam"}}
	gone, err := c.RevokeAll(t.Context(), "iam", a)
	if err != nil || len(gone) != 2 || len(a) != 1 {
		t.Errorf("revoked %q, and %v stay, %v", gone, a, err)
	}
	a["arn:aws:iam::1:role/a"] = eks.Entry{Tags: map[string]string{board.LabelClass: "another"}}
	if err := c.Grant(t.Context(), c.spec, a); !errors.Is(err, eks.ErrForeignEntry) {
		t.Errorf("an entry of another class's: %v", err)
	}
}
