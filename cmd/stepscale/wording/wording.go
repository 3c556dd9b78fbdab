// Package wording writes the events of a play on a screen: what a lesson, a step and a
// recording say is the same in every face.
package wording

import (
	"fmt"
	"strings"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

// Prompts are what stands before the caret at a stop.
var Prompts = map[play.Stop]string{play.ForNext: "다음>", play.ForAnswer: "예측>", play.ForRepair: "다시>", play.ForReplay: "기록>", play.ForPace: "기다림>", play.ForVote: "투표>", play.ForDemo: "따라가기>"}

// Write writes an event that asks for nothing and stands for itself: a row of passes is
// put together by the face.
func Write(s *view.Screen, e play.Event) {
	switch e := e.(type) {
	case play.Title:
		s.Title(e.Text)
	case play.Prose:
		s.Prose(e.Text)
	case play.Coming:
		s.Coming(Coming(e))
	case play.Question:
		s.Question(e.Text)
	case play.Note:
		s.Note(e.Text)
	case play.Hint:
		s.Hint(e.Text)
	case play.Executed:
		s.Step(view.StepView{Frame: e.Frame, Start: e.Start, Recorded: e.Recorded, Simulated: e.Simulated})
	case play.Verdicts:
		verdicts(s, e)
	case play.Kubectl:
		for _, l := range e.Access {
			s.Raw("  " + l)
		}
		if e.Executed {
			s.Kubectl(e.Frame)
		}
	case play.Facts:
		s.Facts(e.Frame)
	case play.Help:
		if e.Recorded {
			help(s, CommandRows(true), "둘러보시는 동안 수업은 제자리에 있고, Enter를 누르시면 거기서 이어집니다. "+Answers)
			return
		}
		if e.Following {
			verbRows(s, play.FollowVerbs(), "강사가 한 단계를 실행하면 저절로 이어집니다.")
			return
		}
		Help(s)
	case play.Result:
		Write(s, e.Event)
	case play.Trouble:
		s.Problem(e.What, e.Where, e.Hint)
	case play.Ballot:
		s.Question(Ballot(e))
	case play.Tally:
		s.Counts(fmt.Sprintf("투표 %d차: %s", e.Round, e.Text), counts(e.Counts))
	case play.Finished:
		s.Done(e.Text)
		Remember(s, e)
	default:
		replay(s, e)
	}
}

// Ballot is a vote with what it may be answered with.
func Ballot(b play.Ballot) string {
	return fmt.Sprintf("투표: %s (%s)", b.Text, strings.Join(b.Choices, " / "))
}

func counts(all []play.Count) (rows []view.Count) {
	for _, c := range all {
		rows = append(rows, view.Count{Name: c.Answer, Count: c.Count})
	}
	return rows
}

// Coming is what is about to happen, with how long that takes where it takes real time.
func Coming(e play.Coming) string {
	if e.Takes == 0 {
		return e.Text
	}
	return e.Text + fmt.Sprintf(" 실제 시간으로 %s쯤 걸립니다.", view.Duration(e.Takes))
}

// Remember is what is kept of a lesson, and what comes next.
func Remember(s *view.Screen, e play.Finished) {
	if len(e.Remember) > 0 {
		s.Section("기억할 세 가지")
		list := ""
		for i, text := range e.Remember {
			list += fmt.Sprintf("%d. %s\n", i+1, text)
		}
		s.Prose(list)
	}
	if e.Next != "" {
		s.Note("다음 수업: " + e.Next)
	}
}

// untold says of a value that a real cluster did not give whether nobody can know it, or
// there is none because the step had nothing to do.
func untold(label, why string) string {
	if why != "" {
		return fmt.Sprintf("이번에는 나오지 않은 값입니다: %s. %s", label, why)
	}
	return "이 클러스터에서는 알 수 없는 값입니다: " + label
}

func verdicts(s *view.Screen, all play.Verdicts) {
	for _, v := range all {
		label := view.FactLabel(v.Fact)
		switch v.Kind {
		case play.Unknown:
			s.Note(untold(label, v.Why))
		case play.Missing:
			s.Note(fmt.Sprintf("질문한 값(%s)이 이번 단계에서 나오지 않았습니다.", v.Fact))
		case play.Answer:
			s.Answer(label, v.Value)
		case play.Right:
			s.Right(label, v.Value)
		case play.Differs:
			s.Note(fmt.Sprintf("예측하신 값은 %s, 이번에 실제로 나온 값은 %s입니다: %s. 실제 클러스터에서는 수업에 적힌 숫자와 달라질 수 있습니다.", v.Guess, view.FactValue(v.Value), label))
		case play.Wrong:
			s.Wrong(label, v.Guess, v.Value)
			for _, h := range v.Hints {
				s.Hint(h)
			}
		}
	}
	s.Blank()
}

// Answers says what can be answered to a question.
const Answers = "질문에는 숫자(예: 4, 180%, 1.8)나 확장·축소·유지, 예·아니요로 답하시면 됩니다."

// Help shows the verbs.
func Help(s *view.Screen) { verbRows(s, play.Verbs(), Answers) }

func verbRows(s *view.Screen, verbs []play.Verb, note string) {
	var rows [][2]string
	for _, v := range verbs {
		rows = append(rows, [2]string{strings.TrimSpace(strings.Join(v.Names, ", ") + " " + v.Args), v.Help})
	}
	help(s, rows, note)
}

func help(s *view.Screen, rows [][2]string, note string) {
	s.Section("명령")
	s.Pairs(rows)
	s.Note(note)
}

// TimeWord names the time of a loop.
func TimeWord(simulated bool) string {
	if simulated {
		return "가상 시간"
	}
	return "시간"
}
