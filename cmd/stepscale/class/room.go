package class

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/workqueue"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/clusters/manifest"
	"github.com/stepscale/stepscale/cmd/stepscale/board"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine/vpa"
)

// How much of a class is made side by side, and how fast the cluster is asked: others use
// it too, and 200 seats are 1,800 calls.
const (
	workers       = 16
	roomQPS       = 100
	roomBurst     = 200
	kindNamespace = "Namespace"
)

// Room is the cluster in which a class is, in the hands of its instructor.
type Room struct {
	kube      kubernetes.Interface
	dynamic   dynamic.Interface
	discovery discovery.DiscoveryInterface
	objects   manifest.Client
	fence     *vpa.Class
	signer    state.Signer
	config    *rest.Config
}

// NewRoom looks at a cluster; nothing is written. The signer tells what this installation
// made from what anybody has put its labels on.
func NewRoom(cfg *rest.Config, signer state.Signer) (*Room, error) {
	cfg = rest.CopyConfig(cfg)
	cfg.QPS, cfg.Burst = roomQPS, roomBurst
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	objects, err := manifest.NewClient(cfg)
	if err != nil {
		return nil, err
	}
	fence, err := vpa.NewClass(cfg)
	return &Room{kube, objects.Dynamic, kube.Discovery(), objects, fence, signer, cfg}, err
}

// Ready tells whether the cluster is prepared for students (vpa.ErrNotInstalled).
func (r *Room) Ready(ctx context.Context) error { return r.fence.Ready(ctx) }

// each does something for n things side by side, and returns the first errors of them, in
// their order. After an error nothing new is begun.
func each(ctx context.Context, n int, do func(context.Context, int) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, n)
	workqueue.ParallelizeUntil(ctx, workers, n, func(i int) {
		if errs[i] = do(ctx, i); errs[i] != nil {
			cancel()
		}
	})
	first := slices.IndexFunc(errs, func(err error) bool { return err != nil && !errors.Is(err, context.Canceled) })
	if first >= 0 {
		return errs[first]
	}
	return errors.Join(errs...)
}

// ours tells of a namespace whether this installation made it for the class. The labels
// find it; the name, which nobody can change, and the proof, which nobody else can write,
// count.
func (r *Room) ours(ns *corev1.Namespace, class string) bool {
	return madeBy(r.signer, ns, class)
}

func madeBy(signer state.Signer, ns *corev1.Namespace, class string) bool {
	return bearsName(class, ns.Name) && ns.Labels[board.LabelClass] == class && ns.Labels[clusters.LabelManaged] == "true" && ns.Labels[clusters.LabelOwner] == signer.Owner() && signer.Proves(kindNamespace, ns)
}

// Knows is the UID of the class's Home where that is there, and was made with this room's
// key: it tells the class from others of its name. It is empty elsewhere.
func (r *Room) Knows(ctx context.Context, class string) (string, error) {
	ns, err := r.kube.CoreV1().Namespaces().Get(ctx, board.Home(class), metav1.GetOptions{})
	if apierrors.IsNotFound(err) || err == nil && !r.ours(ns, class) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return string(ns.UID), nil
}

// Load reads what a class is: board.ErrNoClass where there is none.
func (r *Room) Load(ctx context.Context, class string) (Spec, error) {
	cm, err := r.kube.CoreV1().ConfigMaps(board.Home(class)).Get(ctx, board.Object(PartClass), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return Spec{}, fmt.Errorf("%w: %s", board.ErrNoClass, class)
	}
	if err != nil {
		return Spec{}, err
	}
	s := Spec{}
	if err := json.Unmarshal([]byte(cm.Data[board.Key]), &s); err != nil || s.Class != class || len(s.Seats) > Most {
		return s, fmt.Errorf("%w: ConfigMap %s/%s", errNonsense, cm.Namespace, cm.Name)
	}
	return s, nil
}

var errNonsense = errors.New("수업의 기록을 읽을 수 없습니다")

// Listed is a class as a list of namespaces shows it.
type Listed struct {
	Class      string `json:"class"`
	Namespaces int    `json:"namespaces"` // of its learners
	Home       bool   `json:"home"`       // board.Home is there
	Ours       bool   `json:"ours"`       // this installation made it, or has its key
	Adopted    bool   `json:"adopted,omitempty"`
	Going      bool   `json:"going"` // it is being deleted
}

// List finds the classes of the cluster, half-made ones too, with one call. signers are the
// keys that a class may have been made with, our own first.
func (r *Room) List(ctx context.Context, signers func(class string) ([]state.Signer, error)) ([]Listed, error) {
	list, err := r.kube.CoreV1().Namespaces().List(ctx, metav1.ListOptions{LabelSelector: board.LabelClass})
	if err != nil {
		return nil, err
	}
	var all []Listed
	for i := range list.Items {
		ns := &list.Items[i]
		class := ns.Labels[board.LabelClass]
		if class == "true" { // `class namespace` made it, for nobody's class
			continue
		}
		at := slices.IndexFunc(all, func(l Listed) bool { return l.Class == class })
		if at < 0 {
			all, at = append(all, Listed{Class: class, Ours: true}), len(all)
		}
		if ns.Name == board.Home(class) {
			all[at].Home = true
		} else {
			all[at].Namespaces++
		}
		keys, err := signers(class)
		if err != nil {
			return nil, err
		}
		by := slices.IndexFunc(keys, func(s state.Signer) bool { return madeBy(s, ns, class) })
		all[at].Ours, all[at].Adopted = all[at].Ours && by >= 0, by > 0
		all[at].Going = all[at].Going || ns.DeletionTimestamp != nil
	}
	slices.SortFunc(all, func(a, b Listed) int { return strings.Compare(a.Class, b.Class) })
	return all, nil
}

// Present are the seats whose namespace is there and ours, by their ID.
func (r *Room) Present(ctx context.Context, s Spec) (map[string]bool, error) {
	list, err := r.kube.CoreV1().Namespaces().List(ctx, metav1.ListOptions{LabelSelector: board.LabelClass + "=" + s.Class})
	if err != nil {
		return nil, err
	}
	present := map[string]bool{}
	for i := range list.Items {
		if ns := &list.Items[i]; r.ours(ns, s.Class) && ns.DeletionTimestamp == nil {
			present[ns.Labels[board.LabelSeat]] = true
		}
	}
	delete(present, "")
	return present, nil
}
