package class

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/cmd/stepscale/board"
	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/scenarios"
)

// TestJudge: what becomes of a seat follows from what is written on the cluster.
func TestJudge(t *testing.T) {
	now := time.Now()
	o := Idleness{Idle: 20 * time.Minute, Grace: 5 * time.Minute}
	reported := func(ago time.Duration, r board.Report) *corev1.ConfigMap {
		raw, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		cm := &corev1.ConfigMap{Data: map[string]string{board.Key: string(raw)}}
		cm.ResourceVersion = "7"
		cm.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "stepscale-report", Time: &metav1.Time{Time: now.Add(-ago)}}, {Manager: "kubectl", Time: &metav1.Time{Time: now}}}
		return cm
	}
	asked := func(state, seen string, left time.Duration) board.Sweep {
		return board.Sweep{ID: "a", State: state, Seen: seen, Until: now.Add(left)}
	}
	long, short := 30*time.Minute, time.Minute
	for name, c := range map[string]struct {
		pods   int
		report *corev1.ConfigMap
		sweep  board.Sweep
		pace   board.Pace
		want   Fate
		acts   bool
	}{
		"has just stepped":              {3, reported(short, board.Report{}), board.Sweep{}, board.Pace{}, FateUsed, false},
		"does nothing":                  {3, reported(long, board.Report{}), board.Sweep{}, board.Pace{}, FateAsk, true},
		"holds nothing":                 {0, reported(long, board.Report{}), board.Sweep{}, board.Pace{}, FateEnded, false},
		"nobody reports":                {3, nil, board.Sweep{}, board.Pace{}, FateUnknown, false},
		"does not want to report":       {3, reported(long, board.Report{Silent: true}), board.Sweep{}, board.Pace{}, FateUnknown, false},
		"not to be read":                {3, &corev1.ConfigMap{Data: map[string]string{board.Key: "{"}}, board.Sweep{}, board.Pace{}, FateUnknown, false},
		"with the hand raised":          {3, reported(long, board.Report{Help: true}), board.Sweep{}, board.Pace{}, FateHand, false},
		"held":                          {3, reported(long, board.Report{Held: true}), board.Sweep{}, board.Pace{Step: "3"}, FateHeld, false},
		"was held, and is free":         {3, reported(long, board.Report{Held: true}), board.Sweep{}, board.Pace{}, FateAsk, true},
		"may still answer":              {3, reported(long, board.Report{}), asked(board.SweepAsked, "7", short), board.Pace{}, FateAsked, false},
		"has not answered":              {3, reported(long, board.Report{}), asked(board.SweepAsked, "7", -short), board.Pace{}, FateSweep, true},
		"has answered in time":          {3, reported(short, board.Report{}), asked(board.SweepAsked, "6", short), board.Pace{}, FateKept, true},
		"and late":                      {3, reported(short, board.Report{}), asked(board.SweepAsked, "6", -short), board.Pace{}, FateKept, true},
		"long ago, and nothing since":   {3, reported(long, board.Report{}), asked(board.SweepAsked, "6", -short), board.Pace{}, FateAsk, true},
		"the sweep was killed":          {1, reported(long, board.Report{}), asked(board.SweepGoing, "7", -short), board.Pace{}, FateSweep, true},
		"and all was parked":            {0, reported(long, board.Report{}), asked(board.SweepGoing, "7", -short), board.Pace{}, FateSweep, true},
		"and the learner is back":       {0, reported(long, board.Report{}), asked(board.SweepGoing, "6", -short), board.Pace{}, FateKept, true},
		"back with pods, and then left": {2, reported(long, board.Report{}), asked(board.SweepGoing, "6", -short), board.Pace{}, FateKept, true},
		"ended the lesson":              {0, reported(long, board.Report{}), asked(board.SweepAsked, "6", short), board.Pace{}, FateEnded, true},
		"was swept":                     {0, reported(long, board.Report{}), asked(board.SweepDone, "7", -short), board.Pace{}, FateEnded, false},
		"was swept, and is idle again":  {2, reported(long, board.Report{}), asked(board.SweepDone, "6", -short), board.Pace{}, FateAsk, true},
		"has kept, and does nothing":    {2, reported(short, board.Report{}), asked(board.SweepKept, "7", -short), board.Pace{}, FateUsed, false},
		"kept long ago":                 {2, reported(long, board.Report{}), asked(board.SweepKept, "7", -short), board.Pace{}, FateAsk, true},
		"took the report away":          {3, nil, asked(board.SweepAsked, "6", -short), board.Pace{}, FateUnknown, true},
		"raised the hand when asked":    {3, reported(long, board.Report{Help: true}), asked(board.SweepAsked, "6", short), board.Pace{}, FateHand, true},
	} {
		h := Holding{Pods: c.pods, sweep: c.sweep}
		if h.judge(o, c.report, c.pace, now); h.State != c.want || h.Acts() != c.acts {
			t.Errorf("%s: %s, acts %t; want %s, %t", name, h.State, h.Acts(), c.want, c.acts)
		}
	}
}

// TestSweepTakesAll: what the lessons that come with stepscale run is Deployments, and nothing
// that a sweep would leave there.
func TestSweepTakesAll(t *testing.T) {
	names, err := scenarios.List(scenarios.FS)
	if err != nil || len(names) < 15 {
		t.Fatalf("%v, %v", names, err)
	}
	for _, name := range names {
		s, err := scenarios.Load(scenarios.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, obj := range s.Parts() {
			if _, runs, _ := unstructured.NestedFieldNoCopy(obj.Object, "spec", "template", "spec", "containers"); runs && obj.GetKind() != "Deployment" || obj.GetKind() == "Pod" {
				t.Errorf("%s has a %s", name, obj.GetKind())
			}
		}
	}
}

// pupil is a learner with a lesson's workload, who reports.
type pupil struct {
	board.Learner
	lesson *board.Lesson
	steps  int
}

func (c classroom) pupil(t *testing.T, x Ticket) *pupil {
	t.Helper()
	p := &pupil{Learner: board.Learner{Class: c.spec.Class, Namespace: x.Namespace, Kube: x.kube(t)}}
	ours := map[string]string{clusters.LabelManaged: "true", clusters.LabelOwner: "kim"}
	for name, labels := range map[string]map[string]string{"web": ours, "load": ours, "mine": nil} {
		d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}, Spec: appsv1.DeploymentSpec{Replicas: new(int32(2)),
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}, Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": name}}, Spec: pod(nil).Spec}}}
		within(t, patience, "a Deployment is taken", func() bool {
			_, err := p.Kube.AppsV1().Deployments(p.Namespace).Create(t.Context(), d, metav1.CreateOptions{})
			return err == nil || apierrors.IsAlreadyExists(err)
		})
	}
	p.lesson = p.Open(t.Context())
	t.Cleanup(func() { _ = p.lesson.Close(context.Background()) })
	p.step(t, c)
	return p
}

// version is that of the report.
func (p *pupil) version(t *testing.T) string {
	t.Helper()
	cm, err := p.Kube.CoreV1().ConfigMaps(p.Namespace).Get(t.Context(), board.Object(board.PartReport), metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	return cm.ResourceVersion
}

// does tells of something, and waits until it is written.
func (p *pupil) does(t *testing.T, what play.Progress) {
	t.Helper()
	before := p.version(t)
	p.lesson.Told(what)
	within(t, patience, "the report is written", func() bool { return p.version(t) != before })
}

func (p *pupil) step(t *testing.T, _ classroom) {
	t.Helper()
	p.steps++
	p.does(t, play.Progress{Lesson: "hpa/02", Step: "x", Steps: p.steps, Total: 9})
}

// replicas are those of web, load and mine.
func (p *pupil) replicas(t *testing.T) string {
	t.Helper()
	var all []string
	for _, name := range []string{"web", "load", "mine"} {
		d, err := p.Kube.AppsV1().Deployments(p.Namespace).Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprint(*d.Spec.Replicas))
	}
	return strings.Join(all, " ")
}

// hears waits until the lesson hears something.
func (p *pupil) hears(t *testing.T, what string, is func(play.Said) bool) (news string) {
	t.Helper()
	within(t, patience, what, func() bool {
		said := p.lesson.Now(play.Ahead{Find: func(string) (int, bool) { return 0, false }})
		for _, n := range said.News {
			news += fmt.Sprint(n)
		}
		return is(said)
	})
	return news
}

// sweep looks once, and does what is to be done.
func sweep(t *testing.T, r *Room, s Spec, o Idleness) (fates string) {
	t.Helper()
	all, err := r.Holdings(t.Context(), s, o)
	if err == nil {
		err = r.Sweep(t.Context(), all)
	}
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, h := range all.Seats {
		texts = append(texts, h.Seat+" "+string(h.State))
	}
	return strings.Join(texts, ", ")
}

var (
	eager   = Idleness{Idle: time.Nanosecond, Grace: time.Nanosecond}
	patient = Idleness{Idle: time.Nanosecond, Grace: time.Hour}
)

// TestSweep asks who does nothing, keeps who answers, takes the pods of who does not, and
// nothing else; and gives them back.
func TestSweep(t *testing.T) {
	t.Parallel()
	c := newClassroom(t, "sweeps", 3)
	c.create(t)
	_, tickets := c.hand(t)
	here, away := c.pupil(t, tickets[0]), c.pupil(t, tickets[1])
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "db"}}
	if _, err := here.Kube.AppsV1().StatefulSets(here.Namespace).Create(t.Context(), set, metav1.CreateOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("a learner makes what no sweep takes: %v", err)
	}
	c.stranger(t, "sweeps-s77")
	if got := sweep(t, c.Room, c.spec, Idleness{Idle: time.Hour, Grace: time.Hour}); got != "s01 used, s02 used" {
		t.Fatal(got)
	}
	wider := c.spec // as somebody may have written it
	wider.Seats = append(slices.Clone(c.spec.Seats), Seat{ID: "s77", Namespace: "sweeps-s77"})
	if got := sweep(t, c.Room, wider, Idleness{Idle: time.Hour, Grace: time.Hour}); got != "s01 used, s02 used" {
		t.Fatalf("somebody else's namespace: %s", got)
	}
	if got := sweep(t, c.Room, c.spec, patient); got != "s01 ask, s02 ask" {
		t.Fatal(got)
	}
	news := here.hears(t, "the question", func(s play.Said) bool { return s.Asked != "" && s.Swept == "" })
	if !strings.Contains(news, "파드 4개를 치워도 될까요?") || strings.Count(news, "강사:") != 1 {
		t.Errorf("the learner is told %q", news)
	}
	if got := sweep(t, c.Room, c.spec, eager); got != "s01 asked, s02 asked" { // until the end that they were told
		t.Fatal(got)
	}
	asked := here.lesson.Now(play.Ahead{}).Asked
	here.does(t, play.Progress{Kept: asked})
	here.hears(t, "no question any more", func(s play.Said) bool { return s.Asked == "" })
	c.late(t, away)
	if got := sweep(t, c.Room, c.spec, Idleness{Idle: time.Hour, Grace: time.Hour}); got != "s01 kept, s02 sweep" {
		t.Fatal(got)
	}
	if said := c.swept(t, here); said.State != board.SweepKept || said.ID != asked || said.Seen != here.version(t) {
		t.Errorf("the board is told %+v", said)
	}
	if got := here.replicas(t) + ", " + away.replicas(t); got != "2 2 2, 0 0 2" {
		t.Errorf("replicas are %s", got)
	}
	news = away.hears(t, "that the pods are gone", func(s play.Said) bool { return s.Swept != "" && s.Asked == "" })
	if !strings.Contains(news, "파드 4개를 치웠습니다") || !strings.Contains(news, "이어서 하시려면") {
		t.Errorf("the learner is told %q", news)
	}
	if got := sweep(t, c.Room, c.spec, eager); !strings.HasPrefix(got, "s01 ") || strings.Contains(got, "s02") {
		t.Errorf("of whom nothing is left: %s", got)
	}
	parked, errBefore := clusters.Parked(t.Context(), away.Kube, away.Namespace)
	err := clusters.Wake(t.Context(), away.Kube, away.Namespace) // with the learner's rights
	still, errAfter := clusters.Parked(t.Context(), away.Kube, away.Namespace)
	if err := errors.Join(errBefore, err, errAfter); err != nil || !parked || still {
		t.Fatalf("parked before: %t, after: %t, %v", parked, still, err)
	}
	away.does(t, play.Progress{Kept: away.lesson.Now(play.Ahead{}).Swept})
	if got := away.replicas(t); got != "2 2 2" || away.lesson.Now(play.Ahead{}).Swept != "" {
		t.Errorf("replicas are %s after Wake", got)
	}
	d, err := away.Kube.AppsV1().Deployments(away.Namespace).Get(t.Context(), "web", metav1.GetOptions{})
	if err != nil || len(d.Annotations) > 1 { // the Deployment controller's
		t.Errorf("annotations %v, %v", d.Annotations, err)
	}
}

// stranger makes a namespace of somebody else's, with a workload that bears our label.
func (c classroom) stranger(t *testing.T, name string) {
	t.Helper()
	_, err := c.kube.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web", Labels: map[string]string{clusters.LabelManaged: "true"}}, Spec: appsv1.DeploymentSpec{
		Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}, Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}}, Spec: pod(nil).Spec}}}
	_, errDeployment := c.kube.AppsV1().Deployments(name).Create(t.Context(), d, metav1.CreateOptions{})
	if err := errors.Join(err, errDeployment); err != nil {
		t.Fatal(err)
	}
}

// swept is what was said about a learner's pods.
func (c classroom) swept(t *testing.T, p *pupil) board.Sweep {
	t.Helper()
	cm, err := c.kube.CoreV1().ConfigMaps(p.Namespace).Get(t.Context(), board.Object(board.PartHint), metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	return board.ReadSweep(cm)
}

// late lets the time for an answer go by.
func (c classroom) late(t *testing.T, p *pupil) {
	t.Helper()
	s := c.swept(t, p)
	s.Until = time.Now().Add(-time.Minute)
	if err := s.Write(t.Context(), c.kube, c.spec.Class, p.Namespace); err != nil {
		t.Fatal(err)
	}
}

// TestSweepBeginsAgain: whatever write a sweep ends with, another one comes to the same.
func TestSweepBeginsAgain(t *testing.T) {
	t.Parallel()
	c := newClassroom(t, "killedsweep", 1)
	c.create(t)
	_, tickets := c.hand(t)
	p := c.pupil(t, tickets[0])
	const writes = 3 // that it goes, and two Deployments; the last one says that it is done
	for n := 1; n <= writes; n++ {
		sweep(t, c.Room, c.spec, patient)
		c.late(t, p)
		all, err := c.Holdings(t.Context(), c.spec, patient)
		if err != nil || len(all.Seats) != 1 || all.Seats[0].State != FateSweep {
			t.Fatalf("%+v, %v", all, err)
		}
		room, ctx, count := c.killing(t, int32(n))
		err = room.Sweep(ctx, all)
		if int(count.Load()) != n || !errors.Is(err, context.Canceled) {
			t.Fatalf("%d writes, to be killed at %d: %v", count.Load(), n, err)
		}
		if got := sweep(t, c.Room, c.spec, patient); got != "s01 sweep" {
			t.Fatalf("after it was killed at write %d: %s", n, got)
		}
		if got := p.replicas(t); got != "0 0 2" {
			t.Fatalf("killed at write %d, and again: replicas are %s", n, got)
		}
		if said := c.swept(t, p); said.State != board.SweepDone || said.Pods != 4 {
			t.Fatalf("killed at write %d, and again: the learner is told %+v", n, said)
		}
		if err := clusters.Wake(t.Context(), p.Kube, p.Namespace); err != nil {
			t.Fatal(err)
		}
		p.step(t, c)
		if got := p.replicas(t); got != "2 2 2" {
			t.Fatalf("killed at write %d, again, and awake: replicas are %s", n, got)
		}
	}
}

// TestSweepMeetsAnError: a seat that fails is named, and keeps nobody else from being asked.
func TestSweepMeetsAnError(t *testing.T) {
	t.Parallel()
	c := newClassroom(t, "torn", 3)
	c.create(t)
	cfg := cluster(t)
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if strings.Contains(r.URL.Path, "torn-s02") {
				return nil, errors.New("a network that fails")
			}
			select { // what an error would end is under way
			case <-r.Context().Done():
				return nil, r.Context().Err()
			case <-time.After(300 * time.Millisecond):
			}
			return next.RoundTrip(r)
		})
	})
	all := Holdings{Class: "torn", At: time.Now()}
	for _, s := range c.spec.Seats {
		all.Seats = append(all.Seats, Holding{Seat: s.ID, Namespace: s.Namespace, State: FateAsk, Pods: 1})
	}
	err := c.room(t, cfg).Sweep(t.Context(), all)
	if err == nil || !strings.Contains(err.Error(), "s02: ") || strings.Contains(err.Error(), "s01") || strings.Contains(err.Error(), "s03") {
		t.Errorf("told: %v", err)
	}
	for i, want := range []string{board.SweepAsked, "", board.SweepAsked} {
		if got := c.swept(t, &pupil{Learner: board.Learner{Namespace: c.spec.Seats[i].Namespace}}).State; got != want || all.Seats[i].Acts() != (want != "") {
			t.Errorf("%s: %q, done %t", c.spec.Seats[i].ID, got, all.Seats[i].Acts())
		}
	}
}

// TestSweepMeetsAStep: a learner who steps while the pods are taken has them at the end.
func TestSweepMeetsAStep(t *testing.T) {
	t.Parallel()
	c := newClassroom(t, "metsweep", 1)
	c.create(t)
	_, tickets := c.hand(t)
	p := c.pupil(t, tickets[0])
	for n := range 4 {
		sweep(t, c.Room, c.spec, patient)
		c.late(t, p)
		seen := 0
		cfg := cluster(t)
		cfg.Wrap(func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				answer, err := next.RoundTrip(r)
				if r.Method == http.MethodPatch {
					if seen++; seen == n {
						p.step(t, c)
					}
				}
				return answer, err
			})
		})
		all, err := c.Holdings(t.Context(), c.spec, patient)
		if err != nil || len(all.Seats) != 1 || all.Seats[0].State != FateSweep {
			t.Fatalf("%+v, %v", all, err)
		}
		if n == 0 {
			p.step(t, c) // between the look and the deed
		}
		if err := c.room(t, cfg).Sweep(t.Context(), all); err != nil {
			t.Fatal(err)
		}
		if got := p.replicas(t); got != "2 2 2" || all.Seats[0].State != FateKept {
			t.Fatalf("a step after write %d: %s, replicas are %s", n, all.Seats[0].State, got)
		}
		if said := c.swept(t, p); said.State != board.SweepKept || said.Seen != p.version(t) {
			t.Fatalf("a step after write %d: the board is told %+v", n, said)
		}
		p.step(t, c)
	}
}
