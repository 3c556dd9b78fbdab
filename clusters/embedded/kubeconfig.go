package embedded

import (
	"flag"
	"io"
	"os"
	"runtime"
	"sync"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/klog/v2"
)

// writeKubeconfig writes the admin kubeconfig with the certificates in it, so
// that a learner can copy the one file. Its mode is 0600.
func writeKubeconfig(path string, p *pki, host string) error {
	ca, err := os.ReadFile(p.cert("ca"))
	if err != nil {
		return err
	}
	cert, err := os.ReadFile(p.cert("admin"))
	if err != nil {
		return err
	}
	key, err := os.ReadFile(p.keyFile("admin"))
	if err != nil {
		return err
	}
	const name = "stepscale"
	cfg := clientcmdapi.NewConfig()
	cfg.Clusters[name] = &clientcmdapi.Cluster{Server: host, CertificateAuthorityData: ca}
	cfg.AuthInfos[name] = &clientcmdapi.AuthInfo{ClientCertificateData: cert, ClientKeyData: key}
	cfg.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	cfg.CurrentContext = name
	return clientcmd.WriteToFile(*cfg, path)
}

// quietLogs keeps upstream's log lines off the learner's screen. A fatal one ends
// its goroutine and not the process: a start that is interrupted makes the API
// server's post-start hooks fail (apiserver, server/hooks.go, runPostStartHook), and
// everything is still to be cleaned up then. A start that really fails is told by
// the wait for /readyz.
var quietLogs = sync.OnceFunc(func() {
	fs := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(fs)
	_ = fs.Set("logtostderr", "false")
	_ = fs.Set("alsologtostderr", "false")
	_ = fs.Set("stderrthreshold", "FATAL")
	klog.SetOutput(io.Discard)
	klog.OsExit = func(int) { runtime.Goexit() }
})
