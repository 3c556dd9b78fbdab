package problem

import (
	"errors"
	"fmt"

	"github.com/stepscale/stepscale/scenarios"
)

// OfScenario tells everything that is wrong with a scenario, each thing with its
// place and hint.
func OfScenario(err error) error {
	var list scenarios.Problems
	if !errors.As(err, &list) {
		return err
	}
	errs := make([]error, len(list))
	for i, p := range list {
		u := &Error{What: p.Msg, Where: p.File, Hint: p.Hint, Code: ExitUsage}
		if p.Line > 0 {
			u.Where = fmt.Sprintf("%s:%d", p.File, p.Line)
		}
		errs[i] = u
	}
	return errors.Join(errs...)
}
