package vpa

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	certutil "k8s.io/client-go/util/cert"
	"k8s.io/utils/ptr"

	"github.com/stepscale/stepscale/clusters/manifest"
	"github.com/stepscale/stepscale/engine/world"
)

// listen serves HTTPS with a certificate of its own, on loopback where nobody says
// what the API server reaches.
func (a *admission) listen(ctx context.Context, open func(context.Context) (net.Listener, net.IP, error)) error {
	if open == nil {
		open = loopback
	}
	listener, ip, err := open(ctx)
	if err != nil {
		return err
	}
	cert, key, err := certutil.GenerateSelfSignedCertKey(ip.String(), []net.IP{ip}, nil)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	port := listener.Addr().(*net.TCPAddr).Port
	a.address, a.secret, a.caCert = "https://"+net.JoinHostPort(ip.String(), strconv.Itoa(port))+"/", rand.Text(), cert
	a.server = &http.Server{
		Handler: a.admits(http.HandlerFunc(a.serve)), ReadHeaderTimeout: 10 * time.Second, ErrorLog: silent,
		TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}},
	}
	go func() { _ = a.server.ServeTLS(listener, "", "") }() // ends with Close
	return nil
}

// admits refuses whoever does not know the path that the registration names. An API
// server calls webhooks without a certificate unless it was started with one for
// them, and other users of this machine reach the port as well.
func (a *admission) admits(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.URL.Path), []byte("/"+a.secret)) != 1 {
			http.Error(w, "forbidden", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// silent keeps handshakes that somebody breaks off away from the learner's screen.
var silent = log.New(io.Discard, "", 0)

func loopback(context.Context) (net.Listener, net.IP, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("no free port on loopback: %w", err)
	}
	return listener, net.IPv4(127, 0, 0, 1), nil
}

// registerWebhook registers as upstream's selfRegistration does with
// --register-by-url, for the lesson's namespace only.
func (s *State) registerWebhook(ctx context.Context, a *admission) error {
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
			ClientConfig:  admissionregistrationv1.WebhookClientConfig{URL: ptr.To(a.address + a.secret), CABundle: a.caCert},
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
func (s *State) awaitWebhook(ctx context.Context, a *admission) error {
	probe := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "stepscale-probe-", Labels: map[string]string{manifest.LabelManaged: "true"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "probe", Image: "registry.k8s.io/pause:3.10"}}},
	}
	err := s.Poll(ctx, startTimeout, func(ctx context.Context) (bool, error) {
		_, err := s.AsObserver().Kube.CoreV1().Pods(s.Namespace).Create(ctx, probe, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if world.IsFault(err) {
			return false, err
		}
		return len(a.take()) > 0, nil
	})
	if errors.Is(err, world.ErrStuck) {
		return fmt.Errorf("웹훅을 등록했지만 API 서버가 부르지 않습니다. API 서버에서 %s 주소로 연결할 수 있는지 확인하십시오", a.address)
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
