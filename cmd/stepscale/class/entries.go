package class

import (
	"context"
	"errors"
	"fmt"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/clusters/eks"
	"github.com/stepscale/stepscale/cmd/stepscale/board"
)

// Entries are EKS's access entries: those who may come in by their AWS identity.
type Entries interface {
	Grant(context.Context, eks.Entry) error
	Revoke(ctx context.Context, principal string) error
	Entries(ctx context.Context, tags map[string]string) ([]eks.Entry, error)
}

// tags tell of an access entry that it is the class's, and this installation's.
func (r *Room) tags(class string) map[string]string {
	return map[string]string{board.LabelClass: class, clusters.LabelManaged: "true", clusters.LabelOwner: r.signer.Owner()}
}

// Grant lets the learners' AWS identities in, as the groups of their seats.
func (r *Room) Grant(ctx context.Context, s Spec, entries Entries) error {
	for _, seat := range s.Seats {
		err := entries.Grant(ctx, eks.Entry{Principal: seat.Principal, Groups: []string{s.group(seat)}, Tags: r.tags(s.Class)})
		if err != nil {
			return fmt.Errorf("%s: %w", seat.ID, err)
		}
	}
	return nil
}

// RevokeAll takes away every access entry of the class, and tells which ones.
func (r *Room) RevokeAll(ctx context.Context, class string, entries Entries) (gone []string, err error) {
	all, err := entries.Entries(ctx, r.tags(class))
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, e := range all {
		if err := entries.Revoke(ctx, e.Principal); err != nil {
			errs = append(errs, err)
			continue
		}
		gone = append(gone, e.Principal)
	}
	return gone, errors.Join(errs...)
}

// ProveEntries looks whether an access entry of the class is left.
func (r *Room) ProveEntries(ctx context.Context, class string, entries Entries, p *Proof) error {
	all, err := entries.Entries(ctx, r.tags(class))
	if err != nil {
		return err
	}
	p.Looked = append(p.Looked, "EKS의 액세스 항목: 태그 "+board.LabelClass+"="+class)
	for _, e := range all {
		p.Left = append(p.Left, Left{What: "access-entries/" + e.Principal})
	}
	return nil
}
