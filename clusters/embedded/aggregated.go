package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/user"
	genericapiserver "k8s.io/apiserver/pkg/server"
	genericoptions "k8s.io/apiserver/pkg/server/options"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	aggregator "k8s.io/kube-aggregator/pkg/client/clientset_generated/clientset"
)

// services are the Services behind which a server of this process is: none has
// endpoints. It is the aggregator's ServiceResolver.
type services struct {
	mu    sync.Mutex
	hosts map[string]string // by name
}

func (s *services) add(name string, l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hosts == nil {
		s.hosts = map[string]string{}
	}
	s.hosts[name] = l.Addr().String()
}

// ResolveEndpoint is where the server of a Service listens.
func (s *services) ResolveEndpoint(_, name string, _ int32) (*url.URL, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	host, ok := s.hosts[name]
	if !ok {
		return nil, apierrors.NewNotFound(corev1.Resource("services"), name)
	}
	return &url.URL{Scheme: "https", Host: host}, nil
}

// delegate lets a server ask the API server who calls it and what he may, as real ones
// do, but tells it of the certificates, so that it asks nothing of an API server that
// starts beside it.
func (c *Cluster) delegate(authn *genericoptions.DelegatingAuthenticationOptions, authz *genericoptions.DelegatingAuthorizationOptions) {
	authn.RemoteKubeConfigFile, authz.RemoteKubeConfigFile = c.kubeconfig, c.kubeconfig
	authn.ClientCert.ClientCA = c.pki.cert("ca")
	authn.RequestHeader.ClientCAFile = c.pki.cert("ca")
	authn.RequestHeader.AllowedNames = []string{frontProxy}
}

// serveOn lets an aggregated API be served on the listener, with the certificate of that
// name, to the cluster's clients and to nobody inside. Its authentication has been applied.
func (c *Cluster) serveOn(l net.Listener, name string, config *genericapiserver.Config, secure *genericoptions.SecureServingOptions, authn *genericoptions.DelegatingAuthenticationOptions) error {
	secure.Listener, secure.BindPort = l, portOf(l)
	secure.ServerCert.CertKey.CertFile, secure.ServerCert.CertKey.KeyFile = c.pki.cert(name), c.pki.keyFile(name)
	if err := secure.ApplyTo(&config.SecureServing); err != nil {
		return err
	}
	ca, err := authn.ClientCert.GetClientCAContentProvider()
	if err != nil {
		return err
	}
	config.LoopbackClientConfig = &rest.Config{}
	config.EnableProfiling = false
	config.Authentication.Authenticator = knownUsers(config.Authentication.Authenticator)
	return config.Authentication.ApplyClientCert(ca, config.SecureServing)
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

// aggregate makes the Service and the APIServices through which the API server leads to a
// server of this process, and waits until it calls them available.
func (c *Cluster) aggregate(ctx context.Context, service string, versions ...schema.GroupVersion) error {
	kube, agg, err := c.aggregation()
	if err != nil {
		return err
	}
	if _, err := kube.CoreV1().Services(metav1.NamespaceSystem).Create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: service},
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "localhost"},
	}, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("service %s: %w", service, err)
	}
	for _, v := range versions {
		if _, err := agg.ApiregistrationV1().APIServices().Create(ctx, apiServiceOf(v, service), metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("APIService %s: %w", apiServiceName(v), err)
		}
	}
	for _, v := range versions {
		if err := waitAPIService(ctx, agg, apiServiceName(v), apiregistrationv1.ConditionTrue); err != nil {
			return err
		}
	}
	return nil
}

// aggregation are the clients of what aggregate makes: Services and APIServices.
func (c *Cluster) aggregation() (kubernetes.Interface, aggregator.Interface, error) {
	kube, err := kubernetes.NewForConfig(c.admin)
	if err != nil {
		return nil, nil, err
	}
	agg, err := aggregator.NewForConfig(c.admin)
	return kube, agg, err
}

// disaggregate takes away what aggregate made, whether it got that far or not.
func (c *Cluster) disaggregate(ctx context.Context, service string, versions ...schema.GroupVersion) error {
	kube, agg, err := c.aggregation()
	if err != nil {
		return err
	}
	var errs []error
	for _, v := range versions {
		errs = append(errs, agg.ApiregistrationV1().APIServices().Delete(ctx, apiServiceName(v), metav1.DeleteOptions{}))
	}
	errs = append(errs, kube.CoreV1().Services(metav1.NamespaceSystem).Delete(ctx, service, metav1.DeleteOptions{}))
	for i, err := range errs {
		if apierrors.IsNotFound(err) {
			errs[i] = nil
		}
	}
	return errors.Join(errs...)
}

func apiServiceName(v schema.GroupVersion) string { return v.Version + "." + v.Group }

func apiServiceOf(v schema.GroupVersion, service string) *apiregistrationv1.APIService {
	port := int32(443)
	return &apiregistrationv1.APIService{
		ObjectMeta: metav1.ObjectMeta{Name: apiServiceName(v)},
		Spec: apiregistrationv1.APIServiceSpec{
			Group: v.Group, Version: v.Version, GroupPriorityMinimum: 100, VersionPriority: 100,
			Service:               &apiregistrationv1.ServiceReference{Name: service, Namespace: metav1.NamespaceSystem, Port: &port},
			InsecureSkipTLSVerify: true, // as in the Metrics Server's own manifest; loopback of this machine
		},
	}
}

func waitAPIService(ctx context.Context, agg aggregator.Interface, name string, want apiregistrationv1.ConditionStatus) error {
	return wait.PollUntilContextTimeout(ctx, pollEvery, startTimeout, true, func(ctx context.Context) (bool, error) {
		s, err := agg.ApiregistrationV1().APIServices().Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		for _, cond := range s.Status.Conditions {
			if cond.Type == apiregistrationv1.Available {
				return cond.Status == want, nil
			}
		}
		return false, nil
	})
}
