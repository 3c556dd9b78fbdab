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
	var asCSV bool
	var output string
	cmd := &cobra.Command{
		Use: "export NAME", Short: "학생이 보고한 결과를 CSV나 JSON으로 출력합니다",
		Long: `자리마다 마지막으로 보고된 수업, 단계, 질문과 답, 투표(두 번 모두)를 출력합니다. 누구의 것인지는 네임스페이스로만 압니다. 다른 곳에 있는 보고는 레이블이 무엇이든 세지 않습니다.
CSV에서 =, +, -, @로 시작하는 값에는 '를 붙입니다. 표 계산 프로그램이 학생의 글을 수식으로 실행하지 않게 하려는 것입니다. 읽기만 합니다.`,
		Example: "  stepscale class export k8s --csv --context my-context > k8s.csv\n  stepscale class export k8s --output json --context my-context",
		RunE: func(cmd *cobra.Command, given []string) error {
			if err := checkOutput(output); err != nil {
				return err
			}
			if asCSV == (output == "json") {
				return problem.Usage("--csv와 --output json 가운데 하나를 적어 주십시오.", "예: stepscale class export "+given[0]+" --csv --context my-context")
			}
			return d.classExport(cmd.Context(), given[0], attach, asCSV)
		},
	}
	d.classArg(cmd, &attach, 0)
	d.attachFlags(cmd.Flags(), &attach)
	cmd.Flags().BoolVar(&asCSV, "csv", false, "CSV로 출력합니다")
	outputFlag(cmd, &output)
	return cmd
}

func (d deps) classExport(ctx context.Context, name string, attach lab.Attachment, asCSV bool) error {
	r, err := d.openRoom(ctx, attach, "export "+name+" --csv")
	if err != nil {
		return err
	}
	s, err := r.load(ctx, name)
	if err != nil {
		return err
	}
	results, err := r.Export(ctx, s, time.Now())
	if err != nil {
		return roomError(err)
	}
	if asCSV {
		return results.WriteCSV(outside.Writer(d.out))
	}
	return d.writeJSON(results)
}
