package class

import (
	"context"
	"fmt"
	"sync/atomic"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
	"github.com/stepscale/stepscale/engine/vpa"
)

// Survey looks whether every namespace of the class is free or ours: a *vpa.ForeignError
// names those that somebody else made, and vpa.ErrGoing tells that one is being deleted. It
// counts those that are there, with one call.
func (r *Room) Survey(ctx context.Context, s Spec) (there int, err error) {
	wanted := map[string]bool{board.Home(s.Class): true}
	for _, seat := range s.Seats {
		wanted[seat.Namespace] = true
	}
	list, err := r.kube.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		return 0, err
	}
	foreign := &vpa.ForeignError{}
	for i := range list.Items {
		ns := &list.Items[i]
		switch {
		case !wanted[ns.Name]:
		case !r.ours(ns, s.Class):
			p := vpa.Prepared{Kind: kindNamespace, Name: ns.Name, There: true}
			p.Created, p.Labels = ns.CreationTimestamp.Time, ns.Labels
			for _, f := range ns.ManagedFields {
				p.Managers = append(p.Managers, f.Manager)
			}
			foreign.Parts = append(foreign.Parts, p)
		case ns.DeletionTimestamp != nil:
			return there, fmt.Errorf("%s: %w", ns.Name, vpa.ErrGoing)
		default:
			there++
		}
	}
	if len(foreign.Parts) > 0 {
		return there, foreign
	}
	return there, nil
}

// Made is how far the making of a class is.
type Made struct {
	Seats, Of int  // that are made, and to be made
	Uncounted bool // a quota is not counted yet: the learner can make nothing until it is
	Unfenced  bool // the API server does not follow the policy yet
}

// Create makes a class or brings it up to date: Home first, which says who is in it, then
// the seats side by side. It is safe to call twice, and after it was killed anywhere. told
// hears of every seat that is made.
func (r *Room) Create(ctx context.Context, s Spec, told func(Made)) (Made, error) {
	if err := r.createHome(ctx, s); err != nil {
		return Made{}, err
	}
	var made, uncounted atomic.Int32
	so := func() Made {
		return Made{Seats: int(made.Load()), Of: len(s.Seats), Uncounted: uncounted.Load() > 0}
	}
	err := each(ctx, len(s.Seats), func(ctx context.Context, i int) error {
		if err := r.createSeat(ctx, s, s.Seats[i]); err != nil {
			return fmt.Errorf("%s: %w", s.Seats[i].ID, err)
		}
		if uncounted.Load() == 0 { // one may wait, and the others then do not
			counted, err := r.fence.AwaitQuota(ctx, s.enrolled(r.signer, s.Seats[i]))
			if err != nil {
				return err
			}
			if !counted {
				uncounted.Add(1)
			}
		}
		made.Add(1)
		told(so())
		return nil
	})
	end := so()
	if err == nil && len(s.Seats) > 0 {
		var fenced bool
		fenced, err = r.fence.AwaitFence(ctx, s.student(s.Seats[len(s.Seats)-1]))
		end.Unfenced = !fenced
	}
	return end, err
}

// Save writes down what the class is.
func (r *Room) Save(ctx context.Context, s Spec) error {
	record, err := s.record(r.signer)
	if err != nil {
		return err
	}
	return r.apply(ctx, record)
}

func (r *Room) createHome(ctx context.Context, s Spec) error {
	home, err := s.homeNamespace(r.signer)
	if err == nil {
		err = r.apply(ctx, home)
	}
	if err == nil {
		err = r.Save(ctx, s)
	}
	if err != nil {
		return err
	}
	parts, err := s.parts(r.signer)
	if err != nil {
		return err
	}
	for _, obj := range parts { // a class that runs has something in them
		if _, err := r.objects.Create(ctx, obj); err != nil {
			return fmt.Errorf("%s %s: %w", obj.GetKind(), obj.GetName(), err)
		}
	}
	roles, err := s.listening(r.signer)
	if err != nil {
		return err
	}
	return r.apply(ctx, roles...)
}

func (r *Room) createSeat(ctx context.Context, s Spec, seat Seat) error {
	objects, err := s.of(r.signer, seat)
	if err != nil {
		return err
	}
	return r.apply(ctx, objects...)
}

func (r *Room) apply(ctx context.Context, objects ...*unstructured.Unstructured) error {
	for _, obj := range objects {
		if _, err := r.objects.Apply(ctx, obj); err != nil {
			return fmt.Errorf("%s %s: %w", obj.GetKind(), obj.GetName(), err)
		}
	}
	return nil
}

// revoke makes the tokens of a seat worthless: they are bound to the ServiceAccount, and
// another one of the same name does not take them.
func (r *Room) revoke(ctx context.Context, s Spec, seat Seat) error {
	err := r.kube.CoreV1().ServiceAccounts(board.Home(s.Class)).Delete(ctx, seat.ID, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	account, err := s.account(r.signer, seat)
	if err != nil {
		return err
	}
	return r.apply(ctx, account)
}
