package wording

import (
	"bytes"
	"fmt"
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

// TestForkedPasses: the first of the passes that differ are listed, the others counted, and what
// lies beyond the recording is said where nothing differs in it, too.
func TestForkedPasses(t *testing.T) {
	shown := func(e play.Forked) string {
		var out bytes.Buffer
		e.Recorded, e.Other = []float64{4}, []float64{5}
		forked(view.NewFixed(&out, 80, false), e)
		return out.String()
	}
	var passes []play.ForkedPass
	for i := range mostForked + 2 {
		passes = append(passes, play.ForkedPass{Pass: 100 + i, Recorded: "4", Other: "5"})
	}
	for name, c := range map[string]struct {
		e        play.Forked
		has, not []string
	}{
		"many":         {play.Forked{First: "패스 100", Passes: passes, Beyond: "기록의 끝보다 더 갔습니다."}, []string{"100", fmt.Sprint(99 + mostForked), "그 밖에 2개 패스가 다릅니다.", "기록의 끝보다 더 갔습니다."}, []string{fmt.Sprint(100 + mostForked)}},
		"few":          {play.Forked{First: "패스 100", Passes: passes[:mostForked]}, []string{fmt.Sprint(99 + mostForked)}, []string{"그 밖에"}},
		"none":         {play.Forked{First: "패스 100"}, []string{"처음 갈라진 곳"}, []string{"패스      기록", "그 밖에", "갈라지지 않습니다"}},
		"alike":        {play.Forked{}, []string{"끝까지 갈라지지 않습니다"}, nil},
		"alike so far": {play.Forked{Beyond: "기록의 끝보다 더 갔습니다."}, []string{"더 갔습니다"}, []string{"갈라지지 않습니다"}},
	} {
		got := shown(c.e)
		for _, want := range c.has {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in\n%s", name, want, got)
			}
		}
		for _, no := range c.not {
			if strings.Contains(got, no) {
				t.Errorf("%s: %q in\n%s", name, no, got)
			}
		}
	}
	var out bytes.Buffer
	if ForkedPasses(view.NewFixed(&out, 80, false), nil, "갈래", ""); out.Len() > 0 {
		t.Errorf("a table of nothing: %s", &out)
	}
}
