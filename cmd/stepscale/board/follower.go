package board

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
)

// quietAfter is how long nothing comes from an instructor until those who follow are told
// so: whose program was killed does not say that it is over.
const quietAfter = 5 * time.Minute

// Follower follows the demo of a class, with one watch, over breaks of the connection.
type Follower struct {
	end func()

	mu      sync.Mutex
	changed chan struct{}
	looked  bool   // the object was seen
	id      string // of the demo; empty before the first
	next    int    // the number of the part that comes next
	over    bool
	queue   []play.Event // not heard yet
	lost    bool         // nothing gets here
	quiet   *time.Timer
}

// Follow begins to follow. Close has to be called.
func (l Learner) Follow() *Follower {
	f := newFollower()
	ctx, stop := context.WithCancel(context.Background())
	one := selection{namespace: Home(l.Class), fields: fields.Set{metav1.ObjectNameField: Object(PartDemo)}}
	m := newMirror(func(obj metav1.Object) bool { f.see(obj, time.Now()); return true }, func() {})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		follow(ctx, l.Kube, one.configMaps(l.Kube), &corev1.ConfigMap{}, m, func(err error) {
			if ctx.Err() == nil {
				f.heardOf(err)
			}
		})
	}()
	f.end = func() { stop(); <-ended; f.quiet.Stop() }
	return f
}

func newFollower() *Follower {
	f := &Follower{changed: make(chan struct{})}
	f.quiet = time.AfterFunc(quietAfter, func() { f.still(time.Now().Add(-quietAfter)) })
	f.quiet.Stop() // until something has come
	return f
}

// Close stops following.
func (f *Follower) Close() { f.end() }

// Heard is what has come since; see play.Demo.
func (f *Follower) Heard() ([]play.Event, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := slices.IndexFunc(f.queue, begins)
	switch {
	case n < 0:
		n = len(f.queue)
	case n == 0:
		n = 1
	}
	events := f.queue[:n:n]
	if f.queue = f.queue[n:]; len(f.queue) > 0 {
		return events, closed
	}
	return events, f.changed
}

// closed is where there is more already.
var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

func begins(e play.Event) bool { _, is := e.(play.Begun); return is }

// tell puts events into the queue, and wakes who waits for them.
func (f *Follower) tell(events ...play.Event) {
	if len(events) == 0 {
		return
	}
	f.queue = append(f.queue, events...)
	close(f.changed)
	f.changed = make(chan struct{})
}

// see takes in the object. What cannot be read is not there.
func (f *Follower) see(obj metav1.Object, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	first := !f.looked
	f.looked = true
	cm, ok := obj.(*corev1.ConfigMap)
	if !ok || len(cm.BinaryData[KeyDemo]) == 0 {
		return
	}
	r, err := decodeReel(cm.BinaryData[KeyDemo])
	if err != nil || !f.take(r, first) {
		return
	}
	if f.over {
		f.quiet.Stop()
		return
	}
	f.quiet.Reset(quietAfter)
	if last := lastWritten(cm); first && now.Sub(last) >= quietAfter {
		f.tell(stillness(last))
	}
}

// lastWritten is when a demo was written last, by the API server's clock.
func lastWritten(cm *corev1.ConfigMap) (last time.Time) {
	for _, m := range cm.ManagedFields {
		if strings.HasPrefix(m.Manager, demoManager) && m.Time != nil && m.Time.After(last) {
			last = m.Time.Time
		}
	}
	return last
}

// take takes in what is new in a reel, and tells whether there was anything. The first one
// was there before we came.
func (f *Follower) take(r reel, first bool) bool {
	switch {
	case r.ID == "":
		return false
	case first && r.Over:
		f.id, f.next, f.over = r.ID, r.First+len(r.Parts), true
		f.tell(play.Note{Text: "지금 진행 중인 시연은 없습니다. 강사가 시작하면 보여 드립니다."})
		return false
	case f.id != r.ID:
		f.id, f.over = r.ID, false
		f.tell(f.joined(r, first)...)
	case r.First+len(r.Parts) < f.next || r.First+len(r.Parts) == f.next && r.Over == f.over:
		return false
	default:
		f.tell(f.since(r)...)
	}
	f.next = r.First + len(r.Parts)
	if r.Over && !f.over {
		f.over = true
		f.tell(play.Over{})
	}
	return true
}

// joined are the events of a demo that is new to us; of one that we come to late, those of
// the lesson that is shown.
func (f *Follower) joined(r reel, late bool) []play.Event {
	all := events(r.Parts)
	if r.First > 0 {
		all = slices.Concat(events(r.Lesson), []play.Event{play.Missed{}}, all)
	}
	if !late {
		return all
	}
	for i := len(all) - 1; i >= 0; i-- {
		if begins(all[i]) {
			return slices.Concat(all[i:i+1], []play.Event{play.Late{}}, all[i+1:])
		}
	}
	return all
}

// since are the events that have come since the last look.
func (f *Follower) since(r reel) (all []play.Event) {
	if r.First <= f.next {
		return events(r.Parts[f.next-r.First:])
	}
	if len(r.Lesson) > 0 && r.Begun >= f.next {
		all = events(r.Lesson)
	}
	return append(append(all, play.Missed{}), events(r.Parts)...)
}

// still tells that nothing has come for a while.
func (f *Follower) still(since time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.over && !f.lost {
		f.tell(stillness(since))
	}
}

func stillness(since time.Time) play.Event {
	return play.Note{Text: fmt.Sprintf("%s부터 새로 온 단계가 없습니다. 강사가 이야기하고 계시거나, 강사의 프로그램이나 연결이 끊겼을 수 있습니다. 다시 오면 저절로 이어집니다.", since.Local().Format("15:04"))}
}

// heardOf takes in how a request went.
func (f *Follower) heardOf(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case err != nil && !f.lost:
		f.tell(play.Note{Text: "강사의 화면이 오지 않고 있습니다: " + trouble(err) + ". 닿는 대로 저절로 이어집니다. 그동안 지나간 단계를 보실 수 있습니다."})
	case err == nil && f.lost:
		f.tell(play.Note{Text: "다시 연결되었습니다."})
		if f.id != "" && !f.over {
			f.quiet.Reset(quietAfter)
		}
	}
	f.lost = err != nil
}

var _ play.Demo = (*Follower)(nil)
