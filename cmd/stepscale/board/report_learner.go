package board

import (
	"context"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/outside"
)

// Learner is somebody in a class, by the namespace.
type Learner struct {
	Class, Namespace string
	Kube             kubernetes.Interface // with the learner's rights
}

// FindLearner reads whose class a namespace is of; false where it is of none. Who asks has
// to be able to get the namespace.
func FindLearner(ctx context.Context, kube kubernetes.Interface, namespace string) (Learner, bool, error) {
	ns, err := kube.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
	if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
		return Learner{}, false, nil // of no class: its students may look at their own
	}
	if err != nil {
		return Learner{}, false, err
	}
	name := ns.Labels[LabelClass]
	return Learner{name, namespace, kube}, named(name), nil
}

// named tells whether the label says which class it is: that of a namespace that was made
// without one says "true".
func named(class string) bool { return class != "" && class != "true" }

// shown is a learner's text on one line.
func shown(text string) string {
	return strings.Join(strings.Fields(outside.Text(bounded(text))), " ")
}

// Lesson is the class while a learner's lessons run: it reports, and listens.
type Lesson struct {
	*Reporter
	*Listener
	class   string
	silent  bool      // nothing is reported
	ends    time.Time // of the learner's token; zero where nobody knows
	contact contact
}

// mostWait is how long a lesson waits to hear where the class stands before it begins.
const mostWait = 5 * time.Second

// Open begins to report and to listen.
func (l Learner) Open(ctx context.Context) *Lesson { return l.open(ctx, retries, mostDeaf) }

// open says how long a write that failed waits, and how long somebody is held who hears
// nothing.
func (l Learner) open(ctx context.Context, pauses func() wait.Backoff, deaf time.Duration) *Lesson {
	before, err := l.readReport(ctx)
	if err != nil { // of somebody else's making: it is written anew
		before = Report{}
	}
	return l.begin(ctx, before, false, pauses, deaf)
}

// Listen is Open for who does not want to report. One write says so, in the place of all
// that was reported before: an instructor may wait for somebody who has not come.
func (l Learner) Listen(ctx context.Context) *Lesson {
	o := l.begin(ctx, Report{}, true, retries, mostDeaf)
	o.change(func(to *Report) { *to = Report{Silent: true} })
	_, err := l.Kube.CoreV1().ConfigMaps(l.Namespace).Patch(ctx, Object(PartReport), types.JSONPatchType,
		[]byte(`[{"op":"remove","path":"/data/`+KeyVotes+`"}]`), metav1.PatchOptions{FieldManager: voteManager}) // those that were given beside a lesson
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsInvalid(err) { // there are none
		o.contact.is(err)
	}
	return o
}

func (l Learner) begin(ctx context.Context, before Report, silent bool, pauses func() wait.Backoff, deaf time.Duration) *Lesson {
	o := &Lesson{class: l.Class, silent: silent}
	o.Reporter = newReporter(l.reportOf(), before.Votes, o.contact.is, pauses)
	o.Listener = listen(l, o.Voted, deaf)
	select {
	case <-o.ready:
	case <-ctx.Done():
	case <-time.After(mostWait): // who hears nothing waits for nobody
	}
	o.begins(silent)
	return o
}

// Until tells, before a lesson runs, when the learner's token ends, as far as it is known.
func (l *Lesson) Until(ends time.Time) { l.ends = ends }

// Told takes in where the learner stands.
func (l *Lesson) Told(p play.Progress) {
	p.Kept = l.keeps(p.Kept) // or what was over when the lesson began: it has pods of its own
	if !l.silent {
		l.Reporter.Told(p)
	}
}

// Now is what the instructor says; and, once each, that nothing gets there and that it does
// again.
func (l *Lesson) Now(at play.Ahead) play.Said {
	said := l.Listener.Now(at)
	if said.Unseen = l.silent; l.silent {
		said.Ballot = nil // the answer is a report
	}
	said.News = append(said.News, l.contact.news(func(err error) string {
		return "지금은 강사의 화면에 알리지 못하고 있습니다. 수업은 그대로 되고, 닿는 대로 알립니다. (" + l.why(err) + ")"
	}, "강사의 화면에 다시 닿았고, 그동안의 진도도 알렸습니다.")...)
	return said
}

// why says what may be done about it.
func (l *Lesson) why(err error) string {
	if apierrors.IsUnauthorized(err) && !l.ends.IsZero() && time.Now().After(l.ends) {
		return "수업이 끝나는 시각 " + korean.Subject(l.ends.Local().Format("15:04")) + " 지났습니다. 수업이 이어진다면 강사에게 새 코드를 부탁해 주십시오"
	}
	return trouble(err)
}

// Seen says what the instructor sees of a learner.
func (l *Lesson) Seen() string {
	if l.silent {
		return "수업 " + shown(l.class) + ": 보고하지 않습니다. 강사의 화면에는 보고하지 않는다는 것만 보이고, 전에 보고하신 것은 지웁니다. 강사의 진행과 힌트는 그대로 받습니다."
	}
	return "수업 " + shown(l.class) + ": 강사의 화면에 지금 하시는 수업과 단계, 예측과 투표의 답, 파드의 수, 손을 들었는지(!)가 보입니다. 다른 것은 보내지 않습니다."
}

// Close writes what is left to write, and stops listening.
func (l *Lesson) Close(ctx context.Context) error {
	l.Listener.close()
	return l.Reporter.Close(ctx)
}

var _ play.Class = (*Lesson)(nil)
