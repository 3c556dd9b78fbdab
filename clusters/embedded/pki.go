package embedded

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"

	certutil "k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
)

// pki is the cluster's certificate authority and what it signed. EC keys,
// because making an RSA key costs a noticeable part of a second.
type pki struct {
	dir   *runDir
	ca    *x509.Certificate
	key   crypto.Signer
	token string // of the one who owns the cluster
}

const certLife = 10 * 365 * 24 * time.Hour

// frontProxy is whom servers behind the API server believe on whose behalf it calls.
const frontProxy = "front-proxy-client"

// newPKI makes the authority and writes every file that the components read.
func newPKI(dir *runDir) (*pki, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	ca, err := certutil.NewSelfSignedCACert(certutil.Config{CommonName: "stepscale-ca"}, key)
	if err != nil {
		return nil, err
	}
	p := &pki{dir: dir, ca: ca, key: key, token: rand.Text()}
	if err := p.writeToken(); err != nil {
		return nil, err
	}
	if err := p.write("ca.crt", "CERTIFICATE", ca.Raw); err != nil {
		return nil, err
	}
	for _, c := range []struct {
		name    string
		subject pkix.Name
		usage   x509.ExtKeyUsage
	}{
		{"apiserver", pkix.Name{CommonName: "kube-apiserver"}, x509.ExtKeyUsageServerAuth},
		{metricsService, pkix.Name{CommonName: metricsService}, x509.ExtKeyUsageServerAuth},
		{adapterService, pkix.Name{CommonName: adapterService}, x509.ExtKeyUsageServerAuth},
		{"kubelet", pkix.Name{CommonName: "kubelet"}, x509.ExtKeyUsageServerAuth},
		{"front-proxy", pkix.Name{CommonName: frontProxy}, x509.ExtKeyUsageClientAuth},
		{"kubelet-client", pkix.Name{CommonName: "kube-apiserver-kubelet-client"}, x509.ExtKeyUsageClientAuth},
	} {
		if err := p.sign(c.name, c.subject, c.usage); err != nil {
			return nil, fmt.Errorf("certificate %s: %w", c.name, err)
		}
	}
	_, err = p.newKey("service-account")
	return p, err
}

// writeToken writes the API server's list of tokens. The owner has a token and no
// certificate, because a certificate is verified anew with every request.
func (p *pki) writeToken() error {
	line := p.token + ",stepscale-admin,stepscale-admin,system:masters\n"
	return os.WriteFile(p.tokenFile(), []byte(line), 0o600)
}

func (p *pki) tokenFile() string { return p.dir.file("tokens.csv") }

func (p *pki) cert(name string) string { return p.dir.file(name + ".crt") }
func (p *pki) keyFile(name string) string {
	return p.dir.file(name + ".key")
}

func (p *pki) newKey(name string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, p.write(name+".key", keyutil.ECPrivateKeyBlockType, der)
}

func (p *pki) sign(name string, subject pkix.Name, usage x509.ExtKeyUsage) error {
	key, err := p.newKey(name)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 62))
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		Subject:      subject,
		SerialNumber: serial,
		NotBefore:    p.ca.NotBefore,
		NotAfter:     p.ca.NotBefore.Add(certLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{usage},
		DNSNames:     []string{"localhost", "kubernetes", "kubernetes.default.svc"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 96, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, p.ca, key.Public(), p.key)
	if err != nil {
		return err
	}
	return p.write(name+".crt", "CERTIFICATE", der)
}

func (p *pki) write(name, kind string, der []byte) error {
	return os.WriteFile(p.dir.file(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
