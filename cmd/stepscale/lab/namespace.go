package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/stepscale/stepscale/clusters/manifest"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/korean"
)

// namespacePrefix begins the name of every namespace that a stage makes.
const namespacePrefix = "stepscale-"

func (o *objects) makeNamespace(ctx context.Context) error {
	if o.access.Namespace != "" {
		lock, free, err := o.locker.lock(o.access.Namespace)
		if err == nil && !free {
			return &problem.Error{What: "네임스페이스 " + o.access.Namespace + "에서 다른 stepscale이 수업을 하고 있습니다", Code: problem.ExitUsage, Hint: "그 수업을 마치시거나, 다른 네임스페이스를 --namespace로 적어 주십시오."}
		}
		if err != nil {
			return err
		}
		o.lock, o.namespace = lock, o.access.Namespace
		_, err = o.kube.CoreV1().Namespaces().Get(ctx, o.namespace, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return &problem.Error{What: "네임스페이스 " + korean.Subject(o.namespace) + " 없습니다", Code: problem.ExitUsage, Hint: "이름을 확인하시거나, --namespace 없이 실행하시면 새로 만듭니다."}
		}
		if apierrors.IsForbidden(err) { // a student may not look at it, and work in it all the same
			return nil
		}
		return err
	}
	if err := o.claimNamespace(ctx); err != nil {
		return err
	}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: o.namespace, Labels: o.labels(nil)}}
	o.access.Signer.Sign(kindNamespace, ns)
	made, err := o.kube.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{FieldManager: manifest.FieldManager})
	o.uid = made.GetUID()
	if apierrors.IsForbidden(err) {
		o.namespace = ""
		return &problem.Error{What: "네임스페이스를 만들 권한이 없습니다", Cause: err, Hint: "강사에게 네임스페이스를 받아 --namespace 이름으로 실행해 주십시오."}
	}
	return err
}

// claimNamespace finds a name that is free. A namespace that a killed session
// left behind is deleted on the way; one that is not ours, or where another process
// plays, is left alone. Nobody waits for a deletion: it takes the namespace controller
// ten seconds.
func (o *objects) claimNamespace(ctx context.Context) error {
	base := namespacePrefix + o.scenario
	if o.access.shared() {
		base += "-" + o.access.Signer.Owner()
	}
	o.namespace = base
	for n := 2; ; n++ {
		free, err := o.claim(ctx)
		if err != nil || free {
			return err
		}
		o.namespace = fmt.Sprintf("%s-%d", base, n)
	}
}

// claim takes the name if nobody has it.
func (o *objects) claim(ctx context.Context) (bool, error) {
	lock, free, err := o.locker.lock(o.namespace)
	if err != nil || !free {
		return false, err
	}
	o.lock = lock
	ns, err := o.kube.CoreV1().Namespaces().Get(ctx, o.namespace, metav1.GetOptions{})
	if apierrors.IsNotFound(err) || apierrors.IsForbidden(err) { // to look; the answer to the creation counts
		return true, nil
	}
	if err == nil && o.ours(kindNamespace, ns) && ns.DeletionTimestamp == nil {
		err = o.deleteNamespace(ctx, ns.UID)
	}
	return false, errors.Join(err, o.unlock())
}

// unlock is safe to call twice.
func (o *objects) unlock() error {
	if o.lock == nil {
		return nil
	}
	lock := o.lock
	o.lock = nil
	return lock.Close()
}

// deleteNamespace deletes the namespace that was seen or made; none without a UID.
func (o *objects) deleteNamespace(ctx context.Context, uid types.UID) error {
	if uid == "" {
		return nil
	}
	return gone(o.kube.CoreV1().Namespaces().Delete(ctx, o.namespace, only(uid)))
}

// gone forgives a deletion of what is not there any more: of a conflict, too, where
// another object has got the name.
func gone(err error) error {
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}

// remove deletes what the stage made: the namespace, or in somebody else's the
// objects, the last first.
func (o *objects) remove(ctx context.Context) error {
	if o.access.Namespace == "" {
		return o.deleteNamespace(ctx, o.uid)
	}
	var errs []error
	for _, m := range slices.Backward(o.made) {
		errs = append(errs, gone(m.client.Delete(ctx, m.name, only(m.uid))))
	}
	return errors.Join(errs...)
}
