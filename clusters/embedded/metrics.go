package embedded

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	genericapiserver "k8s.io/apiserver/pkg/server"
	genericoptions "k8s.io/apiserver/pkg/server/options"
	"k8s.io/client-go/informers"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/metrics-server/cmd/metrics-server/app/options"
	"sigs.k8s.io/metrics-server/pkg/api"
	"sigs.k8s.io/metrics-server/pkg/scraper/client"
	"sigs.k8s.io/metrics-server/pkg/scraper/client/resource"
	"sigs.k8s.io/metrics-server/pkg/storage"

	"github.com/stepscale/stepscale/engine/trace"
)

// metricResolution is what the Metrics Server's own manifest sets; a container
// between 10 s and this age gets a value from its first scrape.
const metricResolution = 15 * time.Second

// scrapeTimeout is upstream's default of --kubelet-request-timeout.
const scrapeTimeout = 10 * time.Second

const (
	metricsService    = "metrics-server"
	metricsAPIService = "v1beta1.metrics.k8s.io"
)

// metricsServer is upstream's Metrics Server without its ticker: the scrape
// happens when a step says so.
type metricsServer struct {
	nodes    corelisters.NodeLister
	kubelets client.KubeletMetricsGetter
	memory   *scrapes
	away     *atomic.Bool // it answers nobody, and reads nothing
}

// scrape reads every kubelet and keeps what they say. It is upstream's
// (*scraper).Scrape without the sleep of up to 8 ms for each node by which that
// spares a network.
func (m *metricsServer) scrape(ctx context.Context) error {
	nodes, err := m.nodes.List(labels.Everything())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, scrapeTimeout)
	defer cancel()
	batches := make([]*storage.MetricsBatch, len(nodes))
	var group sync.WaitGroup
	for i, node := range nodes {
		group.Go(func() { batches[i], _ = m.kubelets.GetMetrics(ctx, node) }) // one that does not answer has no metrics
	}
	group.Wait()
	all := &storage.MetricsBatch{Nodes: map[string]storage.MetricsPoint{}, Pods: map[types.NamespacedName]storage.PodMetricsPoint{}}
	for _, b := range batches {
		if b != nil {
			maps.Copy(all.Nodes, b.Nodes)
			maps.Copy(all.Pods, b.Pods)
		}
	}
	m.memory.Store(all)
	return nil
}

// metricsAPI is the Metrics Server's own API server.
type metricsAPI struct {
	*genericapiserver.GenericAPIServer
	kubelets *options.KubeletClientOptions
	away     atomic.Bool
}

// newMetricsAPI builds the Metrics Server's API on the listener.
func (c *Cluster) newMetricsAPI() (*metricsAPI, error) {
	opts := options.NewOptions()
	c.delegate(opts.Authentication, opts.Authorization)
	opts.KubeletClient.KubeletUseNodeStatusPort = true
	opts.KubeletClient.KubeletPreferredAddressTypes = []string{string(corev1.NodeInternalIP)}
	secure := opts.SecureServing
	// Upstream would make RSA keys for a client of its own, whom nobody needs.
	opts.SecureServing = (&genericoptions.SecureServingOptions{}).WithLoopback()
	config, err := opts.ApiserverConfig()
	if err != nil {
		return nil, fmt.Errorf("metrics server: %w", err)
	}
	if err := c.serveOn(c.metricsListener, metricsService, config, secure.SecureServingOptions, opts.Authentication); err != nil {
		return nil, fmt.Errorf("metrics server: %w", err)
	}
	made := &metricsAPI{kubelets: opts.KubeletClient}
	build := config.BuildHandlerChainFunc
	config.BuildHandlerChainFunc = func(api http.Handler, c *genericapiserver.Config) http.Handler {
		return unlessAway(&made.away, build(api, c))
	}
	if made.GenericAPIServer, err = config.Complete(nil).New("metrics-server", genericapiserver.NewEmptyDelegate()); err != nil {
		return nil, fmt.Errorf("metrics server: %w", err)
	}
	return made, nil
}

// startMetricsServer lets the Metrics Server follow nodes and pods, serves its API and
// has it aggregated.
func (c *Cluster) startMetricsServer(ctx context.Context) error {
	if err := c.installMetricsAPI(ctx, c.metricsAPI); err != nil {
		return fmt.Errorf("metrics server: %w", err)
	}
	c.goRun(func() { _ = c.metricsAPI.PrepareRun().RunWithContext(ctx) })
	return c.aggregate(ctx, metricsService, schema.GroupVersion{Group: "metrics.k8s.io", Version: "v1beta1"})
}

func (c *Cluster) installMetricsAPI(ctx context.Context, server *metricsAPI) error {
	cfg := c.recorded(trace.ActorMetrics, rest.ImpersonationConfig{})
	kube, meta, err := clientsFor(cfg)
	if err != nil {
		return err
	}
	nodes := informers.NewSharedInformerFactory(kube, 0)
	// Upstream's runningPodMetadataInformer (pkg/server/informer.go).
	pods := metadatainformer.NewFilteredSharedInformerFactory(meta, 0, corev1.NamespaceAll, func(o *metav1.ListOptions) {
		o.FieldSelector = "status.phase=Running"
	})
	podLister := pods.ForResource(corev1.SchemeGroupVersion.WithResource("pods")).Lister()
	nodeLister := nodes.Core().V1().Nodes().Lister()
	kubelets, err := resource.NewForConfig(server.kubelets.Config(c.toKubelets(cfg)))
	if err != nil {
		return err
	}
	store := newScrapes()
	if err := api.Install(store, podLister, nodeLister, server.GenericAPIServer, nil); err != nil {
		return err
	}
	nodes.Start(ctx.Done())
	pods.Start(ctx.Done())
	nodes.WaitForCacheSync(ctx.Done())
	pods.WaitForCacheSync(ctx.Done())
	c.metrics = &metricsServer{nodes: nodeLister, kubelets: kubelets, memory: store, away: &server.away}
	return nil
}
