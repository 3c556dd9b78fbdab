package lines

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

// TestHelpHasEveryVerb: what can be typed is told.
func TestHelpHasEveryVerb(t *testing.T) {
	var out bytes.Buffer
	Help(view.NewFixed(&out, 80, false))
	for _, v := range play.Verbs() {
		for _, n := range v.Names {
			if !strings.Contains(out.String(), n) {
				t.Errorf("%q is missing in:\n%s", n, &out)
			}
		}
	}
}
