package embedded

import (
	"context"
	"fmt"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/user"
	genericapiserver "k8s.io/apiserver/pkg/server"
	genericoptions "k8s.io/apiserver/pkg/server/options"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	aggregator "k8s.io/kube-aggregator/pkg/client/clientset_generated/clientset"
	"sigs.k8s.io/metrics-server/cmd/metrics-server/app/options"
	"sigs.k8s.io/metrics-server/pkg/api"
	"sigs.k8s.io/metrics-server/pkg/scraper"
	"sigs.k8s.io/metrics-server/pkg/scraper/client/resource"
	"sigs.k8s.io/metrics-server/pkg/storage"

	"github.com/stepscale/stepscale/engine/trace"
)

// metricResolution is what the Metrics Server's own manifest sets; a container
// between 10 s and this age gets a value from its first scrape.
const metricResolution = 15 * time.Second

const metricsAPIService = "v1beta1.metrics.k8s.io"

// metricsServer is upstream's Metrics Server without its ticker: the scrape
// happens when a step says so.
type metricsServer struct {
	scraper scraper.Scraper
	storage storage.Storage
}

func (m *metricsServer) scrape(ctx context.Context) { m.storage.Store(m.scraper.Scrape(ctx)) }

// metricsAPI is the Metrics Server's own API server.
type metricsAPI struct {
	*genericapiserver.GenericAPIServer
	kubelets *options.KubeletClientOptions
}

// newMetricsAPI builds the Metrics Server's API on the listener. It delegates
// authentication and authorization to the API server as the real one does, but is told
// of the certificates, so that it asks nothing of an API server that starts beside it.
func (c *Cluster) newMetricsAPI() (*metricsAPI, error) {
	opts := options.NewOptions()
	opts.Authentication.RemoteKubeConfigFile = c.kubeconfig
	opts.Authorization.RemoteKubeConfigFile = c.kubeconfig
	opts.Authentication.ClientCert.ClientCA = c.pki.cert("ca")
	opts.Authentication.RequestHeader.ClientCAFile = c.pki.cert("ca")
	opts.Authentication.RequestHeader.AllowedNames = []string{frontProxy}
	opts.KubeletClient.KubeletUseNodeStatusPort = true
	opts.KubeletClient.KubeletPreferredAddressTypes = []string{string(corev1.NodeInternalIP)}
	secure := opts.SecureServing
	// Upstream would make RSA keys for a client of its own, whom nobody needs.
	opts.SecureServing = (&genericoptions.SecureServingOptions{}).WithLoopback()
	config, err := opts.ApiserverConfig()
	if err != nil {
		return nil, fmt.Errorf("metrics server: %w", err)
	}
	if err := c.serveMetrics(config, secure.SecureServingOptions, opts.Authentication); err != nil {
		return nil, fmt.Errorf("metrics server: %w", err)
	}
	config.EnableProfiling = false
	config.Authentication.Authenticator = knownUsers(config.Authentication.Authenticator)
	server, err := config.Complete(nil).New("metrics-server", genericapiserver.NewEmptyDelegate())
	if err != nil {
		return nil, fmt.Errorf("metrics server: %w", err)
	}
	return &metricsAPI{GenericAPIServer: server, kubelets: opts.KubeletClient}, nil
}

// serveMetrics lets the API be served on its listener to the cluster's clients, and to nobody inside.
func (c *Cluster) serveMetrics(config *genericapiserver.Config, secure *genericoptions.SecureServingOptions, auth *genericoptions.DelegatingAuthenticationOptions) error {
	secure.Listener, secure.BindPort = c.metricsListener, portOf(c.metricsListener)
	secure.ServerCert.CertKey.CertFile, secure.ServerCert.CertKey.KeyFile = c.pki.cert("metrics-server"), c.pki.keyFile("metrics-server")
	if err := secure.ApplyTo(&config.SecureServing); err != nil {
		return err
	}
	ca, err := auth.ClientCert.GetClientCAContentProvider()
	if err != nil {
		return err
	}
	config.LoopbackClientConfig = &rest.Config{}
	return config.Authentication.ApplyClientCert(ca, config.SecureServing)
}

// startMetricsServer lets the Metrics Server follow nodes and pods, serves its API and
// has it aggregated.
func (c *Cluster) startMetricsServer(ctx context.Context) error {
	if err := c.installMetricsAPI(ctx, c.metricsAPI); err != nil {
		return fmt.Errorf("metrics server: %w", err)
	}
	c.goRun(func() { _ = c.metricsAPI.PrepareRun().RunWithContext(ctx) })
	return c.registerMetricsAPI(ctx)
}

// knownUsers takes away the anonymous user, whom upstream's delegated authentication
// always adds and who may ask whether the server is healthy.
func knownUsers(all authenticator.Request) authenticator.Request {
	return authenticator.RequestFunc(func(req *http.Request) (*authenticator.Response, bool, error) {
		resp, ok, err := all.AuthenticateRequest(req)
		if ok && resp.User.GetName() == user.Anonymous {
			return nil, false, err
		}
		return resp, ok, err
	})
}

func (c *Cluster) installMetricsAPI(ctx context.Context, server *metricsAPI) error {
	cfg := c.recorded(trace.ActorMetrics, rest.ImpersonationConfig{})
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	meta, err := metadata.NewForConfig(cfg)
	if err != nil {
		return err
	}
	nodes := informers.NewSharedInformerFactory(client, 0)
	// Upstream's runningPodMetadataInformer (pkg/server/informer.go).
	pods := metadatainformer.NewFilteredSharedInformerFactory(meta, 0, corev1.NamespaceAll, func(o *metav1.ListOptions) {
		o.FieldSelector = "status.phase=Running"
	})
	podLister := pods.ForResource(corev1.SchemeGroupVersion.WithResource("pods")).Lister()
	nodeLister := nodes.Core().V1().Nodes().Lister()
	kubelets, err := resource.NewForConfig(server.kubelets.Config(cfg))
	if err != nil {
		return err
	}
	store := storage.NewStorage(metricResolution)
	if err := api.Install(store, podLister, nodeLister, server.GenericAPIServer, nil); err != nil {
		return err
	}
	nodes.Start(ctx.Done())
	pods.Start(ctx.Done())
	nodes.WaitForCacheSync(ctx.Done())
	pods.WaitForCacheSync(ctx.Done())
	c.metrics = &metricsServer{scraper: scraper.NewScraper(nodeLister, kubelets, 10*time.Second, nil), storage: store}
	return nil
}

// registerMetricsAPI makes the APIService through which metrics.k8s.io is
// aggregated, and waits until the API server calls it available.
func (c *Cluster) registerMetricsAPI(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(c.admin)
	if err != nil {
		return err
	}
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "metrics-server", Namespace: metav1.NamespaceSystem},
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "localhost"},
	}
	_, err = client.CoreV1().Services(service.Namespace).Create(ctx, service, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("metrics server service: %w", err)
	}
	agg, err := aggregator.NewForConfig(c.admin)
	if err != nil {
		return err
	}
	port := int32(443)
	if _, err := agg.ApiregistrationV1().APIServices().Create(ctx, &apiregistrationv1.APIService{
		ObjectMeta: metav1.ObjectMeta{Name: metricsAPIService},
		Spec: apiregistrationv1.APIServiceSpec{
			Group: "metrics.k8s.io", Version: "v1beta1", GroupPriorityMinimum: 100, VersionPriority: 100,
			Service:               &apiregistrationv1.ServiceReference{Name: service.Name, Namespace: service.Namespace, Port: &port},
			InsecureSkipTLSVerify: true, // as in the Metrics Server's own manifest; loopback of this machine
		},
	}, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("metrics APIService: %w", err)
	}
	return c.waitMetricsAPI(ctx, agg)
}

func (c *Cluster) waitMetricsAPI(ctx context.Context, agg aggregator.Interface) error {
	return wait.PollUntilContextTimeout(ctx, pollEvery, startTimeout, true, func(ctx context.Context) (bool, error) {
		s, err := agg.ApiregistrationV1().APIServices().Get(ctx, metricsAPIService, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		for _, cond := range s.Status.Conditions {
			if cond.Type == apiregistrationv1.Available {
				return cond.Status == apiregistrationv1.ConditionTrue, nil
			}
		}
		return false, nil
	})
}
