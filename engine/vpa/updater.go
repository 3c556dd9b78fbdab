package vpa

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/admission-controller/resource/pod/patch"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/admission-controller/resource/pod/recommendation"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/updater/inplace"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/updater/priority"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/updater/restriction"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/limitrange"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/status"
	vpautil "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/vpa"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/reference"
	"k8s.io/utils/clock"

	"github.com/stepscale/stepscale/engine/world"
)

// updater is upstream's updater without its outer loop (updater/logic/updater.go,
// RunOnce), which reads the wall clock and evicts as soon as it has decided.
type updater struct {
	*view
	restrictions restriction.PodsRestrictionFactory
	processor    vpautil.RecommendationProcessor
	priorities   priority.PriorityProcessor
	admission    priority.PodEvictionAdmission
	alive        status.Validator // of the admission controller
	events       *eventWriter
	limits       limitrange.LimitRangeCalculator
}

// startUpdater mirrors updater/main.go and logic.NewUpdater.
func (s *State) startUpdater(ctx context.Context) error {
	if s.updater != nil {
		return nil
	}
	v, err := newView(s.Identity(ActorUpdater), s.Namespace, "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed") // as updater/main.go
	if err != nil {
		return err
	}
	limits, err := limitrange.NewLimitsRangeCalculator(v.workloads)
	if err != nil {
		return err
	}
	processor := vpautil.NewCappingRecommendationProcessor(limits)
	calculators := []patch.Calculator{
		inplace.NewResourceInPlaceUpdatesCalculator(recommendation.NewProvider(limits, processor)),
		inplace.NewInPlaceUpdatedCalculator(),
	}
	u := &updater{
		view: v, limits: limits, processor: processor, priorities: priority.NewProcessor(),
		admission:    priority.NewScalingDirectionPodEvictionAdmission(),
		restrictions: restriction.NewPodsRestrictionFactory(v.kube, v.workloads, s.Params.MinReplicas, s.Params.EvictionTolerance, calculators, s.Params.InPlaceSkipsBudget),
		alive:        status.NewValidator(v.kube, status.AdmissionControllerStatusName, systemNamespace),
		events:       &eventWriter{client: v.clients, clock: s.ServerClock(), mute: s.Shared},
	}
	if err = setClock(u.restrictions, s.Clock); err == nil {
		err = v.start(ctx)
	}
	if err != nil {
		v.stop()
		return err
	}
	s.updater = u
	return nil
}

// controlledPods are the live pods that each VPA controls: of several VPAs the
// oldest wins (utils/vpa/api.go, GetControllingVPAForPod).
func (u *updater) controlledPods(ctx context.Context) (live []*corev1.Pod, byVPA map[*vpav1.VerticalPodAutoscaler][]*corev1.Pod, err error) {
	all, err := u.vpas.Autoscaling().V1().VerticalPodAutoscalers().Lister().List(labels.Everything())
	if err != nil {
		return nil, nil, err
	}
	var withSelector []*vpautil.VpaWithSelector
	for _, v := range all {
		if !updates(vpautil.GetUpdateMode(v)) {
			continue
		}
		selector, err := u.selectors.Fetch(ctx, v)
		if err != nil { // upstream skips it too; the recommender has said so in its condition
			continue
		}
		withSelector = append(withSelector, &vpautil.VpaWithSelector{Vpa: v, Selector: selector})
	}
	if live, err = u.livePods(); err != nil {
		return nil, nil, err
	}
	byVPA = map[*vpav1.VerticalPodAutoscaler][]*corev1.Pod{}
	for _, p := range live {
		if v := vpautil.GetControllingVPAForPod(ctx, p, withSelector, u.controllers); v != nil {
			byVPA[v.Vpa] = append(byVPA[v.Vpa], p)
		}
	}
	return live, byVPA, nil
}

// updates tells the modes in which the updater moves at all.
func updates(mode vpav1.UpdateMode) bool {
	return mode == vpav1.UpdateModeRecreate || mode == vpav1.UpdateModeInPlaceOrRecreate || mode == modeAuto
}

// modeAuto is deprecated, and in 1.8 the same as Recreate.
const modeAuto = vpav1.UpdateMode("Auto")

// eventWriter writes events at once and in the loop's time, where upstream's
// recorder does it some time later in the wall clock's.
type eventWriter struct {
	client clients
	clock  clock.PassiveClock
	mute   bool // an event cannot be removed with the lesson where the namespace stays
}

func (e *eventWriter) Event(object runtime.Object, kind, reason, message string) {
	if e.mute {
		return
	}
	ref, err := reference.GetReference(scheme.Scheme, object)
	if v, ok := object.(*vpav1.VerticalPodAutoscaler); ok {
		ref, err = &corev1.ObjectReference{
			Kind: "VerticalPodAutoscaler", APIVersion: vpav1.SchemeGroupVersion.String(),
			Namespace: v.Namespace, Name: v.Name, UID: v.UID, ResourceVersion: v.ResourceVersion,
		}, nil
	}
	if err != nil {
		return // an event is no reason to stop, as upstream
	}
	event := world.NewEvent(ActorUpdater, *ref, kind, reason, message, e.clock.Now())
	_, _ = e.client.kube.CoreV1().Events(event.Namespace).Create(context.Background(), event, metav1.CreateOptions{})
}

func (e *eventWriter) Eventf(object runtime.Object, kind, reason, format string, args ...any) {
	e.Event(object, kind, reason, fmt.Sprintf(format, args...))
}

func (e *eventWriter) AnnotatedEventf(object runtime.Object, _ map[string]string, kind, reason, format string, args ...any) {
	e.Event(object, kind, reason, fmt.Sprintf(format, args...))
}
