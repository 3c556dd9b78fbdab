package class

import (
	"context"
	"encoding/csv"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
)

// ExportSchema names the shape of Results.
const ExportSchema = "stepscale.class-export/v1"

// Results are what the learners of a class have reported.
type Results struct {
	Schema string            `json:"schema"`
	Class  string            `json:"class"`
	At     time.Time         `json:"at"`
	Seats  []Result          `json:"seats"`
	Home   map[string]string `json:"home,omitempty"` // the last pace and vote, as JSON
}

// Result is a learner's. Report is nil where the learner has reported nothing.
type Result struct {
	Seat    string        `json:"seat"`
	Display string        `json:"display,omitempty"`
	Report  *board.Report `json:"report"`
	Broken  bool          `json:"broken,omitempty"` // there is a report that nobody can read
}

// Export reads the reports. Whose a report is follows from its namespace: one from elsewhere
// is none, whatever its labels say.
func (r *Room) Export(ctx context.Context, s Spec, now time.Time) (Results, error) {
	list, err := board.Desk{Class: s.Class, Kube: r.kube}.Parts(ctx, board.PartReport)
	if err != nil {
		return Results{}, err
	}
	all := Results{Schema: ExportSchema, Class: s.Class, At: now}
	if all.Home, err = r.home(ctx, s.Class); err != nil {
		return Results{}, err
	}
	reports := map[string]*corev1.ConfigMap{}
	for i := range list {
		reports[list[i].Namespace] = &list[i]
	}
	for _, seat := range s.Seats {
		one := Result{Seat: seat.ID, Display: seat.Display}
		if cm := reports[seat.Namespace]; cm != nil {
			if report, err := board.ReadReport(cm); err == nil {
				one.Report = &report
			} else {
				one.Broken = true
			}
		}
		all.Seats = append(all.Seats, one)
	}
	return all, nil
}

// home is what the instructor has said last.
func (r *Room) home(ctx context.Context, class string) (map[string]string, error) {
	all := map[string]string{}
	for _, part := range []string{board.PartPace, board.PartVote} {
		cm, err := r.kube.CoreV1().ConfigMaps(board.Home(class)).Get(ctx, board.Object(part), metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all[cm.Name] = cm.Data[board.Key]
	}
	return all, nil
}

// WriteCSV writes one line a seat, and a column for every round of a vote.
func (all Results) WriteCSV(w io.Writer) error {
	rounds := map[string]bool{}
	for _, seat := range all.Seats {
		if seat.Report != nil {
			for round := range seat.Report.Votes {
				rounds[round] = true
			}
		}
	}
	votes := slices.Sorted(maps.Keys(rounds))
	out := csv.NewWriter(w)
	header := []string{"seat", "display", "lesson", "step", "steps", "total", "done", "question", "answer", "help", "replicas", "since"}
	for _, v := range votes {
		header = append(header, "vote "+v)
	}
	if err := out.Write(cells(header)); err != nil {
		return err
	}
	for _, seat := range all.Seats {
		if err := out.Write(cells(seat.row(votes, len(header)))); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func (one Result) row(votes []string, width int) []string {
	row := make([]string, width)
	row[0], row[1] = one.Seat, one.Display
	r := one.Report
	if r == nil || r.Silent {
		return row
	}
	copy(row[2:], []string{r.Lesson, r.Step, strconv.Itoa(r.Steps), strconv.Itoa(r.Total), strconv.FormatBool(r.Done), r.Question, r.Answer, strconv.FormatBool(r.Help)})
	if r.Replicas != nil {
		row[10] = strconv.Itoa(int(*r.Replicas))
	}
	if !r.Since.IsZero() {
		row[11] = r.Since.Format(time.RFC3339)
	}
	for i, v := range votes {
		row[12+i] = r.Votes[v]
	}
	return row
}

// cells are values as a spreadsheet may open them: a learner's text is no formula there.
func cells(row []string) []string {
	safe := make([]string, len(row))
	for i, value := range row {
		if safe[i] = text(value); strings.IndexAny(strings.TrimSpace(safe[i]), "=+-@＝＋－＠") == 0 {
			safe[i] = "'" + safe[i]
		}
	}
	return safe
}
