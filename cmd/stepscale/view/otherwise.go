package view

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/otherwise"
)

// Otherwise shows what it would have taken for the decisions of a pass about nodes to come
// out otherwise.
func (s *Screen) Otherwise(pass int, answers []otherwise.Answer) {
	for _, a := range answers {
		s.section(cell(seen(fmt.Sprintf("왜: 패스 %d에서 %s", pass, strings.TrimSpace(about(a)+" "+verdictText(a.Outcome))))))
		for _, text := range seenIn(OtherwiseTexts(a)) {
			s.item(text)
		}
		s.Blank()
	}
	if len(answers) == 0 {
		s.Note("이 결정은 어느 노드의 것도 아닙니다: 살펴본 노드가 없습니다.")
		return
	}
	s.Note("값 하나만 바꾸고 나머지는 기록 그대로 둔 채 같은 코드로 다시 결정해 찾았습니다. 한 단위 덜 바꾸면 결정은 그대로입니다.")
	if len(answers) == otherwise.MostAnswers {
		s.Note(fmt.Sprintf("%d개까지만 답했습니다. 다른 노드는 '왜 노드이름'으로(명령줄에서는 --node) 물어 주십시오.", otherwise.MostAnswers))
	}
	s.Blank()
}

// OtherwiseTexts are the sentences of an answer.
func OtherwiseTexts(a otherwise.Answer) (texts []string) {
	if note := noteText(a.Outcome); note != "" {
		texts = append(texts, note)
	}
	texts = append(texts, "이 판정이 있는 곳: "+a.Outcome.Ref)
	for _, c := range a.Changes {
		texts = append(texts, otherwiseText(c))
	}
	if len(a.Changes) == 0 {
		texts = append(texts, "찾아본 범위에서는 어느 값 하나를 바꾸어도 이 결정은 바뀌지 않습니다.")
	}
	if len(a.Unmoved) > 0 {
		texts = append(texts, "혼자서는 결정을 바꾸지 못한 값(찾아본 범위): "+strings.Join(ranges(a.Unmoved), ", "))
	}
	return texts
}

// about is the node that is asked after, as the topic of a sentence.
func about(a otherwise.Answer) string {
	if a.Question != otherwise.NodeKept && a.Question != otherwise.NodeRemoved {
		return ""
	}
	if a.Question == otherwise.NodeRemoved {
		return "노드 " + korean.Object(a.Subject)
	}
	return "노드 " + korean.Topic(a.Subject)
}

func otherwiseText(c otherwise.Change) string {
	outcome := verdictText(c.Outcome)
	switch {
	case c.Unit == otherwise.Choice:
		return fmt.Sprintf("%s %s.", choices[c.Kind](c.Input), outcome)
	case c.Kind == "time":
		return fmt.Sprintf("다른 것이 모두 이대로인 채 %s 더 지났다면 %s.", korean.Subject(valueText(c.Input, c.To)), outcome)
	case c.Kind == "waitingPods":
		return fmt.Sprintf("기다리는 파드가 %s개였다면 %s. (실제 %d개)", strconv.FormatInt(c.To, 10), outcome, c.From)
	case c.Kind == "podsOnNode":
		return fmt.Sprintf("이 노드의 파드가 %d개였다면 %s. (실제 %d개)", c.To, outcome, c.From)
	}
	return fmt.Sprintf("%s %s %s. (실제 %s)", korean.Subject(nameText(c.Input)), korean.If(valueText(c.Input, c.To)), outcome, valueText(c.Input, c.From))
}

// nameText is an input as a learner knows it.
func nameText(in otherwise.Input) string {
	if name, ok := inputNames[in.Kind]; ok {
		return fmt.Sprintf(name, in.Of)
	}
	return in.Field
}

var inputNames = map[string]string{
	"requests.cpu":       "%s의 CPU 요청량",
	"requests.memory":    "%s의 메모리 요청량",
	"groupMax":           "노드 그룹 %s의 최대",
	"groupMin":           "노드 그룹 %s의 최소",
	"groupPrice":         "노드 그룹 %s의 시간당 가격",
	"disruptionsAllowed": "PodDisruptionBudget %s의 disruptionsAllowed",
	"allocatable.cpu":    "노드 %s의 할당 가능 CPU",
	"kubelet.cpu":        "%s의 할당 가능 CPU",
	"limits.cpu":         "NodePool %s의 CPU 한도",
	"price":              "%s의 시간당 가격",
	"consolidateAfter":   "NodePool %s의 consolidateAfter",
	"budget":             "NodePool %s의 중단 예산(budgets)",
}

// choices are the clauses of inputs that are so or not.
var choices = map[string]func(otherwise.Input) string{
	"noNodeSelector":      func(in otherwise.Input) string { return in.Of + "에 nodeSelector가 없었다면" },
	"expander":            func(in otherwise.Input) string { return in.Field + "가 " + korean.If(in.Of) },
	"switch":              func(in otherwise.Input) string { return korean.Subject(in.Field) + " " + korean.If(in.Of) },
	"consolidationPolicy": func(in otherwise.Input) string { return "consolidationPolicy가 " + korean.If(in.Of) },
	"safeToEvict": func(in otherwise.Input) string {
		return in.Of + "의 파드에 " + in.Field + "=true 주석이 있었다면"
	},
	"noDoNotDisrupt": func(in otherwise.Input) string {
		return in.Of + "의 파드에 " + in.Field + " 주석이 없었다면"
	},
}

func valueText(in otherwise.Input, v int64) string {
	if in.Unit == otherwise.Loops {
		each, _ := time.ParseDuration(in.Of)
		return Duration(time.Duration(v) * each)
	}
	return unitText(in.Unit, v)
}

// unitText is a value as it is written in a manifest or on a command line.
func unitText(unit otherwise.Unit, v int64) string {
	switch unit {
	case otherwise.Milli:
		return strconv.FormatInt(v, 10) + "m"
	case otherwise.Mebibytes:
		return strconv.FormatInt(v, 10) + "Mi"
	case otherwise.Percent:
		return strconv.FormatInt(v, 10) + "%"
	case otherwise.Seconds:
		return Duration(time.Duration(v) * time.Second)
	case otherwise.Thousandth:
		return strconv.FormatFloat(float64(v)/1000, 'f', -1, 64)
	case otherwise.Price:
		return "$" + strconv.FormatFloat(float64(v)/1e4, 'f', -1, 64)
	}
	return strconv.FormatInt(v, 10)
}

// ranges are inputs with the values between which was looked.
func ranges(of []otherwise.Input) (list []string) {
	for _, in := range of {
		switch {
		case in.Kind == "expander" || in.Kind == "switch" || in.Kind == "consolidationPolicy":
			list = append(list, in.Field+"="+in.Of)
		case in.Unit == otherwise.Choice:
			list = append(list, in.Of+"의 "+in.Field)
		case in.Kind == "time":
			list = append(list, "시간 "+valueText(in, in.High))
		case in.Kind == "waitingPods":
			list = append(list, fmt.Sprintf("기다리는 파드 %d~%d개", in.Low, in.High))
		case in.Kind == "podsOnNode":
			list = append(list, fmt.Sprintf("이 노드의 파드 %d~%d개", in.Low, in.High))
		default:
			list = append(list, nameText(in)+" "+valueText(in, in.Low)+"~"+valueText(in, in.High))
		}
	}
	return list
}
