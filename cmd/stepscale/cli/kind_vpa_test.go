package cli

import (
	"errors"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/clusters/kind/standin"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/vpa"
)

// TestKindVPA: the API server in the node calls the webhook of this process over the
// nodes' network, and where it cannot, it admits by itself.
func TestKindVPA(t *testing.T) {
	m := newMachine(t)
	m.run(t, "cluster up kind")
	steps, notes := m.vpa(t, "stepscale-vpa-web")
	if !strings.Contains(notes, "이 컴퓨터의 웹훅을 부릅니다") {
		t.Errorf("told: %s", notes)
	}
	wantFact(t, *steps["vpa/4-evict/act"], "action", "evict")
	held := steps["vpa/5-recreate/create"].Waiting
	if len(held) != 1 || held[0].Actor != vpa.ActorAdmission || !strings.Contains(held[0].Path, standin.Gateway) {
		t.Errorf("held %+v", held)
	}
	wantFact(t, *steps["vpa/6-admission/read"], "matchedVPA", "web")
	wantFact(t, *steps["vpa/7-admit/patch"], "newRequest/web.cpu", "300m")
	wantFact(t, *steps["vpa/7-admit/patch"], "newLimit/web.cpu", "900m")
	wantFact(t, *steps["vpa/7-admit/run"], "readyPods", "2")

	t.Setenv(standin.EnvFault, "curl")
	t.Setenv(standin.EnvSays, "curl: (28) Connection timed out after 5001 milliseconds")
	steps, notes = m.vpa(t, "stepscale-vpa-web-2")
	if !strings.Contains(notes, "MutatingAdmissionPolicy") || !strings.Contains(notes, "timed out") {
		t.Errorf("told: %s", notes)
	}
	wantFact(t, *steps["vpa/4-evict/act"], "action", "evict")
	wantFact(t, *steps["vpa/7-admit/patch"], "newRequest/web.cpu", "300m")
	wantFact(t, *steps["vpa/7-admit/patch"], "newLimit/web.cpu", "300m")
	left, err := m.kube.AdmissionregistrationV1().MutatingAdmissionPolicies().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(left.Items) > 0 {
		t.Errorf("left behind: %v, %v", left.Items, err)
	}
	m.run(t, "cluster down kind")
}

// vpa plays until the VPA has changed something.
func (m machine) vpa(t *testing.T, namespace string) (steps map[trace.StepID]*trace.Frame, notes string) {
	t.Helper()
	m.load(t, namespace, "{at: 0s, step: 490m}")
	m.app.target = target{cluster: clusterKind}
	s, closeStage, err := m.app.openStage(t.Context(), "vpa", "vpa-web", silent{})
	if err != nil {
		t.Fatal(err)
	}
	notes = strings.Join(s.Info().Notes, " ")
	steps = passOf(t, s, 12)
	if err := errors.Join(closeStage(), m.app.disconnect()); err != nil {
		t.Fatal(err)
	}
	return steps, notes
}
