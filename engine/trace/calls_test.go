package trace_test

import (
	"testing"

	"github.com/stepscale/stepscale/engine/trace"
)

func TestResource(t *testing.T) {
	for path, want := range map[string]string{
		"/api/v1/pods":       "pods",
		"/api/v1/namespaces": "namespaces",
		"/api/v1/namespaces/kube-system/configmaps":                     "configmaps",
		"/apis/apps/v1/replicasets":                                     "replicasets",
		"/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers": "horizontalpodautoscalers",
		"/": "",
	} {
		if got := (trace.Watch{Path: path}).Resource(); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}
