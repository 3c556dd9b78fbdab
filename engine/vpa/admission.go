package vpa

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/admission-controller/logic"
	podadmission "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/admission-controller/resource/pod"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/admission-controller/resource/pod/patch"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/admission-controller/resource/pod/recommendation"
	vpaadmission "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/admission-controller/resource/vpa"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/limitrange"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/status"
	vpautil "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/vpa"
	certutil "k8s.io/client-go/util/cert"
	"k8s.io/utils/ptr"

	"github.com/stepscale/stepscale/engine/world"
)

const (
	webhookConfig  = "vpa-webhook-config" // admission-controller/config.go
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
	url     string
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

// startAdmission mirrors admission-controller/main.go: it serves, registers the
// webhook and tells by its lease that it is alive.
func (s *State) startAdmission(ctx context.Context) error {
	if s.admission != nil {
		return nil
	}
	v, err := newView(s.Identity(ActorAdmission), s.Namespace, "")
	if err != nil {
		return err
	}
	limits, err := limitrange.NewLimitsRangeCalculator(v.workloads)
	if err != nil {
		return err
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
		return err
	}
	s.admission = a
	if err := a.listen(); err != nil {
		return err
	}
	if err := s.registerWebhook(ctx); err != nil {
		return err
	}
	lease := status.NewClient(v.kube, status.AdmissionControllerStatusName, systemNamespace, leaseEvery, "stepscale")
	if err := lease.UpdateStatus(ctx); err != nil {
		return fmt.Errorf("lease of the admission controller: %w", err)
	}
	d, err := s.deployer()
	if err != nil {
		return err
	}
	d.made = append(d.made, madeObject{client: d.dyn.Resource(leases).Namespace(systemNamespace), kind: "Lease", name: status.AdmissionControllerStatusName})
	go status.NewUpdater(v.kube, status.AdmissionControllerStatusName, systemNamespace, leaseEvery, "stepscale").Run(a.stopped)
	return s.awaitWebhook(ctx)
}

// listen serves HTTPS on loopback with a certificate of its own.
func (a *admission) listen() error {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("no free port on loopback: %w", err)
	}
	cert, key, err := certutil.GenerateSelfSignedCertKey("127.0.0.1", []net.IP{net.IPv4(127, 0, 0, 1)}, nil)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	a.url, a.caCert = "https://"+listener.Addr().String()+"/", cert
	a.server = &http.Server{
		Handler: http.HandlerFunc(a.serve), ReadHeaderTimeout: 10 * time.Second,
		TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}},
	}
	go func() { _ = a.server.ServeTLS(listener, "", "") }() // ends with Close
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

// registerWebhook registers as upstream's selfRegistration does with
// --register-by-url, for the lesson's namespace only.
func (s *State) registerWebhook(ctx context.Context) error {
	rule := func(group, version, resource string, ops ...admissionregistrationv1.OperationType) admissionregistrationv1.RuleWithOperations {
		return admissionregistrationv1.RuleWithOperations{Operations: ops, Rule: admissionregistrationv1.Rule{
			APIGroups: []string{group}, APIVersions: []string{version}, Resources: []string{resource},
		}}
	}
	config := &admissionregistrationv1.MutatingWebhookConfiguration{
		TypeMeta:   metav1.TypeMeta{APIVersion: "admissionregistration.k8s.io/v1", Kind: "MutatingWebhookConfiguration"},
		ObjectMeta: metav1.ObjectMeta{Name: webhookConfig},
		Webhooks: []admissionregistrationv1.MutatingWebhook{{
			Name: webhookName, AdmissionReviewVersions: []string{"v1"},
			Rules: []admissionregistrationv1.RuleWithOperations{
				rule("", "v1", "pods", admissionregistrationv1.Create),
				rule("autoscaling.k8s.io", "*", "verticalpodautoscalers", admissionregistrationv1.Create, admissionregistrationv1.Update),
			},
			ClientConfig:  admissionregistrationv1.WebhookClientConfig{URL: ptr.To(s.admission.url), CABundle: s.admission.caCert},
			FailurePolicy: ptr.To(s.Params.FailurePolicy), SideEffects: ptr.To(admissionregistrationv1.SideEffectClassNone),
			TimeoutSeconds: ptr.To[int32](webhookTimeout),
			NamespaceSelector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
				{Key: corev1.LabelMetadataName, Operator: metav1.LabelSelectorOpIn, Values: []string{s.Namespace}},
			}},
		}},
	}
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(config)
	if err != nil {
		return err
	}
	d, err := s.deployer()
	if err != nil {
		return err
	}
	return d.replace(ctx, &unstructured.Unstructured{Object: object})
}

// awaitWebhook sends pods on a dry run until one has come to the webhook: the
// API server learns of a registration a moment later.
func (s *State) awaitWebhook(ctx context.Context) error {
	probe := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "stepscale-probe-", Labels: map[string]string{labelManaged: "true"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "probe", Image: "registry.k8s.io/pause:3.10"}}},
	}
	err := s.Poll(ctx, startTimeout, func(ctx context.Context) (bool, error) {
		_, err := s.Watcher().Kube.CoreV1().Pods(s.Namespace).Create(ctx, probe, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if world.IsFault(err) {
			return false, err
		}
		return len(s.admission.take()) > 0, nil
	})
	if errors.Is(err, world.ErrStuck) {
		return errors.New("웹훅을 등록했지만 API 서버가 부르지 않습니다. API 서버에서 이 컴퓨터의 127.0.0.1로 연결할 수 있는지 확인하십시오")
	}
	return err
}

// serve answers one AdmissionReview with upstream's handler. Reviews of pods
// wait for their steps while the lesson holds them.
func (a *admission) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 5<<20))
	if err != nil {
		http.Error(w, "cannot read the body", http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	one := podReview(body)
	if one == nil {
		a.handler.Serve(w, r)
		return
	}
	a.arrive(one)
	a.waitFor(r.Context(), one, func() bool { return a.reading })
	var answer bytes.Buffer
	capture := &captured{ResponseWriter: w, body: &answer}
	a.handler.Serve(capture, r)
	a.note(one, a.matcher.GetMatchingVPA(r.Context(), one.before), answer.Bytes())
	a.waitFor(r.Context(), one, func() bool { return a.answers })
	a.mu.Lock()
	one.answered = true
	a.cond.Broadcast()
	a.mu.Unlock()
	_, _ = w.Write(answer.Bytes()) // the API server is gone when this fails
}

// captured keeps the body back.
type captured struct {
	http.ResponseWriter
	body *bytes.Buffer
}

func (c *captured) Write(b []byte) (int, error) { return c.body.Write(b) }

// podReview reads the review of a pod that is to be created; nil for others.
func podReview(body []byte) *review {
	var ar admissionv1.AdmissionReview
	if json.Unmarshal(body, &ar) != nil || ar.Request == nil || ar.Request.Resource.Resource != "pods" {
		return nil
	}
	pod := &corev1.Pod{}
	if json.Unmarshal(ar.Request.Object.Raw, pod) != nil {
		return nil
	}
	pod.Namespace = ar.Request.Namespace
	return &review{name: pod.Name + pod.GenerateName, user: ar.Request.UserInfo.Username, before: pod}
}
