package embedded

import (
	"context"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/diff"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
)

// TestSeedIsWhatAnUnseededStartWrites compares the store of an API server that found
// nothing, after its hooks, with the seed: key by key, field by field.
func TestSeedIsWhatAnUnseededStartWrites(t *testing.T) {
	want := unseeded(t)
	s, err := newSeed()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]runtime.Object{}
	for _, op := range s.puts {
		got[string(op.GetRequestPut().Key)] = stripped(t, op.GetRequestPut().Value)
	}
	for key, obj := range want {
		if diff := diff.Diff(obj, got[key]); diff != "" {
			t.Errorf("%s, unseeded (-) and seeded (+):\n%s", key, diff)
		}
		delete(got, key)
	}
	if len(got) > 0 {
		t.Errorf("seeded only: %v", slices.Sorted(maps.Keys(got)))
	}
	if len(want) < 100 {
		t.Errorf("%d objects, want all of RBAC's", len(want))
	}
}

// unseeded is what a start without a seed puts below the prefixes that the seed is in.
func unseeded(t *testing.T) map[string]runtime.Object {
	captureUpstream()
	base, err := os.MkdirTemp("", "seed") // short: a unix socket lives below it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	c := New(Options{Dir: base})
	t.Cleanup(func() {
		if err := c.Down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if c.dir, err = newRunDir(base); err != nil {
		t.Fatal(err)
	}
	if c.pki, err = newPKI(c.dir); err != nil {
		t.Fatal(err)
	}
	if c.etcd, err = startEtcd(t.Context(), c.dir); err != nil {
		t.Fatal(err)
	}
	if err := c.listen(); err != nil {
		t.Fatal(err)
	}
	servers, stop := context.WithCancel(t.Context())
	c.stopServers, c.stopActors = stop, stop
	if c.api, err = startAPIServer(servers, c.pki, c.apiListener, c.etcd.Config().ListenClientUrls[0].String(), "", &services{}, &demand{}); err != nil {
		t.Fatal(err)
	}
	if err := c.api.waitReady(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	objects := map[string]runtime.Object{}
	for _, resource := range []string{"clusterroles", "clusterrolebindings", "roles", "rolebindings", "priorityclasses", "namespaces"} {
		prefix := storePrefix + resource
		resp, err := c.etcd.Server.Range(t.Context(), &pb.RangeRequest{Key: []byte(prefix + "/"), RangeEnd: []byte(prefix + "0")})
		if err != nil {
			t.Fatal(err)
		}
		for _, kv := range resp.Kvs {
			objects[string(kv.Key)] = stripped(t, kv.Value)
		}
	}
	return objects
}

// stripped decodes an object without what differs from one start to the next.
func stripped(t *testing.T, value []byte) runtime.Object {
	t.Helper()
	obj, _, err := legacyscheme.Codecs.UniversalDeserializer().Decode(value, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := meta.Accessor(obj)
	if err != nil {
		t.Fatal(err)
	}
	if m.GetUID() == "" || time.Since(m.GetCreationTimestamp().Time) > time.Hour {
		t.Errorf("%s: UID %q, created %s", m.GetName(), m.GetUID(), m.GetCreationTimestamp())
	}
	m.SetUID("")
	m.SetCreationTimestamp(metav1.Time{})
	managed := m.GetManagedFields()
	for i := range managed {
		managed[i].Time = nil
	}
	m.SetManagedFields(managed)
	return obj
}
