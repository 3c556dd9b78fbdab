package eks

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientauthentication "k8s.io/client-go/pkg/apis/clientauthentication/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/stepscale/stepscale/clusters/attached"
)

// WriteKubeconfig writes a kubeconfig for kubectl after Up has found the cluster;
// Info names it from then on. There is no token in it: kubectl runs
// "program eks-token" for one. The file is replaced in one move, mode 0600.
func (c *Cluster) WriteKubeconfig(file, program string) error {
	if c.rest == nil {
		return errors.New("not attached")
	}
	args := []string{"eks-token", "--cluster", c.finder.opts.Name, "--region", c.finder.aws.Region}
	if c.finder.opts.Profile != "" {
		args = append(args, "--profile", c.finder.opts.Profile)
	}
	name := c.Info().Name
	config := api.Config{
		CurrentContext: name,
		Contexts:       map[string]*api.Context{name: {Cluster: name, AuthInfo: name}},
		Clusters:       map[string]*api.Cluster{name: {Server: c.rest.Host, CertificateAuthorityData: c.rest.CAData}},
		AuthInfos: map[string]*api.AuthInfo{name: {Exec: &api.ExecConfig{
			APIVersion: clientauthentication.SchemeGroupVersion.String(), Command: program, Args: args, InteractiveMode: api.NeverExecInteractiveMode,
		}}},
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	temporary := file + ".tmp" // one writer: the file is this process's
	if err := clientcmd.WriteToFile(config, temporary); err != nil {
		return err
	}
	if err := os.Rename(temporary, file); err != nil {
		return err
	}
	c.kubeconfig = file
	return nil
}

// ExecCredential is a token for the cluster of that name, as kubectl takes it from an
// exec plugin. No API server is asked, and none of EKS's endpoints.
func (c *Cluster) ExecCredential(ctx context.Context) (*clientauthentication.ExecCredential, error) {
	cfg, err := c.finder.chain(ctx)
	if err != nil {
		return nil, attached.Explain(err, ReasonOf)
	}
	token, err := c.finder.tokens(cfg).Token()
	if err != nil {
		return nil, attached.Explain(err, ReasonOf)
	}
	until := metav1.NewTime(token.Expiry)
	return &clientauthentication.ExecCredential{
		TypeMeta: metav1.TypeMeta{Kind: "ExecCredential", APIVersion: clientauthentication.SchemeGroupVersion.String()},
		Status:   &clientauthentication.ExecCredentialStatus{Token: token.AccessToken, ExpirationTimestamp: &until},
	}, nil
}
