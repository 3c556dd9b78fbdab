// Package eks attaches to an Amazon EKS cluster that somebody else made. It never
// creates, changes or deletes a cluster; what a lesson makes in it is the lesson's
// to remove.
package eks

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	awseks "github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/transport"
	"k8s.io/utils/clock"

	"github.com/stepscale/stepscale/clusters"
)

// Options say which cluster: by its name, or by a context of a kubeconfig.
type Options struct {
	Name    string // of the EKS cluster
	Region  string // the credential chain's own when empty
	Profile string // of ~/.aws/config; the credential chain's own when empty

	Context    string // of the kubeconfig; used when Name is empty
	Kubeconfig string // path; kubectl's own rules when empty

	Clock clock.PassiveClock // of the tokens, and compared with the API server's; the wall clock when nil
}

// Cluster is an EKS cluster. It satisfies clusters.Provider.
type Cluster struct {
	opts    Options
	aws     aws.Config
	rest    *rest.Config
	name    string
	version string

	namespace string
}

// New returns a cluster that is not attached yet.
func New(opts Options) *Cluster {
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	return &Cluster{opts: opts, namespace: metav1.NamespaceDefault}
}

// Namespace is that of the kubeconfig's context, as kubectl takes it; "default"
// where there is none. It is known after Up.
func (c *Cluster) Namespace() string { return c.namespace }

// Info describes the cluster. Name and version are known after Up.
func (c *Cluster) Info() clusters.Info {
	return clusters.Info{Name: c.name, Version: c.version, Kubeconfig: c.opts.Kubeconfig}
}

// Up finds the cluster and asks its API server for the version, which also shows
// whether it lets us in. Errors are *Error where the cause is known.
func (c *Cluster) Up(ctx context.Context) (*rest.Config, error) {
	if c.rest != nil {
		return rest.CopyConfig(c.rest), nil
	}
	cfg, err := c.attach(ctx)
	if err != nil {
		return nil, c.explainTimed(ctx, nil, err)
	}
	cfg.Wrap(beCareful)
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil && c.opts.Name == "" { // it has read the keys
		return nil, &Error{Reason: BadKubeconfig, Err: err}
	}
	if err != nil {
		return nil, err
	}
	body, err := kube.Discovery().RESTClient().Get().AbsPath("/version").Do(ctx).Raw()
	if err != nil {
		return nil, c.explainTimed(ctx, cfg, err)
	}
	if c.version, err = gitVersion(body); err != nil {
		return nil, explain(err)
	}
	c.rest = cfg
	return rest.CopyConfig(cfg), nil
}

// Down forgets the connection. The cluster is not ours to remove.
func (c *Cluster) Down(context.Context) error {
	c.rest = nil
	return nil
}

func (c *Cluster) attach(ctx context.Context) (*rest.Config, error) {
	if c.opts.Name == "" {
		return c.fromKubeconfig()
	}
	var err error
	if c.aws, err = c.chain(ctx); err != nil {
		return nil, err
	}
	if c.aws.Region == "" {
		return nil, &Error{Reason: NoRegion, Err: fmt.Errorf("no region for cluster %q", c.opts.Name)}
	}
	found, err := awseks.NewFromConfig(c.aws).DescribeCluster(ctx, &awseks.DescribeClusterInput{Name: &c.opts.Name})
	if err != nil {
		return nil, err
	}
	if status := found.Cluster.Status; status != types.ClusterStatusActive && status != types.ClusterStatusUpdating {
		return nil, &Error{Reason: NotActive, Err: fmt.Errorf("cluster %q is %s", c.opts.Name, status)}
	}
	ca, err := base64.StdEncoding.DecodeString(aws.ToString(found.Cluster.CertificateAuthority.Data))
	if err != nil {
		return nil, fmt.Errorf("certificate authority of cluster %q: %w", c.opts.Name, err)
	}
	c.name = "eks-" + c.opts.Name
	tokens := &tokenSource{cluster: c.opts.Name, presign: sts.NewPresignClient(sts.NewFromConfig(c.aws)), clock: c.opts.Clock}
	return &rest.Config{
		Host: aws.ToString(found.Cluster.Endpoint), TLSClientConfig: rest.TLSClientConfig{CAData: ca},
		WrapTransport: transport.ResettableTokenSourceWrapTransport(transport.NewCachedTokenSource(tokens)),
	}, nil
}

// chain is the usual one: environment, profiles, SSO, instance roles, and
// AWS_ENDPOINT_URL_EKS and AWS_ENDPOINT_URL_STS for endpoints of one's own.
func (c *Cluster) chain(ctx context.Context) (aws.Config, error) {
	if err := awsFiles(); err != nil {
		return aws.Config{}, err
	}
	options := []func(*config.LoadOptions) error{config.WithLogger(logging.Nop{})} // its warnings are on nobody's screen; errors come back
	if c.opts.Region != "" {
		options = append(options, config.WithRegion(c.opts.Region))
	}
	if c.opts.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(c.opts.Profile))
	}
	return config.LoadDefaultConfig(ctx, options...)
}

// fromKubeconfig lets the kubeconfig's own plugin make the tokens.
func (c *Cluster) fromKubeconfig() (*rest.Config, error) {
	config, err := Kubeconfig(c.opts.Kubeconfig)
	if err != nil {
		return nil, err
	}
	if err := contextIn(config, c.opts.Context); err != nil {
		return nil, err
	}
	c.name = cmp.Or(c.opts.Context, config.CurrentContext)
	loader := clientcmd.NewNonInteractiveClientConfig(*config, c.name, &clientcmd.ConfigOverrides{}, nil)
	cfg, err := loader.ClientConfig()
	if err == nil {
		c.namespace, _, err = loader.Namespace()
	}
	if err != nil {
		return nil, &Error{Reason: BadKubeconfig, Err: err}
	}
	return cfg, nil
}
