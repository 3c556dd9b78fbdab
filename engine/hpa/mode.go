package hpa

import (
	"context"
	"errors"
	"fmt"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	defaults "k8s.io/kubernetes/pkg/apis/autoscaling/v2"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// Mode says who else drives HPAs on the cluster, and so what the loop may write.
type Mode string

// The modes. In all of them our engine alone writes the target's scale.
const (
	// ModeAlone is for clusters whose own HPA controller does not run: the loop
	// writes the HPA's status and events too.
	ModeAlone Mode = ""
	// ModeDrive is for managed control planes, whose HPA controller cannot be turned
	// off: the HPA is State.Given and no object of the cluster.
	ModeDrive Mode = "drive"
	// ModeDisarmed has an object that asks the managed controller for nothing: see Disarm.
	ModeDisarmed Mode = "disarmed"
)

// ErrSecondEngine tells that the cluster's own controller would scale what this
// loop scales. It is looked for in every pass, before anything is written.
var ErrSecondEngine = errors.New("a live HPA scales the same pods")

// managed tells that the cluster's own controller runs beside us, and owns every
// HPA's status.
func (s *State) managed() bool { return s.Mode != ModeAlone }

// readHPA is the HPA as the loop takes it in this mode.
func (s *State) readHPA(ctx context.Context, c world.Clients) (*autoscalingv2.HorizontalPodAutoscaler, error) {
	if s.Mode == ModeDrive {
		return s.givenHPA(), nil
	}
	hpa, err := fetchHPA(ctx, c, s.Namespace, s.HPA)
	if err != nil || s.Mode != ModeDisarmed {
		return hpa, err
	}
	spec, ok, err := armedSpec(hpa)
	if err != nil {
		return nil, err
	}
	if !ok || !harmless(hpa) { // somebody has armed it
		return nil, fmt.Errorf("%w: HPA %s/%s", ErrSecondEngine, s.Namespace, s.HPA)
	}
	hpa.Spec = spec
	s.kept.DeepCopyInto(&hpa.Status) // the object's own status is the managed controller's
	return hpa, nil
}

// givenHPA is State.Given as an API server would hand it out, with the status
// that this loop remembers.
func (s *State) givenHPA() *autoscalingv2.HorizontalPodAutoscaler {
	hpa := s.Given.DeepCopy()
	defaults.SetObjectDefaults_HorizontalPodAutoscaler(hpa)
	hpa.Name, hpa.Namespace, hpa.Generation = s.HPA, s.Namespace, 1
	hpa.UID = types.UID(s.Namespace + "/" + s.HPA)
	s.kept.DeepCopyInto(&hpa.Status)
	return hpa
}

// fetchHPA reads the HPA as JSON: a typed client drops the fields that it does not know.
func fetchHPA(ctx context.Context, c world.Clients, namespace, name string) (*autoscalingv2.HorizontalPodAutoscaler, error) {
	answer := c.Kube.AutoscalingV2().RESTClient().Get().Namespace(namespace).Resource("horizontalpodautoscalers").
		Name(name).SetHeader("Accept", "application/json").Do(ctx)
	if err := answer.Error(); err != nil {
		return nil, err
	}
	raw, err := answer.Raw()
	if err != nil {
		return nil, err
	}
	return decodeHPA(raw)
}

// refuseSecondEngine looks for an HPA that has our target, or selects our pods,
// and that the cluster's own controller obeys.
func (s *State) refuseSecondEngine(ctx context.Context, in Input) error {
	if !s.managed() {
		return nil
	}
	list, err := s.AsObserver().Kube.AutoscalingV2().HorizontalPodAutoscalers(s.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for i := range list.Items {
		other := &list.Items[i]
		if s.Mode == ModeDisarmed && other.Name == s.HPA {
			continue // readHPA has looked
		}
		same := other.Spec.ScaleTargetRef.Kind == in.HPA.Spec.ScaleTargetRef.Kind && other.Spec.ScaleTargetRef.Name == in.HPA.Spec.ScaleTargetRef.Name
		if !same {
			if same, err = s.selects(ctx, other, in.Pods); err != nil {
				return err
			}
		}
		if same {
			return fmt.Errorf("%w: HPA %s/%s", ErrSecondEngine, other.Namespace, other.Name)
		}
	}
	return nil
}

// keepStatus remembers what would be written where the status is somebody else's.
func (s *State) keepStatus(f *trace.Frame) {
	s.pass.result.Status.DeepCopyInto(&s.kept)
	f.Add("hpaMode", string(s.Mode), "")
	f.Add("desiredStatus", fmt.Sprintf("currentReplicas %d, desiredReplicas %d", s.kept.CurrentReplicas, s.kept.DesiredReplicas), "")
	for _, e := range s.pass.result.Events {
		f.Add("eventKept/"+e.Reason, e.Message, "")
	}
}

// kubectlHPA is the command that shows the HPA, or what stands for it.
func (s *State) kubectlHPA() string {
	if s.Mode == ModeDrive && s.pass.hpa != nil {
		return fmt.Sprintf("kubectl get deployment %s -n %s -o wide", s.pass.hpa.Spec.ScaleTargetRef.Name, s.Namespace)
	}
	return "kubectl get hpa " + s.HPA + " -n " + s.Namespace
}
