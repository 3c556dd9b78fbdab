package cli

import (
	"errors"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/stepscale/stepscale/clusters/attached"
	"github.com/stepscale/stepscale/clusters/manifest"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/lessons"
	"github.com/stepscale/stepscale/scenarios"
)

func TestWrongClockIsTold(t *testing.T) {
	var u *problem.Error
	if err := problem.OfCluster(&attached.Error{Reason: attached.NoEntry, Skew: 7 * time.Minute, Err: errors.New("boom")}); !errors.As(err, &u) || !strings.HasPrefix(u.Hint, "이 컴퓨터의 시각이 약 7분 빠릅니다. IAM") {
		t.Errorf("a wrong clock is told as %+v", u)
	}
}

func TestEKSFindings(t *testing.T) {
	amount := resource.MustParse
	whole := attached.Report{Username: "kim", Nodes: 2, CPU: amount("4"), Memory: amount("8Gi"), FreeCPU: amount("2500m"), FreeMemory: amount("7680Mi"), Room: 24, Metrics: true, VPA: true, Policies: true}
	for name, c := range map[string]struct {
		change func(*attached.Report)
		want   map[string]string // the findings that are not ok
	}{
		"whole":       {func(*attached.Report) {}, nil},
		"no metrics":  {func(r *attached.Report) { r.Metrics = false }, map[string]string{"Metrics Server": statusFail}},
		"no nodes":    {func(r *attached.Report) { r.Nodes = 0 }, map[string]string{"노드": statusFail}},
		"full":        {func(r *attached.Report) { r.Room = 10 }, map[string]string{"노드": statusWarn}},
		"pods denied": {func(r *attached.Report) { r.PodsDenied = true }, map[string]string{"노드": statusWarn}},
		"student":     {func(r *attached.Report) { r.NodesDenied, r.Denied = true, []string{"list pods"} }, map[string]string{"노드": statusWarn, "권한": statusFail}},
		"no such ns":  {func(r *attached.Report) { r.NoNamespace = true }, map[string]string{"권한": statusFail, "VPA 수업의 권한": statusWarn}},
		"no VPA":      {func(r *attached.Report) { r.DeniedVPA = []string{"patch pods/resize"} }, map[string]string{"VPA 수업의 권한": statusWarn}},
		"1.35":        {func(r *attached.Report) { r.Policies, r.VPA = false, false }, map[string]string{"VPA": statusWarn, "MutatingAdmissionPolicy": statusWarn}},
		"fenced":      {func(r *attached.Report) { r.Fence = &attached.Fence{} }, nil},
		"unfenced":    {func(r *attached.Report) { r.Fence = &attached.Fence{Missing: []string{"LimitRange"}} }, map[string]string{"네임스페이스의 울타리": statusWarn}},
		"unseen":      {func(r *attached.Report) { r.Fence = &attached.Fence{Unseen: []string{"LimitRange"}} }, map[string]string{"네임스페이스의 울타리": statusWarn}},
		"clock":       {func(r *attached.Report) { r.Skew = time.Minute }, map[string]string{"시각": statusWarn}},
		"slow clock":  {func(r *attached.Report) { r.Skew = -time.Hour }, map[string]string{"시각": statusFail}},
	} {
		report := whole
		c.change(&report)
		for _, f := range eksFindings("eks-class", report) {
			want := c.want[f.Name]
			if want == "" {
				want = statusOK
			}
			if f.Status != want || f.Status != statusOK && f.Hint == "" {
				t.Errorf("%s: %+v; want %s", name, f, want)
			}
		}
	}
}

func TestEKSFindingsTell(t *testing.T) {
	r := attached.Report{Nodes: 2, CPU: resource.MustParse("4"), Memory: resource.MustParse("8Gi"), FreeCPU: resource.MustParse("700m"), FreeMemory: resource.MustParse("7680Mi"), Room: 7, Skew: -7 * time.Minute,
		Denied: []string{"create,delete namespaces"}}
	var text strings.Builder
	for _, f := range eksFindings("eks-class", r) {
		text.WriteString(f.Detail + " " + f.Hint + "\n")
	}
	for _, want := range []string{"CPU 4.0, 메모리 8.0Gi. 그 가운데 남은 것은 CPU 0.7, 메모리 7.5Gi이고, CPU 100m을 요청하는 파드가 7개 더", "파드가 11개", "약 7분 느립니다", "--namespace"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
}

// TestEKSAdviceIsForEKS: its access policies and its add-ons are nobody else's.
func TestEKSAdviceIsForEKS(t *testing.T) {
	for _, c := range []struct {
		report attached.Report
		eks    bool
	}{
		{attached.Report{Version: "v1.37.2"}, false},
		{attached.Report{Version: "v1.36.1-eks-1234567"}, true}, // named by a context
		{attached.Report{Version: "v1.36.1", Identity: "arn:aws:iam::111122223333:role/x"}, true},
	} {
		c.report.Denied, c.report.DeniedVPA = []string{"list pods"}, []string{"patch pods/resize"}
		var hints strings.Builder
		for _, f := range eksFindings("x", c.report) {
			hints.WriteString(f.Hint)
		}
		for _, of := range []string{"AmazonEKSEditPolicy", "aws eks create-addon"} {
			if strings.Contains(hints.String(), of) != c.eks {
				t.Errorf("%s %s: %s", c.report.Version, of, hints.String())
			}
		}
		if !strings.Contains(hints.String(), "stepscale-student") || !strings.Contains(hints.String(), "Metrics Server") && !c.eks {
			t.Errorf("hints: %s", hints.String())
		}
	}
}

// TestLessonPods: doctor asks for the room that the largest lesson takes.
func TestLessonPods(t *testing.T) {
	all, err := lessons.Load(lessons.FS)
	if err != nil {
		t.Fatal(err)
	}
	most := 0
	for _, l := range all {
		if loops[l.Loop].Live && l.Recording == "" {
			most = max(most, podsOf(t, l.Scenario))
		}
	}
	if most != lessonPods {
		t.Errorf("the largest lesson has %d pods, and doctor asks for %d", most, lessonPods)
	}
}

// podsOf is how many pods of lessonPodCPU a scenario may come to on a real cluster,
// the generator's with them.
func podsOf(t *testing.T, scenario string) int {
	t.Helper()
	s, err := scenarios.Load(scenarios.FS, scenario)
	if err != nil {
		t.Fatal(err)
	}
	n := 1
	err = manifest.EachObject(s.Objects, func(obj *unstructured.Unstructured) error {
		switch obj.GetKind() {
		case "HorizontalPodAutoscaler":
			most, _, err := unstructured.NestedInt64(obj.Object, "spec", "maxReplicas")
			n += int(most)
			return err
		case "Deployment":
			d := &appsv1.Deployment{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, d); err != nil {
				return err
			}
			if cpu := d.Spec.Template.Spec.Containers[0].Resources.Requests.Cpu(); cpu.Cmp(lessonPodCPU) > 0 {
				t.Errorf("a pod of %s requests %s", scenario, cpu)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
