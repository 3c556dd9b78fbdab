package cli

import (
	"testing"

	"github.com/stepscale/stepscale/clusters/eks"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
)

// TestLabelOfACluster: the learner's own screen says which cluster it is, without the account
// in an ARN and without what could move the cursor; recordings say only its kind.
func TestLabelOfACluster(t *testing.T) {
	for want, target := range map[string]target{
		"kind":       {cluster: clusterKind},
		"my-cluster": {attach: lab.Attachment{Options: eks.Options{Name: "my-cluster"}}},
		"eks-demo":   {attach: lab.Attachment{Context: "arn:aws:eks:ap-northeast-2:111122223333:cluster/eks-demo"}},
		"realnode":   {attach: lab.Attachment{Context: "realnode"}},
		`a\x1b[2Jbc`: {attach: lab.Attachment{Context: "a\x1b[2Jbc"}},
	} {
		if got := target.label(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := (target{attach: lab.Attachment{Context: "realnode"}}).kind(); got != "context" {
		t.Errorf("a recording says %q", got)
	}
}
