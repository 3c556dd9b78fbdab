package vpa

import (
	"context"
	_ "embed" // the manifests
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	vpaapi "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/client/clientset/versioned/typed/autoscaling.k8s.io/v1"
	"k8s.io/client-go/dynamic"

	"github.com/stepscale/stepscale/clusters/manifest"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// The manifests are copies of VPA 1.8.1's deploy/vpa-v1-crd-gen.yaml and
// deploy/vpa-rbac.yaml: the module holds them outside of any Go package.
var (
	//go:embed manifests/crd.yaml
	crdManifest []byte
	//go:embed manifests/rbac.yaml
	rbacManifest []byte
)

// ErrForeign tells that somebody else runs a VPA on this cluster. Two
// recommenders would write one status, so the loops refuse to drive.
var ErrForeign = errors.New("VPA is already installed on this cluster, and not by stepscale")

const systemNamespace = metav1.NamespaceSystem

// deployment is what deploying the VPA made, outside of the lesson's namespace.
type deployment struct {
	cluster manifest.Client
	made    []madeObject
}

type madeObject struct {
	client dynamic.ResourceInterface
	kind   string
	name   string
}

// Deploy brings all parts that the seed's step 0 names. It is safe to call
// twice. The objects come last: the API server holds the first object of a new
// CRD back for two seconds after the CRD.
func (s *State) Deploy(ctx context.Context) error {
	for _, part := range []struct {
		name  string
		bring func(context.Context) error
	}{
		{"VPA의 권한", s.installRBAC}, {"VPA의 CRD", s.installCRDs}, {"VPA Admission Controller", s.startAdmission},
		{"VPA Recommender", s.startRecommender}, {"VPA Updater", s.startUpdater}, {"VPA 오브젝트", s.createObjects},
	} {
		done := s.starting(part.name)
		if err := part.bring(ctx); err != nil {
			return err
		}
		done()
	}
	return nil
}

func (s *State) starting(part string) (done func()) {
	if s.Starting == nil {
		return func() {}
	}
	return s.Starting(part)
}

// Deployed tells whether Admission is known.
func (s *State) Deployed() bool { return s.admission != nil || s.Admission != AdmissionWebhook }

func (s *State) deployer() (*deployment, error) {
	if s.deployed != nil {
		return s.deployed, nil
	}
	dyn, err := dynamic.NewForConfig(s.Identity(trace.ActorLearner))
	if err != nil {
		return nil, err
	}
	s.deployed = &deployment{cluster: manifest.Client{Dynamic: dyn, Mapper: s.AsLearner().Mapper}}
	return s.deployed, nil
}

// installCRDs makes the two resource types and waits until they are served.
func (s *State) installCRDs(ctx context.Context) error {
	if err := s.refuseForeign(ctx); err != nil {
		return err
	}
	if s.Shared {
		return s.requireTypes()
	}
	if err := s.install(ctx, crdManifest); err != nil {
		return err
	}
	err := s.Poll(ctx, startTimeout, func(context.Context) (bool, error) {
		served, err := s.servedResources()
		return len(served) == 2, err
	})
	if errors.Is(err, world.ErrStuck) {
		return errors.New("VPA의 CRD를 만들었지만 API 서버가 아직 제공하지 않습니다. 잠시 뒤 다시 실행해 주십시오")
	}
	return err
}

// startTimeout bounds, in machine time, how long a part may take to come up.
const startTimeout = 20 * time.Second

// servedResources are the resource types of autoscaling.k8s.io/v1 that the API
// server serves now, without their subresources.
func (s *State) servedResources() ([]string, error) {
	list, err := s.AsObserver().Kube.Discovery().ServerResourcesForGroupVersion(vpav1.SchemeGroupVersion.String())
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, r := range list.APIResources {
		if r.Name == "verticalpodautoscalers" || r.Name == "verticalpodautoscalercheckpoints" {
			names = append(names, r.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

func (s *State) installRBAC(ctx context.Context) error {
	if s.Shared {
		return nil // the components are the caller
	}
	return s.install(ctx, rbacManifest)
}

// refuseForeign looks for the Deployments of upstream's components. On a shared
// cluster an admission controller is welcome and another recommender harmless
// (sharedRecommender), but a second updater would evict our pods.
func (s *State) refuseForeign(ctx context.Context) error {
	list, err := s.AsObserver().Kube.AppsV1().Deployments(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if s.Unchecked = s.Shared && apierrors.IsForbidden(err); s.Unchecked {
		return nil
	}
	if err != nil {
		return err
	}
	refused := []string{ActorUpdater}
	if !s.Shared {
		refused = []string{ActorRecommender, ActorUpdater, ActorAdmission}
	}
	for _, d := range list.Items { // a chart puts its release's name before
		if slices.ContainsFunc(refused, func(name string) bool { return strings.HasSuffix(d.Name, name) }) {
			return foreign("Deployment", d.Namespace+"/"+d.Name)
		}
	}
	return nil
}

func foreign(kind, name string) error {
	return fmt.Errorf("%w: %s %s", ErrForeign, kind, name)
}

// install creates the objects of a manifest. What is there already must be ours.
func (s *State) install(ctx context.Context, text []byte) error {
	d, err := s.deployer()
	if err != nil {
		return err
	}
	return manifest.EachObject(text, func(obj *unstructured.Unstructured) error { return d.create(ctx, obj) })
}

// create makes an object, or takes up ours that a killed session left behind. What a class
// was prepared with (Class) is used, and stays.
func (d *deployment) create(ctx context.Context, obj *unstructured.Unstructured) error {
	client, err := d.cluster.Resource(obj)
	if err != nil {
		return err
	}
	there, err := d.cluster.Create(ctx, obj)
	if errors.Is(err, manifest.ErrForeign) {
		return foreign(obj.GetKind(), obj.GetName())
	}
	if err == nil && (there == nil || !applied(there)) {
		d.made = append(d.made, madeObject{client: client, kind: obj.GetKind(), name: obj.GetName()})
	}
	return err
}

// replace creates an object anew: what a killed session left behind points to
// a server that is gone.
func (d *deployment) replace(ctx context.Context, obj *unstructured.Unstructured) error {
	made := len(d.made)
	if err := d.create(ctx, obj); err != nil || len(d.made) == made {
		return err
	}
	client := d.made[made].client
	live, err := client.Get(ctx, obj.GetName(), metav1.GetOptions{})
	if err != nil {
		return err
	}
	obj.SetResourceVersion(live.GetResourceVersion())
	_, err = client.Update(ctx, obj, metav1.UpdateOptions{})
	return err
}

// remove deletes what was made, the last first, and the CRDs with every object
// of theirs.
func (d *deployment) remove(ctx context.Context) error {
	var errs []error
	for i := len(d.made) - 1; i >= 0; i-- {
		err := d.made[i].client.Delete(ctx, d.made[i].name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("delete %s %s: %w", d.made[i].kind, d.made[i].name, err))
		}
	}
	d.made = nil
	return errors.Join(errs...)
}

// madeTypes tells whether the CRDs are among what was made.
func (d *deployment) madeTypes() bool {
	return slices.ContainsFunc(d.made, func(o madeObject) bool { return o.kind == "CustomResourceDefinition" })
}

// awaitNoTypes waits until the API server has ended the deleted CRDs: who looks next would
// find types that are about to go.
func (s *State) awaitNoTypes(ctx context.Context) error {
	return s.Settle(ctx, func(context.Context) (bool, error) {
		served, err := s.servedResources()
		return len(served) == 0, err
	})
}

// createObjects creates the scenario's VPA objects, as the learner's kubectl apply.
func (s *State) createObjects(ctx context.Context) error {
	c, err := newClients(s.Identity(trace.ActorLearner))
	if err != nil {
		return err
	}
	vpas := c.vpa.AutoscalingV1().VerticalPodAutoscalers(s.Namespace)
	for _, o := range s.Objects {
		made, err := vpas.Create(ctx, s.object(o), metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			made, err = s.replaceObject(ctx, vpas, o)
		}
		if err != nil {
			return fmt.Errorf("VPA %s 만들지 못했습니다: %w", korean.Object(o.Name), err)
		}
		if s.created == nil {
			s.created = map[types.UID]string{}
		}
		s.created[made.UID] = made.Name
	}
	return nil
}

// replaceObject deals with a VPA that is there: one of this session's, when a step is
// run again; or what a killed session left behind; or somebody else's.
func (s *State) replaceObject(ctx context.Context, vpas vpaapi.VerticalPodAutoscalerInterface, o *vpav1.VerticalPodAutoscaler) (*vpav1.VerticalPodAutoscaler, error) {
	old, err := vpas.Get(ctx, o.Name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	if _, made := s.created[old.UID]; made {
		return old, nil
	}
	if !sameMarks(old, o) {
		return nil, fmt.Errorf("%w: %s/%s", ErrTaken, s.Namespace, o.Name)
	}
	if err := vpas.Delete(ctx, old.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &old.UID}}); err != nil {
		return nil, err
	}
	return vpas.Create(ctx, s.object(o), metav1.CreateOptions{})
}
