package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/stepscale/stepscale"

// house is the picture of the architecture: which room may import which. A room
// that is not listed, or an arrow that is not drawn, turns the test red.
var house = map[string][]string{
	"cmd/stepscale":         {"cmd/stepscale/cli"},
	"cmd/stepscale/problem": {"cmd/stepscale/view", "clusters", "clusters/kind", "clusters/attached", "clusters/eks", "engine", "engine/hpa", "engine/vpa", "engine/world", "engine/outside", "scenarios"},
	"cmd/stepscale/state":   {"cmd/stepscale/problem", "clusters", "engine/outside"},
	"cmd/stepscale/play":    {"cmd/stepscale/problem", "cmd/stepscale/state", "engine", "engine/korean", "engine/recording", "engine/trace", "lessons", "engine/otherwise", "engine/whys"},
	"cmd/stepscale/wording": {"cmd/stepscale/play", "cmd/stepscale/view"},
	"cmd/stepscale/lines":   {"cmd/stepscale/play", "cmd/stepscale/view", "cmd/stepscale/wording"},
	"cmd/stepscale/full":    {"cmd/stepscale/play", "cmd/stepscale/view", "cmd/stepscale/wording", "engine", "engine/korean", "engine/trace"},
	"cmd/stepscale/lab":     {"engine/clusterautoscaler", "engine/instances", "engine/korean", "cmd/stepscale/problem", "cmd/stepscale/state", "cmd/stepscale/view", "scenarios", "engine", "engine/hpa", "engine/hpa/referee", "engine/vpa", "engine/hpavpa", "engine/karpenter", "engine/world", "engine/trace", "clusters", "clusters/attached", "clusters/embedded", "clusters/eks", "clusters/manifest", "clusters/workload", "engine/chain"},
	"cmd/stepscale/board":   {"cmd/stepscale/play", "cmd/stepscale/view", "engine/korean", "engine/outside", "engine/trace"},
	"cmd/stepscale/class":   {"cmd/stepscale/board", "cmd/stepscale/state", "clusters", "clusters/attached", "clusters/eks", "clusters/manifest", "engine/instances", "engine/outside", "engine/recording", "engine/vpa"},
	"cmd/stepscale/cli":     {"cmd/stepscale/board", "cmd/stepscale/class", "engine/korean", "cmd/stepscale/full", "cmd/stepscale/lab", "cmd/stepscale/lines", "cmd/stepscale/play", "cmd/stepscale/notices", "cmd/stepscale/problem", "cmd/stepscale/handout", "cmd/stepscale/state", "cmd/stepscale/view", "cmd/stepscale/whatif", "cmd/stepscale/wording", "lessons", "scenarios", "engine", "engine/hpa", "engine/hpa/referee", "engine/hpa/why", "engine/vpa", "engine/world", "engine/trace", "engine/recording", "engine/outside", "clusters", "clusters/embedded", "clusters/kind", "clusters/attached", "clusters/eks", "clusters/clustertest", "clusters/manifest", "clusters/workload", "engine/clusterautoscaler", "engine/karpenter", "engine/observed", "engine/otherwise", "engine/whys", "engine/inspect"},
	"cmd/stepscale/whatif":  {"engine/korean", "engine/hpa", "engine/recording", "scenarios", "engine/trace", "engine/vpa"},
	"cmd/stepscale/handout": {"cmd/stepscale/view", "engine", "engine/korean", "engine/otherwise", "engine/recording", "engine/trace", "engine/whys"},
	"cmd/stepscale/view":    {"engine/hpa/why", "engine/korean", "engine/observed", "engine/otherwise", "engine/trace", "engine/outside", "engine/vpa/why"},
	"lessons":               {"engine/korean", "engine", "engine/trace", "engine/outside"},
	"cmd/stepscale/notices": {},
	"engine/hpa":            {"engine/korean", "engine", "engine/trace", "engine/world"},
	"engine/hpa/referee":    {"engine", "engine/trace", "engine/hpa"},
	"engine/hpa/why":        {"engine/hpa", "engine/otherwise", "engine/trace", "engine/world"},
	"engine/vpa/why":        {"engine/vpa", "engine/otherwise", "engine/trace"},
	"engine/whys":           {"engine/clusterautoscaler", "engine/karpenter", "engine/otherwise", "engine/hpa/why", "engine/vpa/why", "engine/trace"},
	"engine/vpa":            {"engine/korean", "engine", "engine/trace", "engine/world", "clusters/manifest"},
	"engine/inspect":        {"engine/hpa", "engine/korean", "engine/trace", "engine/world"},
	"engine/hpavpa":         {"engine", "engine/hpa", "engine/vpa"},
	"engine/karpenter":      {"engine", "engine/instances", "engine/korean", "engine/otherwise", "engine/trace", "engine/world", "clusters/manifest"},
	"engine/world":          {"engine", "engine/korean", "engine/trace"},
	"engine":                {"engine/trace"},
	"engine/trace":          {},
	"engine/recording":      {"engine/trace"},
	"engine/outside":        {},
	"engine/korean":         {},
	"engine/instances":      {},
	"scenarios":             {"engine/instances", "engine/korean", "engine/outside", "engine/trace"},
	"clusters":              {"engine/trace", "clusters/manifest"},
	"clusters/embedded":     {"clusters", "engine/trace"},
	"clusters/kind":         {"clusters", "clusters/manifest"},
	"clusters/kind/standin": {},
	"clusters/attached":     {"clusters", "engine/outside"},
	"clusters/eks":          {"clusters", "clusters/attached", "engine/outside"},
	"clusters/clustertest":  {"clusters", "engine/trace"},
	"clusters/manifest":     {},
	"clusters/workload":     {},

	"engine/otherwise":               {},
	"engine/observed":                {"engine/clusterautoscaler", "engine/korean"},
	"engine/clusterautoscaler":       {"engine", "engine/otherwise", "engine/trace", "engine/world", "engine/instances"},
	"engine/chain":                   {"engine", "engine/clusterautoscaler", "engine/hpa", "engine/instances", "engine/karpenter", "engine/trace", "engine/world"},
	"clusters/kind/standin/docker":   {},
	"cmd/stepscale/view/viewtest":    {},
	"cmd/stepscale/browsertest":      {},
	"engine/recording/recordingtest": {},
}

type pkg struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

func TestArrowsPointDownOnly(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range packages(t) {
		room := strings.TrimPrefix(p.ImportPath, module+"/")
		allowed, ok := house[room]
		if !ok {
			t.Errorf("room %s is not in the picture", room)
			continue
		}
		seen[room] = true
		for _, imported := range p.Imports {
			to, ours := strings.CutPrefix(imported, module+"/")
			if ours && !slices.Contains(allowed, to) {
				t.Errorf("%s imports %s: the arrow is not in the picture", room, to)
			}
		}
	}
	for room := range house {
		if !seen[room] {
			t.Errorf("room %s is in the picture and not in the house", room)
		}
	}
}

// TestFloorIsStandardLibraryOnly keeps recordings readable without Kubernetes.
func TestFloorIsStandardLibraryOnly(t *testing.T) {
	for _, p := range packages(t) {
		if p.ImportPath != module+"/engine/trace" {
			continue
		}
		for _, imported := range p.Imports {
			if first, _, _ := strings.Cut(imported, "/"); strings.Contains(first, ".") {
				t.Errorf("engine/trace imports %s", imported)
			}
		}
	}
}
