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

	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// WriteKubeconfig writes a kubeconfig for kubectl after Up has found the cluster by
// its name; Info names it from then on. There is no token in it: kubectl runs
// "program eks-token" for one. The file is replaced in one move, mode 0600.
func (c *Cluster) WriteKubeconfig(file, program string) error {
	if c.rest == nil || c.opts.Name == "" {
		return errors.New("not attached by name")
	}
	args := []string{"eks-token", "--cluster", c.opts.Name, "--region", c.aws.Region}
	if c.opts.Profile != "" {
		args = append(args, "--profile", c.opts.Profile)
	}
	config := api.Config{
		CurrentContext: c.name,
		Contexts:       map[string]*api.Context{c.name: {Cluster: c.name, AuthInfo: c.name}},
		Clusters:       map[string]*api.Cluster{c.name: {Server: c.rest.Host, CertificateAuthorityData: c.rest.CAData}},
		AuthInfos: map[string]*api.AuthInfo{c.name: {Exec: &api.ExecConfig{
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
	c.opts.Kubeconfig = file
	return nil
}

// ExecCredential is a token for the cluster of that name, as kubectl takes it from an
// exec plugin. No API server is asked, and none of EKS's endpoints.
func (c *Cluster) ExecCredential(ctx context.Context) (*clientauthentication.ExecCredential, error) {
	cfg, err := c.chain(ctx)
	if err != nil {
		return nil, explain(err)
	}
	if cfg.Region == "" {
		return nil, &Error{Reason: NoRegion, Err: errors.New("no region")}
	}
	source := &tokenSource{cluster: c.opts.Name, presign: sts.NewPresignClient(sts.NewFromConfig(cfg)), clock: c.opts.Clock}
	token, err := source.Token()
	if err != nil {
		return nil, explain(err)
	}
	until := metav1.NewTime(token.Expiry)
	return &clientauthentication.ExecCredential{
		TypeMeta: metav1.TypeMeta{Kind: "ExecCredential", APIVersion: clientauthentication.SchemeGroupVersion.String()},
		Status:   &clientauthentication.ExecCredentialStatus{Token: token.AccessToken, ExpirationTimestamp: &until},
	}, nil
}
