package board

import (
	"context"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
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
	class string

	mu    sync.Mutex
	fault error // of the first report that was not taken, until it is told
}

// mostWait is how long a lesson waits to hear where the class stands before it begins.
const mostWait = 5 * time.Second

// Open begins to report and to listen.
func (l Learner) Open(ctx context.Context) *Lesson {
	before, err := l.readReport(ctx)
	if err != nil { // of somebody else's making: it is written anew
		before = Report{}
	}
	o := &Lesson{class: l.Class}
	o.Reporter = NewReporter(l.reportOf(), before.Votes, func(err error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.fault = err
	})
	o.Listener = listen(l, o.Voted)
	select {
	case <-o.ready:
	case <-ctx.Done():
	case <-time.After(mostWait): // who hears nothing waits for nobody
	}
	return o
}

// Now is what the instructor says, and once that nothing gets there.
func (l *Lesson) Now(at play.Ahead) play.Said {
	said := l.Listener.Now(at)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fault != nil {
		said.News = append(said.News, play.Note{Text: "지금은 강사의 화면에 알리지 못하고 있습니다. 수업은 그대로 되고, 닿는 대로 알립니다. (" + trouble(l.fault) + ")"})
		l.fault = nil
	}
	return said
}

// Seen says what the instructor sees of a learner.
func (l *Lesson) Seen() string {
	return "수업 " + shown(l.class) + ": 강사의 화면에 지금 하시는 수업과 단계, 예측과 투표의 답, 파드의 수, 손을 들었는지(!)가 보입니다. 다른 것은 보내지 않습니다."
}

// Close writes what is left to write, and stops listening.
func (l *Lesson) Close(ctx context.Context) error {
	l.Listener.close()
	return l.Reporter.Close(ctx)
}

var _ play.Class = (*Lesson)(nil)
