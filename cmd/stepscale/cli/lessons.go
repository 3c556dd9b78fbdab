package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

// lessonRow is one lesson with the learner's progress.
type lessonRow struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Loop     string `json:"loop"`
	Scenario string `json:"scenario,omitempty"`
	Done     bool   `json:"done"`
	Steps    int    `json:"steps"`
	Total    int    `json:"total"`
	Step     string `json:"step,omitempty"`
}

func newLessonsCommand(d deps) *cobra.Command {
	var output, dir string
	cmd := &cobra.Command{
		Use: "lessons", Short: "수업 목록과 진도를 보여 드립니다", Args: args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(output); err != nil {
				return err
			}
			rows, err := d.lessonRows(cmd.Context(), dir)
			if err != nil {
				return err
			}
			if output == "json" {
				return d.writeJSON(rows)
			}
			return d.showLessons(rows)
		},
	}
	outputFlag(cmd, &output)
	cmd.Flags().StringVar(&dir, "lessons", "", "내장 수업 대신 이 `폴더`의 수업을 씁니다")
	return cmd
}

func (d deps) lessonRows(ctx context.Context, dir string) ([]lessonRow, error) {
	all, err := d.loadLessons(dir)
	if err != nil {
		return nil, err
	}
	st, err := d.state.Progress(ctx)
	if err != nil {
		d.report(ctx, err)
	}
	var rows []lessonRow
	for _, l := range all {
		r := lessonRow{ID: l.ID, Title: l.Title, Loop: l.Loop, Scenario: l.Scenario, Total: play.Executions(play.Scenes(l.Blocks))}
		if p, ok := st.Record.Lessons[l.ID]; ok {
			r.Done, r.Steps, r.Step = p.Done, min(p.Steps, r.Total), p.Step
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func (d deps) showLessons(rows []lessonRow) error {
	s := view.New(d.out)
	var pairs [][2]string
	for _, r := range rows {
		mark := "○ 아직"
		switch {
		case r.Done:
			mark = "● 마침"
		case r.Steps > 0:
			mark = "◐ 진행"
		}
		text := fmt.Sprintf("%s  %s", mark, r.Title)
		if r.Total > 0 {
			text += fmt.Sprintf(" (%d/%d단계)", r.Steps, r.Total)
		}
		pairs = append(pairs, [2]string{r.ID, text})
	}
	s.Pairs(pairs)
	s.Blank()
	s.Note("시작하거나 이어서 하시려면: stepscale learn [수업]")
	return s.Err()
}
