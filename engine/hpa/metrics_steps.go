package hpa

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// scrape lets one sync period pass and the Metrics Server read the kubelets.
func scrape(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl top pods -n " + s.Namespace
	if err := s.tick(ctx); err != nil {
		return err
	}
	f.Add("syncPeriod", s.Params.SyncPeriod.String(), "")
	list, err := s.AsObserver().Metrics.MetricsV1beta1().PodMetricses(s.Namespace).List(ctx, metav1.ListOptions{})
	if world.IsFault(err) {
		return err
	}
	if err != nil {
		f.Add("metricError", err.Error(), "")
		return nil
	}
	var names []string
	for _, m := range list.Items {
		names = append(names, m.Name)
	}
	slices.Sort(names)
	f.Add("scrapedPods", strconv.Itoa(len(names)), world.SomeNames(names))
	return nil
}

// tick lets one sync period pass, with the Metrics Server's scrapes, the last at its end.
func (s *State) tick(ctx context.Context) error {
	_, err := s.Tick(ctx, s.Params.SyncPeriod)
	return err
}

// query reads everything that the decision needs, as the HPA controller.
func query(ctx context.Context, s *State, f *trace.Frame) error {
	s.pass = pass{}
	f.Kubectl = s.KubectlMetrics()
	hpa, err := s.readHPA(ctx, s.Controller)
	var unknown *UnknownFieldsError
	if errors.As(err, &unknown) {
		s.skipPass(f, fmt.Sprintf("HPA %s에 이 엔진(쿠버네티스 1.37의 autoscaling/v2)이 모르는 필드가 있습니다: %s. 이 필드를 빼고 계산하면 클러스터와 다른 결정이 되므로 이번 패스는 아무것도 하지 않습니다.", s.HPA, strings.Join(unknown.Fields, ", ")))
		return nil
	}
	if apierrors.IsNotFound(err) {
		if err := s.NamespaceGone(ctx); err != nil {
			return err
		}
		s.History = &History{} // upstream forgets the recommendations of a deleted HPA
		s.skipPass(f, fmt.Sprintf("HPA %s 네임스페이스 %s에 없습니다. 계산할 대상이 없어 이번 패스는 아무것도 하지 않습니다.", korean.Subject(s.HPA), s.Namespace))
		return nil
	}
	if err != nil {
		return err
	}
	hpa.ManagedFields = nil
	s.pass.hpa = hpa
	scale, gr, err := scaleOf(ctx, s.Controller, hpa)
	if world.IsFault(err) {
		return err
	}
	if err != nil {
		if err := s.NamespaceGone(ctx); err != nil {
			return err
		}
		s.failedGetScale(f, err)
		return nil
	}
	s.pass.scale, s.pass.resource = scale, gr
	f.Add("currentReplicas", strconv.Itoa(int(scale.Spec.Replicas)), "")
	if err := s.readInput(ctx, f); err != nil {
		return err
	}
	f.Kubectl = s.kubectlValues(f.Kubectl)
	return s.startDecision()
}

func (s *State) skipPass(f *trace.Frame, why string) {
	s.pass.skip = why
	f.Add("skipped", why, "")
}

// failedGetScale is upstream's answer to a target that cannot be read.
func (s *State) failedGetScale(f *trace.Frame, err error) {
	ref := s.pass.hpa.Spec.ScaleTargetRef
	now := metav1.NewTime(s.Clock.Now())
	msg := fmt.Sprintf("the HPA controller was unable to get the target's current scale: %v", err)
	status := s.pass.hpa.Status.DeepCopy()
	status.Conditions = conditionSet(status.Conditions, autoscalingv2.HorizontalPodAutoscalerCondition{
		Type: autoscalingv2.AbleToScale, Status: corev1.ConditionFalse, Reason: "FailedGetScale", Message: msg, LastTransitionTime: now,
	})
	s.pass.result = Result{Status: *status, Err: err, Events: []Event{{Type: corev1.EventTypeWarning, Reason: "FailedGetScale", Message: err.Error()}}}
	f.Add("conditionReason", "FailedGetScale", "")
	f.Add("conditionMessage", msg, "")
	s.skipPass(f, fmt.Sprintf("HPA가 가리키는 대상 %s/%s의 scale을 읽지 못했습니다(FailedGetScale). 대상의 이름과 apiVersion을 확인하십시오. 그동안 HPA는 레플리카 수를 바꾸지 않습니다.", ref.Kind, ref.Name))
}

// conditionSet replaces the condition of that type, or adds it. As upstream,
// the transition time changes only when the status does.
func conditionSet(list []autoscalingv2.HorizontalPodAutoscalerCondition, c autoscalingv2.HorizontalPodAutoscalerCondition) []autoscalingv2.HorizontalPodAutoscalerCondition {
	for i, old := range list {
		if old.Type != c.Type {
			continue
		}
		if old.Status == c.Status {
			c.LastTransitionTime = old.LastTransitionTime
		}
		list[i] = c
		return list
	}
	return append(list, c)
}

// scaleOf tries every mapping of the target's kind and returns the first
// error, as upstream does.
func scaleOf(ctx context.Context, c world.Clients, hpa *autoscalingv2.HorizontalPodAutoscaler) (*autoscalingv1.Scale, schema.GroupResource, error) {
	ref := hpa.Spec.ScaleTargetRef
	gv, err := schema.ParseGroupVersion(ref.APIVersion)
	if err != nil {
		return nil, schema.GroupResource{}, err
	}
	mappings, err := c.Mapper.RESTMappings(schema.GroupKind{Group: gv.Group, Kind: ref.Kind})
	if err != nil {
		return nil, schema.GroupResource{}, err
	}
	first := errors.New("unrecognized resource")
	for i, m := range mappings {
		gr := m.Resource.GroupResource()
		scale, err := c.Scales.Scales(hpa.Namespace).Get(ctx, gr, ref.Name, metav1.GetOptions{})
		if err == nil {
			return scale, gr, nil
		}
		if i == 0 {
			first = err
		}
	}
	return nil, schema.GroupResource{}, first
}

// readInput lists the target's pods and reads their metrics.
func (s *State) readInput(ctx context.Context, f *trace.Frame) error {
	scale := s.pass.scale
	in := Input{
		Now: s.Clock.Now(), HPA: s.pass.hpa, Selector: scale.Status.Selector,
		SpecReplicas: scale.Spec.Replicas, StatusReplicas: scale.Status.Replicas,
	}
	s.pass.known = map[types.UID]world.Fingerprint{}
	selector, selectorErr := labels.Parse(in.Selector)
	if selectorErr == nil && in.Selector != "" {
		list, err := s.Controller.Kube.CoreV1().Pods(s.Namespace).List(ctx, metav1.ListOptions{LabelSelector: in.Selector})
		if err != nil {
			return err
		}
		for i := range list.Items {
			in.Pods = append(in.Pods, slimPod(&list.Items[i]))
			s.pass.known[list.Items[i].UID] = world.FingerprintOf(&list.Items[i])
		}
	}
	s.Crowd = len(in.Pods)
	if err := s.refuseSecondEngine(ctx, in); err != nil {
		return err
	}
	f.Add("podsListed", strconv.Itoa(len(in.Pods)), "")
	var err error
	if selectorErr == nil && in.Selector != "" && wantsMetrics(s.pass.hpa, in.SpecReplicas) {
		if in.Rivals, err = s.rivals(ctx, in.Pods); err != nil {
			return err
		}
		if err := s.readMetrics(ctx, f, selector, &in); err != nil {
			return err
		}
	}
	s.pass.input = in
	if s.Witness != nil {
		if s.pass.before, err = s.workload(ctx); ignoreGone(err) != nil {
			return err
		}
	}
	return nil
}

// startDecision records the input before the decision touches the history.
func (s *State) startDecision() error {
	recorded, err := json.Marshal(Recorded{Params: s.Params, Input: s.pass.input, History: *s.history()})
	if err != nil {
		return fmt.Errorf("encode input: %w", err)
	}
	s.pass.recorded = recorded
	s.pass.decision = NewDecision(s.Params, s.pass.input, s.history())
	return nil
}
