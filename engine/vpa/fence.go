package vpa

import (
	"context"
	"errors"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
)

// FencePolicy is the ValidatingAdmissionPolicy that fences students in.
const FencePolicy = "stepscale-student"

// An API server looks for policies every second (admission/plugin/policy/generic,
// policyRefreshIntervalDefault).
const (
	fenceTimeout = 10 * time.Second
	fencePoll    = 200 * time.Millisecond
)

// Fenced tells whether the policy speaks in a namespace. It asks the API server, which
// stores nothing, for what the policy refuses: that the objects are there says nothing
// about whether the API server has looked at them yet.
func (c *Class) Fenced(ctx context.Context, namespace string) (bool, error) {
	outside := &corev1.Service{ObjectMeta: metav1.ObjectMeta{GenerateName: "stepscale-fence-"},
		Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "fence.invalid"}}
	_, err := c.kube.CoreV1().Services(namespace).Create(ctx, outside, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if err != nil && strings.Contains(err.Error(), "ValidatingAdmissionPolicy '"+FencePolicy+"'") {
		return true, nil
	}
	return false, err
}

// AwaitFence waits until the policy speaks in a student's namespace. It reports false
// where it does not within a time in which any API server would have looked.
func (c *Class) AwaitFence(ctx context.Context, s Student) (bool, error) {
	err := wait.PollUntilContextTimeout(ctx, fencePoll, fenceTimeout, true, func(ctx context.Context) (bool, error) {
		speaks, err := c.Fenced(ctx, s.Namespace)
		if errors.As(err, new(apierrors.APIStatus)) {
			err = nil // somebody else refuses even to try
		}
		return speaks, err
	})
	if wait.Interrupted(err) && ctx.Err() == nil {
		return false, nil
	}
	return err == nil, err
}
