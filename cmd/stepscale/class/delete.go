package class

import (
	"context"
	"regexp"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
)

const goingPoll = 500 * time.Millisecond

// Found is what of a class is on the cluster.
type Found struct {
	Home    bool
	Seats   []string // namespaces that this installation made
	Foreign []string // look as if they were the class's, and it is not proven that we made them

	uids map[string]types.UID
}

// HomeUID is that of the class's Home, as Room.Knows has it; empty where it is not there.
func (f Found) HomeUID(class string) string { return string(f.uids[board.Home(class)]) }

// Empty tells that there is nothing to delete.
func (f Found) Empty() bool { return !f.Home && len(f.Seats) == 0 }

// Find looks for all namespaces of a class, by label and by name, half-made ones too.
// Somebody else's, whatever its labels say, is only told of.
func (r *Room) Find(ctx context.Context, class string) (Found, error) {
	list, err := r.kube.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	f := Found{uids: map[string]types.UID{}}
	if err != nil {
		return f, err
	}
	for i := range list.Items {
		ns := &list.Items[i]
		switch {
		case ns.Labels[board.LabelClass] != class && !bearsName(class, ns.Name):
		case !r.ours(ns, class):
			f.Foreign = append(f.Foreign, ns.Name)
		default:
			if f.uids[ns.Name] = ns.UID; ns.Name == board.Home(class) {
				f.Home = true
			} else {
				f.Seats = append(f.Seats, ns.Name)
			}
		}
	}
	return f, nil
}

var seatName = regexp.MustCompile(`^s[0-9]{2,3}$`)

// bearsName tells of a name of a namespace whether it is one that a class gives.
func bearsName(class, namespace string) bool {
	seat, ok := strings.CutPrefix(namespace, class+"-")
	return namespace == board.Home(class) || ok && seatName.MatchString(seat)
}

// Delete deletes what was found, the learners' namespaces first: as long as Home is there,
// an interrupted deletion finds its class again. It returns when they are gone, or after
// patience.
func (r *Room) Delete(ctx context.Context, class string, f Found, patience time.Duration, told func(left int)) error {
	namespaces := r.kube.CoreV1().Namespaces()
	remove := func(ctx context.Context, name string) error {
		err := namespaces.Delete(ctx, name, metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(f.uids[name]))})
		if apierrors.IsNotFound(err) || apierrors.IsConflict(err) { // somebody else has the name by now
			return nil
		}
		return err
	}
	err := each(ctx, len(f.Seats), func(ctx context.Context, i int) error { return remove(ctx, f.Seats[i]) })
	if err == nil && f.Home {
		err = remove(ctx, board.Home(class))
	}
	if err != nil {
		return err
	}
	err = wait.PollUntilContextTimeout(ctx, goingPoll, patience, true, func(context.Context) (bool, error) { // which may be over in the midst of a call
		now, err := r.Find(ctx, class)
		left := len(now.Seats)
		if now.Home {
			left++
		}
		told(left)
		return now.Empty(), err
	})
	if wait.Interrupted(err) && ctx.Err() == nil {
		return nil // the proof tells what stays
	}
	return err
}
