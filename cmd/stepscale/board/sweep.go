package board

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
)

// KeySweep is where in the ConfigMap of a learner's hints the Sweep stands: what is said to
// one learner is in one object, and the learner watches it already.
const (
	KeySweep     = "sweep"
	sweepManager = "stepscale-sweep"
)

// How far the pods of a learner who does nothing are from being taken away.
const (
	SweepAsked = "asked" // whether they may be
	SweepGoing = "going" // they are being taken: who killed the sweep goes on from here
	SweepDone  = "swept" // they are gone
	SweepKept  = "kept"  // the learner has answered, or done something else
)

// Sweep is what is said to one learner about pods that nobody seems to use. The zero value
// says nothing.
type Sweep struct {
	ID      string    `json:"id,omitempty"` // another for each question
	State   string    `json:"state,omitempty"`
	Minutes int       `json:"minutes,omitempty"` // for so long nothing was done when it was asked
	Pods    int       `json:"pods,omitempty"`
	Until   time.Time `json:"until,omitzero"` // pods stay, by the API server's clock
	// Seen is the version of the report that the question is about: whatever the learner
	// does makes another.
	Seen string `json:"seen,omitempty"`
}

// Write says it to the learner in that namespace, with the instructor's rights.
func (s Sweep) Write(ctx context.Context, kube kubernetes.Interface, class, namespace string) error {
	return Desk{class, kube}.putAs(ctx, sweepManager, namespace, PartHint, KeySweep, s)
}

// ReadSweep is what was said last. What cannot be read was not said.
func ReadSweep(hints *corev1.ConfigMap) Sweep {
	var s Sweep
	if decode(hints, KeySweep, MaxHome, &s) != nil {
		return Sweep{}
	}
	return s
}

// readSweep is that of an object that is watched.
func readSweep(hints metav1.Object) Sweep {
	if cm, ok := hints.(*corev1.ConfigMap); ok {
		return ReadSweep(cm)
	}
	return Sweep{}
}

// now is how it stands with a learner whose report has that version and says that those pods
// were kept, or given back: asked, kept or swept, and nothing where the learner goes on.
func (s Sweep) now(version, kept string) string {
	untouched := s.Seen == version
	switch {
	case s.State == SweepAsked && untouched:
		return SweepAsked
	case s.State == SweepAsked, s.State == SweepKept && untouched:
		return SweepKept
	case (s.State == SweepGoing || s.State == SweepDone) && s.ID != kept:
		return SweepDone
	}
	return ""
}

// HeardAt is when the learner's program wrote last, by the API server's clock: whatever the
// learner does in a lesson is written.
func HeardAt(report *corev1.ConfigMap) (at time.Time) {
	for _, m := range report.ManagedFields {
		if (m.Manager == reportManager || m.Manager == voteManager) && m.Time != nil && m.Time.After(at) {
			at = m.Time.Time
		}
	}
	return at
}

// sweeps is what a listener has heard of them.
type sweeps struct {
	namespace string // the learner's
	now       Sweep
	told      string // the ID and state that were told last
	answered  string // the ID that the learner has answered, or got the pods back from
	silent    bool   // no answer gets there: nobody is asked
}

// hear takes in what stands in the learner's own namespace.
func (s *sweeps) hear(hints metav1.Object) {
	if hints.GetNamespace() == s.namespace {
		s.now = readSweep(hints)
	}
}

// begins takes a sweep that is over for one of an earlier lesson: whoever begins now begins
// with pods.
func (l *Listener) begins(silent bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweeps.silent = silent
	if s := l.sweeps.now; s.State == SweepGoing || s.State == SweepDone {
		l.sweeps.answered = s.ID
	}
}

// keeps notes what the learner has answered, and tells what that was last.
func (l *Listener) keeps(id string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if id != "" {
		l.sweeps.answered = id
	}
	return l.sweeps.answered
}

// say puts in what a learner has to know of it, each once.
func (s *sweeps) say(said *play.Said) {
	if s.now.ID == s.answered || s.silent && s.now.State == SweepAsked {
		return
	}
	switch s.now.State {
	case SweepAsked:
		said.Asked = s.now.ID
	case SweepGoing, SweepDone:
		said.Swept = s.now.ID
	}
	note := s.now.says()
	if now := s.now.ID + s.now.State; note != "" && now != s.told {
		s.told = now
		said.News = append(said.News, play.Note{Text: note})
	}
}

// says is what the learner reads.
func (s Sweep) says() string {
	switch s.State {
	case SweepAsked:
		return fmt.Sprintf("강사: %d분째 한 단계도 실행하지 않으셨습니다. 이 수업의 파드 %d개를 치워도 될까요? 계속 쓰시려면 '남기기'라고 적으시거나 다음 단계를 실행해 주십시오. %s까지 아무것도 하지 않으시면 치웁니다.", s.Minutes, s.Pods, s.Until.Local().Format("15:04"))
	case SweepDone:
		return fmt.Sprintf("강사가 이 수업의 파드 %d개를 치웠습니다(디플로이먼트의 replicas를 0으로). 지운 것은 없고 진도도 그대로입니다. 이어서 하시려면 다음 단계를 실행해 주십시오. 먼저 파드를 전처럼 다시 띄웁니다.", s.Pods)
	}
	return ""
}
