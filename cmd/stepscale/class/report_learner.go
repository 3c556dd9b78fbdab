package class

import (
	"context"
	"strings"
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

// Lesson is the class while a learner's lesson runs: it reports, and listens.
type Lesson struct {
	*Reporter
	*Listener
}

// Open begins to report and to listen. failed is told once when the cluster does not take a
// report; the lesson goes on.
func (l Learner) Open(ctx context.Context, failed func(error)) *Lesson {
	before, err := l.readReport(ctx)
	if err != nil { // of somebody else's making: it is written anew
		before = Report{}
	}
	r := NewReporter(l.reportOf(), before.Votes, failed)
	h := listen(l, r.Voted)
	select {
	case <-h.ready:
	case <-ctx.Done():
	case <-time.After(mostWait): // who hears nothing waits for nobody
	}
	return &Lesson{r, h}
}

// mostWait is how long a lesson waits to hear where the class stands before it begins.
const mostWait = 5 * time.Second

// Close writes what is left to write, and stops listening.
func (l *Lesson) Close(ctx context.Context) error {
	l.Listener.close()
	return l.Reporter.Close(ctx)
}

var _ play.Class = (*Lesson)(nil)
