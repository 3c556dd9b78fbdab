package board

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/stepscale/stepscale/clusters/embedded"
)

var learnersFlag = flag.Int("learners", 200, "how many learners step at once")

// TestRunningClass is everything that needs an API server: one for all, a class each.
func TestRunningClass(t *testing.T) {
	cluster, cfg := somebodys(t)
	for name, test := range map[string]func(*testing.T, *school){
		"at once": atOnce, "forged": forged, "instructor": instructor, "cut": cut, "fenced": fenced, "quiet": quiet, "demo": demonstrated, "demos": taken, "swept": sweptAway,
		"restarted": restarted, "busy": busy, "expired": expired, "offline": offline,
	} {
		t.Run(name, func(t *testing.T) {
			s := newSchool(t, cfg)
			s.cluster = cluster
			test(t, s)
		})
	}
}

// somebodys is a cluster with real RBAC, watches and tokens.
func somebodys(t testing.TB) (*embedded.Cluster, *rest.Config) {
	t.Helper()
	dir, err := os.MkdirTemp("", "class") // short: unix sockets live below it
	if err != nil {
		t.Fatal(err)
	}
	cluster := embedded.New(embedded.Options{Dir: dir})
	cfg, err := cluster.Up(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(cluster.Down(context.Background()), os.RemoveAll(dir)); err != nil {
			t.Error(err)
		}
	})
	cfg.QPS = -1
	return cluster, cfg
}

// school is a class on the cluster, as its instructor has it.
type school struct {
	Desk
	cfg     *rest.Config
	cluster *embedded.Cluster
	calls   counter // of everybody whose config is counted
}

var schools atomic.Int64

func newSchool(t testing.TB, cfg *rest.Config) *school {
	t.Helper()
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := &school{Desk: Desk{fmt.Sprintf("k%d", schools.Add(1)), kube}, cfg: cfg}
	s.namespace(t, Home(s.Class), map[string]string{LabelClass: s.Class})
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "listen"}, Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"configmaps"},
		ResourceNames: []string{Object(PartPace), Object(PartVote), Object(PartDemo), Object(PartHint)}, Verbs: []string{"get", "watch", "list"}}}}
	if _, err := kube.RbacV1().Roles(Home(s.Class)).Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	report := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "board-student"}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"get", "list", "watch", "create", "update", "patch", "delete"}},
		{APIGroups: []string{""}, Resources: []string{"namespaces"}, Verbs: []string{"get"}}}}
	if _, err := kube.RbacV1().ClusterRoles().Create(t.Context(), report, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	return s
}

func (s *school) namespace(t testing.TB, name string, labels map[string]string) {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
	if _, err := s.Kube.CoreV1().Namespaces().Create(t.Context(), ns, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// pupils let n learners in, each with a token and a student's rights.
func (s *school) pupils(t testing.TB, n int) []Learner {
	t.Helper()
	all := make([]Learner, n)
	var group sync.WaitGroup
	limit := make(chan struct{}, 8)
	for i := range all {
		group.Go(func() {
			limit <- struct{}{}
			defer func() { <-limit }()
			all[i] = s.pupil(t, fmt.Sprintf("s%03d", i+1))
		})
	}
	group.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return all
}

func (s *school) pupil(t testing.TB, seat string) Learner {
	ns := s.Class + "-" + seat
	_, err := s.Kube.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns, Labels: map[string]string{LabelClass: s.Class}}}, metav1.CreateOptions{})
	accounts := s.Kube.CoreV1().ServiceAccounts(ns)
	_, errAccount := accounts.Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "learner"}}, metav1.CreateOptions{})
	who := []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: "learner", Namespace: ns}}
	_, errOwn := s.Kube.RbacV1().RoleBindings(ns).Create(t.Context(), &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "student"}, Subjects: who,
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "board-student"}}, metav1.CreateOptions{})
	_, errHome := s.Kube.RbacV1().RoleBindings(Home(s.Class)).Create(t.Context(), &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: seat}, Subjects: who,
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "listen"}}, metav1.CreateOptions{})
	if err := errors.Join(err, errAccount, errOwn, errHome); err != nil {
		t.Error(err)
		return Learner{}
	}
	cfg := rest.AnonymousClientConfig(s.cfg)
	cfg.BearerToken, cfg.QPS = s.token(t, ns), -1
	cfg.Wrap(s.calls.wrap)
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Error(err)
	}
	return Learner{s.Class, ns, kube}
}

// token is one of the learner's whose namespace it is.
func (s *school) token(t testing.TB, namespace string) string {
	token, err := s.Kube.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), "learner", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Error(err)
		return ""
	}
	return token.Status.Token
}

// counter counts requests by method and whether they watch.
type counter struct {
	mu  sync.Mutex
	all map[string]int
}

func (c *counter) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		kind := r.Method
		if r.URL.Query().Get("watch") != "" {
			kind = "WATCH"
		}
		c.mu.Lock()
		if c.all == nil {
			c.all = map[string]int{}
		}
		c.all[kind]++
		c.mu.Unlock()
		return next.RoundTrip(r)
	})
}

// take is what was counted since the last time.
func (c *counter) take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.all
	c.all = map[string]int{}
	return was
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// watch is the board of the class, with what its requests are counted by.
func (s *school) watch(t testing.TB) (*Watch, *counter) {
	t.Helper()
	cfg, c := rest.CopyConfig(s.cfg), &counter{}
	cfg.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	cfg.Wrap(c.wrap)
	w := NewWatch(t.Context(), kubernetes.NewForConfigOrDie(cfg), s.Class)
	if err := w.Await(t.Context(), 30*time.Second); err != nil {
		t.Fatal(err)
	}
	return w, c
}

// until waits for a board of which something is true; it is asked at every change.
func until(t testing.TB, w *Watch, what string, is func(Board) bool) Board {
	t.Helper()
	late := time.After(60 * time.Second)
	for {
		next := w.Next()
		b := w.Board(BoardOptions{Stuck: time.Hour})
		if is(b) {
			return b
		}
		select {
		case <-next:
		case <-late:
			t.Fatalf("%s: %+v", what, b.Sum())
		}
	}
}

// row is a learner's on a board.
func row(b Board, namespace string) Row {
	i := slices.IndexFunc(b.Rows, func(r Row) bool { return r.Namespace == namespace })
	if i < 0 {
		return Row{}
	}
	return b.Rows[i]
}

// atOnce has everybody step at the same moment, again and again: each step of each learner
// gets to the board, by one write, and the board asks for nothing more.
func atOnce(t *testing.T, s *school) {
	const steps = 5
	pupils := s.pupils(t, *learnersFlag)
	w, asked := s.watch(t)
	began := time.Now()
	lessons := make([]*Lesson, len(pupils))
	var group sync.WaitGroup
	for i, p := range pupils {
		group.Go(func() { lessons[i] = p.Open(t.Context()) })
	}
	group.Wait()
	t.Logf("%d learners came in within %v: %v", len(pupils), time.Since(began).Round(time.Millisecond), s.calls.take())
	var slowest []time.Duration
	for n := 1; n <= steps; n++ {
		began := time.Now()
		for _, l := range lessons {
			l.Told(at(n))
		}
		until(t, w, fmt.Sprint("everybody at step ", n), func(b Board) bool {
			return !slices.ContainsFunc(b.Rows, func(r Row) bool { return r.Steps < n })
		})
		slowest = append(slowest, time.Since(began).Round(time.Millisecond))
	}
	t.Logf("the last of %d learners was on the board after %v", len(pupils), slowest)
	calls := s.calls.take()
	if calls["PATCH"] != steps*len(pupils) || len(calls) != 1 {
		t.Errorf("%d learners, %d steps: %v", len(pupils), steps, calls)
	}
	got := asked.take() // the API server drops a watch that is slow, as on a busy machine
	if t.Logf("the board has asked %v", got); got["WATCH"] > 4+2*steps || got["GET"] > 0 {
		t.Errorf("the board has asked %v", got)
	}
	for _, l := range lessons {
		group.Go(func() {
			if err := l.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	reports, err := s.Reports(t.Context())
	if err != nil || len(reports) != len(pupils) || slices.ContainsFunc(reports, func(r Report) bool { return r.Steps != steps }) {
		t.Errorf("%d reports, %v", len(reports), err)
	}
	weighed(t, s)
}

// weighed is what the class takes of etcd, as JSON, and of nodes.
func weighed(t *testing.T, s *school) {
	t.Helper()
	bytes, objects := 0, 0
	list, err := s.Kube.CoreV1().ConfigMaps("").List(t.Context(), metav1.ListOptions{LabelSelector: labels.Set{LabelClass: s.Class}.String()})
	if err != nil {
		t.Fatal(err)
	}
	for _, cm := range list.Items {
		raw, err := json.Marshal(cm)
		if err != nil {
			t.Fatal(err)
		}
		bytes, objects = bytes+len(raw), objects+1
	}
	if bytes > 1<<20 {
		t.Errorf("%d objects of %d bytes", objects, bytes)
	}
	t.Logf("%d objects, %d bytes", objects, bytes)
	if pods, err := s.Kube.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{}); err != nil || len(pods.Items) > 0 {
		t.Errorf("%d pods, %v", len(pods.Items), err)
	}
}

// forged is what a student may write and should not have written.
func forged(t *testing.T, s *school) {
	pupils := s.pupils(t, 3)
	w, _ := s.watch(t)
	put := func(kube kubernetes.Interface, namespace, name, text string, labels, notes map[string]string) {
		t.Helper()
		cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels, Annotations: notes}, Data: map[string]string{Key: text}}
		if _, err := kube.CoreV1().ConfigMaps(namespace).Create(t.Context(), cm, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	ours := map[string]string{LabelClass: s.Class, LabelPart: PartReport}
	report := func(n int) string {
		raw, _ := json.Marshal(Report{Lesson: "hpa/02", Steps: n, Total: 9})
		return string(raw)
	}
	a, b, c := pupils[0], pupils[1], pupils[2]
	put(a.Kube, a.Namespace, "another", report(7), ours, nil)
	put(a.Kube, a.Namespace, Object(PartReport), report(3), map[string]string{LabelClass: s.Class, LabelPart: PartReport, LabelSeat: "s002"}, map[string]string{LabelSeat: "s002"})
	put(a.Kube, a.Namespace, Object(PartPace), `{"step":"1"}`, map[string]string{LabelClass: s.Class, LabelPart: PartPace}, nil)
	put(b.Kube, b.Namespace, Object(PartReport), `{"answer":"`+string(slices.Repeat([]byte("A"), 900<<10))+`"}`, ours, nil)
	put(c.Kube, c.Namespace, Object(PartReport), `{"lesson":"\u001b[2J\u202e","step":"x\ny","steps":1,"total":2}`, ours, nil)
	s.namespace(t, s.Class+"-stranger", nil) // of somebody else's, with the labels of ours
	put(s.Kube, s.Class+"-stranger", Object(PartReport), report(9), ours, nil)
	seen := until(t, w, "all reports", func(b Board) bool { return b.Sum().Reported == 3 })
	time.Sleep(200 * time.Millisecond)
	seen = w.Board(BoardOptions{})
	if len(seen.Rows) != 3 || row(seen, a.Namespace).Steps != 3 || row(seen, a.Namespace).Seat != "s001" {
		t.Errorf("%+v", seen.Rows)
	}
	if got := row(seen, b.Namespace); got.Problem == "" || got.Answer != "" {
		t.Errorf("oversized: %+v", got)
	}
	if got := row(seen, c.Namespace); got.Lesson != `\x1b[2J\u202e` || got.Step != "x y" {
		t.Errorf("hostile: %+v", got)
	}
	if seen.Pace.Step != "" {
		t.Errorf("a student holds the class: %+v", seen.Pace)
	}
	reports, err := s.Reports(t.Context())
	if err != nil || len(reports) != 2 || slices.ContainsFunc(reports, func(r Report) bool { return r.Steps == 9 || r.Steps == 7 }) {
		t.Errorf("reports from outside, or that are none: %+v, %v", reports, err)
	}
	if err := b.Kube.CoreV1().ConfigMaps(b.Namespace).Delete(t.Context(), Object(PartReport), metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	until(t, w, "the report is gone", func(got Board) bool { return !row(got, b.Namespace).Reported })
}

// fenced: what everybody in the class reads, a student cannot write, nor another's report read.
func fenced(t *testing.T, s *school) {
	pupils := s.pupils(t, 2)
	a := Desk{s.Class, pupils[0].Kube}
	for name, err := range map[string]error{
		"pace": a.SetPace(t.Context(), Pace{Step: "1"}), "vote": a.SetVote(t.Context(), Vote{ID: "v1"}), "hint": a.SetHint(t.Context(), "", Hint{Text: "x"}),
		"another's report": object{pupils[0].Kube, s.Class, pupils[1].Namespace, PartReport, reportManager, Key}.Write(t.Context(), []byte("{}")),
	} {
		if !apierrors.IsForbidden(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := a.Reports(t.Context()); !apierrors.IsForbidden(err) {
		t.Errorf("all reports: %v", err)
	}
	who, is, err := FindLearner(t.Context(), pupils[0].Kube, pupils[0].Namespace)
	if !is || err != nil || who.Class != s.Class {
		t.Errorf("%+v %v %v", who, is, err)
	}
	if _, is, err := FindLearner(t.Context(), pupils[0].Kube, pupils[1].Namespace); is || err != nil {
		t.Errorf("another's namespace: %v %v", is, err)
	}
}
