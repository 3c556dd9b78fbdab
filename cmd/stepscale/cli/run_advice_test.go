package cli

import (
	"errors"
	"strings"
	"testing"

	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
)

// TestRunAdvises: a run has no progress that could be taken up again, and doctor is asked
// about the cluster that it was on.
func TestRunAdvises(t *testing.T) {
	for name, c := range map[string]struct {
		target target
		err    error
		want   string
	}{
		"our own, anything":          {target{}, errors.New("no such thing"), doctorHint(false)},
		"somebody else's, anything":  {target{attach: lab.Attachment{Context: "shop"}}, errors.New("no such thing"), doctorHint(true)},
		"somebody else's, no answer": {target{attach: lab.Attachment{Context: "shop"}}, errors.New("connection refused"), doctorHint(true)},
	} {
		r := &runner{o: runOptions{loop: "hpa", target: c.target}}
		var told *problem.Error
		if err := r.end(t.Context(), c.err); !errors.As(err, &told) || told.Hint != c.want || strings.Contains(told.Hint, problem.ResumeHint) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if doctorHint(true) == doctorHint(false) {
		t.Error("both advise the same")
	}
}
