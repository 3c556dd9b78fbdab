package vpa

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/admission-controller/resource/pod/patch"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/status"
	vpautil "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/vpa"

	"github.com/stepscale/stepscale/clusters/manifest"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// Admission says who gives a new pod what its VPA recommends.
type Admission string

const (
	// AdmissionWebhook is upstream's admission controller in this process. It alone
	// can be held until its step comes.
	AdmissionWebhook Admission = ""
	// AdmissionPolicy is the API server itself, by the MutatingAdmissionPolicy that an
	// instructor has installed (Class), or we have on a cluster of our own.
	AdmissionPolicy Admission = "admissionPolicy"
	// AdmissionCluster is upstream's admission controller in the cluster.
	AdmissionCluster Admission = "admissionInCluster"
	// AdmissionBoth is the policy and upstream's admission controller in the cluster: one
	// would see what the other has changed. A dry run tells whether both act, and then the
	// policy leaves our VPA to the other.
	AdmissionBoth Admission = "admissionBoth"
	// AdmissionNone gives new pods nothing: what is evicted comes back as it was.
	AdmissionNone Admission = "admissionNone"
	// AdmissionUnknown is what a caller sees who may not look at the cluster's
	// policies and webhooks. A dry run tells as soon as there is a recommendation.
	AdmissionUnknown Admission = "admissionUnknown"
)

const (
	policyName       = "stepscale-vpa"
	policyAnnotation = "stepscale.io/vpa" // on pods to which the policy gave something
	// leaveAnnotation on a VPA leaves its pods to an admission controller: the policy
	// passes it over.
	leaveAnnotation = "stepscale.io/admission"
	leaveToWebhook  = "webhook"
)

// findAdmission looks for what somebody else has installed on a shared cluster.
func (s *State) findAdmission(ctx context.Context) error {
	api := s.AsObserver().Kube.AdmissionregistrationV1()
	_, policy := api.MutatingAdmissionPolicyBindings().Get(ctx, policyName, metav1.GetOptions{})
	_, webhook := api.MutatingWebhookConfigurations().Get(ctx, webhookConfig, metav1.GetOptions{})
	switch {
	case policy == nil && webhook == nil:
		s.Admission = AdmissionBoth
	case policy == nil:
		return s.underPolicy(ctx)
	case webhook == nil:
		s.Admission = AdmissionCluster
	case apierrors.IsForbidden(policy) || apierrors.IsForbidden(webhook):
		s.Admission = AdmissionUnknown
	case apierrors.IsNotFound(policy) && apierrors.IsNotFound(webhook):
		s.Admission = AdmissionNone
	default:
		return fmt.Errorf("look for an admission controller: %w", firstOther(policy, webhook))
	}
	return nil
}

// underPolicy looks whether the policy speaks of the namespace, where the caller may.
func (s *State) underPolicy(ctx context.Context) error {
	ns, err := s.AsObserver().Kube.CoreV1().Namespaces().Get(ctx, s.Namespace, metav1.GetOptions{})
	if err != nil && !apierrors.IsForbidden(err) {
		return err
	}
	s.Admission = AdmissionPolicy
	if s.Unlabelled = err == nil && !manifest.Marked(ns); s.Unlabelled {
		s.Admission = AdmissionNone
	}
	return nil
}

// firstOther is the error that says more than that nothing is there.
func firstOther(errs ...error) error {
	for _, err := range errs {
		if !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// installPolicy lets the API server admit on a cluster of our own whose network
// does not lead to this process.
func (s *State) installPolicy(ctx context.Context) error {
	served, err := servesPolicies(s.AsObserver().Kube.Discovery())
	if err != nil {
		return err
	}
	if !served {
		s.Admission = AdmissionNone
		return nil
	}
	d, err := s.deployer()
	if err != nil {
		return err
	}
	s.Admission = AdmissionPolicy
	return manifest.EachObject(policyManifest, func(obj *unstructured.Unstructured) error {
		if obj.GetKind() == "MutatingAdmissionPolicyBinding" { // the cluster is ours: it may speak of any VPA, beside a class's
			obj.SetName(policyName + "-lesson")
			if err := unstructured.SetNestedField(obj.Object, s.VPA, "spec", "paramRef", "name"); err != nil {
				return err
			}
		}
		return d.replace(ctx, obj)
	})
}

// admissionReady tells whether a pod that is evicted now would come back with what
// is recommended. Upstream's updater asks the lease of the admission controller;
// where there is none, the API server is asked on a dry run.
func (s *State) admissionReady(ctx context.Context, f *trace.Frame) (bool, error) {
	if s.Admission == AdmissionWebhook {
		alive, err := s.updater.alive.IsStatusValid(ctx, status.AdmissionControllerStatusTimeout)
		if world.IsFault(err) {
			return false, err
		}
		alive = err == nil && alive
		f.Add("admissionAlive", strconv.FormatBool(alive), "lease kube-system/"+status.AdmissionControllerStatusName)
		return alive, nil
	}
	v := s.pass.vpa
	if v == nil || v.Status.Recommendation == nil || !updates(vpautil.GetUpdateMode(v)) {
		return true, nil // there is nothing to give, and nothing will be evicted
	}
	by, pod, err := s.probe(ctx)
	if errors.Is(err, errRefused) {
		f.Add("dryRunRefused", err.Error(), "")
		return s.Admission == AdmissionPolicy || s.Admission == AdmissionCluster, nil // what is known from before
	}
	if err != nil {
		return false, err
	}
	if by == AdmissionBoth && !s.PolicyLeaves {
		if err := s.leave(ctx); err != nil {
			return false, err
		}
		f.Add("admissionLeft", "true", "정책과 Admission Controller가 둘 다 고쳐서, 이 VPA는 정책이 건너뛰게 했습니다("+leaveAnnotation+")")
		if by, pod, err = s.probe(ctx); err != nil {
			return false, err
		}
	}
	s.Admission = by
	f.Add("admissionBy", string(by), "")
	f.Add("admissionAlive", strconv.FormatBool(by != AdmissionNone), "파드를 dry-run으로 만들어 본 결과이고, 저장된 것은 없습니다")
	addSizes(f, pod.Spec.Containers, "dryRunRequest", "dryRunLimit")
	return by != AdmissionNone, nil
}

// errRefused tells that a dry run has told nothing: a quota or a policy refuses the pod,
// or there is no ReplicaSet to make one for.
var errRefused = errors.New("dry-run으로 파드를 만들어 보지 못했습니다")

// probe creates a pod of the target on a dry run, as its ReplicaSet would, and tells
// who has changed it.
func (s *State) probe(ctx context.Context) (by Admission, born *corev1.Pod, err error) {
	w, err := s.workload(ctx)
	if err != nil {
		return AdmissionNone, nil, err
	}
	set := w.Newest()
	if set == nil {
		return AdmissionNone, nil, errRefused
	}
	pod := &corev1.Pod{ObjectMeta: *set.Spec.Template.ObjectMeta.DeepCopy(), Spec: *set.Spec.Template.Spec.DeepCopy()}
	pod.GenerateName = set.Name + "-"
	pod.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: set.Name, UID: set.UID, Controller: new(true)}}
	err = s.Settle(ctx, func(ctx context.Context) (bool, error) { // a policy learns of a recommendation a moment later
		got, err := s.AsObserver().Kube.CoreV1().Pods(s.Namespace).Create(ctx, pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if apierrors.IsForbidden(err) || apierrors.IsInvalid(err) {
			return false, fmt.Errorf("%w: %w", errRefused, err)
		}
		if err != nil {
			return false, err
		}
		born, by = got, admittedBy(got)
		return by != AdmissionNone && (by != AdmissionBoth || !s.PolicyLeaves), nil
	})
	if err == nil && born == nil {
		err = errRefused
	}
	return by, born, err
}

// admittedBy reads who gave a pod its size off the mark that each leaves.
func admittedBy(p *corev1.Pod) Admission {
	_, policy := p.Annotations[policyAnnotation]
	_, webhook := p.Annotations[patch.ResourceUpdatesAnnotation]
	switch {
	case policy && webhook:
		return AdmissionBoth
	case policy:
		return AdmissionPolicy
	case webhook:
		return AdmissionCluster
	}
	return AdmissionNone
}

// leave lets the policy pass our VPA over.
func (s *State) leave(ctx context.Context) error {
	o, err := s.observer()
	if err != nil {
		return err
	}
	change := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, leaveAnnotation, leaveToWebhook)
	_, err = o.vpa.AutoscalingV1().VerticalPodAutoscalers(s.Namespace).Patch(ctx, s.VPA, types.MergePatchType, []byte(change), metav1.PatchOptions{})
	s.PolicyLeaves = err == nil
	return err
}

// besidePolicy looks whether a policy would change pods before our webhook sees them: on a
// cluster of our own that was prepared for a class.
func (s *State) besidePolicy(ctx context.Context) error {
	_, err := s.AsObserver().Kube.AdmissionregistrationV1().MutatingAdmissionPolicyBindings().Get(ctx, policyName, metav1.GetOptions{})
	s.PolicyLeaves = err == nil
	if apierrors.IsNotFound(err) { // or the version does not serve policies
		return nil
	}
	return err
}

// actorOf is who moves in the steps of the admission.
func (a Admission) actor() string {
	if a == AdmissionPolicy {
		return ActorAPIServer
	}
	return ActorAdmission
}

// whyAdmission says why it is this one.
func (s *State) whyAdmission() string {
	switch {
	case s.Unreachable != nil:
		return "API 서버가 이 컴퓨터의 웹훅에 닿지 못해 API 서버 자신에게 맡깁니다"
	case s.Admission == AdmissionBoth:
		return "둘 다 설치되어 있습니다. 추천이 생기면 dry-run으로 확인하고, 둘 다 움직이면 정책이 이 VPA를 건너뛰게 합니다"
	case s.Unlabelled:
		return "정책은 있지만 네임스페이스에 " + manifest.LabelManaged + "=true 레이블이 없어 적용되지 않습니다"
	case s.Admission == AdmissionUnknown:
		return "볼 권한이 없습니다. 추천이 생기면 dry-run으로 확인합니다"
	case s.Admission == AdmissionNone:
		return "내보낸 파드는 예전 크기로 다시 생기므로, 있는 파드를 그 자리에서 조정하기만 합니다"
	}
	return "이 클러스터의 API 서버는 이 컴퓨터의 웹훅에 닿을 수 없으므로, 클러스터에 설치된 것이 합니다"
}
