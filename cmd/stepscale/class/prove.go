package class

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
)

// Proof is what was looked at after a class was deleted, and what is left of it.
type Proof struct {
	Looked []string // each place and what it was searched by
	Left   []Left
	Unseen []string // where nobody could look: nothing is proven there
}

// Holds tells that nothing is left, and that everything was seen.
func (p Proof) Holds() bool { return len(p.Left) == 0 && len(p.Unseen) == 0 }

// Left is an object that stays, and what keeps it.
type Left struct {
	What       string   `json:"what"`
	Finalizers []string `json:"finalizers,omitempty"`
	Why        string   `json:"why,omitempty"` // the namespace controller's words
}

// Prove looks whether anything of a class is left: namespaces by label and by name, and
// every kind that the API server lists, cluster-scoped ones included, by the class's label.
// What somebody else labelled so in a namespace of theirs is not ours, and not spoken of.
func (r *Room) Prove(ctx context.Context, class string) (Proof, error) {
	p := Proof{Looked: []string{
		"네임스페이스: 레이블 " + board.LabelClass + "=" + class,
		"네임스페이스: 이름 " + board.Home(class) + ", " + class + "-sNN",
	}}
	if err := r.namespacesLeft(ctx, class, &p); err != nil {
		return p, err
	}
	kinds, unseen, err := r.kinds()
	if err != nil {
		return p, err
	}
	for _, group := range unseen {
		p.Unseen = append(p.Unseen, "API 그룹 "+group)
	}
	type answer struct {
		left []Left
		no   error
	}
	answers := make([]answer, len(kinds))
	err = each(ctx, len(kinds), func(ctx context.Context, i int) error {
		left, err := r.labelled(ctx, class, kinds[i])
		if apierrors.IsForbidden(err) || apierrors.IsServiceUnavailable(err) {
			answers[i].no, err = err, nil
		}
		answers[i].left = left
		return err
	})
	if err != nil {
		return p, err
	}
	scopes := map[bool][]string{}
	for i, k := range kinds {
		p.Left = append(p.Left, answers[i].left...)
		if answers[i].no != nil {
			p.Unseen = append(p.Unseen, k.name())
			continue
		}
		scopes[k.namespaced] = append(scopes[k.namespaced], k.name())
	}
	for _, scope := range []struct {
		namespaced bool
		what       string
	}{{false, "클러스터 범위의 종류"}, {true, "모든 네임스페이스의 종류"}} {
		all := scopes[scope.namespaced]
		p.Looked = append(p.Looked, fmt.Sprintf("%s %d가지: 레이블 %s=%s (%s)", scope.what, len(all), board.LabelClass, class, strings.Join(all, ", ")))
	}
	return p, nil
}

func (r *Room) namespacesLeft(ctx context.Context, class string, p *Proof) error {
	f, err := r.Find(ctx, class)
	if err != nil {
		return err
	}
	left := f.Seats
	if f.Home {
		left = append(left, board.Home(class))
	}
	for _, name := range left {
		ns, err := r.kube.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		l := Left{What: "namespaces/" + name, Finalizers: slices.Clone(ns.Finalizers)}
		for _, f := range ns.Spec.Finalizers {
			l.Finalizers = append(l.Finalizers, string(f))
		}
		for _, c := range ns.Status.Conditions {
			if c.Status == corev1.ConditionTrue {
				l.Why = strings.TrimSpace(l.Why + " " + c.Message)
			}
		}
		p.Left = append(p.Left, l)
	}
	return nil
}

// kind is one that can be listed.
type kind struct {
	schema.GroupVersionResource
	namespaced bool
}

func (k kind) name() string { return k.GroupResource().String() }

// kinds are all that the API server lists but namespaces, and the groups that do not answer.
func (r *Room) kinds() (all []kind, unseen []string, err error) {
	lists, err := r.discovery.ServerPreferredResources()
	if failed, ok := discovery.GroupDiscoveryFailedErrorGroups(err); ok {
		for gv := range failed {
			unseen = append(unseen, gv.String())
		}
		slices.Sort(unseen)
		err = nil
	}
	if err != nil {
		return nil, nil, err
	}
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, nil, err
		}
		for _, of := range list.APIResources {
			if slices.Contains(of.Verbs, "list") && slices.Contains(of.Verbs, "delete") && !(gv.Group == "" && of.Name == "namespaces") {
				all = append(all, kind{gv.WithResource(of.Name), of.Namespaced})
			}
		}
	}
	slices.SortFunc(all, func(a, b kind) int { return strings.Compare(a.name(), b.name()) })
	return all, unseen, nil
}

// labelled are the objects of a kind that bear the class's label, and are provably ours.
func (r *Room) labelled(ctx context.Context, class string, k kind) (left []Left, err error) {
	list, err := r.dynamic.Resource(k.GroupVersionResource).List(ctx, metav1.ListOptions{LabelSelector: board.LabelClass + "=" + class})
	if apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for i := range list.Items {
		if obj := &list.Items[i]; r.signer.Proves(obj.GetKind(), obj) {
			left = append(left, Left{What: k.name() + "/" + path(obj), Finalizers: obj.GetFinalizers()})
		}
	}
	return left, nil
}

func path(o *unstructured.Unstructured) string {
	if ns := o.GetNamespace(); ns != "" {
		return ns + "/" + o.GetName()
	}
	return o.GetName()
}
