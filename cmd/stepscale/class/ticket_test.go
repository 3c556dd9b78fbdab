package class

import (
	"errors"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// kubeconfigWith is one as Hand makes it, but for one thing.
func kubeconfigWith(t *testing.T, change func(*api.Config)) []byte {
	t.Helper()
	c := &api.Config{
		CurrentContext: "k8s",
		Contexts:       map[string]*api.Context{"k8s": {Cluster: "k8s", AuthInfo: "s01", Namespace: "k8s-s01"}},
		Clusters:       map[string]*api.Cluster{"k8s": {Server: "https://10.0.0.1", CertificateAuthorityData: []byte("ca"), TLSServerName: "api"}},
		AuthInfos:      map[string]*api.AuthInfo{"s01": {Token: "token"}},
	}
	change(c)
	raw, err := clientcmd.Write(*c)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func seatOfK8s(t *testing.T, seat string) Ticket {
	t.Helper()
	return Ticket{Class: "k8s", Seat: seat, Namespace: "k8s-" + seat, Kubeconfig: kubeconfigWith(t, func(*api.Config) {})}
}

// TestForgedTicket: whoever made a class file, it opens nothing that runs a program, reads a
// file, or leads a learner's own identity somewhere else than into a seat.
func TestForgedTicket(t *testing.T) {
	who := func(change func(*api.AuthInfo)) func(*testing.T) Ticket {
		return func(t *testing.T) Ticket {
			x := seatOfK8s(t, "s01")
			x.Kubeconfig = kubeconfigWith(t, func(c *api.Config) { change(c.AuthInfos["s01"]) })
			return x
		}
	}
	server := func(change func(*api.Cluster)) func(*testing.T) Ticket {
		return func(t *testing.T) Ticket {
			x := seatOfK8s(t, "s01")
			x.Kubeconfig = kubeconfigWith(t, func(c *api.Config) { change(c.Clusters["k8s"]) })
			return x
		}
	}
	seat := func(change func(*Ticket)) func(*testing.T) Ticket {
		return func(t *testing.T) Ticket { x := seatOfK8s(t, "s01"); change(&x); return x }
	}
	eks := func(x *Ticket) { x.EKS, x.Region, x.Kubeconfig = "prod", "r", nil }
	for name, c := range map[string]struct {
		ticket func(*testing.T) Ticket
		want   error
	}{
		"as it is made":       {seat(func(*Ticket) {}), nil},
		"EKS":                 {seat(eks), nil},
		"another class in it": {seat(func(x *Ticket) { x.Class = "prod" }), ErrForged},
		"runs a program": {who(func(a *api.AuthInfo) {
			a.Exec = &api.ExecConfig{Command: "sh", APIVersion: "client.authentication.k8s.io/v1", InteractiveMode: api.NeverExecInteractiveMode}
		}), ErrForged},
		"another's plugin":    {who(func(a *api.AuthInfo) { a.AuthProvider = &api.AuthProviderConfig{Name: "oidc"} }), ErrForged},
		"reads a file":        {who(func(a *api.AuthInfo) { a.TokenFile = "/etc/passwd" }), ErrForged},
		"reads a key":         {who(func(a *api.AuthInfo) { a.ClientKey = "/etc/key" }), ErrForged},
		"another's name":      {who(func(a *api.AuthInfo) { a.Impersonate = "admin" }), ErrForged},
		"no token":            {who(func(a *api.AuthInfo) { a.Token = "" }), ErrForged},
		"anybody's server":    {server(func(c *api.Cluster) { c.InsecureSkipTLSVerify, c.CertificateAuthorityData = true, nil }), ErrForged},
		"no TLS":              {server(func(c *api.Cluster) { c.Server = "http://10.0.0.1" }), ErrForged},
		"a proxy":             {server(func(c *api.Cluster) { c.ProxyURL = "http://10.0.0.1" }), ErrForged},
		"an authority's file": {server(func(c *api.Cluster) { c.CertificateAuthority = "/etc/ca" }), ErrForged},
		"a second user": {seat(func(x *Ticket) {
			x.Kubeconfig = kubeconfigWith(t, func(c *api.Config) { c.AuthInfos["sh"] = &api.AuthInfo{Token: "x"} })
		}), ErrForged},
		"a second context": {seat(func(x *Ticket) {
			x.Kubeconfig = kubeconfigWith(t, func(c *api.Config) { c.Contexts["prod"] = &api.Context{Cluster: "k8s", AuthInfo: "s01"} })
		}), ErrForged},
		"a second server": {seat(func(x *Ticket) {
			x.Kubeconfig = kubeconfigWith(t, func(c *api.Config) { c.Clusters["prod"] = &api.Cluster{Server: "https://10.0.0.2"} })
		}), ErrForged},
		"nonsense":           {seat(func(x *Ticket) { x.Kubeconfig = []byte("key") }), ErrForged},
		"nothing":            {seat(func(x *Ticket) { x.Kubeconfig = nil }), ErrForged},
		"a file and EKS":     {seat(func(x *Ticket) { x.EKS = "prod" }), ErrForged},
		"EKS, not a seat":    {seat(func(x *Ticket) { eks(x); x.Namespace = "payments" }), ErrForged},
		"another class":      {seat(func(x *Ticket) { x.Class, x.Namespace = "other", "other-s01" }), ErrForged},
		"another seat":       {seat(func(x *Ticket) { x.Namespace = "k8s-s02" }), ErrForged},
		"a seat of no class": {seat(func(x *Ticket) { x.Seat, x.Namespace = "../x", "k8s-../x" }), ErrForged},
	} {
		f, codes := sealed(t, c.ticket(t))
		got, err := f.Open(codes[0])
		if !errors.Is(err, c.want) || (err == nil) != (got.Namespace == "k8s-s01") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
