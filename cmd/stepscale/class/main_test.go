package class

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/stepscale/stepscale/clusters/embedded"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine/vpa"
)

// prepared is the one cluster of these tests: real RBAC, admission and ServiceAccount
// tokens, prepared as `class install` does. It is started by the first test that needs it.
var prepared = sync.OnceValues(func() (*rest.Config, error) {
	dir, err := os.MkdirTemp("", "class") // short: unix sockets live below it
	if err != nil {
		return nil, err
	}
	c := embedded.New(embedded.Options{Dir: dir})
	stop = func() error { return errors.Join(c.Down(context.Background()), os.RemoveAll(dir)) }
	cfg, err := c.Up(context.Background())
	if err != nil {
		return nil, err
	}
	prepare, err := vpa.NewClass(cfg)
	if err == nil {
		_, err = prepare.Install(context.Background())
	}
	return cfg, err
})

var stop = func() error { return nil }

func TestMain(m *testing.M) {
	code := m.Run()
	if err := stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func cluster(t testing.TB) *rest.Config {
	t.Helper()
	cfg, err := prepared()
	if err != nil {
		t.Fatal(err)
	}
	return rest.CopyConfig(cfg)
}

// classroom is a class on the cluster, in the hands of its instructor.
type classroom struct {
	*Room
	spec   Spec
	signer state.Signer
	admin  *rest.Config
}

func signer(t testing.TB) state.Signer {
	t.Helper()
	s, err := state.At(t.TempDir()).Signer()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newClassroom(t testing.TB, name string, seats int) classroom {
	t.Helper()
	c := classroom{admin: cluster(t), signer: signer(t), spec: Spec{Class: name, Identity: IdentityToken, Ends: time.Now().Add(time.Hour).Round(time.Second), Seats: Anonymous(name, seats)}}
	c.Room = c.room(t, c.admin)
	return c
}

func (c classroom) room(t testing.TB, cfg *rest.Config) *Room {
	t.Helper()
	r, err := NewRoom(cfg, c.signer)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (c classroom) create(t testing.TB) {
	t.Helper()
	if _, err := c.Create(t.Context(), c.spec, func(Made) {}); err != nil {
		t.Fatal(err)
	}
}

// hand makes tickets for all seats, as the learners open them.
func (c classroom) hand(t testing.TB) (file *File, tickets []Ticket) {
	t.Helper()
	file = NewFile(c.spec.Class, c.spec.Ends)
	handed, err := c.Hand(t.Context(), c.spec, c.spec.Seats, file, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range handed {
		ticket, err := file.Open(h.Code)
		if err != nil {
			t.Fatal(err)
		}
		tickets = append(tickets, ticket)
	}
	return file, tickets
}

// config is a learner's, with nothing but the token.
func (x Ticket) config(t testing.TB) *rest.Config {
	t.Helper()
	cfg, err := clientcmd.RESTConfigFromKubeConfig(x.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	cfg.QPS = -1
	return cfg
}

func (x Ticket) kube(t testing.TB) kubernetes.Interface {
	t.Helper()
	return kubernetes.NewForConfigOrDie(x.config(t))
}

// roundTripper is a function as one.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func within(t testing.TB, limit time.Duration, what string, done func() bool) {
	t.Helper()
	for until := time.Now().Add(limit); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("not within %s: %s", limit, what)
		}
	}
}
