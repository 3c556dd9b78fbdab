package lab

import (
	"context"
	"errors"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/trace"
)

// ErrNoHPA tells of a scenario that has no HPA to change.
var ErrNoHPA = errors.New("the scenario has no HPA")

// EditHPA lets the learner change the scenario's HPA, between two steps.
func (s *Stage) EditHPA(ctx context.Context, change func(hpa.Params, *autoscalingv2.HorizontalPodAutoscaler) error) error {
	if s.Scenario.HPA == "" || s.unapplied {
		return ErrNoHPA
	}
	kube, err := kubernetes.NewForConfig(s.identity(trace.ActorLearner))
	if err != nil {
		return err
	}
	hpas := kube.AutoscalingV2().HorizontalPodAutoscalers(s.Namespace())
	object, err := hpas.Get(ctx, s.Scenario.HPA, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if err := change(hpa.DefaultParams(), object); err != nil {
		return err
	}
	_, err = hpas.Update(ctx, object, metav1.UpdateOptions{})
	return err
}
