package cli

import "github.com/stepscale/stepscale/cmd/stepscale/lines"

// lines is the one reader of what is typed: two would take each other's lines.
func (a *app) lines() *lines.Reader {
	if a.typed == nil {
		a.typed = lines.NewReader(a.in)
	}
	return a.typed
}
