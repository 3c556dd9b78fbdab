package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/stepscale/stepscale/engine/observed"
)

// Observed shows what the autoscalers of nodes of a cluster did last.
func (s *Screen) Observed(cluster string, r observed.Report) {
	s.Line(fmt.Sprintf("클러스터 %s의 노드를 늘리고 줄이는 것들. 읽기만 했고, 쓴 것은 없습니다.", cluster))
	s.Line("[본 것]은 API에서 읽은 것, [계산]은 그것으로 다시 계산한 것, [모름]은 읽을 수 없는 것입니다.")
	s.Blank()
	if len(r.Denied) > 0 {
		s.Note("읽을 권한이 없는 것: " + strings.Join(r.Denied, ", ") + ". 필요한 권한은 stepscale observe --nodes --role이 보여 드립니다.")
	}
	s.observedPart("카펜터", r.Karpenter, r.At, "카펜터는 없습니다: API 서버에 karpenter.sh/v1이 없습니다.")
	s.observedPart("클러스터 오토스케일러", r.ClusterAutoscaler, r.At, "클러스터 오토스케일러는 보이지 않습니다: kube-system에 ConfigMap cluster-autoscaler-status가 없습니다.")
	s.section("노드를 기다리는 파드")
	for _, l := range r.Pending {
		s.item(lineText(l, r.At))
	}
	if len(r.Pending) == 0 {
		s.item("없습니다.")
	}
	if !r.Karpenter.Installed && !r.ClusterAutoscaler.Installed {
		s.Blank()
		s.Note("이 클러스터에서 노드를 늘리거나 줄이는 것은 찾지 못했습니다. 클라우드가 대신 돌리는 것(예: EKS Auto Mode, GKE)은 이벤트만 남기거나 아무것도 남기지 않을 수 있습니다.")
	}
	s.Blank()
}

func (s *Screen) observedPart(name string, a observed.Autoscaler, now time.Time, absent string) {
	s.section(name)
	if !a.Installed {
		s.item(absent)
	}
	for _, l := range a.Lines {
		s.item(lineText(l, now))
	}
	s.Blank()
}

var marks = map[observed.Mark]string{observed.Seen: "[본 것]", observed.Recalculated: "[계산]", observed.Unknown: "[모름]"}

// lineText is a line with where it comes from, what it is about and how long ago it was.
func lineText(l observed.Line, now time.Time) string {
	parts := []string{marks[l.Mark]}
	if l.About != "" {
		parts = append(parts, l.About)
	}
	if l.Reason != "" {
		parts = append(parts, l.Reason)
	}
	text := seen(strings.Join(parts, " "))
	if l.Text != "" {
		text += ": " + seen(l.Text)
	}
	var tail []string
	if l.At != nil && !l.At.After(now) {
		tail = append(tail, Duration(now.Sub(*l.At).Round(time.Second))+" 전")
	}
	if l.Times > 1 {
		tail = append(tail, fmt.Sprintf("%d번", l.Times))
	}
	if len(tail) > 0 {
		text += " (" + strings.Join(tail, ", ") + ")"
	}
	return text
}
