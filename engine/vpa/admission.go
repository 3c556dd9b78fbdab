package vpa

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/admission-controller/logic"
	podadmission "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/admission-controller/resource/pod"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/admission-controller/resource/pod/patch"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/admission-controller/resource/pod/recommendation"
	vpaadmission "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/admission-controller/resource/vpa"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/limitrange"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/status"
	vpautil "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/vpa"
)

const (
	webhookConfig  = "vpa-webhook-config" // admission-controller/config.go
	kubectlWebhook = "kubectl get mutatingwebhookconfiguration " + webhookConfig + " -o custom-columns='NAME:.webhooks[*].name,RESOURCES:.webhooks[*].rules[*].resources,FAILURE:.webhooks[*].failurePolicy,TIMEOUT:.webhooks[*].timeoutSeconds'"
	webhookName    = "vpa.k8s.io"
	webhookTimeout = 30 // seconds; the most that the API server allows
	// patience is how long an admission waits for its step. Then it is answered,
	// or the API server would go on without the webhook.
	patience   = 25 * time.Second
	leaseEvery = 10 * time.Second // status.AdmissionControllerStatusUpdateInterval
)

var leases = coordinationv1.SchemeGroupVersion.WithResource("leases")

// admission is upstream's admission controller behind an HTTPS server of this
// process. Admissions of pods wait for two steps: to read the recommendation,
// and to answer.
type admission struct {
	*view
	matcher vpaadmission.Matcher
	handler *logic.AdmissionServer
	server  *http.Server
	address string        // where the server listens
	secret  string        // the path that its caller has to know
	patient time.Duration // how long an admission waits for its step
	caCert  []byte
	stopped chan struct{}

	mu      sync.Mutex
	cond    *sync.Cond
	hold    bool // admissions of pods wait for the steps
	reading bool // they may read the recommendation
	answers bool // they may answer
	reviews []*review
}

// review is one admission of a pod.
type review struct {
	name     string // generateName of the pod
	user     string
	before   *corev1.Pod
	vpa      *vpav1.VerticalPodAutoscaler // that controls the pod; nil: none
	patch    []patchOperation
	read     bool
	answered bool
	late     bool // patience was over
}

type patchOperation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// startAdmission lets new pods have what is recommended: by upstream's controller
// in this process, where the API server reaches it.
func (s *State) startAdmission(ctx context.Context) error {
	switch {
	case s.Shared:
		return s.findAdmission(ctx)
	case s.admission != nil || s.Admission != AdmissionWebhook:
		return nil
	}
	a, err := s.newAdmission(ctx)
	if err != nil {
		return err
	}
	err = a.listen(ctx, s.Listen)
	if err == nil && s.Reach != nil {
		err = s.Reach(ctx, a.address)
	}
	if err != nil {
		if s.Reach == nil || ctx.Err() != nil {
			return errors.Join(err, a.stop())
		}
		s.Unreachable = err
		return errors.Join(a.stop(), s.installPolicy(ctx))
	}
	if err := s.besidePolicy(ctx); err != nil {
		return errors.Join(err, a.stop())
	}
	for _, do := range []func(context.Context, *admission) error{s.registerWebhook, s.keepLease, s.awaitWebhook} {
		if err := do(ctx, a); err != nil {
			return errors.Join(err, a.stop())
		}
	}
	s.admission = a
	return nil
}

// newAdmission mirrors admission-controller/main.go.
func (s *State) newAdmission(ctx context.Context) (*admission, error) {
	v, err := newView(s.Identity(ActorAdmission), s.Namespace, "")
	if err != nil {
		return nil, err
	}
	limits, err := limitrange.NewLimitsRangeCalculator(v.workloads)
	if err != nil {
		return nil, err
	}
	provider := recommendation.NewProvider(limits, vpautil.NewCappingRecommendationProcessor(limits))
	calculators := []patch.Calculator{patch.NewResourceUpdatesCalculator(provider, resource.QuantityValue{}), patch.NewObservedContainersCalculator()}
	matcher := vpaadmission.NewMatcher(v.vpas.Autoscaling().V1().VerticalPodAutoscalers().Informer().GetIndexer(), v.selectors, v.controllers)
	a := &admission{
		view: v, matcher: matcher, stopped: make(chan struct{}), patient: patience,
		handler: logic.NewAdmissionServer(podadmission.NewDefaultPreProcessor(), vpaadmission.NewDefaultPreProcessor(), limits, matcher, calculators),
	}
	a.cond = sync.NewCond(&a.mu)
	if err := v.start(ctx); err != nil {
		v.stop()
		return nil, err
	}
	return a, nil
}

// keepLease tells upstream's updater, and ours, that the admission controller is alive.
func (s *State) keepLease(ctx context.Context, a *admission) error {
	lease := status.NewClient(a.kube, status.AdmissionControllerStatusName, systemNamespace, leaseEvery, "stepscale")
	if err := lease.UpdateStatus(ctx); err != nil {
		return fmt.Errorf("lease of the admission controller: %w", err)
	}
	d, err := s.deployer()
	if err != nil {
		return err
	}
	d.made = append(d.made, madeObject{client: d.cluster.Dynamic.Resource(leases).Namespace(systemNamespace), kind: "Lease", name: status.AdmissionControllerStatusName})
	go status.NewUpdater(a.kube, status.AdmissionControllerStatusName, systemNamespace, leaseEvery, "stepscale").Run(a.stopped)
	return nil
}

// stop ends the server; the registration goes with the deployment.
func (a *admission) stop() error {
	close(a.stopped)
	a.release()
	a.view.stop()
	if a.server == nil {
		return nil
	}
	return a.server.Close()
}
