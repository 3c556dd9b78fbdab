package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/handout"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/outside"
	"github.com/stepscale/stepscale/engine/recording"
)

func newReportCommand(d deps) *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use:   "report [기록]",
		Short: "기록 하나를 제출할 수 있는 한 쪽으로 만듭니다",
		Long: `기록 하나를 그림과 표와 계산이 있는 HTML 한 쪽으로 만듭니다. 네트워크를 쓰지 않고, 그 안에 기록이 통째로 들어 있어 replay와 verify에 그대로 줄 수 있습니다.
이름이 .md로 끝나면 마크다운으로 만듭니다(그림과 기록은 들어가지 않습니다). 기록을 적지 않으시면 가장 최근에 하신 것으로 만듭니다.`,
		Example: `  stepscale report web.jsonl -o report.html
  stepscale report -o report.md
  stepscale verify report.html`,
		Args: args(0, 1, "기록"),
		RunE: func(cmd *cobra.Command, given []string) error {
			if len(given) == 0 {
				given = []string{""}
			}
			return d.makeReport(cmd.Context(), given[0], to)
		},
	}
	cmd.Flags().StringVarP(&to, "output", "o", "report.html", "만들 `파일`: .html이나 .md")
	return cmd
}

func (d deps) makeReport(ctx context.Context, file, to string) error {
	kind := strings.ToLower(filepath.Ext(to))
	if kind != ".html" && kind != ".md" {
		return problem.Usage("만들 파일의 이름이 .html이나 .md로 끝나지 않습니다: "+to, "예: stepscale report web.jsonl -o report.html")
	}
	if file == "" {
		var err error
		if file, err = d.lastKept(); err != nil {
			return err
		}
	}
	if same(file, to) {
		return problem.Usage("기록 파일을 덮어쓸 수 없습니다: "+to, "-o에 다른 이름을 적어 주십시오.")
	}
	rec, opened, err := openReplay(ctx, file)
	if err != nil {
		return err
	}
	defer opened.Close()
	r, err := handout.Make(ctx, rec, reportTitle(rec.Header), aboutRecording(rec))
	if err != nil {
		return badLine(file, err)
	}
	var text bytes.Buffer
	if kind == ".md" {
		err = r.WriteMarkdown(&text)
	} else {
		err = writeHTML(&text, r, file)
	}
	if err != nil {
		return err
	}
	if err := state.WriteAtomically(to, visible(text.Bytes())); err != nil {
		return &problem.Error{What: "리포트를 쓸 수 없습니다", Where: to, Code: problem.ExitUsage, Cause: err, Hint: "쓸 수 있는 폴더의 파일 이름을 적어 주십시오."}
	}
	s := view.New(d.out)
	s.Done("리포트를 만들었습니다: " + to)
	return s.Err()
}

// writeHTML writes the page, which has the whole recording in it.
func writeHTML(w io.Writer, r *handout.Report, file string) error {
	in, err := openRecording(file)
	if err != nil {
		return err
	}
	if err := errors.Join(r.WriteHTML(w, in), in.Close()); err != nil {
		return badLine(file, err)
	}
	return nil
}

// visible is a text without what moves a terminal: anybody can write a recording, and a
// report is shown on one, too.
func visible(text []byte) []byte {
	var b bytes.Buffer
	_, _ = outside.Writer(&b).Write(text) // a buffer takes everything
	return b.Bytes()
}

func reportTitle(h recording.Header) string {
	switch {
	case h.Lesson != "":
		return "stepscale 수업 " + h.Lesson
	case h.Scenario != nil:
		return "stepscale 시나리오 " + h.Scenario.Name
	}
	return "stepscale 기록"
}

// same tells whether two names are those of one file.
func same(a, b string) bool {
	x, errA := os.Stat(a)
	y, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(x, y)
}
