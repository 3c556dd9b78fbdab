package cli

import (
	"errors"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/stepscale/stepscale/clusters/eks"
)

func TestEKSIsKorean(t *testing.T) {
	for _, r := range []eks.Reason{eks.NoCredentials, eks.Expired, eks.NoProfile, eks.NoRegion, eks.NoCluster, eks.NoContext, eks.NotActive, eks.Denied, eks.NoEntry, eks.Throttled, eks.Unreachable} {
		var u *userError
		if err := eksError(&eks.Error{Reason: r, Err: errors.New("boom")}); !errors.As(err, &u) || u.what == "" || u.hint == "" {
			t.Errorf("%s is told as %v", r, err)
		}
	}
}

func TestEKSFindings(t *testing.T) {
	whole := eks.Report{Username: "kim", Nodes: 2, CPU: resource.MustParse("4"), Memory: resource.MustParse("8Gi"), Metrics: true, VPA: true, Policies: true}
	for name, c := range map[string]struct {
		change func(*eks.Report)
		want   map[string]string // the findings that are not ok
	}{
		"whole":      {func(*eks.Report) {}, nil},
		"no metrics": {func(r *eks.Report) { r.Metrics = false }, map[string]string{"Metrics Server": statusFail}},
		"no nodes":   {func(r *eks.Report) { r.Nodes = 0 }, map[string]string{"노드": statusFail}},
		"student":    {func(r *eks.Report) { r.NodesDenied, r.Denied = true, []string{"patch pods/resize"} }, map[string]string{"노드": statusWarn, "권한": statusFail}},
		"1.35":       {func(r *eks.Report) { r.Policies, r.VPA = false, false }, map[string]string{"VPA": statusWarn, "MutatingAdmissionPolicy": statusWarn}},
	} {
		report := whole
		c.change(&report)
		for _, f := range eksFindings("eks-class", report) {
			want := c.want[f.Name]
			if want == "" {
				want = statusOK
			}
			if f.Status != want || f.Status != statusOK && f.Hint == "" {
				t.Errorf("%s: %+v; want %s", name, f, want)
			}
		}
	}
}
