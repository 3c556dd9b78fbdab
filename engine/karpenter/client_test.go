package karpenter

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"

	"github.com/stepscale/stepscale/engine/world"
)

// TestStampsAreOfTheLoop: the API server's stamps come in the loop's time, an hour ahead
// here, and stay where they were when the clocks move on apart; whatever brings the object.
func TestStampsAreOfTheLoop(t *testing.T) {
	made := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	loop := clocktesting.NewFakePassiveClock(made.Add(time.Hour))
	named := func(name string) *karpv1.NodeClaim {
		return &karpv1.NodeClaim{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), CreationTimestamp: metav1.NewTime(made), Finalizers: []string{karpv1.TerminationFinalizer}}}
	}
	cluster := fake.NewClientBuilder().WithScheme(scheme.Scheme).WithObjects(named("a"), named("b"), named("c")).Build()
	d := &direct{Client: cluster, reader: cluster, dates: &world.Dates{Clock: loop}}
	got := &karpv1.NodeClaim{}
	read := func() {
		t.Helper()
		if err := d.Get(t.Context(), client.ObjectKey{Name: "a"}, got); err != nil {
			t.Fatal(err)
		}
	}
	if read(); !got.CreationTimestamp.Time.Equal(made.Add(time.Hour)) {
		t.Errorf("made at %s, want an hour later", got.CreationTimestamp)
	}
	loop.SetTime(made.Add(25 * time.Hour))
	if read(); !got.CreationTimestamp.Time.Equal(made.Add(time.Hour)) {
		t.Errorf("a day later it was made at %s", got.CreationTimestamp)
	}
	if err := d.Delete(t.Context(), got); err != nil {
		t.Fatal(err)
	}
	if read(); !got.DeletionTimestamp.Time.Equal(made.Add(25 * time.Hour)) {
		t.Errorf("it goes since %s, want a day later", got.DeletionTimestamp)
	}
	loop.SetTime(made.Add(26 * time.Hour))
	if read(); !got.DeletionTimestamp.Time.Equal(made.Add(25 * time.Hour)) {
		t.Errorf("an hour later it goes since %s", got.DeletionTimestamp)
	}
	list := &karpv1.NodeClaimList{}
	if err := d.List(t.Context(), list); err != nil || len(list.Items) != 3 || !list.Items[0].CreationTimestamp.Equal(&got.CreationTimestamp) {
		t.Errorf("listed %v, %v", list.Items, err)
	}
	if at := list.Items[1].CreationTimestamp; !at.Time.Equal(made.Add(26 * time.Hour)) {
		t.Errorf("what is seen first in a list was made at %s", at)
	}
	loop.SetTime(made.Add(27 * time.Hour))
	fresh := named("d")
	if err := d.Create(t.Context(), fresh); err != nil || !fresh.CreationTimestamp.Time.Equal(made.Add(27*time.Hour)) {
		t.Errorf("created at %s, %v", fresh.CreationTimestamp, err)
	}
	was := list.Items[2].DeepCopy()
	was.Labels = map[string]string{"x": "y"}
	if err := d.Patch(t.Context(), was, client.MergeFrom(&list.Items[2])); err != nil || !was.CreationTimestamp.Time.Equal(made.Add(26*time.Hour)) {
		t.Errorf("patched, and made at %s, %v", was.CreationTimestamp, err)
	}
}

// TestIndexedFields: what Karpenter looks up in its cache's indexes is found without them,
// and pods by the API server's own.
func TestIndexedFields(t *testing.T) {
	var objects []client.Object
	for _, name := range []string{"a", "b"} {
		objects = append(objects,
			&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("node-" + name)}, Spec: corev1.NodeSpec{ProviderID: "sim:///" + name}},
			&karpv1.NodeClaim{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("claim-" + name)}, Status: karpv1.NodeClaimStatus{ProviderID: "sim:///" + name},
				Spec: karpv1.NodeClaimSpec{NodeClassRef: &karpv1.NodeClassReference{Name: name}}},
			&karpv1.NodePool{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("pool-" + name)},
				Spec: karpv1.NodePoolSpec{Template: karpv1.NodeClaimTemplate{Spec: karpv1.NodeClaimTemplateSpec{NodeClassRef: &karpv1.NodeClassReference{Name: name}}}}},
			&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "x", UID: types.UID("pod-" + name)}, Spec: corev1.PodSpec{NodeName: name}})
	}
	cluster := fake.NewClientBuilder().WithScheme(scheme.Scheme).WithObjects(objects...).
		WithIndex(&corev1.Pod{}, "spec.nodeName", func(o client.Object) []string { return []string{o.(*corev1.Pod).Spec.NodeName} }).Build()
	d := &direct{Client: cluster, reader: cluster}
	for field, list := range map[string]client.ObjectList{
		"spec.providerID": &corev1.NodeList{}, "status.providerID": &karpv1.NodeClaimList{}, "spec.nodeName": &corev1.PodList{},
		"spec.nodeClassRef.name": &karpv1.NodeClaimList{}, "spec.template.spec.nodeClassRef.name": &karpv1.NodePoolList{},
	} {
		value := "b"
		if strings.HasSuffix(field, "providerID") {
			value = "sim:///b"
		}
		if err := d.List(t.Context(), list, client.MatchingFields{field: value}); err != nil {
			t.Errorf("%s: %v", field, err)
			continue
		}
		names := namesIn(t, list)
		if len(names) != 1 || names[0] != "b" {
			t.Errorf("%s=%s finds %v", field, value, names)
		}
	}
}

func namesIn(t *testing.T, list client.ObjectList) (names []string) {
	t.Helper()
	if err := meta.EachListItem(list, func(o runtime.Object) error {
		names = append(names, o.(client.Object).GetName())
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return names
}
