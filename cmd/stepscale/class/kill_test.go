package class

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
)

// killing ends a context with the n-th object that the cluster has taken. One that is
// written again is not counted again: a quota that is not counted yet is nudged.
func (c classroom) killing(t *testing.T, n int32) (*Room, context.Context, *atomic.Int32) {
	t.Helper()
	ctx, kill := context.WithCancel(t.Context())
	t.Cleanup(kill)
	writes := &atomic.Int32{}
	var one sync.Mutex // at a time: the n-th is the last
	seen := map[string]bool{}
	cfg := cluster(t)
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodGet || r.URL.Query().Get("dryRun") != "" {
				return next.RoundTrip(r)
			}
			one.Lock()
			defer one.Unlock()
			if writes.Load() >= n {
				return nil, context.Canceled
			}
			answer, err := next.RoundTrip(r)
			if seen[r.URL.Path] && r.Method != http.MethodPost {
				return answer, err
			}
			if seen[r.URL.Path] = true; writes.Add(1) >= n {
				kill()
			}
			return answer, err
		})
	})
	return c.room(t, cfg), ctx, writes
}

// inventory is what is there of a class, without what differs between classes.
func (c classroom) inventory(t *testing.T) map[string]any {
	t.Helper()
	kinds, _, err := c.kinds()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]any{}
	keep := func(u *unstructured.Unstructured) {
		for _, field := range []string{"uid", "resourceVersion", "creationTimestamp", "managedFields", "generation"} {
			unstructured.RemoveNestedField(u.Object, "metadata", field)
		}
		unstructured.RemoveNestedField(u.Object, "metadata", "annotations", "stepscale.io/proof")
		unstructured.RemoveNestedField(u.Object, "metadata", "labels", "stepscale.io/owner")
		unstructured.RemoveNestedField(u.Object, "status")
		if u.GetName() == board.Object(PartClass) {
			unstructured.RemoveNestedField(u.Object, "data") // has the time
		}
		all[u.GetKind()+" "+c.plainly(path(u))] = strings.ReplaceAll(fmt.Sprint(u.Object), c.spec.Class, "NAME")
	}
	ours := metav1.ListOptions{LabelSelector: board.LabelClass + "=" + c.spec.Class}
	for _, k := range append(kinds, kind{GroupVersionResource: namespaceKind}) {
		list, err := c.dynamic.Resource(k.GroupVersionResource).List(t.Context(), ours)
		if apierrors.IsMethodNotSupported(err) || apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			t.Fatal(k.name(), err)
		}
		for i := range list.Items {
			keep(&list.Items[i])
		}
	}
	return all
}

func (c classroom) plainly(text string) string { return strings.ReplaceAll(text, c.spec.Class, "NAME") }

// TestKilled: whatever write the making of a class ends with, another call makes the same
// class of it, and a deletion leaves nothing of what was half made.
func TestKilled(t *testing.T) {
	t.Parallel()
	whole := newClassroom(t, "whole", 2)
	room, ctx, writes := whole.killing(t, 1<<30)
	if _, err := room.Create(ctx, whole.spec, func(Made) {}); err != nil {
		t.Fatal(err)
	}
	want, all := whole.inventory(t), int(writes.Load())
	if len(want) != 8+2*6 || all != len(want) {
		t.Fatalf("%d writes made %d objects", all, len(want))
	}
	for n := 1; n < all; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			c := newClassroom(t, fmt.Sprintf("k%02dx", n), 2)
			room, ctx, _ := c.killing(t, int32(n))
			if _, err := room.Create(ctx, c.spec, func(Made) {}); !errors.Is(err, context.Canceled) {
				t.Fatalf("killed at write %d: %v", n, err)
			}
			if got := c.inventory(t); len(got) != n {
				t.Fatalf("killed at write %d, and %d objects are there", n, len(got))
			}
			if n%3 == 0 { // the others are finished
				c.gone(t)
				return
			}
			if there, err := c.Survey(t.Context(), c.spec); err != nil || there == 0 {
				t.Fatal(there, err)
			}
			c.create(t)
			got := c.inventory(t)
			for name := range want {
				if !reflect.DeepEqual(got[name], want[name]) {
					t.Errorf("%s:\n%v\nwant\n%v", name, got[name], want[name])
				}
			}
			if len(got) != len(want) {
				t.Errorf("%d objects, want %d", len(got), len(want))
			}
		})
	}
}

// TestAgain: a class that runs is brought up to date, and nothing of what its instructor has
// said is lost.
func TestAgain(t *testing.T) {
	t.Parallel()
	c := newClassroom(t, "again", 1)
	c.create(t)
	said := []byte(`{"data":{"json":"{\"step\":\"hpa/3\"}"}}`)
	for _, part := range spoken {
		if _, err := c.kube.CoreV1().ConfigMaps(board.Home("again")).Patch(t.Context(), board.Object(part), "application/merge-patch+json", said, metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	wider := c.spec
	wider.Seats = Anonymous("again", 2)
	all, stay := Spec{Class: "again", Seats: nil}.Join(wider)
	if stay != 2 || len(all.Seats) != 2 {
		t.Errorf("of two seats, %d stay of %d", stay, len(all.Seats))
	}
	if _, err := c.Create(t.Context(), wider, func(Made) {}); err != nil {
		t.Fatal(err)
	}
	for _, part := range spoken {
		if cm, err := c.kube.CoreV1().ConfigMaps(board.Home("again")).Get(t.Context(), board.Object(part), metav1.GetOptions{}); err != nil || !strings.Contains(cm.Data[board.Key], "hpa/3") {
			t.Errorf("%s says %v, %v", part, cm.Data, err)
		}
	}
	read, err := c.Load(t.Context(), "again")
	present, err2 := c.Present(t.Context(), read)
	if err := errors.Join(err, err2); err != nil || len(read.Seats) != 2 || !present["s01"] || !present["s02"] || !read.Ends.Equal(c.spec.Ends) {
		t.Errorf("read %+v, present %v, %v", read, present, err)
	}
	list, err := c.List(t.Context(), func(string) ([]state.Signer, error) { return []state.Signer{c.signer}, nil })
	if err != nil || !slices.Contains(list, Listed{Class: "again", Namespaces: 2, Home: true, Ours: true}) {
		t.Errorf("listed %+v, %v", list, err)
	}
}
