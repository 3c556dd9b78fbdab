package cli

import (
	"strings"
	"testing"

	"github.com/stepscale/stepscale/clusters/eks"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
)

// TestGoesOn: the command that is offered names the same cluster again, and shows the lesson
// to a class where it was shown to one.
func TestGoesOn(t *testing.T) {
	kind := learnOptions{target: target{cluster: clusterKind}}
	away := learnOptions{target: target{attach: lab.Attachment{Options: eks.Options{Name: "school", Region: "ap-northeast-2"}}, namespace: "s01", image: "app"}}
	demo := kind
	demo.again.before, demo.again.after = []string{"stepscale", "class", "demo", "k8s"}, []string{"--context", "school"}
	here := away
	here.again.before, here.again.after = demo.again.before, []string{"--here"}
	for _, c := range []struct {
		of           learnOptions
		lesson, want string
	}{
		{learnOptions{}, "", "stepscale learn"},
		{learnOptions{}, "hpa/03", "stepscale learn hpa/03"},
		{kind, "", "stepscale learn --cluster kind"},
		{away, "hpa/03", "stepscale learn hpa/03 --eks school --region ap-northeast-2 -n s01 --image app"},
		{demo, "", "stepscale class demo k8s --context school --cluster kind"},
		{demo, "hpa/03", "stepscale class demo k8s hpa/03 --context school --cluster kind"},
		{here, "", "stepscale class demo k8s --here --eks school --region ap-northeast-2 -n s01 --image app"},
	} {
		if got := c.of.goesOn(c.lesson); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	for kept, want := range map[bool]string{true: "여기까지 저장했습니다. stepscale class demo", false: "이번에 새로 실행한 단계는 없습니다. stepscale class demo"} {
		if got := demo.stopped(kept); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, " 이어서 하실 수 있습니다.") {
			t.Error(got)
		}
	}
	if got := here.stopped(true); !strings.Contains(got, "클러스터에 만든 것은 모두 지웠습니다.") {
		t.Error(got)
	}
}

// TestDemoReportsToNobody: who shows a lesson is no learner, and has not their flag.
func TestDemoReportsToNobody(t *testing.T) {
	a := testApp(t)
	for _, c := range []struct {
		line string
		has  bool
	}{{"class demo --help", false}, {"learn --help", true}, {"class join --help", true}} {
		if out, _ := a.told("", strings.Fields(c.line)...); strings.Contains(out, "--no-report") != c.has {
			t.Errorf("%s: %s", c.line, out)
		}
	}
}
