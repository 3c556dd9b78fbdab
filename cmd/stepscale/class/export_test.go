package class

import (
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
)

// counted is a body that is counted as it is read.
type counted struct {
	io.ReadCloser
	all *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.all.Add(int64(n))
	return n, err
}

// TestExportReadsLittle: a learner who labels much as a report makes the instructor read no more.
func TestExportReadsLittle(t *testing.T) {
	t.Parallel()
	c := newClassroom(t, "flood", 1)
	c.create(t)
	_, tickets := c.hand(t)
	mine := tickets[0].kube(t).CoreV1().ConfigMaps(tickets[0].Namespace)
	for i := range 4 {
		cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("flood-", i), Labels: map[string]string{board.LabelClass: "flood", board.LabelPart: board.PartReport}}, Data: map[string]string{board.Key: strings.Repeat("x", 500<<10)}}
		within(t, patience, "what a learner writes is taken", func() bool {
			_, err := mine.Create(t.Context(), cm, metav1.CreateOptions{})
			return err == nil
		})
	}
	var read atomic.Int64
	cfg := cluster(t)
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			answer, err := next.RoundTrip(r)
			if err == nil {
				answer.Body = counted{answer.Body, &read}
			}
			return answer, err
		})
	})
	room := c.room(t, cfg)
	read.Store(0) // what there is to know of the API server itself
	all, err := room.Export(t.Context(), c.spec, c.spec.Ends)
	if err != nil || len(all.Seats) != 1 || all.Seats[0].Report != nil || len(all.Home) != 2 {
		t.Errorf("%+v, %v", all, err)
	}
	if n := read.Load(); n == 0 || n > 100<<10 {
		t.Errorf("the instructor has read %d bytes", n)
	}
}

// TestCellsAreNoFormulas: a spreadsheet computes nothing of what a learner has written.
func TestCellsAreNoFormulas(t *testing.T) {
	all := Results{Seats: []Result{{Seat: "s01", Display: "@SUM(A1)", Report: &board.Report{
		Lesson: "=1+1", Step: "+1", Question: "-1", Answer: "@x", Votes: map[string]string{"v1/1": "=2"},
	}}, {Seat: "s02", Display: "김 @ 서울=집", Report: &board.Report{Lesson: "hpa/02", Answer: "4-5"}}}}
	var out strings.Builder
	if err := all.WriteCSV(&out); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("%v: %s", err, out.String())
	}
	for column, want := range map[int]string{1: "'@SUM(A1)", 2: "'=1+1", 3: "'+1", 7: "'-1", 8: "'@x", 12: "'=2"} {
		if got := rows[1][column]; got != want {
			t.Errorf("%s is %q, not %q", rows[0][column], got, want)
		}
	}
	if rows[2][1] != "김 @ 서울=집" || rows[2][2] != "hpa/02" || rows[2][8] != "4-5" {
		t.Errorf("what is no formula was changed: %q", rows[2])
	}
	for _, value := range []string{"\t=1", "\r=1", " =1", "\n@x", "＝1", "＠x"} {
		if got := cells([]string{value})[0]; strings.IndexAny(strings.TrimSpace(got), "=+-@＝＠") == 0 {
			t.Errorf("%q is %q", value, got)
		}
	}
}
