package play

import (
	"strings"

	"github.com/stepscale/stepscale/lessons"
)

// scene is what is played between two stops: prose, questions, and the one
// block that executes something. The last scene of a lesson may have none.
type scene struct {
	prose     []string
	questions []question
	hints     []string // those that belong to no question
	exec      *lessons.Block
}

type question struct {
	fact, text string
	hints      []string
	line       int // of lesson.md
}

// Scenes groups a lesson's blocks.
func Scenes(blocks []lessons.Block) []scene {
	var scenes []scene
	var s scene
	for i, b := range blocks {
		switch b.Kind {
		case "predict":
			s.questions = append(s.questions, question{fact: b.Arg, text: b.Text, line: b.Line})
		case "hint":
			if n := len(s.questions); n > 0 {
				s.questions[n-1].hints = append(s.questions[n-1].hints, b.Text)
			} else {
				s.hints = append(s.hints, b.Text)
			}
		case lessons.Remember: // when the lesson is over
		case lessons.Step, lessons.Continue, lessons.Replay:
			s.exec = &blocks[i]
			scenes = append(scenes, s)
			s = scene{}
		default:
			s.prose = append(s.prose, b.Text)
		}
	}
	if len(s.prose) > 0 {
		scenes = append(scenes, s)
	}
	return scenes
}

// Executions counts the scenes that execute something.
func Executions(scenes []scene) int {
	n := 0
	for _, s := range scenes {
		if s.exec != nil {
			n++
		}
	}
	return n
}

// FindStep is how many executing scenes come before the step, which may be
// named in full, without its loop, or by its end.
func FindStep(scenes []scene, step string) (int, bool) {
	n := 0
	for _, s := range scenes {
		if s.exec == nil {
			continue
		}
		if id := s.exec.Arg; (s.exec.Kind == "step" || s.exec.ToStep()) && (id == step || strings.HasSuffix(id, "/"+step)) {
			return n, true
		}
		n++
	}
	return 0, false
}
