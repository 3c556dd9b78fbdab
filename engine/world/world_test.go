package world

import (
	"context"
	"errors"
	"net"
	"net/url"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
)

func TestAboutLesson(t *testing.T) {
	for _, c := range []struct {
		actor, path string
		want        bool
	}{
		{trace.ActorDeployment, "/apis/apps/v1/namespaces/shop/replicasets/web-1", true},
		{trace.ActorDeployment, "/apis/apps/v1/namespaces/shopping/replicasets/web-1", false},
		{trace.ActorReplicaSet, "/apis/apps/v1/namespaces/kube-system/replicasets/dns", false},
		{trace.ActorMetrics, "/nodes/sim-node-1/metrics/resource", true},
		{trace.ActorKubelet, "/api/v1/nodes/sim-node-1/status", false},
		{trace.ActorHPA, "/apis/apps/v1", false},
		{trace.ActorLearner, "/apis", true},
	} {
		if got := aboutLesson(trace.Call{Actor: c.actor, Path: c.path}, "shop"); got != c.want {
			t.Errorf("%s %s: got %v", c.actor, c.path, got)
		}
	}
}

// gateLog is a gate that notes what was asked of it.
type gateLog struct {
	log     []string
	waiting []trace.Waiting
	polls   int
}

func (g *gateLog) Open(_ context.Context, actor string) error {
	g.log = append(g.log, "open "+actor)
	return nil
}

func (g *gateLog) Close(ctx context.Context, actor string) error {
	g.log = append(g.log, "close "+actor)
	return ctx.Err()
}

func (g *gateLog) Waiting(context.Context) ([]trace.Waiting, error) {
	if g.polls++; g.polls > 3 {
		g.waiting = nil
	}
	return g.waiting, nil
}

func TestMoveClosesTheGate(t *testing.T) {
	never := func(context.Context) (bool, error) { return false, nil }
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		done   func(context.Context) (bool, error)
		cancel bool
		want   error
	}{
		"done":      {done: func(context.Context) (bool, error) { return true, nil }},
		"stuck":     {done: never, want: ErrStuck},
		"interrupt": {done: never, cancel: true, want: context.Canceled},
		"fault":     {done: func(context.Context) (bool, error) { return false, broken }, want: broken},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if c.cancel {
				cancel()
			}
			g := &gateLog{}
			s := &World{Gate: g, Timeout: 30 * time.Millisecond}
			if err := s.Move(ctx, trace.ActorKubelet, c.done); !errors.Is(err, c.want) {
				t.Errorf("got error %v, want %v", err, c.want)
			}
			if want := []string{"open kubelet", "close kubelet"}; !slices.Equal(g.log, want) {
				t.Errorf("gate: got %v, want %v", g.log, want)
			}
		})
	}
}

func TestDrainEndsWhenTheActorIsQuiet(t *testing.T) {
	g := &gateLog{waiting: []trace.Waiting{{Actor: trace.ActorReplicaSet, Verb: "POST"}}}
	s := &World{Gate: g, Timeout: 5 * time.Second}
	if err := s.Drain(t.Context(), trace.ActorReplicaSet); err != nil {
		t.Fatal(err)
	}
	if want := 3 + int(idleFor/pollReal); g.polls <= want {
		t.Errorf("polls: got %d, want more than %d: somebody came meanwhile", g.polls, want)
	}
}

func TestOpenAllClosesAll(t *testing.T) {
	g := &gateLog{}
	shut, err := (&World{Gate: g}).OpenAll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := shut(); err != nil {
		t.Fatal(err)
	}
	if len(g.log) != 10 {
		t.Errorf("five actors opened and closed, got %v", g.log)
	}
	if shut, err = (&World{}).OpenAll(t.Context()); err != nil || shut() != nil {
		t.Errorf("without a gate: %v", err)
	}
}

func TestFrameCarriesCallsAndWaiting(t *testing.T) {
	s := &World{started: true, Namespace: "shop", Gate: &gateLog{waiting: []trace.Waiting{{Actor: trace.ActorScheduler}}}, Recorder: &calls{
		{{Actor: trace.ActorHPA, Verb: "GET", Path: "/apis/apps/v1/namespaces/shop/deployments/old"}, {Actor: trace.ActorKubelet, Verb: "PATCH", Path: "/api/v1/namespaces/shop/pods/late/status"}},
		{{Actor: trace.ActorHPA, Verb: "GET", Path: "/apis/apps/v1/namespaces/shop/deployments/web/scale"}, {Actor: trace.ActorKubelet, Verb: "PUT", Path: "/api/v1/nodes/n"}},
	}}
	table := Framed(func(w *World) *World { return w }, []engine.Step[World]{{ID: "x", Do: func(context.Context, *World, *trace.Frame) error { return nil }}})
	var f trace.Frame
	if err := table[0].Do(t.Context(), s, &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Calls) != 2 || f.Calls[0].Verb != "PATCH" || f.Calls[1].Verb != "GET" {
		t.Errorf("calls: got %v", f.Calls)
	}
	if !hasActor(f.Waiting, trace.ActorScheduler) {
		t.Errorf("waiting: got %v", f.Waiting)
	}
}

// calls hands over one batch each time it is asked.
type calls [][]trace.Call

func (c *calls) Calls(context.Context) ([]trace.Call, error) {
	if len(*c) == 0 {
		return nil, nil
	}
	batch := (*c)[0]
	*c = (*c)[1:]
	return batch, nil
}

func TestFault(t *testing.T) {
	refused := &url.Error{Op: "Get", URL: "https://127.0.0.1:1", Err: &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}}
	unsigned := &url.Error{Op: "Get", URL: "https://127.0.0.1:1", Err: errors.New("the session has expired")}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("no metrics returned from resource metrics API"), false},
		{refused, true},
		{unsigned, true},
		{errors.Join(errors.New("unable to fetch metrics"), refused), true},
		{context.Canceled, true},
	} {
		if got := IsFault(c.err); got != c.want {
			t.Errorf("%v: got %v", c.err, got)
		}
	}
	if err := fault(refused); !errors.Is(err, refused) || err.Error() == refused.Error() {
		t.Errorf("a fault is explained and kept: %v", err)
	}
	if err := fault(unsigned); err != error(unsigned) {
		t.Errorf("nothing was sent, and the API server is said not to answer: %v", err)
	}
}

func TestAddWatchesGroupsByActor(t *testing.T) {
	var f trace.Frame
	AddWatches(&f, []trace.Watch{{Actor: trace.ActorReplicaSet, Path: "/api/v1/pods"}, {Actor: trace.ActorDeployment, Path: "/apis/apps/v1/deployments"}, {Actor: trace.ActorReplicaSet, Path: "/apis/apps/v1/replicasets"}})
	if got, _ := f.Fact("watch/" + trace.ActorReplicaSet); got != "pods, replicasets" {
		t.Errorf("got %q", got)
	}
	if got, _ := f.Fact("watches"); got != "3" {
		t.Errorf("got %q", got)
	}
}

func replicaSet(name, revision string, replicas int32) *appsv1.ReplicaSet {
	return &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), Annotations: map[string]string{RevisionAnnotation: revision}},
		Spec:       appsv1.ReplicaSetSpec{Replicas: &replicas},
	}
}

func TestNewestReplicaSet(t *testing.T) {
	for name, c := range map[string]struct {
		sets    []*appsv1.ReplicaSet
		newest  string
		rolling bool
		wanted  int
	}{
		"one":       {[]*appsv1.ReplicaSet{replicaSet("a", "1", 2)}, "a", false, 2},
		"old empty": {[]*appsv1.ReplicaSet{replicaSet("a", "9", 0), replicaSet("b", "10", 2)}, "b", false, 2},
		"rolling":   {[]*appsv1.ReplicaSet{replicaSet("a", "1", 1), replicaSet("b", "2", 2)}, "b", true, 3},
		"new one":   {[]*appsv1.ReplicaSet{replicaSet("a", "", 0), replicaSet("b", "1", 2)}, "b", false, 2},
	} {
		sortByRevision(c.sets)
		w := Workload{Deployment: &appsv1.Deployment{}, ReplicaSets: c.sets}
		if w.Newest().Name != c.newest || w.Rolling() != c.rolling || w.Wanted(7) != c.wanted {
			t.Errorf("%s: newest %s, rolling %v, wanted %d", name, w.Newest().Name, w.Rolling(), w.Wanted(7))
		}
	}
	if (Workload{}).Newest() != nil || (Workload{}).Wanted(7) != 7 {
		t.Error("a target without ReplicaSets")
	}
}

func pod(name string, change ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)}, Status: corev1.PodStatus{Phase: corev1.PodRunning}}
	for _, c := range change {
		c(p)
	}
	return p
}

func deleting(p *corev1.Pod) { p.DeletionTimestamp = new(metav1.Unix(60, 0)) }
func onNode(p *corev1.Pod)   { p.Spec.NodeName = "node" }
func failed(p *corev1.Pod)   { p.Status.Phase = corev1.PodFailed }
func ready(p *corev1.Pod) {
	p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue})
}

func unschedulable(p *corev1.Pod) {
	p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable})
}

func TestWorkloadCounts(t *testing.T) {
	w := Workload{Pods: []*corev1.Pod{
		pod("a", onNode, ready), pod("b", onNode), pod("c"), pod("d", unschedulable), pod("e", onNode, ready, deleting), pod("f", failed),
	}}
	bound, waiting := w.Bound()
	if len(w.Active()) != 4 || w.Terminating() != 1 || bound != 2 || waiting != 1 || w.Ready() != 1 {
		t.Errorf("active %d, terminating %d, bound %d, unschedulable %d, ready %d", len(w.Active()), w.Terminating(), bound, waiting, w.Ready())
	}
}

// TestFailureIsOfTheSpecThatIs: a ReplicaSet that has not seen its spec yet talks of the
// one before, and of several any may be the one that cannot.
func TestFailureIsOfTheSpecThatIs(t *testing.T) {
	set := func(name string, generation, observed int64, status corev1.ConditionStatus) *appsv1.ReplicaSet {
		rs := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Name: name, Generation: generation}}
		rs.Status.ObservedGeneration = observed
		rs.Status.Conditions = []appsv1.ReplicaSetCondition{{Type: appsv1.ReplicaSetReplicaFailure, Status: status, Message: name}}
		return rs
	}
	for want, sets := range map[string][]*appsv1.ReplicaSet{
		"":    {set("stale", 2, 1, corev1.ConditionTrue), set("well", 1, 1, corev1.ConditionFalse)},
		"new": {set("new", 1, 1, corev1.ConditionTrue), set("old", 1, 1, corev1.ConditionTrue)},
		"old": {set("new", 1, 1, corev1.ConditionFalse), set("old", 1, 1, corev1.ConditionTrue)},
	} {
		if got := (Workload{ReplicaSets: sets}).Failure(); got != want {
			t.Errorf("failure %q, want %q", got, want)
		}
	}
}

func TestDiffPods(t *testing.T) {
	known := map[types.UID]Fingerprint{}
	for _, p := range []*corev1.Pod{pod("stays"), pod("leaves"), pod("gone"), pod("was-leaving", deleting)} {
		known[p.UID] = FingerprintOf(p)
	}
	var f trace.Frame
	created, deleted := DiffPods(known, Workload{Pods: []*corev1.Pod{pod("stays"), pod("leaves", deleting), pod("new")}}, &f)
	if len(created) != 1 || created[0] != "new" || len(deleted) != 2 || len(f.Changes) != 3 {
		t.Errorf("created %v, deleted %v, changes %v", created, deleted, f.Changes)
	}
}

func TestSomeNames(t *testing.T) {
	if got := SomeNames([]string{"a", "b"}); got != "a, b" {
		t.Errorf("got %q", got)
	}
	if got := SomeNames([]string{"1", "2", "3", "4", "5", "6", "7"}); got != "1, 2, 3, 4, 5 외 2개" {
		t.Errorf("got %q", got)
	}
}

// TestCachedReads: a read is marked for which upstream's actor would send no request, and
// no other call is.
func TestCachedReads(t *testing.T) {
	calls := []trace.Call{
		{Actor: trace.ActorHPA, Verb: "GET", Path: "/apis/autoscaling/v2/namespaces/x/horizontalpodautoscalers/web"},
		{Actor: trace.ActorHPA, Verb: "GET", Path: "/api/v1/namespaces/x/pods?labelSelector=app"},
		{Actor: trace.ActorHPA, Verb: "GET", Path: "/apis/apps/v1/namespaces/x/deployments/web/scale"},
		{Actor: trace.ActorHPA, Verb: "GET", Path: "/apis/metrics.k8s.io/v1beta1/namespaces/x/pods"},
		{Actor: trace.ActorHPA, Verb: "PUT", Path: "/apis/autoscaling/v2/namespaces/x/horizontalpodautoscalers/web"},
		{Actor: trace.ActorKubelet, Verb: "GET", Path: "/api/v1/namespaces/x/pods"},
	}
	var marked []int
	for i, c := range cached(calls, trace.ActorHPA, []string{"horizontalpodautoscalers", "pods"}) {
		if c.Cached {
			marked = append(marked, i)
		}
	}
	if !slices.Equal(marked, []int{0, 1}) {
		t.Errorf("marked %v", marked)
	}
}
