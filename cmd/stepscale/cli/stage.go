package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/world"
	"github.com/stepscale/stepscale/scenarios"
)

const (
	applyTimeout = time.Minute
	fieldManager = "stepscale"
)

// clusterStage is a scenario on the embedded cluster with a loop in hand.
type clusterStage struct {
	conn      *connection
	scenario  *scenarios.Scenario
	namespace string
	kube      kubernetes.Interface
	local     clusters.Recorder // the calls of this process
	session   *engine.Session
	vpas      []*vpav1.VerticalPodAutoscaler // of the scenario, not applied yet
	closers   []func(context.Context) error  // what the loop started
	begun     time.Time                      // virtual time at which the load began
}

// openStage starts or finds the cluster, applies the scenario, and takes the
// loop in hand. The function it returns puts everything back.
func (a *app) openStage(ctx context.Context, loop, scenario string, out Progress) (Stage, func() error, error) {
	l, ok := loops[loop]
	if !ok {
		return nil, nil, usageError(fmt.Sprintf("루프 %q을(를) 모릅니다", loop), "쓸 수 있는 루프: "+strings.Join(a.loopNames(), ", "))
	}
	s, err := scenarios.Load(a.scenarios, scenario)
	if err != nil {
		return nil, nil, err
	}
	if lacks := l.needs(s); lacks != "" {
		return nil, nil, usageError(fmt.Sprintf("루프 %s에는 %s가 필요합니다: 시나리오 %s에는 없습니다", loop, lacks, scenario),
			fmt.Sprintf("scenario.yaml에 %s: 를 적은 시나리오를 골라 주십시오.", strings.ToLower(lacks)))
	}
	if a.conn == nil {
		if a.conn, err = connect(ctx, out.Phase); err != nil {
			return nil, nil, err
		}
	}
	stage := &clusterStage{conn: a.conn, scenario: s}
	begin := time.Now()
	out.Phase("시나리오 "+s.Name, 0)
	if err := stage.prepare(ctx, l); err != nil {
		return nil, nil, errors.Join(err, stage.close(ctx))
	}
	out.Phase("시나리오 "+s.Name, time.Since(begin))
	return stage, func() error { return stage.close(ctx) }, nil
}

// disconnect gives the cluster back, or takes it down if it is ours.
func (a *app) disconnect() error {
	if a.conn == nil {
		return nil
	}
	defer func() { a.conn = nil }()
	return a.conn.close()
}

func (s *clusterStage) Session() *engine.Session { return s.session }

func (s *clusterStage) Info() []string {
	kinds := "hpa,deploy,rs,pod"
	if len(s.vpas) > 0 {
		kinds = "vpa,deploy,rs,pod"
	}
	return []string{
		"export KUBECONFIG=" + s.conn.info.Kubeconfig,
		"kubectl get " + kinds + " -n " + s.namespace,
	}
}

// LoadChanged compares the load at the next pass with that of the pass just run.
func (s *clusterStage) LoadChanged() bool {
	elapsed := s.conn.sim.Since(s.begun)
	return s.scenario.Offered(elapsed) != s.scenario.Offered(elapsed-time.Second)
}

// prepare applies the scenario, waits until it runs, and lets the Metrics
// Server have its first look, so that the first pass finds a value.
func (s *clusterStage) prepare(ctx context.Context, l loop) error {
	var err error
	if s.kube, err = kubernetes.NewForConfig(s.conn.config); err != nil {
		return err
	}
	if err := s.apply(ctx); err != nil {
		return err
	}
	if err := s.waitRunning(ctx); err != nil {
		return err
	}
	if err := s.conn.sim.Advance(ctx, hpa.DefaultParams().SyncPeriod); err != nil {
		return err
	}
	if err := s.conn.sim.Scrape(ctx); err != nil {
		return err
	}
	if err := s.conn.sim.Hold(ctx, s.namespace); err != nil {
		return err
	}
	if err := s.conn.setLoad(s.namespace, s.scenario); err != nil {
		return err
	}
	s.begun = s.conn.sim.Now()
	frames, err := l.begin(ctx, s)
	if err != nil {
		return err
	}
	s.session = engine.NewSession(frames)
	return nil
}

// world is what every loop meets of the cluster; controller is the actor whose
// own calls the loop makes.
func (s *clusterStage) world(controller string) (world.World, error) {
	w := world.World{
		Namespace: s.namespace, Clock: s.conn.sim,
		Simulation: s.conn.sim, Gate: gateView{s.conn.sim}, Kubelet: kubeletView{s.conn.sim},
		Recorder: callView{s.conn.sim, &s.local}, Watches: watchView{s.conn.sim, &s.local},
	}
	var err error
	if w.Controller, err = world.NewClients(s.identity(controller)); err != nil {
		return w, err
	}
	if w.Learner, err = world.NewClients(s.identity(world.ActorLearner)); err != nil {
		return w, err
	}
	w.Observer, err = world.NewClients(s.conn.config)
	return w, err
}

// identity is a client configuration whose calls are recorded as the actor's.
func (s *clusterStage) identity(actor string) *rest.Config {
	cfg := rest.CopyConfig(s.conn.config)
	cfg.UserAgent = actor
	cfg.Wrap(s.local.Wrap(actor))
	return cfg
}

// close ends the loop and removes the scenario.
func (s *clusterStage) close(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	if s.session != nil {
		s.session.Close()
	}
	if s.kube == nil || s.namespace == "" {
		return nil
	}
	errs := []error{s.conn.sim.Release(ctx, s.namespace)}
	for _, c := range s.closers {
		errs = append(errs, c(ctx))
	}
	return errors.Join(append(errs, s.deleteNamespace(ctx))...)
}

// apply makes the namespace anew and applies the scenario's objects in it.
func (s *clusterStage) apply(ctx context.Context) error {
	if err := s.claimNamespace(ctx); err != nil {
		return err
	}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace, Labels: map[string]string{clusters.LabelManaged: "true"}}}
	if _, err := s.kube.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{FieldManager: fieldManager}); err != nil {
		return err
	}
	dyn, err := dynamic.NewForConfig(s.conn.config)
	if err != nil {
		return err
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(s.kube.Discovery()))
	return world.EachObject(s.scenario.Objects, func(obj *unstructured.Unstructured) error {
		if obj.GroupVersionKind().Group == vpav1.SchemeGroupVersion.Group { // its CRD comes with the VPA
			return s.keepVPA(obj)
		}
		if err := s.applyOne(ctx, dyn, mapper, obj); err != nil {
			return &userError{what: fmt.Sprintf("%s %s을(를) 적용하지 못했습니다", obj.GetKind(), obj.GetName()), cause: err,
				where: "scenarios/" + s.scenario.Name + "/objects.yaml", hint: "API 서버의 메시지를 보고 매니페스트를 고쳐 주십시오.", code: exitUsage}
		}
		return nil
	})
}

func (s *clusterStage) applyOne(ctx context.Context, dyn dynamic.Interface, mapper *restmapper.DeferredDiscoveryRESTMapper, obj *unstructured.Unstructured) error {
	gvk := obj.GroupVersionKind()
	mapping, err := mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return err
	}
	labels := obj.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[clusters.LabelManaged] = "true"
	obj.SetLabels(labels)
	obj.SetNamespace(s.namespace)
	_, err = dyn.Resource(mapping.Resource).Namespace(s.namespace).Apply(ctx, obj.GetName(), obj, metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
	return err
}

// keepVPA keeps a VPA object for the loop that deploys the VPA.
func (s *clusterStage) keepVPA(obj *unstructured.Unstructured) error {
	vpa := &vpav1.VerticalPodAutoscaler{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, vpa); err != nil {
		return err
	}
	vpa.Namespace = s.namespace
	metav1.SetMetaDataLabel(&vpa.ObjectMeta, clusters.LabelManaged, "true")
	s.vpas = append(s.vpas, vpa)
	return nil
}

// claimNamespace finds a name that is free. A namespace that a killed session
// left behind is deleted on the way, one that is not ours is left alone. Nobody
// waits for a deletion: it takes the namespace controller ten seconds.
func (s *clusterStage) claimNamespace(ctx context.Context) error {
	base := "stepscale-" + s.scenario.Name
	s.namespace = base
	for n := 2; ; n++ {
		ns, err := s.kube.CoreV1().Namespaces().Get(ctx, s.namespace, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if ns.Labels[clusters.LabelManaged] == "true" && ns.DeletionTimestamp == nil {
			if err := s.deleteNamespace(ctx); err != nil {
				return err
			}
		}
		s.namespace = fmt.Sprintf("%s-%d", base, n)
	}
}

func (s *clusterStage) deleteNamespace(ctx context.Context) error {
	err := s.kube.CoreV1().Namespaces().Delete(ctx, s.namespace, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// waitRunning waits until every Deployment of the scenario has all pods Ready.
func (s *clusterStage) waitRunning(ctx context.Context) error {
	err := wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, applyTimeout, true, func(ctx context.Context) (bool, error) {
		list, err := s.kube.AppsV1().Deployments(s.namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err
		}
		for _, d := range list.Items {
			if !allReady(d) {
				return false, nil
			}
		}
		return true, nil
	})
	if err != nil && ctx.Err() == nil {
		return &userError{what: "시나리오의 파드가 준비되지 않았습니다", cause: err, where: s.namespace,
			hint: "objects.yaml의 requests가 노드보다 크지 않은지 확인해 주십시오."}
	}
	return err
}

func allReady(d appsv1.Deployment) bool {
	return d.Status.ObservedGeneration >= d.Generation && d.Spec.Replicas != nil && d.Status.ReadyReplicas == *d.Spec.Replicas
}
