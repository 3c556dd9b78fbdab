package view

import (
	"strings"
	"testing"
)

// TestProseOnScreen: where the source breaks a line the screen does not, and no mark of
// emphasis is left over before a particle.
func TestProseOnScreen(t *testing.T) {
	for source, want := range map[string]string{
		"컨트롤러가 API\n서버를 **watch**합니다.":            "컨트롤러가 API 서버를 watch합니다.",
		"- 첫째\n  이어서\n- 둘째":                       "• 첫째 이어서\n  • 둘째",
		"오차는 **10.4%**입니다.":                       "오차는 10.4%입니다.",
		"값은 **(유지)**이고 **5m**은":                   "값은 (유지)이고 5m은",
		"모드는 **`Off`**입니다":                        "모드는 Off입니다",
		"같다**\"가\"**고":                            "같다\"가\"고",
		"한 줄  \n다음 줄":                             "한 줄\n  다음 줄",
		"> 인용의 **96%**를\n> 잇습니다":                  "| 인용의 96%를 잇습니다",
		"```\nceil(1.9 ** 2)\n**그대로**입니다\n```\n끝": "ceil(1.9 ** 2)\n    **그대로**입니다",
		"`왜`가 하는 일, **`이동 5.6`**으로, `kubectl 가`":  "‘왜’가 하는 일, ‘이동 5.6’으로, kubectl 가",
		"    `왜`":     "`왜`",
		"`**a**`는 코드": "**a**는 코드",
	} {
		var out strings.Builder
		NewFixed(&out, 80, false).Prose(source)
		if !strings.Contains(out.String(), want) || strings.Contains(out.String(), boundary) {
			t.Errorf("%q is shown as\n%s", source, out.String())
		}
	}
}
