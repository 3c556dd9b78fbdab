package attached

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/stepscale/stepscale/engine/outside"
)

// MostConfig is how large a kubeconfig may be, or another file of settings or keys.
const MostConfig = 16 << 20

// Kubeconfig reads the kubeconfig at file, or all of kubectl's own where file is
// empty. An error names the file that cannot be read.
func Kubeconfig(file string) (*api.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = file
	for _, name := range rules.GetLoadingPrecedence() {
		err := outside.Check(name, MostConfig)
		if errors.Is(err, fs.ErrNotExist) && file == "" { // as kubectl has it
			continue
		}
		if err == nil {
			_, err = clientcmd.LoadFromFile(name)
		}
		if err != nil {
			return nil, &Error{Reason: BadKubeconfig, File: name, Err: err}
		}
	}
	return rules.Load()
}

// contextIn finds out why the context cannot be used, with the files that it names:
// client-go would wait for a pipe among them, and read a device for ever.
func contextIn(config *api.Config, name string) error {
	name = cmp.Or(name, config.CurrentContext)
	context := config.Contexts[name]
	switch {
	case len(config.Contexts) == 0:
		return &Error{Reason: NoKubeconfig, Err: errors.New("no contexts")}
	case context == nil:
		return &Error{Reason: NoContext, Err: fmt.Errorf("%q", name)}
	}
	var files []string
	if c := config.Clusters[context.Cluster]; c != nil {
		files = append(files, c.CertificateAuthority)
	}
	if u := config.AuthInfos[context.AuthInfo]; u != nil {
		files = append(files, u.ClientCertificate, u.ClientKey, u.TokenFile)
	}
	for _, file := range files {
		if file == "" {
			continue
		}
		if err := outside.Check(file, MostConfig); err != nil {
			return &Error{Reason: BadKubeconfig, File: file, Err: err}
		}
	}
	return nil
}
