package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/stepscale/stepscale/engine/hpa/why"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/otherwise"
	vpawhy "github.com/stepscale/stepscale/engine/vpa/why"
)

// Why shows what it would have taken for a decision of a pass to come out otherwise: the
// answer is one of the whys of the loops. start is the loop time of the recording's first
// frame.
func (s *Screen) Why(pass int, answer any, start time.Time) {
	if nodes, ok := answer.([]otherwise.Answer); ok {
		s.Otherwise(pass, nodes)
		return
	}
	title, texts, how := whyOf(answer, start)
	s.section(fmt.Sprintf("왜: 패스 %d에서 %s", pass, title))
	for _, text := range seenIn(texts) {
		s.item(text)
	}
	s.item(s.style(faint, "값 하나만 바꾸고 나머지는 기록 그대로 둔 채 "+how+" 다시 계산해 찾았습니다. 한 단위 덜 바꾸면 결정은 그대로입니다."))
	s.Blank()
}

// WhyTexts are its sentences.
func WhyTexts(answer any, start time.Time) []string {
	_, texts, _ := whyOf(answer, start)
	return texts
}

// whyOf is what is said of each loop's answer: what was decided, the sentences, and what
// decided again.
func whyOf(answer any, start time.Time) (title string, texts []string, how string) {
	switch a := answer.(type) {
	case why.Answer:
		return outcome(a, a.Desired, "했습니다"), hpaWhyTexts(a, start), "엔진으로"
	case []otherwise.Answer:
		for _, about := range a {
			texts = append(texts, OtherwiseTexts(about)...)
		}
		return "", texts, ""
	case vpawhy.Answer:
		return updatedTitle(a), vpaWhyTexts(a), "업스트림의 우선순위 계산기로"
	}
	return "", nil, ""
}

func hpaWhyTexts(a why.Answer, start time.Time) (texts []string) {
	if a.Failed != "" {
		texts = append(texts, "메트릭을 다 읽지는 못했습니다: "+a.Failed)
	}
	if h := a.Held; h != nil {
		which := "최댓값"
		if h.Up {
			which = "최솟값"
		}
		texts = append(texts, fmt.Sprintf("안정화 구간(%s)의 %s %s %s의 제안입니다.", Duration(h.Window), which, korean.Topic(fmt.Sprint(h.Replicas)), Elapsed(h.At.Sub(start))))
	}
	for _, c := range a.Changes {
		texts = append(texts, changeText(a, c, start))
	}
	if len(a.Changes) == 0 {
		texts = append(texts, "찾아본 범위에서는 어느 값 하나를 바꾸어도 이 결정은 바뀌지 않습니다."+triedText(a.Tried))
	}
	return texts
}

// triedText are the inputs with the values between which was looked.
func triedText(all []why.Tried) string {
	var ranges []string
	for _, t := range all {
		c := why.Change{Kind: t.Kind, Field: t.Field, Metric: t.Metric, Unit: t.Unit}
		switch t.Kind {
		case why.Ticks:
			ranges = append(ranges, fmt.Sprintf("앞으로의 패스 %d번", t.High))
		case why.ReadyPods:
			ranges = append(ranges, fmt.Sprintf("준비된 파드 %d~%d개", t.Low, t.High))
		default:
			ranges = append(ranges, inputName(c)+" "+inputValue(c, t.Low)+"~"+inputValue(c, t.High))
		}
	}
	if len(ranges) == 0 {
		return ""
	}
	return " (" + strings.Join(ranges, ", ") + ")"
}

func changeText(a why.Answer, c why.Change, start time.Time) string {
	switch c.Kind {
	case why.Ticks:
		wait := time.Duration(c.To) * a.Period
		return fmt.Sprintf("다른 것이 모두 이대로면 %s 뒤, %s의 패스에서 %s.", Duration(wait), Elapsed(a.Now.Add(wait).Sub(start)), outcome(a, c.Desired, "합니다"))
	case why.ReadyPods:
		word, n := "더 준비되었다면", c.To-c.From
		if n < 0 {
			word, n = "덜 준비되었다면", -n
		}
		return fmt.Sprintf("파드가 %d개 %s %s. (실제 %d개)", n, word, outcome(a, c.Desired, "했습니다"), c.From)
	}
	return fmt.Sprintf("%s %s %s. (실제 %s)", korean.Subject(inputName(c)), korean.If(inputValue(c, c.To)), outcome(a, c.Desired, "했습니다"), inputValue(c, c.From))
}

// inputName is the input as a learner knows it.
func inputName(c why.Change) string {
	switch c.Kind {
	case why.Usage:
		if c.Unit == why.Percent {
			return c.Metric + " 사용률"
		}
		return c.Metric + " 값"
	case why.Target:
		return c.Metric + " 목표"
	}
	return c.Field
}

func inputValue(c why.Change, v int64) string {
	if c.Unit == why.Seconds {
		return Duration(time.Duration(v) * time.Second)
	}
	return c.Text(v)
}

// outcome is a decision and an ending of 하다.
func outcome(a why.Answer, desired int32, ending string) string {
	switch {
	case desired > a.Current:
		return fmt.Sprintf("%d개로 확장%s", desired, ending)
	case desired < a.Current:
		return fmt.Sprintf("%d개로 축소%s", desired, ending)
	}
	return fmt.Sprintf("%d개를 유지%s", desired, ending)
}
