// Package board is a class while it runs: an instructor, up to 200 learners, and no server
// of its own. All that they share lives in objects of the class's namespaces, and RBAC is
// the only wall between them.
//
// The instructor's namespace (Home) holds what everybody in the class reads: the pace, the
// vote, the instructor's own stepping. A learner's namespace holds what that learner
// reports. Who somebody is follows from the namespace alone, never from a label or a field
// that a learner could write.
package board

import "time"

// The labels and names of a class's objects.
const (
	LabelClass = "stepscale.io/class" // on every object of a class: its name
	LabelPart  = "stepscale.io/part"  // of the objects that are read and written while it runs

	PartReport = "report" // a learner's ConfigMap, in the learner's namespace
	PartPace   = "pace"   // in Home
	PartVote   = "vote"   // in Home
	PartDemo   = "demo"   // in Home
	PartHint   = "hint"   // in Home for all, in a learner's namespace for one

	// Object is the name of the ConfigMap of each part ("stepscale-report", …).
	objectPrefix = "stepscale-"
	// Key is where in a ConfigMap's data its JSON stands.
	Key = "json"

	// MaxReport is how many bytes the board takes from a learner; the API server would
	// take a mebibyte.
	MaxReport = 4 << 10
	// MaxHome is that of what the instructor says: eight long choices, and how eight rounds
	// went, are more than a learner has to tell.
	MaxHome = 48 << 10
)

// Home is the namespace of a class that its instructor writes.
func Home(class string) string { return "stepscale-class-" + class }

// Object is the name of the ConfigMap of a part.
func Object(part string) string { return objectPrefix + part }

// Report is what a learner's program tells: one object, at most one write a step.
type Report struct {
	Lesson string    `json:"lesson,omitempty"` // "hpa/02-control-loop"
	Step   string    `json:"step,omitempty"`   // the step executed last
	Steps  int       `json:"steps,omitempty"`  // how many of Total are executed
	Total  int       `json:"total,omitempty"`
	Since  time.Time `json:"since"` // when Step was reached, by the learner's clock
	Sent   time.Time `json:"sent"`  // when this was written, by the same clock
	Done   bool      `json:"done,omitempty"`
	// Question that is asked right now or was answered last, and the answer.
	Question string `json:"question,omitempty"` // the name of the fact: "desired"
	Answer   string `json:"answer,omitempty"`
	Open     bool   `json:"open,omitempty"` // the step that the question is about is not executed yet
	Held     bool   `json:"held,omitempty"` // by the pace
	Help     bool   `json:"help,omitempty"` // 도와주세요
	Replicas *int32 `json:"replicas,omitempty"`
	// Votes are the answers to the rounds of a vote, by its ID and round ("v1/1").
	Votes map[string]string `json:"votes,omitempty"`
	// Kept is the Sweep after which the learner has kept the pods, or got them back.
	Kept string `json:"kept,omitempty"`
	// Silent tells that the learner does not want to report: nothing else stands here then.
	Silent bool `json:"silent,omitempty"`

	round string // that was voted in last, as far as is known
}

// Pace is where learners are held: they may execute up to and with Step of Lesson.
type Pace struct {
	Lesson string `json:"lesson,omitempty"` // empty: of any
	Step   string `json:"step,omitempty"`   // empty: nobody is held
	Reason string `json:"reason,omitempty"` // the instructor's words
}
