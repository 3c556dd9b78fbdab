package view

import (
	"fmt"
	"time"

	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/vpa/why"
)

// mostWhys is how many pods of a VPA are told of; those that are alike say the same.
const mostWhys = 4

func updatedTitle(a why.Answer) string {
	n := 0
	for _, p := range a.Pods {
		if p.Update {
			n++
		}
	}
	if n == 0 {
		return fmt.Sprintf("파드 %d개를 모두 그대로 두었습니다", len(a.Pods))
	}
	return fmt.Sprintf("파드 %d개 가운데 %d개를 바꾸기로 했습니다", len(a.Pods), n)
}

func vpaWhyTexts(a why.Answer) (texts []string) {
	for i, p := range a.Pods {
		if i == mostWhys {
			texts = append(texts, fmt.Sprintf("그 밖의 파드 %d개는 --output json으로 보실 수 있습니다.", len(a.Pods)-i))
			break
		}
		verdict := "그대로 둡니다"
		if p.Update {
			verdict = "바꿉니다"
		}
		texts = append(texts, fmt.Sprintf("%s: %s. %s.", p.Name, verdict, p.Text))
		if p.Held {
			texts = append(texts, p.Name+": 이 파드의 값 하나로는 바뀌지 않습니다. 다른 파드가 준비되면 다음 패스에 다시 봅니다.")
			continue
		}
		for _, c := range p.Changes {
			texts = append(texts, p.Name+": "+turnText(p, c))
		}
		if len(p.Changes) == 0 {
			texts = append(texts, p.Name+": 살펴본 범위(지금 값의 네 배까지, 시간은 여드레까지)에서는 값 하나를 바꾸어도 판정이 그대로입니다.")
		}
	}
	return texts
}

// turnText is one change that turns what is done with a pod.
func turnText(p why.Pod, c why.Change) string {
	past, future := "바꾸었습니다", "바꿉니다"
	if !c.Update {
		past, future = "그대로 두었습니다", "그대로 둡니다"
	}
	if c.Kind == why.Later {
		wait := time.Duration(c.To) * time.Second
		return fmt.Sprintf("다른 것이 모두 이대로면 %s 뒤(산 지 %s)부터 %s.", Duration(wait), Duration((p.Age + wait).Round(time.Second)), future)
	}
	return fmt.Sprintf("%s %s %s. (실제 %s)", korean.Subject(turnName(c)), korean.If(unitText(c.Unit, c.To)), past, unitText(c.Unit, c.From))
}

func turnName(c why.Change) string {
	if c.Field != "" {
		return c.Field
	}
	return c.Container + "." + c.Resource + "의 " + map[why.Kind]string{why.Request: "요청량", why.LowerBound: "하한", why.Target: "추천", why.UpperBound: "상한"}[c.Kind]
}
