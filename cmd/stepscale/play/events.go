package play

import (
	"time"

	"github.com/stepscale/stepscale/engine/trace"
)

// Event is something that happens in a play: one of the types of this file. A face
// renders it.
type Event any

type (
	// Title begins the lesson.
	Title struct{ Text string }
	// Prose is markdown.
	Prose struct{ Text string }
	// Coming says what the next step is about to do, and how long that takes where it
	// takes real time.
	Coming struct {
		Text  string
		Takes time.Duration
	}
	// Question asks for a prediction.
	Question struct{ Text string }
	// Again asks the question with that index among those of the step, counted from 0, once
	// more: the guess was wrong. Its hints follow.
	Again struct {
		Index int
		Guess string
	}
	// Note is a remark beside the lesson.
	Note struct{ Text string }
	// Hint is one to the question at hand.
	Hint struct{ Text string }
	// Executed is a frame to be shown: just executed, or recorded before.
	Executed struct {
		Frame     trace.Frame
		Start     time.Time // loop time of the first frame
		Recorded  bool
		Simulated bool
	}
	// Running begins a row of passes.
	Running struct{}
	// Pass is one of them, with all of its frames.
	Pass struct {
		Frames []trace.Frame
		Start  time.Time
	}
	// Passed ends them; Took is loop time.
	Passed struct {
		Took      time.Duration
		Simulated bool
	}
	// Verdicts hold the predictions against what came.
	Verdicts []Verdict
	// Kubectl is how to see the same in another terminal.
	Kubectl struct {
		Access   []string
		Frame    trace.Frame
		Executed bool // there is a frame
	}
	// Facts shows all that a step has read and computed.
	Facts struct{ Frame trace.Frame }
	// Help shows the table of verbs; in a lesson about a recording those that it has, and
	// the commands of the recording, and for who follows a demo those that only look.
	Help struct{ Recorded, Following bool }
	// Trouble is a step that failed, and may be run again.
	Trouble struct{ What, Where, Hint string }
	// Finished ends the lesson.
	Finished struct {
		Text     string
		Remember []string // of the lesson
		Next     string   // what comes after it; empty where nothing does
	}
	// Ask is a stop: the face sends what the learner does, with Type, or Wake when Changed
	// is closed before; nil never is.
	Ask struct {
		Stop    Stop
		Changed <-chan struct{}
	}
	// Tally is how a round of a vote went, once the instructor shows it.
	Tally struct {
		Text   string
		Round  int
		Counts []Count
	}
)

// Stop is why the play waits.
type Stop int

// The stops.
const (
	ForNext   Stop = iota
	ForAnswer      // to the question told last
	ForRepair      // of what made a step fail
	ForReplay      // in a recording
	ForPace        // of the class
	ForVote        // of the class
	ForDemo        // that is followed
)

// Count is how many have given an answer.
type Count struct {
	Answer string `json:"answer"`
	Count  int    `json:"count"`
}

// Verdict is what became of a prediction.
type Verdict struct {
	Kind  Kind
	Fact  string
	Guess string
	Value string
	Hints []string // of Wrong
	Why   string   // of Unknown, where the step said that it had nothing to do
}

// Kind is how a prediction turned out.
type Kind int

// The kinds.
const (
	Right   Kind = iota
	Wrong        // where the numbers are always the same
	Differs      // on a real cluster, where they are not
	Answer       // nothing was predicted
	Unknown      // somebody else's part, which cannot be looked into
	Missing      // the lesson asks for what did not come
)
