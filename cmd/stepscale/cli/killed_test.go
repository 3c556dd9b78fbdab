package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/scenarios"
)

// everyKind makes a folder of scenarios with one that has an object of every kind.
func everyKind(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "every"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"scenario.yaml", "objects.yaml"} {
		text, err := scenarios.FS.ReadFile("hpa-vpa-fight/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if name == "objects.yaml" {
			text = append(text, `---
{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: web}, spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: front}, spec: {selector: {app: web}, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: text}, data: {a: b}}
---
{apiVersion: v1, kind: ResourceQuota, metadata: {name: few}, spec: {hard: {persistentvolumeclaims: "0"}}}
---
{apiVersion: v1, kind: LimitRange, metadata: {name: wide}, spec: {limits: [{type: Container, max: {cpu: "8"}}]}}
`...)
		}
		if err := os.WriteFile(filepath.Join(dir, "every", name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestKilledWithEveryKind: whatever a scenario may have, a reaper removes.
func TestKilledWithEveryKind(t *testing.T) {
	a := testApp(t)
	m := newManaged(t, a)
	namespace := classOn(t, a, m)
	dir := everyKind(t)
	t.Setenv("KUBECONFIG", m.Info().Kubeconfig)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dyn, err := dynamic.NewForConfig(m.config)
	if err != nil {
		t.Fatal(err)
	}
	left := func() (kinds []string) {
		for _, k := range scenarios.Kinds() {
			list, err := dyn.Resource(k.Resource).Namespace(namespace).List(t.Context(), metav1.ListOptions{LabelSelector: clusters.LabelOwner}) // what makes up a student's namespace has no owner
			if err != nil && !apierrors.IsNotFound(err) {                                                                                        // a new CRD is not served at once
				t.Fatalf("%s: %v", k.Kind, err)
			}
			if err == nil && len(list.Items) > 0 {
				kinds = append(kinds, k.Kind)
			}
		}
		return kinds
	}
	cmd := exec.Command(self, "run", "every", "--scenarios", dir, "--loop", "vpa", "--context", "stepscale", "--image", "app", "--namespace", namespace, "--hpa-mode", "disarmed", "--yes")
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	within(t, time.Minute, "an object of every kind is there", func() bool { return len(left()) == len(scenarios.Kinds()) })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	within(t, time.Minute, "the reaper removes everything", func() bool { return len(left()) == 0 })

	s, err := scenarios.Load(os.DirFS(dir), "every")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range s.Parts() {
		if !strings.Contains(strings.ReplaceAll(said.String(), "\n ", ""), o.GetKind()+"/"+o.GetName()) {
			t.Errorf("%s/%s was not announced:\n%s", o.GetKind(), o.GetName(), said.String())
		}
	}
}

// TestWrites: who is asked is told every object, of every loop and mode.
func TestWrites(t *testing.T) {
	dir := everyKind(t)
	s, err := scenarios.Load(os.DirFS(dir), "every")
	if err != nil {
		t.Fatal(err)
	}
	always := []string{"LimitRange/wide", "ResourceQuota/few", "ConfigMap/text", "Service/front", "PodDisruptionBudget/web", "Deployment/web(파드 2개)"}
	load := []string{"Service/web", "Deployment/stepscale-load(부하 생성기, 파드 1개)"}
	for name, c := range map[string]struct {
		loop string
		mode hpa.Mode
		want []string
	}{
		"drive":    {"hpa", hpa.ModeDrive, nil},
		"disarmed": {"hpa", hpa.ModeDisarmed, []string{"HorizontalPodAutoscaler/web(무장 해제)"}},
		"observe":  {"hpa-observe", hpa.ModeDrive, []string{"HorizontalPodAutoscaler/web"}},
		"vpa":      {"vpa", hpa.ModeDrive, []string{"VerticalPodAutoscalerCheckpoint/web-web", "VerticalPodAutoscaler/web"}},
	} {
		c0 := &connection{mode: c.mode}
		if got := c0.writes(loops[c.loop], s); !slices.Equal(got, slices.Concat(always, c.want, load)) {
			t.Errorf("%s: %q", name, got)
		}
	}
	s, err = scenarios.Load(scenarios.FS, "missing-target")
	if err != nil {
		t.Fatal(err)
	}
	if got := (&connection{mode: hpa.ModeDrive}).writes(loops["hpa"], s); slices.Contains(got, load[1]) {
		t.Errorf("no load is made where there is no target: %q", got)
	}
}
