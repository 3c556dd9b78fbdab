package embedded_test

import (
	"slices"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestNewest: a list that is not older than the last write to its resource shows that
// write, whatever it was.
func TestNewest(t *testing.T) {
	ns := newNamespace(t)
	maps := client.CoreV1().ConfigMaps(ns)
	shows := func(name string) bool {
		t.Helper()
		newest, err := cluster.Newest(t.Context(), "configmaps")
		if err != nil {
			t.Fatal(err)
		}
		if newest == 0 { // a write of the store's own came between, and the list asks by itself
			return slices.ContainsFunc(list(t, ns, metav1.ListOptions{}), func(m corev1.ConfigMap) bool { return m.Name == name })
		}
		o := metav1.ListOptions{ResourceVersion: strconv.FormatInt(newest, 10), ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan}
		return slices.ContainsFunc(list(t, ns, o), func(m corev1.ConfigMap) bool { return m.Name == name })
	}
	for i := range 50 {
		name := "m" + strconv.Itoa(i)
		if _, err := maps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if !shows(name) {
			t.Fatalf("%s is not there after it was made", name)
		}
		if err := maps.Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if shows(name) {
			t.Fatalf("%s is there after it was deleted", name)
		}
	}
	if newest, err := cluster.Newest(t.Context(), "configmaps"); newest == 0 || err != nil {
		t.Errorf("the last write is not known: %v", err)
	}
}

func list(t *testing.T, ns string, o metav1.ListOptions) []corev1.ConfigMap {
	t.Helper()
	found, err := client.CoreV1().ConfigMaps(ns).List(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return found.Items
}
