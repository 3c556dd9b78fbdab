package cli

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
	"github.com/stepscale/stepscale/clusters/eks"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/scenarios"
)

// The kinds of which more than the object itself is to be undone.
const (
	kindHPA = "HorizontalPodAutoscaler"
	kindVPA = "VerticalPodAutoscaler"
)

// leftover is an object that this installation made.
type leftover struct {
	what   string
	remove func(context.Context) error
}

// leftovers are what clean finds. Their namespaces are locked until it has
// ended: no lesson begins where something is about to be removed.
type leftovers struct {
	found    []leftover
	unproven []string            // bear our labels, and no proof that we made them
	busy     error               // somebody plays in a namespace of ours
	locks    map[string]*os.File // by namespace
	state    state.Dir
	signer   state.Signer
}

// findLeftovers writes nothing.
func findLeftovers(ctx context.Context, state state.Dir, p target) (*leftovers, error) {
	signer, err := state.Signer()
	if err != nil {
		return nil, err
	}
	cluster := eks.New(p.attach)
	cfg, err := cluster.Up(ctx)
	if err != nil {
		return nil, problem.OfCluster(err)
	}
	l := &leftovers{state: state, signer: signer, locks: map[string]*os.File{}}
	mine := metav1.ListOptions{LabelSelector: clusters.LabelManaged + "=true," + clusters.LabelOwner + "=" + signer.Owner()}
	if p.namespace != "" {
		free, err := l.lock(cluster.Info().Name, p.namespace)
		if err == nil && free {
			err = l.findObjects(ctx, cfg, p.namespace, mine)
		}
		if err != nil {
			return l, err
		}
	}
	return l, l.findNamespaces(ctx, cfg, cluster.Info().Name, mine)
}

// proven tells of an object that a list by our labels has whether it is to be removed.
// What is going already is not spoken of.
func (l *leftovers) proven(kind, what string, o metav1.Object) bool {
	if o.GetDeletionTimestamp() != nil {
		return false
	}
	if !l.signer.Proves(kind, o) {
		l.unproven = append(l.unproven, what)
		return false
	}
	return true
}

func (l *leftovers) findNamespaces(ctx context.Context, cfg *rest.Config, cluster string, mine metav1.ListOptions) error {
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

var errPlaying = errors.New("다른 프로세스가 쓰고 있습니다")

// lock reports false where somebody plays.
func (l *leftovers) lock(cluster, namespace string) (bool, error) {
	if l.locks[namespace] != nil { // -n names one of ours
		return true, nil
	}
	lock, free, err := l.state.LockNamespace(cluster, namespace)
	if err != nil {
		return false, err
	}
	if !free {
		l.busy = &problem.Error{What: "네임스페이스 " + namespace + "에서 수업을 하고 있는 stepscale이 있어 남겨 두었습니다", Cause: errPlaying,
			Hint: "그 수업이 끝나면 스스로 지웁니다."}
		return false, nil
	}
	l.locks[namespace] = lock
	return true, nil
}

func (l *leftovers) unlock() error {
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
func (l *leftovers) findObjects(ctx context.Context, cfg *rest.Config, namespace string, mine metav1.ListOptions) error {
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
			_, err = client.Update(ctx, u, metav1.UpdateOptions{FieldManager: fieldManager})
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
func (l *leftovers) findCheckpoints(ctx context.Context, dyn dynamic.Interface, namespace, vpa string) error {
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
