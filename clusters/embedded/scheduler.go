package embedded

import (
	"context"
	"fmt"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/profile"

	"github.com/stepscale/stepscale/engine/trace"
)

// startScheduler starts upstream's scheduler with its default profile.
func (c *Cluster) startScheduler(ctx context.Context) error {
	cfg := c.gated(trace.ActorScheduler, rest.ImpersonationConfig{UserName: "system:kube-scheduler", Groups: []string{"system:authenticated"}})
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	dyn, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return err
	}
	f := scheduler.NewInformerFactory(client, 0, nil)
	dynFactory := dynamicinformer.NewDynamicSharedInformerFactory(dyn, 0)
	broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: client.EventsV1()})
	broadcaster.StartRecordingToSink(ctx.Done())
	sched, err := scheduler.New(ctx, client, f, dynFactory, profile.NewRecorderFactory(broadcaster), scheduler.WithKubeConfig(cfg))
	if err != nil {
		return fmt.Errorf("scheduler: %w", err)
	}
	f.Start(ctx.Done())
	dynFactory.Start(ctx.Done())
	f.WaitForCacheSync(ctx.Done())
	dynFactory.WaitForCacheSync(ctx.Done())
	if err := sched.WaitForHandlersSync(ctx); err != nil {
		return fmt.Errorf("scheduler: %w", err)
	}
	c.goRun(func() { sched.Run(ctx) })
	return nil
}
