// Package eks finds an Amazon EKS cluster by its name, and makes the tokens that its API
// server takes. What is the same for any cluster that somebody else made is attached's.
package eks

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	awseks "github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"
	"k8s.io/utils/clock"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/clusters/attached"
)

// Options say which cluster.
type Options struct {
	Name    string
	Region  string // the credential chain's own when empty
	Profile string // of ~/.aws/config; the credential chain's own when empty

	Clock clock.PassiveClock // of the tokens, and compared with the API server's; the wall clock when nil
}

// Cluster is an EKS cluster. It satisfies clusters.Provider.
type Cluster struct {
	*attached.Cluster
	finder     *finder
	rest       *rest.Config // as the cluster was found
	kubeconfig string       // that was written
}

// New returns a cluster that is not attached yet.
func New(opts Options) *Cluster {
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	f := &finder{opts: opts}
	return &Cluster{Cluster: attached.From(f, opts.Clock), finder: f}
}

// Info describes the cluster. Name and version are known after Up.
func (c *Cluster) Info() clusters.Info {
	info := c.Cluster.Info()
	info.Kubeconfig = c.kubeconfig
	return info
}

// Up finds the cluster and asks its API server for the version, which also shows
// whether it lets us in. Errors are *attached.Error where the cause is known.
func (c *Cluster) Up(ctx context.Context) (*rest.Config, error) {
	cfg, err := c.Cluster.Up(ctx)
	c.rest = cfg
	return cfg, timed(err, c.finder.opts.Clock)
}

// Down forgets the connection. The cluster is not ours to remove.
func (c *Cluster) Down(ctx context.Context) error {
	c.rest = nil
	return c.Cluster.Down(ctx)
}

// Examine looks at an attached cluster, and asks AWS who we are.
func (c *Cluster) Examine(ctx context.Context, needs attached.Needs) (attached.Report, error) {
	if c.rest == nil {
		return attached.Report{}, errors.New("not attached")
	}
	who, err := sts.NewFromConfig(c.finder.aws).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return attached.Report{}, attached.Explain(err, ReasonOf)
	}
	r, err := c.Cluster.Examine(ctx, needs)
	r.Identity = aws.ToString(who.Arn)
	return r, err
}

// finder asks AWS where a cluster is.
type finder struct {
	opts Options
	aws  aws.Config
}

func (*finder) ReasonOf(err error) attached.Reason { return ReasonOf(err) }

func (f *finder) Find(ctx context.Context) (attached.Found, error) {
	var err error
	if f.aws, err = f.chain(ctx); err != nil {
		return attached.Found{}, err
	}
	found, err := awseks.NewFromConfig(f.aws).DescribeCluster(ctx, &awseks.DescribeClusterInput{Name: &f.opts.Name})
	if err != nil {
		return attached.Found{}, err
	}
	if status := found.Cluster.Status; status != types.ClusterStatusActive && status != types.ClusterStatusUpdating {
		return attached.Found{}, &attached.Error{Reason: NotActive, Err: fmt.Errorf("cluster %q is %s", f.opts.Name, status)}
	}
	ca, err := base64.StdEncoding.DecodeString(aws.ToString(found.Cluster.CertificateAuthority.Data))
	if err != nil {
		return attached.Found{}, fmt.Errorf("certificate authority of cluster %q: %w", f.opts.Name, err)
	}
	return attached.Found{Name: "eks-" + f.opts.Name, Config: &rest.Config{
		Host: aws.ToString(found.Cluster.Endpoint), TLSClientConfig: rest.TLSClientConfig{CAData: ca},
		WrapTransport: transport.ResettableTokenSourceWrapTransport(transport.NewCachedTokenSource(f.tokens(f.aws))),
	}}, nil
}

// chain is the usual one: environment, profiles, SSO, instance roles, and
// AWS_ENDPOINT_URL_EKS and AWS_ENDPOINT_URL_STS for endpoints of one's own.
func (f *finder) chain(ctx context.Context) (aws.Config, error) {
	if err := awsFiles(); err != nil {
		return aws.Config{}, err
	}
	options := []func(*config.LoadOptions) error{config.WithLogger(logging.Nop{})} // its warnings are on nobody's screen; errors come back
	if f.opts.Region != "" {
		options = append(options, config.WithRegion(f.opts.Region))
	}
	if f.opts.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(f.opts.Profile))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err == nil && cfg.Region == "" {
		err = &attached.Error{Reason: NoRegion, Err: fmt.Errorf("no region for cluster %q", f.opts.Name)}
	}
	return cfg, err
}

func (f *finder) tokens(cfg aws.Config) *tokenSource {
	return &tokenSource{cluster: f.opts.Name, presign: sts.NewPresignClient(sts.NewFromConfig(cfg)), clock: f.opts.Clock}
}
