package wording

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

// TestUntold: on a real cluster a value that nobody can know is told from one that there
// is none of this time.
func TestUntold(t *testing.T) {
	for want, why := range map[string]string{"알 수 없는 값입니다": "", "이번에는 나오지 않은 값입니다: 수집한 횟수. 웹훅이 불리지 않았습니다.": "웹훅이 불리지 않았습니다."} {
		if got := untold("수집한 횟수", why); !strings.Contains(got, want) {
			t.Errorf("%q: %q", why, got)
		}
	}
}
