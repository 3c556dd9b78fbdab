// Package lab is a scenario on a cluster with a loop in hand: it is opened, stepped
// through, and taken down again, also after a kill. It prints nothing.
package lab

import (
	"context"
	"errors"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/vpa"
	"github.com/stepscale/stepscale/scenarios"
)

// Phases is told what is starting (took is zero) and how long it took. It may
// be called from several goroutines at once.
type Phases interface {
	Phase(name string, took time.Duration)
	// Note is told why something that is starting still waits.
	Note(text string)
}

// Options say what is opened, and on which cluster.
type Options struct {
	Cluster  Cluster
	Loop     Loop
	Scenario *scenarios.Scenario // that has all that the loop needs; see Loop.Scenario
	Phases   Phases
}

// Stage is a cluster with a scenario on it and a loop in hand.
type Stage struct {
	Options
	site    site
	objects objects
	session *engine.Session
	calls   clusters.Recorder // of this process
	begun   time.Time         // loop time at which the load began
	told    string            // why pods are waited for, the last that was told

	unapplied bool                           // the HPA is not an object of the cluster
	vpas      []*vpav1.VerticalPodAutoscaler // of the scenario: they come with the VPA
	pools     []*unstructured.Unstructured   // NodePools of the scenario: they come with Karpenter
	vpaState  *vpa.State                     // of the loops that have one
	closers   []func(context.Context) error  // what the loop started
}

// Open applies the scenario, waits until it runs, and takes the loop in hand. What goes
// wrong leaves nothing behind.
func Open(ctx context.Context, o Options) (*Stage, error) {
	s := newStage(o)
	if err := s.site.admit(ctx); err != nil {
		return nil, err
	}
	begin := time.Now()
	o.Phases.Phase("시나리오 "+o.Scenario.Name, 0)
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.Close(ctx))
	}
	o.Phases.Phase("시나리오 "+o.Scenario.Name, time.Since(begin))
	return s, nil
}

func newStage(o Options) *Stage {
	s := &Stage{Options: o, objects: objects{scenario: o.Scenario.Name, access: o.Cluster.Access()}}
	s.site = o.Cluster.site(s)
	s.objects.locker = s.site
	return s
}

// Session steps through the loop.
func (s *Stage) Session() *engine.Session { return s.session }

// Namespace is that of the scenario.
func (s *Stage) Namespace() string { return s.objects.namespace }

// Info describes the stage to the learner.
func (s *Stage) Info() engine.Info {
	kinds := "hpa,deploy,rs,pod"
	switch {
	case s.vpaState != nil && !s.vpaState.Deployed(): // its CRD comes with a step
		kinds = "deploy,rs,pod"
	case len(s.vpas) > 0:
		kinds = "vpa,deploy,rs,pod"
	case len(s.pools) > 0:
		kinds = "nodepool,nodeclaim,node,deploy,pod"
	case len(s.Scenario.Groups) > 0:
		kinds = "node,deploy,pod"
	case s.unapplied:
		kinds = "deploy,rs,pod"
	}
	if slices.Contains(s.Loop.Needs, engine.NeedsHPA) && len(s.Scenario.Nodes()) > 0 {
		kinds = "hpa," + kinds
	}
	info := engine.Info{Kubectl: []string{view.Export("KUBECONFIG", s.objects.access.Info.Kubeconfig), view.Export("NS", s.Namespace()), "kubectl get " + kinds + " -n $NS"}}
	info.Policy = s.vpaState != nil && s.vpaState.Admission == vpa.AdmissionPolicy
	s.site.describe(&info)
	info.Flags = s.flagNote()
	return info
}

// LoadChanged compares the load at the next pass with that of the pass just run.
func (s *Stage) LoadChanged() bool { return s.site.loadChanged() }

// Skew is how far this machine's clock is ahead of the API server's. It is asked when
// credentials were refused, so it sends none.
func (s *Stage) Skew(ctx context.Context) (time.Duration, error) {
	return clusters.Skew(ctx, rest.AnonymousClientConfig(s.objects.access.Config), clock.RealClock{})
}

// prepare applies the scenario, waits until it runs and is measured, and takes
// the loop in hand.
func (s *Stage) prepare(ctx context.Context) error {
	if err := s.objects.connect(); err != nil {
		return err
	}
	if err := s.site.stock(ctx); err != nil {
		return err
	}
	if err := s.fits(ctx); err != nil {
		return err
	}
	if err := s.apply(ctx); err != nil {
		return err
	}
	if err := s.waitRunning(ctx); err != nil {
		return err
	}
	if err := s.site.begin(ctx); err != nil {
		return err
	}
	s.begun = s.objects.access.Clock.Now()
	frames, err := s.Loop.begin(ctx, s)
	if err != nil {
		return err
	}
	s.session = engine.NewSession(s.site.frames(ctx, frames))
	return nil
}

// apply makes the namespace, unless somebody made one for us, and applies the
// scenario's objects in it.
func (s *Stage) apply(ctx context.Context) error {
	if err := s.objects.makeNamespace(ctx); err != nil {
		return err
	}
	for _, obj := range s.Scenario.Parts() {
		if err := s.applyPart(ctx, obj); err != nil {
			return err
		}
	}
	if s.objects.access.Namespace == "" {
		return nil
	}
	return clusters.Wake(ctx, s.objects.kube, s.Namespace()) // an earlier lesson's may have been parked
}

func (s *Stage) applyPart(ctx context.Context, obj *unstructured.Unstructured) error {
	if obj.GroupVersionKind().Group == vpav1.SchemeGroupVersion.Group { // its CRD comes with the VPA
		return s.keepVPA(obj)
	}
	if obj.GetKind() == kindNodePool { // as its CRD, with Karpenter
		s.pools = append(s.pools, obj)
		return nil
	}
	if applied, err := s.site.fit(obj); err != nil || !applied {
		return err
	}
	return s.objects.apply(ctx, obj)
}

// keepVPA keeps a VPA object for the loop that deploys the VPA.
func (s *Stage) keepVPA(obj *unstructured.Unstructured) error {
	vpa := &vpav1.VerticalPodAutoscaler{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, vpa); err != nil {
		return err
	}
	vpa.Namespace = s.Namespace()
	vpa.Labels = s.objects.labels(vpa.Labels)
	s.objects.access.Signer.Sign(obj.GetKind(), vpa)
	s.vpas = append(s.vpas, vpa)
	return nil
}

// elapsed is how long the load has been offered.
func (s *Stage) elapsed() time.Duration { return s.objects.access.Clock.Since(s.begun) }

// Close ends the loop and removes the scenario. It is to be called exactly once.
func (s *Stage) Close(ctx context.Context) error {
	if problem.Aborted(ctx) == nil {
		ctx = context.WithoutCancel(ctx)
	}
	if s.session != nil {
		s.session.Close()
	}
	var err error
	if s.objects.kube != nil && s.Namespace() != "" {
		err = s.site.end(ctx, s.remove)
	}
	return errors.Join(err, s.objects.unlock())
}

// remove deletes what the loop made and the scenario's objects.
func (s *Stage) remove(ctx context.Context) error {
	var errs []error
	for _, c := range s.closers {
		errs = append(errs, c(ctx))
	}
	return errors.Join(append(errs, s.objects.remove(ctx))...)
}
