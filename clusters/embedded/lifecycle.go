package embedded

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"
	"unsafe"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/kubernetes/pkg/controller/nodelifecycle"
	"k8s.io/kubernetes/pkg/controller/tainteviction"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/stepscale/stepscale/engine/trace"
)

const (
	// The simulated kubelets send no heartbeats: a node is as they said last.
	heartbeatGrace = 365 * 24 * time.Hour
	// Upstream taints one node in ten seconds (--node-eviction-rate), by the machine's
	// clock, by which nothing here goes.
	taintsPerSecond = 1000
	// Upstream taints no node of a small cluster while most of a zone's are not Ready, as
	// when several join at a time. Ours is never small (--large-cluster-size-threshold).
	largeCluster = 0
)

// lifecycle are upstream's controllers of nodes that are not Ready: one taints them, the
// other evicts the pods that do not tolerate it any longer, in virtual time. They are
// started with the first such node, so that other lessons pay nothing, and end with what
// disturbed the cluster.
type lifecycle struct {
	timers *clocktesting.FakeClock // of the evictions; it goes with the virtual clock
	stop   context.CancelFunc
	ended  sync.WaitGroup
}

// startLifecycle starts them while every node is Ready still, as they are on a cluster
// whose node fails later. The wiring is cmd/kube-controller-manager/app/core.go.
func (c *Cluster) startLifecycle(ctx context.Context) (*lifecycle, error) {
	l := &lifecycle{timers: clocktesting.NewFakeClock(c.clock.Now())}
	client, err := kubernetes.NewForConfig(c.gated(trace.ActorNodeLifecycle, controllerUser("node-controller")))
	if err != nil {
		return nil, err
	}
	evictor, err := kubernetes.NewForConfig(c.recorded(trace.ActorTaintEviction, controllerUser("node-controller")))
	if err != nil {
		return nil, err
	}
	// Its role may not list everything; in kube-controller-manager the shared informers do that as another user.
	reader, err := kubernetes.NewForConfig(c.as(rest.ImpersonationConfig{UserName: "system:kube-controller-manager"}))
	if err != nil {
		return nil, err
	}
	life, stop := context.WithCancel(c.actors)
	l.stop = stop
	f := informers.NewSharedInformerFactory(reader, 0)
	core := f.Core().V1()
	tainter, err := nodelifecycle.NewNodeLifecycleController(life, f.Coordination().V1().Leases(), core.Pods(), core.Nodes(), f.Apps().V1().DaemonSets(), client,
		pollEvery, heartbeatGrace, heartbeatGrace, taintsPerSecond, taintsPerSecond, largeCluster, 0.55) // the share is upstream's default
	if err != nil {
		stop()
		return nil, fmt.Errorf("node lifecycle controller: %w", err)
	}
	taints, err := tainteviction.New(life, evictor, core.Pods(), core.Nodes(), trace.ActorTaintEviction)
	if err == nil {
		err = setTimers(taints, l.timers)
	}
	if err != nil {
		stop()
		return nil, fmt.Errorf("taint eviction controller: %w", err)
	}
	f.Start(life.Done())
	for _, run := range []func(context.Context){tainter.Run, taints.Run} {
		l.ended.Add(1)
		c.goRun(func() {
			defer l.ended.Done()
			run(life)
		})
	}
	f.WaitForCacheSync(ctx.Done())
	if err := ctx.Err(); err != nil {
		l.end()
		return nil, err
	}
	return l, nil
}

// errUpstreamChanged tells that stepscale was built with a Kubernetes that it cannot drive.
var errUpstreamChanged = errors.New("upstream's taint eviction controller is not the one that stepscale knows")

// setTimers gives the evictions of the controller a clock: its queue of timed workers has
// one, and no constructor takes it.
func setTimers(of *tainteviction.Controller, timers clock.WithDelayedExecution) error {
	queue := reflect.ValueOf(of).Elem().FieldByName("taintEvictionQueue")
	if !queue.IsValid() || queue.Type() != reflect.TypeFor[*tainteviction.TimedWorkerQueue]() {
		return errUpstreamChanged
	}
	field, ok := queue.Type().Elem().FieldByName("clock")
	if !ok || field.Type != reflect.TypeFor[clock.WithDelayedExecution]() {
		return errUpstreamChanged
	}
	*(*clock.WithDelayedExecution)(unsafe.Add(queue.UnsafePointer(), field.Offset)) = timers
	return nil
}

// end stops the controllers.
func (l *lifecycle) end() {
	l.stop()
	l.ended.Wait()
}
