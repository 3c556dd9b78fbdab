package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/retry"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/clusters/manifest"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/scenarios"
)

// leftover is an object that this installation made.
type leftover struct {
	what   string
	remove func(context.Context) error
}

// Leftovers are what this installation has left on a cluster. Their namespaces are locked until it has
// ended: no lesson begins where something is about to be removed.
type Leftovers struct {
	Unproven []string // bear our labels, and no proof that we made them
	Busy     error    // somebody plays in a namespace of ours; ErrPlaying

	found  []leftover
	locks  map[string]*os.File // by namespace
	home   state.Dir
	signer state.Signer
}

// Found names what is to be removed.
func (l *Leftovers) Found() (names []string) {
	for _, one := range l.found {
		names = append(names, one.what)
	}
	return names
}

// Clean removes what this installation made on a cluster of somebody else's: its
// namespaces, and its objects in a namespace that somebody made for us. It returns what it
// removed; agree is asked before.
func Clean(ctx context.Context, home state.Dir, t Target, agree func(*Leftovers) error) (removed []string, err error) {
	l, err := findLeftovers(ctx, home, t)
	if l != nil {
		defer func() { err = errors.Join(err, l.unlock()) }()
	}
	if err != nil {
		return nil, err
	}
	if err := agree(l); err != nil {
		return nil, err
	}
	for _, one := range l.found {
		err := one.remove(ctx)
		if err != nil && gone(err) == nil {
			continue
		}
		if err != nil {
			return removed, err
		}
		removed = append(removed, one.what)
	}
	return removed, l.Busy
}

// findLeftovers writes nothing.
func findLeftovers(ctx context.Context, home state.Dir, t Target) (*Leftovers, error) {
	signer, err := home.Signer()
	if err != nil {
		return nil, err
	}
	cluster := t.Attach.Open()
	cfg, err := cluster.Up(ctx)
	if err != nil {
		return nil, problem.OfCluster(err)
	}
	l := &Leftovers{home: home, signer: signer, locks: map[string]*os.File{}}
	mine := metav1.ListOptions{LabelSelector: clusters.LabelManaged + "=true," + clusters.LabelOwner + "=" + signer.Owner()}
	if t.Namespace != "" {
		free, err := l.lock(cluster.Info().Name, t.Namespace)
		if err == nil && free {
			err = l.findObjects(ctx, cfg, t.Namespace, mine)
		}
		if err != nil {
			return l, err
		}
	}
	return l, l.findNamespaces(ctx, cfg, cluster.Info().Name, mine)
}

// proven tells of an object that a list by our labels has whether it is to be removed.
// What is going already is not spoken of.
func (l *Leftovers) proven(kind, what string, o metav1.Object) bool {
	if o.GetDeletionTimestamp() != nil {
		return false
	}
	if !l.signer.Proves(kind, o) {
		l.Unproven = append(l.Unproven, what)
		return false
	}
	return true
}

func (l *Leftovers) findNamespaces(ctx context.Context, cfg *rest.Config, cluster string, mine metav1.ListOptions) error {
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	namespaces := kube.CoreV1().Namespaces()
	list, err := namespaces.List(ctx, mine)
	if apierrors.IsForbidden(err) { // then we have made none
		return nil
	}
	if err != nil {
		return err
	}
	for i := range list.Items {
		ns := &list.Items[i]
		what := "namespace/" + ns.Name
		if !l.proven(kindNamespace, what, ns) || !strings.HasPrefix(ns.Name, namespacePrefix) {
			continue
		}
		if free, err := l.lock(cluster, ns.Name); err != nil {
			return err
		} else if free {
			l.found = append(l.found, leftover{what, func(ctx context.Context) error { return namespaces.Delete(ctx, ns.Name, only(ns.UID)) }})
		}
	}
	return nil
}

// ErrPlaying tells that somebody plays where something is to be removed.
var ErrPlaying = errors.New("다른 프로세스가 쓰고 있습니다")

// lock reports false where somebody plays.
func (l *Leftovers) lock(cluster, namespace string) (bool, error) {
	if l.locks[namespace] != nil { // -n names one of ours
		return true, nil
	}
	lock, free, err := l.home.LockNamespace(cluster, namespace)
	if err != nil {
		return false, err
	}
	if !free {
		l.Busy = &problem.Error{What: "네임스페이스 " + namespace + "에서 수업을 하고 있는 stepscale이 있어 남겨 두었습니다", Cause: ErrPlaying,
			Hint: "그 수업이 끝나면 스스로 지웁니다."}
		return false, nil
	}
	l.locks[namespace] = lock
	return true, nil
}

func (l *Leftovers) unlock() error {
	var errs []error
	for _, s := range l.locks {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// only deletes the object that was seen, and none that has got its name since.
func only(uid types.UID) metav1.DeleteOptions {
	return metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}, PropagationPolicy: new(metav1.DeletePropagationBackground)}
}

// findObjects finds what is ours in a namespace of somebody else's, the autoscalers
// first.
func (l *Leftovers) findObjects(ctx context.Context, cfg *rest.Config, namespace string, mine metav1.ListOptions) error {
	dyn, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return err
	}
	for _, k := range scenarios.Kinds() { // and the load generator's are among them
		client := dyn.Resource(k.Resource).Namespace(namespace)
		list, err := client.List(ctx, mine)
		if k.Kind != kindHPA && (apierrors.IsNotFound(err) || apierrors.IsForbidden(err)) { // no VPA here, or none for us
			continue
		}
		if err != nil {
			return err
		}
		for i := range list.Items {
			o := &list.Items[i]
			what := fmt.Sprintf("%s/%s (%s)", strings.ToLower(k.Kind), o.GetName(), namespace)
			if !l.proven(k.Kind, what, o) {
				continue
			}
			one := leftover{what, func(ctx context.Context) error { return client.Delete(ctx, o.GetName(), only(o.GetUID())) }}
			switch k.Kind {
			case kindHPA:
				one.remove = disarmedFirst(client, o)
			case kindVPA:
				if err := l.findCheckpoints(ctx, dyn, namespace, o.GetName()); err != nil {
					return err
				}
			}
			l.found = append(l.found, one)
		}
	}
	return nil
}

// disarmedFirst gives a disarmed HPA its true spec back before it is deleted, so that
// nothing is left disarmed where the deletion is refused.
func disarmedFirst(client dynamic.ResourceInterface, o *unstructured.Unstructured) func(context.Context) error {
	return func(ctx context.Context) error {
		err := retry.RetryOnConflict(retry.DefaultRetry, func() error { // the cluster's controller writes its status
			live, err := client.Get(ctx, o.GetName(), metav1.GetOptions{})
			if err != nil || live.GetUID() != o.GetUID() {
				return err
			}
			h := &autoscalingv2.HorizontalPodAutoscaler{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(live.Object, h); err != nil {
				return err
			}
			armed, err := hpa.Rearm(h)
			if err != nil {
				return err
			}
			u, err := toUnstructured(armed)
			if err != nil {
				return err
			}
			u.SetGroupVersionKind(live.GroupVersionKind())
			_, err = client.Update(ctx, u, metav1.UpdateOptions{FieldManager: manifest.FieldManager})
			return err
		})
		if err != nil {
			return err
		}
		return client.Delete(ctx, o.GetName(), only(o.GetUID()))
	}
}

// findCheckpoints finds those of a VPA of ours: the recommender that makes them marks
// nothing.
func (l *Leftovers) findCheckpoints(ctx context.Context, dyn dynamic.Interface, namespace, vpa string) error {
	checkpoints := dyn.Resource(vpav1.SchemeGroupVersion.WithResource("verticalpodautoscalercheckpoints")).Namespace(namespace)
	list, err := checkpoints.List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for i := range list.Items {
		c := &list.Items[i]
		if of, _, _ := unstructured.NestedString(c.Object, "spec", "vpaObjectName"); of != vpa {
			continue
		}
		l.found = append(l.found, leftover{fmt.Sprintf("vpacheckpoint/%s (%s)", c.GetName(), namespace),
			func(ctx context.Context) error { return checkpoints.Delete(ctx, c.GetName(), only(c.GetUID())) }})
	}
	return nil
}
