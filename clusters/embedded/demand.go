package embedded

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/kubernetes/pkg/controller/daemon"
	"k8s.io/kubernetes/pkg/controller/endpointslice"
	"k8s.io/kubernetes/pkg/controller/job"
	"k8s.io/kubernetes/pkg/controller/statefulset"

	"github.com/stepscale/stepscale/engine/trace"
)

// demand starts a controller when the first object of its kind is written: most lessons
// have none, and pay for none. It looks at the paths of requests only.
type demand struct {
	mu     sync.Mutex
	starts map[string]func() // by resource; taken out when it is called
}

// when lets start run at the first write of that resource in a namespace that is not
// the system's.
func (d *demand) when(resource string, start func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.starts == nil {
		d.starts = map[string]func(){}
	}
	d.starts[resource] = start
}

func (d *demand) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		switch req.Method {
		case http.MethodPost, http.MethodPut, http.MethodPatch:
			d.written(req.URL.Path)
		}
		next.ServeHTTP(w, req)
	})
}

func (d *demand) written(path string) {
	_, rest, ok := strings.Cut(path, "/namespaces/")
	parts := strings.Split(rest, "/") // NAMESPACE RESOURCE NAME
	if !ok || len(parts) < 2 || parts[0] == metav1.NamespaceSystem || parts[0] == metav1.NamespaceDefault {
		return
	}
	d.mu.Lock()
	start := d.starts[parts[1]]
	delete(d.starts, parts[1])
	d.mu.Unlock()
	if start != nil {
		start()
	}
}

// The defaults of kube-controller-manager's flags.
const (
	endpointsPerSlice = 100
	failedPodsBackoff = 15 * time.Minute
)

// demandControllers says which controllers are started when.
func (c *Cluster) demandControllers(ctx context.Context) {
	for resource, start := range map[string]func(context.Context) error{
		"statefulsets": c.startStatefulSetController, "daemonsets": c.startDaemonSetController,
		"jobs": c.startJobController, "services": c.startEndpointSliceController,
	} {
		c.demand.when(resource, func() {
			if ctx.Err() != nil {
				return
			}
			if err := start(ctx); err != nil && c.opts.Failed != nil {
				c.opts.Failed(fmt.Errorf("controller of %s: %w", resource, err))
			}
		})
	}
}

func (c *Cluster) startStatefulSetController(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(c.gated(trace.ActorStatefulSet, controllerUser("statefulset-controller")))
	if err != nil {
		return err
	}
	f := informers.NewSharedInformerFactory(client, 0)
	ssc := statefulset.NewStatefulSetController(ctx, f.Core().V1().Pods(), f.Apps().V1().StatefulSets(),
		f.Core().V1().PersistentVolumeClaims(), f.Apps().V1().ControllerRevisions(), client)
	f.Start(ctx.Done())
	c.goRun(func() { ssc.Run(ctx, workers) })
	return nil
}

// startDaemonSetController and the two below it start controllers that no step moves:
// the gate does not hold them.
func (c *Cluster) startDaemonSetController(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(c.recorded("daemonset-controller", controllerUser("daemon-set-controller")))
	if err != nil {
		return err
	}
	f := informers.NewSharedInformerFactory(client, 0)
	dsc, err := daemon.NewDaemonSetsController(ctx, f.Apps().V1().DaemonSets(), f.Apps().V1().ControllerRevisions(), f.Core().V1().Pods(),
		f.Core().V1().Nodes(), client, flowcontrol.NewBackOff(time.Second, failedPodsBackoff))
	if err != nil {
		return err
	}
	f.Start(ctx.Done())
	c.goRun(func() { dsc.Run(ctx, workers) })
	return nil
}

func (c *Cluster) startJobController(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(c.recorded("job-controller", controllerUser("job-controller")))
	if err != nil {
		return err
	}
	f := informers.NewSharedInformerFactory(client, 0)
	jc, err := job.NewController(ctx, client, f.Core().V1().Pods(), f.Batch().V1().Jobs(), nil, nil)
	if err != nil {
		return err
	}
	f.Start(ctx.Done())
	c.goRun(func() { jc.Run(ctx, workers) })
	return nil
}

func (c *Cluster) startEndpointSliceController(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(c.recorded("endpointslice-controller", controllerUser("endpointslice-controller")))
	if err != nil {
		return err
	}
	f := informers.NewSharedInformerFactory(client, 0)
	esc := endpointslice.NewController(ctx, f.Core().V1().Pods(), f.Core().V1().Services(), f.Core().V1().Nodes(),
		f.Discovery().V1().EndpointSlices(), endpointsPerSlice, client, 0)
	f.Start(ctx.Done())
	c.goRun(func() { esc.Run(ctx, workers) })
	return nil
}
