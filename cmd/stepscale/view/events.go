package view

import (
	"time"

	"github.com/stepscale/stepscale/engine/trace"
)

// eventLabels say in Korean what happened on a scenario's timeline.
var eventLabels = map[string]string{
	trace.EventApply: "적용", trace.EventPatch: "패치", trace.EventDelete: "삭제", trace.EventEvict: "축출 요청",
	trace.EventCrash:    "컨테이너가 오류로 끝나고 다시 시작됨",
	trace.EventNotReady: "kubelet이 NotReady라고 알림", trace.EventReady: "kubelet이 다시 Ready라고 알림",
	trace.EventAway: "Metrics Server가 사라짐", trace.EventBack: "새 Metrics Server가 시작됨",
	trace.EventFreeze: "kubelet의 파드 메트릭이 멈춤", trace.EventThaw: "kubelet의 파드 메트릭이 다시 움직임",
}

// EventLabel is the Korean name.
func EventLabel(what string) string {
	if label, ok := eventLabels[what]; ok {
		return label
	}
	return what
}

// events shows what the scenario let happen while the step let time pass.
func (s *Screen) events(events []trace.Event, start time.Time) {
	if len(events) == 0 {
		return
	}
	s.section("시나리오의 사건 (이 단계에서 시간이 흐르는 동안)")
	s.rows(len(events), func(i int) {
		e := events[i]
		when := e.At.Format(time.TimeOnly)
		if !start.IsZero() {
			when = Elapsed(e.At.Sub(start))
		}
		s.item(when + "  " + s.actor(e.Actor) + "  " + s.event(e))
		if e.Err != "" {
			s.item("  " + s.style(yellow, "일어나지 않았습니다: "+cell(e.Err)))
		}
	})
}

// event is what happened, to what, and how.
func (s *Screen) event(e trace.Event) string {
	line := EventLabel(e.What)
	if e.Object != "" {
		line += "  " + s.style(cyan, cell(e.Object))
	}
	if e.Detail != "" {
		line += "  " + shorten(cell(e.Detail), s.width-4)
	}
	return line
}

// eventRows are the events of a pass below its row.
func (s *Screen) eventRows(events []trace.Event) {
	for _, e := range events {
		line := ActorLabel(cell(e.Actor)) + ": " + s.event(e)
		if e.Err != "" {
			line += " (일어나지 않음)"
		}
		s.print(s.wrap("     "+line, 7) + "\n")
	}
}
