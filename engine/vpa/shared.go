package vpa

import (
	"context"
	"errors"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/input"
	vpautil "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/vpa"
)

// ErrNoTypes tells that a shared cluster does not know the VPA's resource types,
// which only its administrator can make (Class).
var ErrNoTypes = errors.New("the VPA's resource types are not served")

// ErrTaken tells that somebody else has a VPA of that name in the namespace.
var ErrTaken = errors.New("VPA exists and is not ours")

// sharedRecommender is the recommender's name on a shared cluster: one that
// somebody else installs there leaves our VPA objects alone.
const sharedRecommender = "stepscale"

func (s *State) recommenderName() string {
	if s.Shared {
		return sharedRecommender
	}
	return input.DefaultRecommenderName
}

// requireTypes is what a lesson does on a shared cluster instead of installing.
func (s *State) requireTypes() error {
	served, err := s.servedResources()
	if err == nil && len(served) < 2 {
		err = ErrNoTypes
	}
	return err
}

// Mode is how the scenario's VPA changes pods on this cluster.
func (s *State) Mode() vpav1.UpdateMode {
	for _, o := range s.Objects {
		if o.Name == s.VPA {
			return vpautil.GetUpdateMode(s.object(o))
		}
	}
	return ""
}

// object is a VPA of the scenario as it is to be created. On a shared cluster pods may be
// resized in place first, which needs nobody's admission and disturbs nobody; eviction
// comes second, as upstream's own mode has it.
func (s *State) object(given *vpav1.VerticalPodAutoscaler) *vpav1.VerticalPodAutoscaler {
	o := given.DeepCopy()
	if s.PolicyLeaves {
		metav1.SetMetaDataAnnotation(&o.ObjectMeta, leaveAnnotation, leaveToWebhook)
	}
	if !s.Shared {
		return o
	}
	o.Spec.Recommenders = []*vpav1.VerticalPodAutoscalerRecommenderSelector{{Name: sharedRecommender}}
	if mode := vpautil.GetUpdateMode(o); s.InPlaceFirst && (mode == vpav1.UpdateModeRecreate || mode == modeAuto) {
		if o.Spec.UpdatePolicy == nil {
			o.Spec.UpdatePolicy = &vpav1.PodUpdatePolicy{}
		}
		o.Spec.UpdatePolicy.UpdateMode = new(vpav1.UpdateModeInPlaceOrRecreate)
	}
	return o
}

// sameMarks tells whether an object has the marks of the one that we would make.
func sameMarks(made, ours *vpav1.VerticalPodAutoscaler) bool {
	return contains(made.Labels, ours.Labels) && contains(made.Annotations, ours.Annotations)
}

func contains(all, some map[string]string) bool {
	for name, value := range some {
		if all[name] != value {
			return false
		}
	}
	return true
}

// removeObjects deletes the VPAs that createObjects made, with their checkpoints:
// the namespace may be somebody else's. Elsewhere they go with it.
func (s *State) removeObjects(ctx context.Context) error {
	if !s.Shared || len(s.created) == 0 {
		return nil
	}
	o, err := s.observer()
	if err != nil {
		return err
	}
	vpas, checkpoints := o.vpa.AutoscalingV1().VerticalPodAutoscalers(s.Namespace), o.vpa.AutoscalingV1().VerticalPodAutoscalerCheckpoints(s.Namespace)
	var errs []error
	for uid, name := range s.created {
		err := vpas.Delete(ctx, name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
		if apierrors.IsConflict(err) { // another object has the name now
			delete(s.created, uid)
			continue
		}
		errs = append(errs, err)
	}
	list, err := checkpoints.List(ctx, metav1.ListOptions{})
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	for _, c := range list.Items {
		if slices.Contains(slices.Collect(maps.Values(s.created)), c.Spec.VPAObjectName) {
			errs = append(errs, checkpoints.Delete(ctx, c.Name, metav1.DeleteOptions{}))
		}
	}
	return utilerrors.FilterOut(utilerrors.NewAggregate(errs), apierrors.IsNotFound)
}
