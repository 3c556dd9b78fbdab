package view_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/otherwise"
	"github.com/stepscale/stepscale/engine/vpa/why"
)

// TestVPAWhyTexts are sentences in the learner's numbers.
func TestVPAWhyTexts(t *testing.T) {
	a := why.Answer{Mode: "Recreate", Pods: []why.Pod{
		{Name: "web-1", Text: "범위 안입니다", Age: 40 * time.Minute, Changes: []why.Change{
			{Kind: why.Request, Container: "web", Resource: "cpu", Unit: otherwise.Milli, From: 300, To: 139, Update: true},
			{Kind: why.UpperBound, Container: "web", Resource: "memory", Unit: otherwise.Mebibytes, From: 500, To: 249, Update: true},
			{Kind: why.Later, Unit: otherwise.Seconds, To: 40800, Update: true},
			{Kind: why.Threshold, Field: "--pod-update-threshold", Unit: otherwise.Thousandth, From: 100, To: 50, Update: true},
		}},
		{Name: "web-2", Update: true, Text: "web.cpu 100m < 하한 140m", Changes: []why.Change{{Kind: why.Request, Container: "web", Resource: "cpu", Unit: otherwise.Milli, From: 100, To: 140}}},
		{Name: "web-3", Held: true, Text: "지금 내보낼 수 있는 파드 수를 넘습니다"},
		{Name: "web-4", Text: "추천값이 없습니다"},
		{Name: "web-5"},
	}}
	want := []string{
		"web-1: 그대로 둡니다. 범위 안입니다.",
		"web-1: web.cpu의 요청량이 139m이었다면 바꾸었습니다. (실제 300m)",
		"web-1: web.memory의 상한이 249Mi였다면 바꾸었습니다. (실제 500Mi)",
		"web-1: 다른 것이 모두 이대로면 11시간 20분 뒤(산 지 12시간)부터 바꿉니다.",
		"web-1: --pod-update-threshold가 0.05였다면 바꾸었습니다. (실제 0.1)",
		"web-2: 바꿉니다. web.cpu 100m < 하한 140m.",
		"web-2: web.cpu의 요청량이 140m이었다면 그대로 두었습니다. (실제 100m)",
		"web-3: 그대로 둡니다. 지금 내보낼 수 있는 파드 수를 넘습니다.",
		"web-3: 이 파드의 값 하나로는 바뀌지 않습니다. 다른 파드가 준비되면 다음 패스에 다시 봅니다.",
		"web-4: 그대로 둡니다. 추천값이 없습니다.",
		"web-4: 살펴본 범위(지금 값의 네 배까지, 시간은 여드레까지)에서는 값 하나를 바꾸어도 판정이 그대로입니다.",
		"그 밖의 파드 1개는 --output json으로 보실 수 있습니다.",
	}
	if got := view.WhyTexts(a, time.Time{}); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
