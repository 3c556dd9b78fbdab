// Package embedded runs a Kubernetes control plane inside this process: etcd,
// kube-apiserver, the workload controllers, the scheduler and the Metrics
// Server are upstream's code. Nodes and their kubelets are simulated by KWOK,
// load by a model, and time by a clock that moves only when it is told to.
package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/engine/trace"
)

const (
	pollEvery    = 20 * time.Millisecond
	startTimeout = time.Minute
)

// Options configure a Cluster.
type Options struct {
	// Dir is where run directories are made; each is removed with its cluster.
	Dir string
	// Progress, if set, is told of every phase when it begins (took is zero)
	// and when it has ended. Phases of one start may overlap.
	Progress func(phase string, took time.Duration)
	// TokenWebhook, if set, is the path of a kubeconfig that leads to a webhook token
	// authenticator (kube-apiserver's --authentication-token-webhook-config-file), as
	// managed control planes have one.
	TokenWebhook string
	// Failed, if set, is called when a part of the running cluster has ended or would
	// have ended this process. The cluster is good for nothing then but Down.
	Failed func(error)
}

// Cluster is an embedded control plane. It satisfies clusters.Provider.
type Cluster struct {
	opts     Options
	clock    *virtualClock
	pulse    *pulse
	gate     *gate
	recorder clusters.Recorder

	dir             *runDir
	pki             *pki
	etcd            *embed.Etcd
	api             *apiServer
	admin           *rest.Config
	kubeconfig      string
	kubelets        *kubelets
	apiListener     net.Listener
	metricsListener net.Listener
	metricsAPI      *metricsAPI
	metrics         *metricsServer
	usage           *usage
	demand          demand
	services        services
	connections     connections

	mu      sync.Mutex
	spent   time.Duration   // virtual time that starting pods took since the last Advance
	sick    map[string]bool // nodes that are not Ready
	stocked bool            // the nodes are not those that the cluster began with
	adapter *adapterServer  // nil while no load has metrics

	lifecycle atomic.Pointer[lifecycle] // nil while every node is Ready

	serving                 <-chan struct{} // until it is closed
	servers, actors         context.Context // each ends when they do
	stopServers, stopActors context.CancelFunc
	stopAPI                 context.CancelFunc
	stopListening           func() // to upstream's last words
	running                 sync.WaitGroup
}

// New returns a cluster that is not running yet.
func New(opts Options) *Cluster {
	p := newPulse()
	return &Cluster{
		opts: opts, clock: newVirtualClock(), pulse: p, gate: newGate(p.beat), recorder: clusters.Recorder{Noted: p.beat},
	}
}

// Info describes the cluster.
func (c *Cluster) Info() clusters.Info {
	return clusters.Info{
		Name: "embedded", Version: kubernetesVersion(), Disposable: true,
		Simulated: []string{"nodes", "load", "time"}, Kubeconfig: c.kubeconfig,
	}
}

// Up starts the control plane and waits until it can take objects. A second
// call finds it running. A start that fails or is interrupted leaves nothing. The
// error is a *Requirement where this machine lacks something, and a *FatalError
// where upstream's code gave up.
func (c *Cluster) Up(ctx context.Context) (*rest.Config, error) {
	if c.admin != nil {
		return rest.CopyConfig(c.admin), nil
	}
	if err := c.start(ctx); err != nil {
		upstream.mute(c.api)
		return nil, errors.Join(err, c.end())
	}
	c.watch()
	return rest.CopyConfig(c.admin), nil
}

func (c *Cluster) start(parent context.Context) error {
	captureUpstream()
	if err := preflight(c.opts.Dir); err != nil {
		return err
	}
	dir, err := newRunDir(c.opts.Dir)
	if err != nil {
		return err
	}
	c.dir = dir
	ctx, giveUp := context.WithCancelCause(parent)
	defer giveUp(nil)
	defer upstream.listen(func(err error) {
		time.AfterFunc(graceTime, func() { giveUp(err) }) // it may get well
	})()
	err = c.startAll(ctx)
	if fatal, ok := context.Cause(ctx).(*FatalError); ok && err != nil && parent.Err() == nil {
		return fatal
	}
	return err
}

func (c *Cluster) startAll(ctx context.Context) error {
	if err := c.phase("etcd", func() error { return c.startStore(ctx) }); err != nil {
		return err
	}
	servers, stopServers := context.WithCancel(context.WithoutCancel(ctx))
	actors, stopActors := context.WithCancel(servers)
	c.serving, c.servers, c.stopServers, c.stopActors, c.actors = servers.Done(), servers, stopServers, stopActors, actors
	if err := c.phase("kube-apiserver", func() error { return c.startAPI(ctx, servers) }); err != nil {
		return err
	}
	if err := c.pulse.follow(servers, c.etcd.Server); err != nil {
		return err
	}
	if err := c.startUsage(actors); err != nil {
		return err
	}
	c.demandControllers(actors)
	giveRoom(servers)
	return c.parallel(ctx, actors, map[string]func(context.Context) error{
		"controllers": c.startControllers, "scheduler": c.startScheduler, "kubelets": c.startKubelets, "metrics-server": c.startMetricsServer,
	})
}

// startStore makes the keys and starts etcd, side by side, and seeds it.
func (c *Cluster) startStore(ctx context.Context) error {
	var group sync.WaitGroup
	var keyErr, err error
	group.Go(func() { c.pki, keyErr = newPKI(c.dir) })
	if c.etcd, err = startEtcd(ctx, c.dir); err == nil {
		err = seedStore(ctx, c.etcd.Server)
	}
	group.Wait()
	return errors.Join(err, keyErr)
}

// startAPI starts the API server and builds the Metrics Server, side by side.
func (c *Cluster) startAPI(ctx, servers context.Context) error {
	if err := c.listen(); err != nil {
		return err
	}
	c.kubeconfig = c.dir.file("kubeconfig")
	if err := writeKubeconfig(c.kubeconfig, c.pki, adminConfig(c.pki, portOf(c.apiListener)).Host); err != nil {
		return err
	}
	var group sync.WaitGroup
	var metricsErr error
	group.Go(func() { c.metricsAPI, metricsErr = await(ctx, c.newMetricsAPI) })
	err := c.serveAPI(ctx, servers)
	group.Wait()
	return errors.Join(err, metricsErr)
}

// listen opens the ports of both API servers.
func (c *Cluster) listen() (err error) {
	if c.apiListener, err = listenLoopback(); err != nil {
		return err
	}
	c.metricsListener, err = listenLoopback()
	return err
}

func (c *Cluster) serveAPI(ctx, servers context.Context) error {
	etcd := c.etcd.Config().ListenClientUrls[0].String()
	c.services.add(metricsService, c.metricsListener)
	serving, stop := context.WithCancel(servers)
	c.stopAPI = stop
	api, err := await(ctx, func() (*apiServer, error) {
		return startAPIServer(serving, c.pki, c.connections.through(c.apiListener), etcd, c.opts.TokenWebhook, &c.services, &c.demand)
	})
	c.api = api
	if err == nil {
		err = c.api.waitReady(ctx, hooksDone)
	}
	if err != nil {
		return fmt.Errorf("kube-apiserver: %w", err)
	}
	c.admin = c.api.admin
	return nil
}

func (c *Cluster) startUsage(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(c.admin)
	if err != nil {
		return err
	}
	// Containers are killed while time passes, when no step opens the gate.
	kubelet, err := kubernetes.NewForConfig(c.recorded(trace.ActorKubelet, rest.ImpersonationConfig{}))
	if err != nil {
		return err
	}
	c.usage = newUsage(c.clock, client, kubelet, revisionOf(c.etcd.Server.KV()))
	c.usage.passed = c.passed
	c.kubelets, err = c.newKubelets(ctx)
	return err
}

func (c *Cluster) phase(name string, run func() error) error {
	start := time.Now()
	c.report(name, 0)
	if err := run(); err != nil {
		return err
	}
	c.report(name, time.Since(start))
	return nil
}

func (c *Cluster) report(name string, took time.Duration) {
	if c.opts.Progress != nil {
		c.opts.Progress(name, took)
	}
}

// parallel runs the phases side by side and returns when all have ended. One that
// fails, or the end of ctx, ends the others: nothing writes the fields of the cluster
// any more when Down reads them.
func (c *Cluster) parallel(ctx, actors context.Context, phases map[string]func(context.Context) error) error {
	stop := context.AfterFunc(ctx, c.stopActors)
	defer stop()
	ended := make(chan error, len(phases))
	for name, run := range phases {
		go func() {
			_, err := await(actors, func() (none, error) { return none{}, c.phase(name, func() error { return run(actors) }) })
			ended <- err
		}()
	}
	var first error
	for range phases {
		if err := <-ended; err != nil && first == nil {
			first = err
			c.stopActors()
		}
	}
	return cmp.Or(ctx.Err(), first)
}

func (c *Cluster) goRun(f func()) { c.running.Go(f) }
