package embedded

import (
	"os"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// writeKubeconfig writes the owner's kubeconfig with the authority and the token in it,
// so that a learner can copy the one file. Its mode is 0600.
func writeKubeconfig(path string, p *pki, host string) error {
	ca, err := os.ReadFile(p.cert("ca"))
	if err != nil {
		return err
	}
	const name = "stepscale"
	cfg := clientcmdapi.NewConfig()
	cfg.Clusters[name] = &clientcmdapi.Cluster{Server: host, CertificateAuthorityData: ca}
	cfg.AuthInfos[name] = &clientcmdapi.AuthInfo{Token: p.token}
	cfg.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	cfg.CurrentContext = name
	return clientcmd.WriteToFile(*cfg, path)
}
