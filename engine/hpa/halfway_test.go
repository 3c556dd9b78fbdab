package hpa

import (
	"context"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/utils/clock"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// blindWitness has seen nothing.
type blindWitness struct{}

func (blindWitness) Sightings() []trace.Sighting            { return nil }
func (blindWitness) CaughtUp(context.Context) (bool, error) { return true, nil }

// TestHalfWayWithoutAGate: the moment after the write is told as it was, also where the
// Deployment controller has moved before anybody could look.
func TestHalfWayWithoutAGate(t *testing.T) {
	labels := map[string]string{"app": "web"}
	selector := &metav1.LabelSelector{MatchLabels: labels}
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "x", Name: "web", UID: "d"}, Spec: appsv1.DeploymentSpec{Replicas: new(int32(2)), Selector: selector}}
	rs := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "x", Name: "web-1", UID: "r", Labels: labels, OwnerReferences: []metav1.OwnerReference{{UID: "d", Controller: new(true)}}},
		Spec: appsv1.ReplicaSetSpec{Replicas: new(int32(2)), Selector: selector}}
	kube := fake.NewClientset(d, rs)
	s := &State{World: world.World{Controller: world.Clients{Kube: kube}, Namespace: "x", Clock: clock.RealClock{}, Witness: blindWitness{}}}
	s.pass.hpa = &autoscalingv2.HorizontalPodAutoscaler{Spec: autoscalingv2.HorizontalPodAutoscalerSpec{ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{Kind: "Deployment", Name: "web"}}}
	var err error
	if s.pass.before, err = s.workload(t.Context()); err != nil {
		t.Fatal(err)
	}
	d, rs = d.DeepCopy(), rs.DeepCopy()
	*d.Spec.Replicas, *rs.Spec.Replicas = 4, 4
	if _, err := kube.AppsV1().Deployments("x").Update(t.Context(), d, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := kube.AppsV1().ReplicaSets("x").Update(t.Context(), rs, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	var f trace.Frame
	if err := s.addReplicas(t.Context(), &f); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"deploymentReplicas": "4", "replicaSetReplicas": "2"} {
		if got, _ := f.Fact(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}
