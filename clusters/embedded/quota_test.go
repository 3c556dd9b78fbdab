package embedded_test

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestQuotaIsCounted: what a quota names is counted, without which the API server
// would let nothing pass, and one more than it allows is refused.
func TestQuotaIsCounted(t *testing.T) {
	namespace := newNamespace(t)
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "one"},
		Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"services": resource.MustParse("1"), "services.nodeports": resource.MustParse("0")}}}
	if _, err := client.CoreV1().ResourceQuotas(namespace).Create(t.Context(), quota, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	service := func(name string) *corev1.Service {
		return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}}
	}
	services := client.CoreV1().Services(namespace)
	eventually(t, "the quota is counted", func(ctx context.Context) bool {
		q, err := client.CoreV1().ResourceQuotas(namespace).Get(ctx, quota.Name, metav1.GetOptions{})
		return err == nil && len(q.Status.Hard) == 2
	})
	if _, err := services.Create(t.Context(), service("first"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a second Service is refused", func(ctx context.Context) bool { // the API server hears of the quota a moment later
		_, err := services.Create(ctx, service("second"), metav1.CreateOptions{})
		if err == nil {
			_ = services.Delete(ctx, "second", metav1.DeleteOptions{})
		}
		return apierrors.IsForbidden(err)
	})
}
