// Package vpa drives the three components of the Vertical Pod Autoscaler one
// step at a time. Recommender, updater and admission controller are upstream's
// code (k8s.io/autoscaler/vertical-pod-autoscaler); the updater's outer loop
// alone is ours, because upstream's reads the wall clock and cannot be stopped
// between its decision and the eviction.
package vpa

import (
	"context"
	"errors"
	"net"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	vpaclient "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/client/clientset/versioned"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/stepscale/stepscale/engine/world"
)

// The actors of the VPA loops, named as their Deployments are in upstream's
// manifests.
const (
	ActorRecommender = "vpa-recommender"
	ActorUpdater     = "vpa-updater"
	ActorAdmission   = "vpa-admission-controller"
	// ActorAPIServer admits by itself where a MutatingAdmissionPolicy says so.
	ActorAPIServer = "kube-apiserver"
)

// Usage is what a pod or a container used: millicores, and bytes of working set.
type Usage struct{ CPU, Memory int64 }

// State is what the steps of the VPA loops share. The upper part is set by the
// caller and not changed by a step.
type State struct {
	world.World
	VPA     string                         // name of the VerticalPodAutoscaler
	Objects []*vpav1.VerticalPodAutoscaler // what deploying brings beside the components
	Params  Params
	// Identity is the client configuration of one actor, its calls recorded.
	Identity func(actor string) *rest.Config
	// Past is what the containers used, by pod and name, at a moment since the load began. Only the
	// history loop asks for it.
	Past  func(elapsed time.Duration, pods []*corev1.Pod, now time.Time) map[string]map[string]Usage
	Begun time.Time // when the load began, in loop time

	// Shared is somebody else's cluster: nothing is made outside of the namespace, and
	// the components run as the caller.
	Shared       bool
	InPlaceFirst bool // on a shared cluster, also where the scenario says Recreate; see Mode
	// Listen opens what the webhook serves on, and says under which address the API
	// server reaches it. Reach asks from there. Both may be nil: loopback will do.
	Listen func(context.Context) (net.Listener, net.IP, error)
	Reach  func(ctx context.Context, url string) error

	// Starting is told of every part that Deploy brings, and calls what it returns when the
	// part is there. It may be nil.
	Starting func(part string) (done func())

	// Admission is who admits; set by deploying.
	Admission Admission
	// PolicyLeaves tells that the policy passes our VPA over: something else admits too.
	PolicyLeaves bool
	Unreachable  error // why it is not our webhook, where it could have been
	Unlabelled   bool  // the policy is there, and passes the namespace over for want of a label
	Unchecked    bool  // the caller may not look whether somebody else's updater runs

	observing   clients // of observer; made when first asked for
	deployed    *deployment
	recommender *recommender
	updater     *updater
	admission   *admission
	created     map[types.UID]string // the VPA objects, by name
	pass        pass
	series      []point
}

// pass is what the steps of one pass hand to each other.
type pass struct {
	model       *modelView
	decided     *decided
	known       map[types.UID]world.Fingerprint // pods before the updater moved
	disrupted   int                             // pods evicted in this pass
	evictions   map[types.UID]eviction          // of this pass, done or sent
	uncounted   bool                            // upstream's budget does not know of one whose answer was lost
	resized     []string                        // pods resized in place in this pass
	inPlaceOnly bool                            // nobody would give an evicted pod its size
	before      map[string]corev1.ResourceList  // requests by container, before
	skip        string
	vpa         *vpav1.VerticalPodAutoscaler // as read in this pass
	usage       Usage                        // mean of the pods of the VPA
	haveUsage   bool
	recommended bool
}

// clients are the API clients of one component.
type clients struct {
	config *rest.Config
	kube   kubernetes.Interface
	vpa    vpaclient.Interface
}

func newClients(cfg *rest.Config) (clients, error) {
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return clients{}, err
	}
	vpa, err := vpaclient.NewForConfig(cfg)
	return clients{config: cfg, kube: kube, vpa: vpa}, err
}

// Close stops the components and removes what deploying made.
func (s *State) Close(ctx context.Context) error {
	var err error
	if s.admission != nil {
		err = s.admission.stop()
	}
	if s.recommender != nil {
		s.recommender.stop()
	}
	if s.updater != nil {
		s.updater.stop()
	}
	err = errors.Join(err, s.removeObjects(ctx))
	if s.deployed != nil {
		types := s.deployed.madeTypes()
		err = errors.Join(err, s.deployed.remove(ctx))
		if types {
			err = errors.Join(err, s.awaitNoTypes(ctx))
		}
	}
	s.admission, s.recommender, s.updater, s.deployed = nil, nil, nil, nil
	return err
}
