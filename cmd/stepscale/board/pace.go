package board

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/tools/cache"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
)

// Holds tells whether a step that comes next is behind the one that the class is to stop
// at. A lesson that comes before is free, and one that comes after in the same folder has
// to wait with its first step.
func (p Pace) Holds(at play.Ahead) bool {
	if p.Step == "" {
		return false
	}
	if p.Lesson != "" && p.Lesson != at.Lesson {
		return path.Dir(p.Lesson) == path.Dir(at.Lesson) && at.Lesson > p.Lesson
	}
	last, ok := at.Find(p.Step)
	return ok && at.Done > last
}

// Why says to a learner who has to wait why, and until when.
func (p Pace) Why(class string) string {
	text := fmt.Sprintf("강사가 수업 %s의 진행을 %s에서 멈춰 두었습니다.", shown(class), p.where())
	if reason := sentence(p.Reason, MostReason); reason != "" {
		text += " 강사의 말: " + reason + "."
	}
	return text + " 풀리면 저절로 이어집니다. 그동안 다른 글쇠는 모두 되고, q로 끝내실 수 있습니다."
}

// where is the step that is the last one for now.
func (p Pace) where() string {
	step := shown(p.Step)
	if p.numbered() {
		step += "번째 단계"
	} else {
		step += " 단계"
	}
	if p.Lesson != "" {
		return fmt.Sprintf("%s의 %s", shown(p.Lesson), step)
	}
	return step
}

// Says is the pace in a sentence.
func (p Pace) Says() string {
	if p.Step == "" {
		return "누구도 기다리지 않습니다."
	}
	text := p.where() + "까지만 실행할 수 있습니다."
	if reason := sentence(p.Reason, MostReason); reason != "" {
		text += " 이유: " + reason
	}
	return text
}

func (p Pace) numbered() bool {
	return p.Step != "" && !slices.ContainsFunc([]byte(p.Step), func(c byte) bool { return c < '0' || c > '9' })
}

// Listener hears what the instructor says while a lesson runs.
type Listener struct {
	class string
	voted func(round string) string // what the learner has answered
	end   func()

	mu      sync.Mutex
	changed chan struct{}
	pace    Pace
	vote    Vote
	hints   []Hint // not told yet
	sweeps  sweeps
	heard   map[string]bool // hints, by their ID
	tallies map[string]bool // that were told
	known   map[string]bool // parts that were heard of
	ready   chan struct{}   // closed when all were

	deaf deafness
}

// listen watches the objects of the class's Home by name, and the hint in the learner's own
// namespace. No other names are asked for: a student may not.
func listen(l Learner, voted func(string) string, deaf time.Duration) *Listener {
	ctx, stop := context.WithCancel(context.Background())
	h := &Listener{class: l.Class, voted: voted, changed: make(chan struct{}), heard: map[string]bool{}, tallies: map[string]bool{}, known: map[string]bool{}, ready: make(chan struct{}), deaf: deafness{most: deaf}, sweeps: sweeps{namespace: l.Namespace}}
	var group sync.WaitGroup
	for _, o := range []struct{ namespace, part string }{{Home(l.Class), PartPace}, {Home(l.Class), PartVote}, {Home(l.Class), PartHint}, {l.Namespace, PartHint}} {
		one := selection{namespace: o.namespace, fields: fields.Set{metav1.ObjectNameField: Object(o.part)}}
		m := newMirror(func(obj metav1.Object) bool { h.hear(o.part, obj); return true }, func() {})
		store := forgetting{m, func() { h.hear(o.part, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: o.namespace}}) }, func() { h.knows(o.namespace + "/" + o.part) }}
		up := func(error) {}
		if o.part == PartPace { // what is true of one is true of all
			up = h.up
		}
		group.Go(func() {
			follow(ctx, l.Kube, one.configMaps(l.Kube), &corev1.ConfigMap{}, store, up)
		})
	}
	h.end = func() { stop(); group.Wait() }
	return h
}

// forgetting tells of an object that is gone.
type forgetting struct {
	*mirror[bool]
	gone, read func()
}

// Delete tells.
func (f forgetting) Delete(obj any) error { f.gone(); return f.mirror.Delete(obj) }

// Replace tells where nothing is left.
func (f forgetting) Replace(objects []any, version string) error {
	if len(objects) == 0 {
		f.gone()
	}
	err := f.mirror.Replace(objects, version)
	f.read()
	return err
}

var _ cache.ReflectorStore = forgetting{}

func (l *Listener) close() { l.end() }

// listened is how many objects there are to be heard of.
const listened = 4

// knows notes that an object, or that there is none, was heard of.
func (l *Listener) knows(object string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known[object] = true; len(l.known) == listened {
		select {
		case <-l.ready:
		default:
			close(l.ready)
		}
	}
}

// hear takes in one of the instructor's objects. What cannot be read is not there.
func (l *Listener) hear(part string, obj metav1.Object) {
	text := ""
	if cm, ok := data(obj, Key); ok && len(cm.Data[Key]) <= MaxHome {
		text = cm.Data[Key]
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	read := func(to any) bool { return text == "" || json.Unmarshal([]byte(text), to) == nil }
	switch part {
	case PartPace:
		if pace := (Pace{}); read(&pace) {
			l.pace = pace
		}
	case PartVote:
		if vote := (Vote{}); read(&vote) {
			l.votes(vote.shown())
		}
	case PartHint:
		l.sweeps.hear(obj)
		if hint := (Hint{}); read(&hint) && hint.Text != "" && !l.heard[hint.ID] && time.Since(hint.At) < hintLasts {
			l.heard[hint.ID] = true
			l.hints = append(l.hints, hint)
		}
	}
	l.wake()
}

// wake lets those look again who wait. It is called with mu.
func (l *Listener) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// votes takes in a vote. What was counted before the learner came is not told.
func (l *Listener) votes(v Vote) {
	if l.vote.ID == "" {
		for _, t := range v.Tallies {
			l.tallies[v.round(t.Round)] = true
		}
	}
	l.vote = v
}

// Now is what the instructor says at this moment.
func (l *Listener) Now(at play.Ahead) play.Said {
	l.mu.Lock()
	defer l.mu.Unlock()
	said := play.Said{Changed: l.changed}
	if l.pace.Holds(at) {
		said.Held, said.Freed = l.deaf.hold(l.pace.Why(l.class))
	}
	for _, h := range l.hints {
		said.News = append(said.News, play.Note{Text: "강사: " + sentence(h.Text, MostHint)})
	}
	l.hints = nil
	l.sweeps.say(&said)
	for _, t := range l.vote.Tallies {
		if id := l.vote.round(t.Round); !l.tallies[id] {
			l.tallies[id] = true
			said.News = append(said.News, play.Tally{Text: l.vote.Question, Round: t.Round, Counts: t.Counts})
		}
	}
	if l.vote.Open {
		b := l.vote.ballot()
		b.Answered = l.voted(b.ID) != ""
		said.Ballot = &b
	}
	return said
}
