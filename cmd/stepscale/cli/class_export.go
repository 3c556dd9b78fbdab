package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/outside"
)

func newClassExportCommand(d deps) *cobra.Command {
	var attach lab.Attachment
	var o exportOptions
	cmd := &cobra.Command{
		Use: "export NAME", Short: "학생이 보고한 결과를 CSV나 JSON으로, 낸 기록을 파일로 받습니다",
		Long: `자리마다 마지막으로 보고된 수업, 단계, 질문과 답, 투표(두 번 모두)를 출력합니다. 누구의 것인지는 네임스페이스로만 압니다. 다른 곳에 있는 보고는 레이블이 무엇이든 세지 않습니다.
CSV에서 =, +, -, @로 시작하는 값에는 '를 붙입니다. 표 계산 프로그램이 학생의 글을 수식으로 실행하지 않게 하려는 것입니다. 클러스터에서는 읽기만 합니다.
--recordings는 학생이 스스로 낸 기록(class hand-in)을 폴더에 NAME-자리.jsonl로 적습니다. 하나씩 끝까지 읽어 보고 기록이 아닌 것은 적지 않으며, 어느 자리의 것인지 말하고 종료 코드 1로 끝납니다. 받은 것은 stepscale replay로 여십시오.`,
		Example: "  stepscale class export k8s --csv --context my-context > k8s.csv\n  stepscale class export k8s --output json --context my-context\n  stepscale class export k8s --recordings k8s-recordings --context my-context",
		RunE: func(cmd *cobra.Command, given []string) error {
			if err := o.check(given[0]); err != nil {
				return err
			}
			return d.classExport(cmd.Context(), given[0], attach, o)
		},
	}
	d.classArg(cmd, &attach, 0)
	d.attachFlags(cmd.Flags(), &attach)
	cmd.Flags().BoolVar(&o.csv, "csv", false, "CSV로 출력합니다")
	cmd.Flags().StringVar(&o.recordings, "recordings", "", "학생이 낸 기록을 이 `폴더`에 적습니다")
	outputFlag(cmd, &o.output)
	return cmd
}

type exportOptions struct {
	csv                bool
	output, recordings string
}

func (o exportOptions) check(name string) error {
	if err := checkOutput(o.output); err != nil {
		return err
	}
	switch {
	case o.recordings != "" && o.csv:
		return problem.Usage("--csv와 --recordings는 함께 쓸 수 없습니다.", "하나씩 실행해 주십시오.")
	case o.recordings == "" && o.csv == (o.output == "json"):
		return problem.Usage("--csv와 --output json 가운데 하나를 적어 주십시오.", "예: stepscale class export "+name+" --csv --context my-context. 낸 기록을 받으시려면 --recordings 폴더를 적어 주십시오.")
	}
	return nil
}

func (d deps) classExport(ctx context.Context, name string, attach lab.Attachment, o exportOptions) error {
	r, err := d.openRoom(ctx, attach, name, "export "+name+" --csv")
	if err != nil {
		return err
	}
	s, err := r.load(ctx, name)
	if err != nil {
		return err
	}
	if o.recordings != "" {
		return d.exportRecordings(ctx, r, s, o)
	}
	results, err := r.Export(ctx, s, time.Now())
	if err != nil {
		return roomError(err)
	}
	if o.csv {
		return results.WriteCSV(outside.Writer(d.out))
	}
	return d.writeJSON(results)
}
