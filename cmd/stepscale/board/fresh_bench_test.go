package board

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	watchtools "k8s.io/client-go/tools/watch"
)

// partBare is an object as large as a report, of which the board knows nothing.
const partBare = "bare"

// BenchmarkFreshness is how long the steps of 200 learners who step at once take to the board,
// beside what the API server alone takes: the same writes by the same clients, seen by one bare
// watch. Each round of one is followed by a round of the other, on the same cluster.
func BenchmarkFreshness(b *testing.B) {
	_, cfg := somebodys(b)
	s := newSchool(b, cfg)
	pupils := s.pupils(b, *learnersFlag)
	w, _ := s.watch(b)
	var group sync.WaitGroup
	lessons := make([]*Lesson, len(pupils))
	for i, p := range pupils {
		group.Go(func() { lessons[i] = p.Open(b.Context()) })
	}
	group.Wait()
	b.Cleanup(func() {
		for _, l := range lessons {
			l.Listener.close()
			l.Reporter.stop()
		}
	})
	bare := bareWatch(b, s)
	var class, alone []time.Duration
	n := 0
	for b.Loop() {
		n++
		class = append(class, steppedAtOnce(b, w, lessons, n)...)
		alone = append(alone, writtenAtOnce(b, pupils, bare, n)...)
	}
	b.ReportMetric(0, "ns/op")
	quantiles(b, class, "board")
	quantiles(b, alone, "bare")
	b.ReportMetric(at50(class)/at50(alone), "p50-ratio")
	b.ReportMetric(float64(slices.Max(class))/float64(slices.Max(alone)), "max-ratio")
	raw, _ := json.Marshal(reportAt(1))
	b.ReportMetric(float64(len(raw)), "B/report")
}

func reportAt(n int) Report {
	p := at(n)
	return Report{Lesson: p.Lesson, Step: p.Step, Steps: p.Steps, Total: p.Total, Since: time.Now(), Sent: time.Now()}
}

func at50(all []time.Duration) float64 {
	slices.Sort(all)
	return float64(all[len(all)/2])
}

// quantiles reports how fresh it was, and how many got through in a second. The last of each
// round of 200 is what the most is about.
func quantiles(b *testing.B, all []time.Duration, of string) {
	slices.Sort(all)
	at := func(share float64) float64 { return all[int(share*float64(len(all)-1))].Seconds() * 1000 }
	b.ReportMetric(at(0.5), of+"-p50-ms")
	b.ReportMetric(at(0.95), of+"-p95-ms")
	b.ReportMetric(at(1), of+"-max-ms")
	b.ReportMetric(float64(*learnersFlag)/all[len(all)-1].Seconds(), of+"-PATCH/s")
}

// steppedAtOnce is after how long each learner's step was on the board.
func steppedAtOnce(b *testing.B, w *Watch, lessons []*Lesson, n int) (all []time.Duration) {
	began := time.Now()
	for _, l := range lessons {
		l.Told(at(n))
	}
	seen := map[string]bool{}
	until(b, w, fmt.Sprint("everybody at step ", n), func(got Board) bool {
		for _, r := range got.Rows {
			if r.Steps == n && !seen[r.Namespace] {
				seen[r.Namespace] = true
				all = append(all, time.Since(began))
			}
		}
		return len(seen) == len(lessons)
	})
	return all
}

// bareWatch is told of every write of the bare objects.
func bareWatch(b *testing.B, s *school) <-chan *corev1.ConfigMap {
	cfg := rest.CopyConfig(s.cfg)
	cfg.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	lw := selection{labels: labels.Set{LabelPart: partBare}.AsSelector()}.configMaps(kubernetes.NewForConfigOrDie(cfg))
	list, err := lw.ListWithContextFunc(b.Context(), metav1.ListOptions{})
	if err != nil {
		b.Fatal(err)
	}
	seen, err := watchtools.NewRetryWatcherWithContext(b.Context(), list.(*corev1.ConfigMapList).ResourceVersion, &lw) // a busy API server drops watches
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(seen.Stop)
	all := make(chan *corev1.ConfigMap, 10**learnersFlag)
	go func() {
		defer close(all)
		for e := range seen.ResultChan() {
			if cm, ok := e.Object.(*corev1.ConfigMap); ok {
				all <- cm
			}
		}
	}()
	return all
}

// writtenAtOnce is the same without the class: a write each, and a watch.
func writtenAtOnce(b *testing.B, pupils []Learner, seen <-chan *corev1.ConfigMap, n int) (all []time.Duration) {
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	var writers sync.WaitGroup
	defer writers.Wait() // the watch may be told before the writer
	began := time.Now()
	for _, p := range pupils {
		writers.Go(func() {
			raw, _ := json.Marshal(reportAt(n))
			if err := (object{p.Kube, p.Class, p.Namespace, partBare, reportManager, Key}).Write(ctx, raw); err != nil {
				b.Error(err)
			}
		})
	}
	for at := map[string]bool{}; len(at) < len(pupils); {
		select {
		case <-ctx.Done():
			b.Fatal("the bare watch has not seen everything")
		case cm := <-seen:
			if r, err := ReadReport(cm); err == nil && r.Steps == n && !at[cm.Namespace] {
				at[cm.Namespace] = true
				all = append(all, time.Since(began))
			}
		}
	}
	return all
}
