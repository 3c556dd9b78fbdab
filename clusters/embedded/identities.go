package embedded

import (
	"net/http"

	"k8s.io/client-go/rest"
)

// as returns a client configuration with another identity.
func (c *Cluster) as(who rest.ImpersonationConfig) *rest.Config {
	cfg := rest.CopyConfig(c.admin)
	cfg.Impersonate = who
	return cfg
}

// recorded is as, with the actor's calls and watches recorded.
func (c *Cluster) recorded(actor string, who rest.ImpersonationConfig) *rest.Config {
	cfg := c.as(who)
	cfg.UserAgent = actor
	cfg.Wrap(c.recorder.Wrap(actor))
	return cfg
}

// toKubelets is cfg for a kubelet, which knows clients by their certificates.
func (c *Cluster) toKubelets(cfg *rest.Config) *rest.Config {
	cfg = rest.CopyConfig(cfg)
	cfg.BearerToken = ""
	cfg.CertFile, cfg.KeyFile = c.pki.cert("kubelet-client"), c.pki.keyFile("kubelet-client")
	return cfg
}

// gated is recorded, with the actor's writes held by the gate. The gate stands
// outside the recorder, so that a call's latency is the API server's own.
func (c *Cluster) gated(actor string, who rest.ImpersonationConfig) *rest.Config {
	cfg := c.recorded(actor, who)
	wrapRecorder := cfg.WrapTransport
	cfg.WrapTransport = func(rt http.RoundTripper) http.RoundTripper { return c.gate.wrap(actor)(wrapRecorder(rt)) }
	return cfg
}
