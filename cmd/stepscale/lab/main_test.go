package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stepscale/stepscale/clusters/embedded"
	"github.com/stepscale/stepscale/scenarios"
)

// shared is the one cluster of all tests here, started by the first that needs it.
var shared struct {
	once    sync.Once
	dir     string
	cluster *embedded.Cluster
	err     error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.cluster != nil {
		if err := shared.cluster.Down(context.Background()); err != nil {
			fmt.Println(err)
			code = 1
		}
		_ = os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}

func simulated(t *testing.T) *Simulated {
	t.Helper()
	shared.once.Do(func() {
		if shared.dir, shared.err = os.MkdirTemp("", "lab"); shared.err != nil { // short: unix sockets live below it
			return
		}
		shared.cluster = embedded.New(embedded.Options{Dir: shared.dir})
		_, shared.err = shared.cluster.Up(context.Background())
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	cfg, err := shared.cluster.Up(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &Simulated{Simulation: shared.cluster, Loader: loader{shared.cluster}, Config: cfg, Info: shared.cluster.Info()}
}

type loader struct{ *embedded.Cluster }

func (l loader) Load(ctx context.Context, namespace string, s *scenarios.Scenario) error {
	return l.SetLoad(ctx, namespace, NewLoad(s))
}

// written is a scenario of ours with more in its files.
func written(t *testing.T, name, scenario, objects string) *scenarios.Scenario {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	for file, more := range map[string]string{"scenario.yaml": scenario, "objects.yaml": objects} {
		text, err := scenarios.FS.ReadFile(name + "/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "x", file), append(text, more...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := scenarios.Load(os.DirFS(dir), "x")
	if err != nil {
		t.Fatal(err)
	}
	return s
}
