package vpa

import (
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// TestAwaitFence: the fence stands when the API server refuses by the policy, not when
// the policy's objects are there; what is asked is stored nowhere.
func TestAwaitFence(t *testing.T) {
	services := corev1.Resource("services")
	byPolicy := apierrors.NewInvalid(corev1.SchemeGroupVersion.WithKind("Service").GroupKind(), "x", nil)
	byPolicy.ErrStatus.Message = "services \"x\" is forbidden: ValidatingAdmissionPolicy 'stepscale-student' with binding 'stepscale-student' denied request: no"
	byOthers := apierrors.NewForbidden(services, "x", errors.New("ValidatingAdmissionPolicy 'theirs' with binding 'theirs' denied request: no"))
	for name, c := range map[string]struct {
		answers []error // the last one again and again
		want    bool
		asked   int
		err     bool
	}{
		"in force":         {[]error{byPolicy}, true, 1, false},
		"a moment later":   {[]error{nil, byOthers, byPolicy}, true, 3, false},
		"no answer at all": {[]error{errors.New("connection refused")}, false, 1, true},
	} {
		kube, asked := fake.NewClientset(), 0
		kube.PrependReactor("create", "services", func(a clienttesting.Action) (bool, runtime.Object, error) {
			create := a.(clienttesting.CreateActionImpl)
			if dry := create.CreateOptions.DryRun; len(dry) != 1 || dry[0] != metav1.DryRunAll || a.GetNamespace() != "s01" {
				t.Errorf("%s: written in %s, dry run %v", name, a.GetNamespace(), dry)
			}
			asked++
			return true, create.Object, c.answers[min(asked, len(c.answers))-1]
		})
		got, err := (&Class{kube: kube}).AwaitFence(t.Context(), Student{Namespace: "s01"})
		if got != c.want || (err != nil) != c.err || asked != c.asked {
			t.Errorf("%s: %t, %v, asked %d times", name, got, err, asked)
		}
	}
}
