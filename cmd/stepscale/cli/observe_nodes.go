package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/observed"
)

// observeRole prints what observeNodes may need.
func (d deps) observeRole() error {
	_, err := io.WriteString(d.out, observed.Role)
	return err
}

// nodesReport is what observe --nodes --output json writes.
type nodesReport struct {
	SchemaVersion int    `json:"schemaVersion"`
	Cluster       string `json:"cluster"`
	observed.Report
}

// observeNodes reads once what the autoscalers of nodes did last.
func (d deps) observeNodes(ctx context.Context, o observeOptions) error {
	if err := checkOutput(o.output); err != nil {
		return err
	}
	if err := oneCluster(o); err != nil {
		return err
	}
	if o.record != "" {
		return problem.Usage("--nodes는 한 번 읽고 끝나므로 --record와 함께 쓸 수 없습니다.", "남겨 두시려면 --output json의 출력을 파일로 받아 주십시오.")
	}
	cluster := o.cluster.Open()
	cfg, err := cluster.Up(ctx)
	if err != nil {
		return problem.OfCluster(err)
	}
	cfg.QPS, cfg.Burst = 50, 100
	reader, err := observed.New(cfg)
	if err != nil {
		return err
	}
	report, err := reader.Read(ctx)
	if err != nil {
		return problem.OfCluster(err)
	}
	info := cluster.Info()
	if o.output == "json" {
		return d.writeJSON(nodesReport{SchemaVersion: 1, Cluster: info.Name, Report: report})
	}
	s := view.New(d.out)
	s.Observed(fmt.Sprintf("%s (쿠버네티스 %s)", info.Name, info.Version), report)
	return s.Err()
}
