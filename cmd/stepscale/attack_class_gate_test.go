package main

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/stepscale/stepscale/clusters"
)

// guillotine stands before an API server, counts what a process asks, and kills it at one of
// the requests: before it is passed on, or when it was answered and the answer is not back.
type guillotine struct {
	through http.Handler
	server  *httptest.Server

	mu     sync.Mutex
	pid    int
	asked  int
	at     int           // the request with which it is killed, from 1; 0 never
	answer bool          // when it was answered
	linger time.Duration // after the answer is back
	ended  time.Time     // the last answer
}

func newGuillotine(t *testing.T, cfg *rest.Config) *guillotine {
	t.Helper()
	target, err := url.Parse(cfg.Host)
	if err != nil {
		t.Fatal(err)
	}
	plain := rest.AnonymousClientConfig(cfg) // whoever comes brings a token
	through := httputil.NewSingleHostReverseProxy(target)
	if through.Transport, err = rest.TransportFor(plain); err != nil {
		t.Fatal(err)
	}
	through.FlushInterval = -1
	through.ErrorLog = log.New(io.Discard, "", 0)
	g := &guillotine{through: through}
	g.server = httptest.NewUnstartedServer(g)
	g.server.Config.ErrorLog = through.ErrorLog
	g.server.EnableHTTP2 = true
	g.server.StartTLS()
	t.Cleanup(func() { g.server.CloseClientConnections(); g.server.Close() })
	return g
}

// admits lets the owner of a home come with the token, as kubectl would.
func (g *guillotine) admits(t *testing.T, home, token string) {
	t.Helper()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: g.server.Certificate().Raw})
	err := clientcmd.WriteToFile(api.Config{
		CurrentContext: "school", Contexts: map[string]*api.Context{"school": {Cluster: "school", AuthInfo: "admin"}},
		Clusters:  map[string]*api.Cluster{"school": {Server: g.server.URL, CertificateAuthorityData: ca}},
		AuthInfos: map[string]*api.AuthInfo{"admin": {Token: token}},
	}, filepath.Join(home, ".kube", "config"))
	if err != nil {
		t.Fatal(err)
	}
}

func (g *guillotine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	g.asked++
	n, at, answer, linger := g.asked, g.at, g.answer, g.linger
	if at > 0 && n == at && !answer {
		_ = syscall.Kill(g.pid, syscall.SIGKILL)
	}
	g.mu.Unlock()
	if at > 0 && n >= at && linger == 0 && !(n == at && answer) {
		panic(http.ErrAbortHandler)
	}
	if n == at && linger == 0 {
		g.through.ServeHTTP(httptest.NewRecorder(), r)
		g.behead()
		panic(http.ErrAbortHandler)
	}
	g.through.ServeHTTP(w, r)
	g.mu.Lock()
	g.ended = time.Now()
	g.mu.Unlock()
	if n == at {
		time.AfterFunc(linger, g.behead)
	}
}

// behead kills the process that is there, if it still is.
func (g *guillotine) behead() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pid != 0 {
		_ = syscall.Kill(g.pid, syscall.SIGKILL)
	}
}

// moment is when a process is killed: with a request, or so long after its start.
type moment struct {
	request int // from 1; 0: by time
	answer  bool
	after   time.Duration // the start, or the answer's arrival
}

func (m moment) String() string {
	switch {
	case m.request == 0:
		return fmt.Sprintf("after %s", m.after.Round(time.Millisecond))
	case m.after > 0:
		return fmt.Sprintf("%s after the answer to request %d", m.after.Round(time.Millisecond), m.request)
	case m.answer:
		return fmt.Sprintf("with the answer to request %d", m.request)
	}
	return fmt.Sprintf("with request %d", m.request)
}

// life is how a process goes that nobody kills.
type life struct {
	requests   int
	took, tail time.Duration // all of it, and after the last answer
}

// moments are n: most of them at the requests of a process, the last one first, some after its
// last answer, when it writes files, and some all over its time.
func (l life) moments(n int) (all []moment) {
	requests, tail := min((n+1)*3/5, 2*l.requests), n/5
	if n < 5 && l.requests > 0 {
		requests, tail = 1, 1
	}
	for i := range requests {
		at := 2*l.requests - 1 - i*2*l.requests/requests
		all = append(all, moment{request: at/2 + 1, answer: at%2 == 1})
	}
	for i := range tail {
		if l.requests > 0 {
			all = append(all, moment{request: l.requests, answer: true, after: l.tail * time.Duration(i+1) / time.Duration(tail+1)})
		}
	}
	for i, rest := 0, n-len(all); i < rest; i++ {
		all = append(all, moment{after: l.took * time.Duration(i+1) / time.Duration(rest+1)})
	}
	return all
}

// whole runs the program to its end.
func (g *guillotine) whole(run func() string) (screen string, l life) {
	g.mu.Lock()
	g.asked, g.at, g.pid = 0, 0, 0
	g.mu.Unlock()
	began := time.Now()
	screen = run()
	g.mu.Lock()
	defer g.mu.Unlock()
	return screen, life{g.asked, time.Since(began), time.Since(g.ended)}
}

// kill runs the program until the moment. It reports whether there was something to kill.
func (g *guillotine) kill(m *machine, at moment, argv ...string) bool {
	m.t.Helper()
	cmd := m.command(argv...)
	g.mu.Lock()
	g.asked, g.at, g.answer, g.linger = 0, at.request, at.answer, 0
	if at.request > 0 {
		g.linger = at.after
	}
	err := cmd.Start()
	if err == nil {
		g.pid = cmd.Process.Pid
	}
	g.mu.Unlock()
	if err != nil {
		m.t.Fatal(err)
	}
	late := time.AfterFunc(patient, func() {
		m.t.Errorf("%q does not end that is killed %s", argv, at)
		_ = cmd.Process.Kill()
	})
	defer late.Stop()
	if at.request == 0 {
		time.Sleep(at.after) // the moment is what is tried, there is nothing to wait for
		_ = cmd.Process.Kill()
	}
	_ = cmd.Wait()
	g.mu.Lock()
	g.at, g.pid = 0, 0
	g.mu.Unlock()
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled()
}

// schoolKinds are all that a class, or the preparation of its cluster, is made of.
var schoolKinds = []schema.GroupVersionResource{
	{Version: "v1", Resource: "namespaces"}, {Version: "v1", Resource: "serviceaccounts"}, {Version: "v1", Resource: "configmaps"},
	{Version: "v1", Resource: "resourcequotas"}, {Version: "v1", Resource: "limitranges"},
	{Group: "networking.k8s.io", Version: "v1", Resource: "networkpolicies"},
	{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "roles"}, {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "rolebindings"},
	{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterroles"},
	{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicies"}, {Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicybindings"},
	{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingadmissionpolicies"}, {Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingadmissionpolicybindings"},
	{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"},
}

// passing is what differs from one call of the same command to the next: times, and the names
// of hints and votes.
var passing = regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9:]+)|"id":"[0-9a-z]+"`)

// inventory is what there is with the label, by kind and name, as far as it does not differ
// between two objects that were made alike.
func inventory(t *testing.T, cluster dynamic.Interface, label, class string) map[string]string {
	t.Helper()
	all, owners := map[string]string{}, map[string]bool{}
	name := regexp.MustCompile(`\b` + class + `\b`)
	for _, kind := range schoolKinds {
		list, err := cluster.Resource(kind).List(context.Background(), metav1.ListOptions{LabelSelector: label})
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range list.Items {
			o := list.Items[i]
			for _, field := range []string{"uid", "resourceVersion", "creationTimestamp", "managedFields", "generation", "annotations"} {
				unstructured.RemoveNestedField(o.Object, "metadata", field)
			}
			unstructured.RemoveNestedField(o.Object, "status")
			key := kind.Resource + " " + o.GetNamespace() + "/" + o.GetName()
			text := passing.ReplaceAllString(fmt.Sprint(o.Object), "PASSING")
			if class != "" {
				key, text = name.ReplaceAllString(key, "CLASS"), name.ReplaceAllString(text, "CLASS")
				if owner := o.GetLabels()[clusters.LabelOwner]; owner != "" { // each class has its own
					owners[owner] = true
					text = strings.ReplaceAll(text, clusters.LabelOwner+":"+owner, clusters.LabelOwner+":OWNER")
				}
			}
			all[key] = text
		}
	}
	if len(owners) > 1 {
		t.Errorf("objects of one class have the owners %v", owners)
	}
	return all
}

// onDisk is what a learner's computer keeps: files, modes, and what does not pass.
func onDisk(a *academy, _ string) map[string]string {
	all := map[string]string{}
	err := filepath.WalkDir(a.learner.state, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		raw, err2 := os.ReadFile(path)
		if err := errors.Join(err, err2); err != nil {
			return err
		}
		if rel, _ := filepath.Rel(a.learner.state, path); !halfWritten.MatchString(rel) {
			all[rel] = fmt.Sprintf("%s %s", info.Mode(), passing.ReplaceAll(raw, nil))
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		a.Fatal(err)
	}
	return all
}

// halfWritten is what a writer leaves who is killed; the next one takes it away when it is old.
var halfWritten = regexp.MustCompile(`\.tmp-[0-9]+$`)

// nobody is what leaving has to leave behind, halves of files included.
func nobody(a *academy, _ string) map[string]string {
	all := onDisk(a, "")
	files, _ := filepath.Glob(filepath.Join(a.learner.state, "seat*"))
	for _, f := range files {
		all[filepath.Base(f)] = "is there"
	}
	return all
}
