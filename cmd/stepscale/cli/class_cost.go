package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/class"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

func newClassCostCommand(d deps) *cobra.Command {
	var attach lab.Attachment
	var prices, output string
	cmd := &cobra.Command{
		Use: "cost NAME", Short: "수업이 지금 노드를 얼마나 쓰고 있는지 보여 드립니다",
		Long: `학생마다 지금 있는 파드의 수, CPU와 메모리의 requests, 노드를 차지한 시간과 그 값을 보여 드립니다.
파드 하나는 노드의 CPU와 메모리 가운데 더 많이 차지한 쪽의 비율만큼 노드를 쓴 것으로 칩니다. 이미 지워진 파드와 컨트롤 플레인, 네트워크, 디스크의 값은 들어 있지 않습니다.
값은 인스턴스 타입의 시간당 가격으로 셉니다. 기본 가격표는 us-east-1의 온디맨드이고, --prices로 바꾸실 수 있습니다. 읽기만 합니다.`,
		Example: "  stepscale class cost k8s --context my-context\n  stepscale class cost k8s --prices seoul.csv --eks my-cluster --region ap-northeast-2",
		RunE: func(cmd *cobra.Command, given []string) error {
			if err := checkOutput(output); err != nil {
				return err
			}
			return d.classCost(cmd.Context(), given[0], attach, prices, output)
		},
	}
	d.classArg(cmd, &attach, 0)
	d.attachFlags(cmd.Flags(), &attach)
	cmd.Flags().StringVar(&prices, "prices", "", "인스턴스 타입의 시간당 USD를 적은 CSV `파일` (타입,USD)")
	outputFlag(cmd, &output)
	return cmd
}

func (d deps) classCost(ctx context.Context, name string, attach lab.Attachment, prices, output string) error {
	var table map[string]float64
	if prices != "" {
		var err error
		if table, err = readPrices(prices); err != nil {
			return err
		}
	}
	r, err := d.openRoom(ctx, attach, name, "cost "+name)
	if err != nil {
		return err
	}
	s, err := r.load(ctx, name)
	if err != nil {
		return err
	}
	if table != nil {
		s.Prices = table
	}
	bill, err := r.Cost(ctx, s, time.Now())
	if err != nil {
		return roomError(err)
	}
	if output == "json" {
		return d.writeJSON(bill)
	}
	d.showBill(bill)
	if len(s.Prices) == 0 {
		view.New(d.out).Note("us-east-1의 온디맨드 가격으로 셌습니다. 다른 리전이나 다른 가격이면 --prices로 적어 주십시오.")
	}
	return nil
}

func (d deps) showBill(b class.Bill) {
	screen := view.New(d.out)
	row := func(name string, s class.SeatBill) []string {
		return []string{name, fmt.Sprint(s.Pods), s.CPU, s.Memory, fmt.Sprintf("%.2f", s.NodeHours), fmt.Sprintf("%.3f", s.Hourly), fmt.Sprintf("%.3f", s.USD)}
	}
	var rows [][]string
	for _, s := range b.Seats {
		if s.Pods > 0 {
			rows = append(rows, row(s.Seat, s))
		}
	}
	rows = append(rows, row("모두", b.Total))
	screen.Table([]string{"자리", "파드", "CPU", "메모리", "노드·시간", "USD/시간", "USD"}, rows)
	if idle := len(b.Seats) - len(rows) + 1; idle > 0 {
		screen.Note(fmt.Sprintf("파드가 없는 자리 %d개는 적지 않았습니다.", idle))
	}
	screen.Note("지금 있는 파드만 셉니다. 지워진 파드, 컨트롤 플레인, 네트워크, 디스크의 값은 들어 있지 않습니다.")
	if len(b.Unpriced) > 0 {
		screen.Note("가격을 모르는 인스턴스 타입이 있어 값이 실제보다 작습니다: " + strings.Join(quotedTypes(b.Unpriced), ", ") + ". --prices로 적어 주십시오.")
	}
	screen.Line(fmt.Sprintf("지금처럼 쓰면 끝나는 %s까지 %.2f USD입니다.", clockTime(b.Ends), b.Forecast))
	switch {
	case b.Over:
		screen.Fault(fmt.Sprintf("예산 %.2f USD를 넘습니다.", b.Budget), true)
	case b.Budget > 0:
		screen.Done(fmt.Sprintf("예산 %.2f USD 안입니다.", b.Budget))
	}
}

// quotedTypes names instance types; a node without the label has none.
func quotedTypes(types []string) (all []string) {
	for _, t := range types {
		if t == "" {
			t = "(타입을 적지 않은 노드)"
		}
		all = append(all, t)
	}
	return all
}
