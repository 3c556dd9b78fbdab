// Package scenarios holds the stages on which the loops are played: the objects
// to apply and timelines of load and memory. A folder is a scenario, the folder is the list.
package scenarios

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/stepscale/stepscale/engine/outside"
)

// FS holds the scenarios that come with stepscale.
//
//go:embed */scenario.yaml */objects.yaml
var FS embed.FS

const (
	scenarioFile = "scenario.yaml"
	objectsFile  = "objects.yaml"
)

// Fault names something that is wrong in a scenario on purpose.
type Fault string

// The faults that a scenario may announce.
const (
	FaultMissingTarget   Fault = "missing-target"   // the autoscaler's target is not in objects.yaml
	FaultMissingRequests Fault = "missing-requests" // its pods lack requests that the HPA needs
	FaultMissingMetrics  Fault = "missing-metrics"  // the HPA asks for a metric that nobody answers
	FaultTwoVPAs         Fault = "two-vpas"         // more than one VPA has the target
)

// Scenario is one stage.
type Scenario struct {
	Name       string // of the folder
	Title      string
	HPA        string // name of the HorizontalPodAutoscaler that the loop runs for; or
	VPA        string // name of the VerticalPodAutoscaler that the loop runs for; or both
	Karpenter  string // name of the NodePool that the loop runs for
	Target     string // name of the workload that they scale, and
	TargetKind string // its kind: one of Targets
	Faults     []Fault
	Pod        PodCost
	Load       Timeline
	WorkingSet WorkingSet
	More       []Flow // loads of other workloads, and of single containers
	Flags      []Flag // of the controllers
	Groups     []NodeGroup
	Objects    []byte // objects.yaml: input for `kubectl apply -f`, without namespaces
	Raw        []byte // scenario.yaml
	parts      []*unstructured.Unstructured
	containers []string
	probed     []string // workloads whose pods are asked before they are ready
	metrics    int
	series     []Series
	events     []Event
	nodes      []Node // that nobody scales
}

// Containers are the names of the containers of the target's pods that run as long as
// the pods do; none when the target is not there.
func (s *Scenario) Containers() []string { return s.containers }

// Has tells whether the scenario has an object of that kind.
func (s *Scenario) Has(kind string) bool {
	return slices.ContainsFunc(s.parts, func(o *unstructured.Unstructured) bool { return o.GetKind() == kind })
}

// Probed tells whether a pod of the scenario is asked before it is ready.
func (s *Scenario) Probed() bool { return len(s.probed) > 0 }

// Warming is how long the process of a container takes before its probes succeed: the
// one line of slow start in scenario.yaml.
func (s *Scenario) Warming(pod *corev1.Pod) time.Duration {
	for _, f := range s.flows() {
		if f.Container == "" && f.Target == workloadName(pod) {
			return f.Pod.Ready
		}
	}
	return 0
}

// Metrics is how many metrics the HPA has.
func (s *Scenario) Metrics() int { return s.metrics }

// Parts are the objects to apply, which the caller may change: in the order of
// objects.yaml, but what limits pods comes before them and what scales them after,
// the other way round than a clean-up.
func (s *Scenario) Parts() []*unstructured.Unstructured {
	parts := make([]*unstructured.Unstructured, len(s.parts))
	for i, p := range s.parts {
		parts[i] = p.DeepCopy()
	}
	slices.SortStableFunc(parts, func(a, b *unstructured.Unstructured) int { return rank(b) - rank(a) })
	return parts
}

func rank(o *unstructured.Unstructured) int {
	return slices.IndexFunc(accepted, func(k Kind) bool { return k.GroupVersionKind == o.GroupVersionKind() })
}

// List returns the names of the scenarios in fsys, sorted.
func List(fsys fs.FS) ([]string, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("시나리오 폴더를 읽을 수 없습니다: %w", err)
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") || e.Name() == "testdata" {
			continue
		}
		for _, file := range []string{scenarioFile, objectsFile} {
			if _, err := fs.Stat(fsys, path.Join(e.Name(), file)); err == nil {
				names = append(names, e.Name())
				break
			}
		}
	}
	return names, nil
}

// Load reads the scenario in the folder name. The error has every problem of
// both files: it is a Problems.
func Load(fsys fs.FS, name string) (*Scenario, error) {
	if _, bad := outside.Find(name); bad > 0 || !fs.ValidPath(name) || name == "." || strings.Contains(name, "/") {
		return nil, Problems{{File: name, Msg: fmt.Sprintf("시나리오 이름으로 쓸 수 없습니다: %q", name),
			Hint: "시나리오의 폴더 이름 하나를 적어 주십시오."}}
	}
	raw, rawErr := readFile(fsys, path.Join(name, scenarioFile))
	objects, objErr := readFile(fsys, path.Join(name, objectsFile))
	var problems Problems
	s := &Scenario{Name: name}
	known := rawErr == nil
	if known {
		var parsed Problems
		s, parsed = parse(path.Join(name, scenarioFile), raw)
		problems = append(problems, parsed...)
	} else {
		problems = append(problems, *rawErr)
	}
	if objErr == nil {
		s.Objects = objects
		problems = append(problems, checkObjects(path.Join(name, objectsFile), objects, s, known)...)
	} else {
		problems = append(problems, *objErr)
	}
	if err := problems.err(); err != nil {
		return nil, err
	}
	return s, nil
}

// Parse reads a scenario.yaml alone: Objects stays empty. The error has every
// problem: it is a Problems.
func Parse(file string, yaml []byte) (*Scenario, error) {
	s, problems := parse(file, yaml)
	if err := problems.err(); err != nil {
		return nil, err
	}
	return s, nil
}

func readFile(fsys fs.FS, file string) ([]byte, *Problem) {
	b, err := fs.ReadFile(fsys, file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &Problem{File: file, Msg: "파일이 없습니다.",
			Hint: "시나리오 폴더에는 scenario.yaml과 objects.yaml이 모두 있어야 합니다."}
	case err != nil:
		return nil, &Problem{File: file, Msg: "파일을 읽을 수 없습니다: " + outside.Reason(err), Hint: "시나리오를 적은 일반 파일을 두고 권한을 확인해 주십시오."}
	}
	return b, nil
}
