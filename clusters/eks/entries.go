package eks

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	awseks "github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"

	"github.com/stepscale/stepscale/clusters/attached"
)

// ErrForeignEntry tells that a principal has an access entry already that somebody else made.
var ErrForeignEntry = errors.New("the principal has an access entry of somebody else's")

// Entry is an access entry: an IAM principal, and the groups that Kubernetes takes it for.
type Entry struct {
	Principal string // an ARN
	Groups    []string
	Tags      map[string]string // that tell whose it is
}

// has tells whether an entry bears all these tags.
func (e Entry) has(tags map[string]string) bool {
	for k, v := range tags {
		if e.Tags[k] != v {
			return false
		}
	}
	return true
}

func (c *Cluster) access() (*awseks.Client, *string, error) {
	if c.rest == nil {
		return nil, nil, errors.New("not attached")
	}
	return awseks.NewFromConfig(c.finder.aws), &c.finder.opts.Name, nil
}

// Grant makes an access entry, or brings one with the same tags up to date: whose tags are
// others is left alone (ErrForeignEntry). It is safe to call twice.
func (c *Cluster) Grant(ctx context.Context, e Entry) error {
	client, name, err := c.access()
	if err != nil {
		return err
	}
	_, err = client.CreateAccessEntry(ctx, &awseks.CreateAccessEntryInput{ClusterName: name, PrincipalArn: &e.Principal, KubernetesGroups: e.Groups, Tags: e.Tags})
	if _, there := errors.AsType[*types.ResourceInUseException](err); !there {
		return attached.Explain(err, ReasonOf)
	}
	old, found, err := c.entry(ctx, e.Principal)
	switch {
	case err != nil || !found:
		return err
	case !old.has(e.Tags):
		return fmt.Errorf("%w: %s", ErrForeignEntry, e.Principal)
	case slices.Equal(old.Groups, e.Groups):
		return nil
	}
	_, err = client.UpdateAccessEntry(ctx, &awseks.UpdateAccessEntryInput{ClusterName: name, PrincipalArn: &e.Principal, KubernetesGroups: e.Groups})
	return attached.Explain(err, ReasonOf)
}

// entry reads one; false where there is none.
func (c *Cluster) entry(ctx context.Context, principal string) (Entry, bool, error) {
	client, name, err := c.access()
	if err != nil {
		return Entry{}, false, err
	}
	out, err := client.DescribeAccessEntry(ctx, &awseks.DescribeAccessEntryInput{ClusterName: name, PrincipalArn: &principal})
	if _, gone := errors.AsType[*types.ResourceNotFoundException](err); gone {
		return Entry{}, false, nil
	}
	if err != nil {
		return Entry{}, false, attached.Explain(err, ReasonOf)
	}
	return Entry{aws.ToString(out.AccessEntry.PrincipalArn), out.AccessEntry.KubernetesGroups, out.AccessEntry.Tags}, true, nil
}

// Revoke deletes an access entry; one that is gone is no error.
func (c *Cluster) Revoke(ctx context.Context, principal string) error {
	client, name, err := c.access()
	if err != nil {
		return err
	}
	_, err = client.DeleteAccessEntry(ctx, &awseks.DeleteAccessEntryInput{ClusterName: name, PrincipalArn: &principal})
	if _, gone := errors.AsType[*types.ResourceNotFoundException](err); gone {
		return nil
	}
	return attached.Explain(err, ReasonOf)
}

// Entries are the access entries of the cluster that bear all these tags.
func (c *Cluster) Entries(ctx context.Context, tags map[string]string) (all []Entry, err error) {
	client, name, err := c.access()
	if err != nil {
		return nil, err
	}
	pages := awseks.NewListAccessEntriesPaginator(client, &awseks.ListAccessEntriesInput{ClusterName: name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, attached.Explain(err, ReasonOf)
		}
		for _, principal := range page.AccessEntries {
			e, found, err := c.entry(ctx, principal)
			if err != nil {
				return nil, err
			}
			if found && e.has(tags) {
				all = append(all, e)
			}
		}
	}
	return all, nil
}
