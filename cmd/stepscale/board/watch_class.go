package board

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

const (
	// LabelSeat is on a learner's namespace: the seat's name. Without it, the seat is
	// called as the namespace.
	LabelSeat = "stepscale.io/seat"
	// together is how long what changes at once is gathered: two hundred learners who step
	// at once are a few boards, and not two hundred.
	together = 50 * time.Millisecond
	// mostRemembered is how many answers of a learner the board remembers.
	mostRemembered = 200
)

// Watch is the whole class, as the cluster has it. Four lists and their watches are all
// that it asks the API server for, however many learners there are: the namespaces of the
// class, which only its instructor can write and which therefore say who is in it, the
// learners' reports, what was said to each about idle pods, and the objects of Home.
type Watch struct {
	class string

	roster  *mirror[string] // seats
	reports *mirror[Report]
	sweeps  *mirror[Sweep]
	home    *mirror[string]

	mu       sync.Mutex
	changed  chan struct{}    // closed when there is something new
	waking   bool             // it is about to be
	trouble  map[string]error // of each watch; none where it was answered
	seen     map[string]reported
	answered map[question]map[string]string
	kept     map[string]int // answers by namespace
}

// NewWatch begins to watch, until the context ends.
func NewWatch(ctx context.Context, kube kubernetes.Interface, class string) *Watch {
	w := &Watch{class: class, changed: make(chan struct{}), trouble: map[string]error{}, seen: map[string]reported{}, answered: map[question]map[string]string{}, kept: map[string]int{}}
	ours := labels.Set{LabelClass: class}
	w.roster = newMirror(w.seat, w.wake)
	w.reports = newMirror(w.report, w.wake)
	w.sweeps = newMirror(readSweep, w.wake)
	w.home = newMirror(func(o metav1.Object) string {
		if cm, ok := data(o, Key); ok && len(cm.Data[Key]) <= MaxHome {
			return cm.Data[Key]
		}
		return ""
	}, w.wake)
	all := selection{labels: ours.AsSelector()}
	everybodys := func(part string) cache.ListWatch {
		return selection{labels: labels.Set{LabelClass: class, LabelPart: part}.AsSelector(), fields: fields.Set{metav1.ObjectNameField: Object(part)}}.configMaps(kube)
	}
	home := selection{namespace: Home(class)}
	home.labels, _ = labels.Parse(LabelPart + " in (" + PartPace + "," + PartVote + ")")
	go follow(ctx, kube, all.namespaces(kube), &corev1.Namespace{}, w.roster, w.up("roster"))
	go follow(ctx, kube, everybodys(PartReport), &corev1.ConfigMap{}, w.reports, w.up("reports"))
	go follow(ctx, kube, everybodys(PartHint), &corev1.ConfigMap{}, w.sweeps, w.up("sweeps"))
	go follow(ctx, kube, home.configMaps(kube), &corev1.ConfigMap{}, w.home, w.up("home"))
	return w
}

// Next is closed when the board is another than now.
func (w *Watch) Next() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

func (w *Watch) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waking {
		return
	}
	w.waking = true
	time.AfterFunc(together, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.waking = false
		close(w.changed)
		w.changed = make(chan struct{})
	})
}

// Await waits until all was read once. The error is why it was not.
func (w *Watch) Await(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		next := w.Next()
		if w.ready() {
			return nil
		}
		if err := w.Trouble(); apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return cmp.Or(w.Trouble(), ctx.Err())
		case <-next:
		}
	}
}

// up keeps what a watch's requests end with.
func (w *Watch) up(name string) func(error) {
	return func(err error) {
		w.mu.Lock()
		before := w.trouble[name]
		w.trouble[name] = err
		w.mu.Unlock()
		if (err == nil) != (before == nil) {
			w.wake()
		}
	}
}

// Trouble is why what is told may be old; nil where it is not.
func (w *Watch) Trouble() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, name := range []string{"roster", "reports", "sweeps", "home"} {
		if err := w.trouble[name]; err != nil {
			return err
		}
	}
	return nil
}

// seat is what a learner is called.
func (w *Watch) seat(o metav1.Object) string { return seatIn(w.class, o) }

func seatIn(class string, namespace metav1.Object) string {
	if seat := namespace.GetLabels()[LabelSeat]; seat != "" {
		return shown(seat)
	}
	return strings.TrimPrefix(namespace.GetName(), class+"-")
}

// report reads a learner's report, and remembers since when its step is the newest, and
// what was answered.
func (w *Watch) report(o metav1.Object) Report {
	cm, ok := o.(*corev1.ConfigMap)
	if !ok {
		return Report{}
	}
	now := time.Now()
	r, err := ReadReport(cm)
	w.mu.Lock()
	defer w.mu.Unlock()
	before, known := w.seen[cm.Namespace]
	got := reported{Report: r, since: now, version: cm.ResourceVersion}
	switch {
	case err != nil:
		got.problem = "보고를 읽을 수 없습니다"
		got.since = before.since
	case known && before.problem == "" && before.Lesson == r.Lesson && before.Step == r.Step && before.Steps == r.Steps:
		got.since = before.since
	case !known:
		got.since = reachedAt(cm, r, now)
	}
	w.seen[cm.Namespace] = got
	if about := r.about(); r.Answer != "" && about != (question{}) {
		w.remember(about, cm.Namespace, r.Answer)
	}
	return r
}

// remember keeps an answer, of each learner only so many.
func (w *Watch) remember(about question, namespace, answer string) {
	if _, again := w.answered[about][namespace]; !again {
		if w.kept[namespace] >= mostRemembered {
			return
		}
		w.kept[namespace]++
	}
	if w.answered[about] == nil {
		w.answered[about] = map[string]string{}
	}
	w.answered[about][namespace] = answer
}

// reachedAt is when a step was reached that the board has not seen being reached. The
// learner's clock says how long before the report was written, the API server's when that
// was: no clock of a learner is held against another.
func reachedAt(cm *corev1.ConfigMap, r Report, now time.Time) time.Time {
	written := now
	for _, m := range cm.ManagedFields {
		if m.Manager == reportManager && m.Time != nil {
			written = m.Time.Time
		}
	}
	at := written.Add(-max(r.Sent.Sub(r.Since), 0))
	if at.After(now) || r.Since.IsZero() || now.Sub(at) > 24*time.Hour {
		return now
	}
	return at
}

// ready tells whether all was read once.
func (w *Watch) ready() bool {
	roster := w.roster.each(func(cache.ObjectName, string) {})
	reports := w.reports.each(func(cache.ObjectName, Report) {})
	sweeps := w.sweeps.each(func(cache.ObjectName, Sweep) {})
	return roster && reports && sweeps && w.home.each(func(cache.ObjectName, string) {})
}

// Reports are the newest of everybody on the roster.
func (w *Watch) Reports() (all []Report) {
	there := w.present()
	w.reports.each(func(name cache.ObjectName, r Report) {
		if _, ok := there[name.Namespace]; ok {
			all = append(all, r)
		}
	})
	return all
}

// present are the learners' namespaces, and their seats.
func (w *Watch) present() map[string]string {
	roster := map[string]string{}
	w.roster.each(func(name cache.ObjectName, seat string) {
		if name.Name != Home(w.class) {
			roster[name.Name] = seat
		}
	})
	return roster
}

// Board is the class at this moment. A report from a namespace that is not on the roster is
// none, whatever its labels say.
func (w *Watch) Board(o BoardOptions) Board {
	roster := w.present()
	there := map[string]bool{}
	w.reports.each(func(name cache.ObjectName, _ Report) { there[name.Namespace] = true })
	sweeps := map[string]Sweep{}
	w.sweeps.each(func(name cache.ObjectName, s Sweep) { sweeps[name.Namespace] = s })
	w.mu.Lock()
	reports := map[string]reported{}
	answers := map[question]map[string]string{}
	for namespace := range roster {
		if there[namespace] {
			r := w.seen[namespace]
			r.sweep = sweeps[namespace]
			reports[namespace] = r
		}
	}
	for about, given := range w.answered {
		answers[about] = map[string]string{}
		for namespace, answer := range given {
			if _, ok := roster[namespace]; ok {
				answers[about][namespace] = answer
			}
		}
	}
	w.mu.Unlock()
	b := board(o, time.Now(), roster, reports, answers)
	b.Class = w.class
	if err := w.Trouble(); err != nil {
		b.Trouble = trouble(err)
	}
	w.addHome(&b)
	return b
}

// addHome puts in what the instructor has said.
func (w *Watch) addHome(b *Board) {
	w.home.each(func(name cache.ObjectName, text string) {
		switch name.Name {
		case Object(PartPace):
			_ = json.Unmarshal([]byte(text), &b.Pace)
		case Object(PartVote):
			if v := (Vote{}); json.Unmarshal([]byte(text), &v) == nil && v.ID != "" {
				b.Vote = &Ballots{Vote: v.shown()}
			}
		}
	})
	if b.Vote != nil {
		b.Vote.Given = b.Vote.Count(b.Vote.Round, w.Reports()).Given()
	}
}
