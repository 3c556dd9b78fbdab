package embedded_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"testing"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// TestOpenAPIIsUpstreams asks this API server, and one that is upstream's as it is, for
// every document that a kubectl may ask for.
func TestOpenAPIIsUpstreams(t *testing.T) {
	address, stop := separateServer(t)
	defer stop()
	upstream := kubernetes.NewForConfigOrDie(&rest.Config{Host: address, BearerToken: separateToken, TLSClientConfig: rest.TLSClientConfig{Insecure: true}, QPS: -1})
	read := func(of kubernetes.Interface, path string) map[string]any {
		t.Helper()
		raw, err := of.Discovery().RESTClient().Get().AbsPath(path).SetHeader("Accept", "application/json").DoRaw(t.Context())
		document := map[string]any{}
		if err == nil {
			err = json.Unmarshal(raw, &document)
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		delete(document, "info") // has the version, which upstream's release scripts fill in
		return document
	}
	theirs, ours := read(upstream, "/openapi/v3")["paths"].(map[string]any), read(client, "/openapi/v3")["paths"].(map[string]any)
	if len(theirs) < 40 {
		t.Fatalf("upstream has %d documents", len(theirs))
	}
	for _, path := range slices.Sorted(maps.Keys(theirs)) {
		if path == "apis" || path == "version" { // each of upstream's three servers has one, and it gives that of any of them: with securitySchemes or without
			continue
		}
		if ours[path] == nil {
			t.Errorf("%s is not told of", path)
			continue
		}
		if !reflect.DeepEqual(read(upstream, "/openapi/v3/"+path), read(client, "/openapi/v3/"+path)) {
			t.Errorf("%s is another document", path)
		}
	}
	want, got := read(upstream, "/openapi/v2"), read(client, "/openapi/v2")
	for _, part := range []string{"definitions", "paths"} {
		for name, w := range want[part].(map[string]any) {
			if !reflect.DeepEqual(w, got[part].(map[string]any)[name]) {
				t.Errorf("/openapi/v2: %s %s is another", part, name)
			}
		}
	}
}
