package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/pflag"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/rest"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
)

// apiServer is upstream's kube-apiserver inside this process.
type apiServer struct {
	admin *rest.Config
	done  chan error // closed when the server has stopped
}

// startAPIServer starts kube-apiserver on the listener, with RBAC and admission webhooks
// on. The Services of aggregated APIs are found by services.
func startAPIServer(ctx context.Context, p *pki, listener net.Listener, etcd, tokenWebhook string, services *services, seen *demand) (*apiServer, error) {
	opts := options.NewServerRunOptions()
	opts.SecureServing.Listener = listener
	fs := pflag.NewFlagSet("kube-apiserver", pflag.ContinueOnError)
	for _, f := range opts.Flags().FlagSets {
		fs.AddFlagSet(f)
	}
	if err := fs.Parse(append(apiServerFlags(p, etcd, portOf(listener)), webhookFlags(tokenWebhook)...)); err != nil {
		return nil, err
	}
	if err := opts.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return nil, err
	}
	completed, err := opts.Complete(ctx)
	if err != nil {
		return nil, err
	}
	if errs := completed.Validate(); len(errs) > 0 {
		return nil, utilerrors.NewAggregate(errs)
	}
	s := &apiServer{done: make(chan error, 1), admin: adminConfig(p, portOf(listener))}
	if err := s.run(ctx, completed, services, seen); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *apiServer) run(ctx context.Context, opts options.CompletedOptions, services *services, seen *demand) error {
	config, err := app.NewConfig(opts)
	if err != nil {
		return err
	}
	config.Aggregator.ExtraConfig.ServiceResolver = services
	nameVersion(config)
	generic := config.KubeAPIs.ControlPlane.Generic
	deferOpenAPI(generic)
	completed, err := config.Complete()
	if err != nil {
		return err
	}
	chain, err := app.CreateServerChain(completed)
	if err != nil {
		return err
	}
	serveOpenAPI(chain.GenericAPIServer.NextDelegate().(*genericapiserver.GenericAPIServer), generic)
	handler := chain.GenericAPIServer.Handler
	handler.FullHandlerChain = seen.wrap(handler.FullHandlerChain)
	prepared, err := chain.PrepareRun()
	if err != nil {
		return err
	}
	forgetDefinitions(generic)
	go func() {
		defer close(s.done) // also when upstream wants the process to end
		s.done <- prepared.Run(ctx)
	}()
	return nil
}

func apiServerFlags(p *pki, etcd string, port int) []string {
	return []string{
		"--etcd-servers=" + etcd,
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(port),
		"--endpoint-reconciler-type=none", // a loopback advertise address is refused otherwise
		"--service-cluster-ip-range=10.96.0.0/16",
		"--authorization-mode=RBAC",
		"--anonymous-auth=false",
		"--client-ca-file=" + p.cert("ca"),
		"--token-auth-file=" + p.tokenFile(),
		"--tls-cert-file=" + p.cert("apiserver"),
		"--tls-private-key-file=" + p.keyFile("apiserver"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + p.keyFile("service-account"),
		"--service-account-signing-key-file=" + p.keyFile("service-account"),
		"--requestheader-client-ca-file=" + p.cert("ca"),
		"--requestheader-allowed-names=" + frontProxy,
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + p.cert("front-proxy"),
		"--proxy-client-key-file=" + p.keyFile("front-proxy"),
		"--kubelet-certificate-authority=" + p.cert("ca"),
		"--kubelet-client-certificate=" + p.cert("kubelet-client"),
		"--kubelet-preferred-address-types=InternalIP",
		"--kubelet-client-key=" + p.keyFile("kubelet-client"),
		// The node lifecycle controller, which would take the taint off again, runs only where a node is not Ready.
		"--disable-admission-plugins=TaintNodesByCondition",
		"--cert-dir=" + filepath.Dir(p.cert("ca")),
		"--shutdown-delay-duration=0s",
		"--watch-cache=true",
		"--profiling=false",
		// Beyond as many (100 by default) every write that comes at the same time makes a
		// connection of its own, with its handshake: a quarter of the time that binding
		// 1,000 pods took.
		"--http2-max-streams-per-connection=10000",
		"--max-requests-inflight=0", // a classroom of one: no throttling of our own actors
		"--max-mutating-requests-inflight=0",
		"--enable-priority-and-fairness=false",
		"--v=0",
	}
}

// webhookFlags let somebody else say whose a token is. The API server remembers the
// answer for its usual ten seconds all the same.
func webhookFlags(kubeconfig string) []string {
	if kubeconfig == "" {
		return nil
	}
	return []string{"--authentication-token-webhook-config-file=" + kubeconfig, "--authentication-token-webhook-version=v1", "--authentication-token-webhook-cache-ttl=0s"}
}

func adminConfig(p *pki, port int) *rest.Config {
	return &rest.Config{
		Host:            fmt.Sprintf("https://127.0.0.1:%d", port),
		TLSClientConfig: rest.TLSClientConfig{CAFile: p.cert("ca")},
		BearerToken:     p.token,
		QPS:             -1, // no client-side rate limit
		// Nothing leaves this machine: packing lists and watches would only cost.
		DisableCompression: true,
	}
}

// waitReady polls /readyz until the API server answers ok, those hooks aside.
func (s *apiServer) waitReady(ctx context.Context, aside []string) error {
	client, err := rest.HTTPClientFor(s.admin)
	if err != nil {
		return err
	}
	query := url.Values{"exclude": aside}.Encode()
	var last error
	err = wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		select {
		case err := <-s.done:
			return false, fmt.Errorf("kube-apiserver stopped: %w", err)
		default:
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.admin.Host+"/readyz?"+query, nil)
		if err != nil {
			return false, err
		}
		resp, err := client.Do(req)
		if err != nil {
			last = err
			return false, nil
		}
		defer resp.Body.Close()
		last = fmt.Errorf("readyz: %s", resp.Status)
		return resp.StatusCode == http.StatusOK, nil
	})
	if err != nil {
		return errors.Join(err, last)
	}
	return nil
}

func listenLoopback() (net.Listener, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("no free port on loopback: %w", err)
	}
	return l, nil
}

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }
