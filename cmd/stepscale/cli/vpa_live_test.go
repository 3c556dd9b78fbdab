package cli

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	vpaclient "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/client/clientset/versioned"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/stepscale/stepscale/clusters/eks"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/vpa"
	"github.com/stepscale/stepscale/engine/world"
)

const vpaLast = "vpa/8-conclusion/compare"

// classOn prepares a managed cluster as an instructor does, with a namespace for a
// student.
func classOn(t *testing.T, a *app, m liveCluster) string {
	t.Helper()
	class, err := vpa.NewClass(m.config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := class.Install(t.Context()); err != nil {
		t.Fatal(err)
	}
	const namespace = "shop"
	m.enroll(t, namespace, "somebody")
	a.target.namespace = namespace
	m.load(t, namespace, "{at: 0s, step: 735m}") // the nodes give the generator its share too
	return namespace
}

// enroll gives a user a namespace as an instructor does, or an other user the same.
func (m liveCluster) enroll(t *testing.T, namespace, user string) {
	t.Helper()
	class, err := vpa.NewClass(m.config) // the resource types may be new
	if err != nil {
		t.Fatal(err)
	}
	student := vpa.Student{Namespace: namespace, Users: []string{user}}
	if err := class.Enroll(t.Context(), student); err != nil {
		t.Fatal(err)
	}
	if counted, err := class.AwaitQuota(t.Context(), student); err != nil || !counted {
		t.Fatalf("the quota is counted: %v, %v", counted, err)
	}
	config := rest.CopyConfig(m.config)
	config.Impersonate.UserName = user
	kube := kubernetes.NewForConfigOrDie(config)
	within(t, 10*time.Second, "the API server knows of the binding", func() bool {
		_, err := kube.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{})
		return err == nil
	})
}

// passOf plays until a pass has changed something, and returns that pass by step.
func passOf(t *testing.T, s Stage, passes int) map[trace.StepID]*trace.Frame {
	t.Helper()
	steps := map[trace.StepID]*trace.Frame{}
	changed := false
	for f, err := s.Session().Next(); ; f, err = s.Session().Next() {
		if err != nil {
			t.Fatalf("%s: %v", f.Step, err)
		}
		steps[f.Step] = &f
		changed = changed || scaled(f)
		if f.Step == vpaLast && (changed || f.Pass >= passes) {
			return steps
		}
	}
}

// TestVPAInPlace: on a shared cluster pods are resized in place first, and nothing
// is left of it in a namespace that was somebody else's.
func TestVPAInPlace(t *testing.T) {
	a := testApp(t)
	m := newManaged(t, a)
	m.load(t, "x")
	_, _, err := a.openStage(t.Context(), "vpa", "vpa-web", silent{})
	var u *problem.Error
	if !errors.As(err, &u) || !strings.Contains(u.Hint, "class install") {
		t.Fatalf("without the types: %v", err)
	}
	namespace := classOn(t, a, m)
	if err := a.disconnect(); err != nil {
		t.Fatal(err)
	}
	s, closeStage, err := a.openStage(t.Context(), "vpa", "vpa-web", silent{})
	if err != nil {
		t.Fatal(err)
	}
	steps := passOf(t, s, 12)
	act := steps["vpa/4-evict/act"]
	wantFact(t, *act, "action", "resize")
	wantFact(t, *act, "evictedPods", "0")
	wantFact(t, *steps["vpa/7-admit/run"], "newRequest/web.cpu", "300m")
	wantFact(t, *steps["vpa/3-compare/read"], "admissionBy", string(vpa.AdmissionPolicy))
	seen := steps["vpa/7-admit/run"].Seen
	if len(seen) == 0 || seen[0].Actor != trace.ActorKubelet || seen[0].What != "resized" || !strings.Contains(seen[0].Value, "→ cpu 300m,") {
		t.Errorf("seen %+v", seen)
	}
	for _, step := range []trace.StepID{"vpa/5-recreate/create", "vpa/6-admission/read", "vpa/7-admit/patch", "vpa/7-admit/bind"} {
		if _, skipped := steps[step].Fact("skipped"); !skipped {
			t.Errorf("%s has facts %+v", step, steps[step].Facts)
		}
	}
	if err := closeStage(); err != nil {
		t.Fatal(err)
	}
	api := vpaclient.NewForConfigOrDie(m.config).AutoscalingV1()
	vpas, err := api.VerticalPodAutoscalers(namespace).List(t.Context(), metav1.ListOptions{})
	checkpoints, err2 := api.VerticalPodAutoscalerCheckpoints(namespace).List(t.Context(), metav1.ListOptions{})
	if err := errors.Join(err, err2); err != nil || len(vpas.Items)+len(checkpoints.Items) > 0 {
		t.Errorf("left behind: %v, %v, %v", vpas, checkpoints, err)
	}
}

// TestVPARecreate: where the API server admits by itself, the seed's steps 4 to 7 are
// recorded from watches.
func TestVPARecreate(t *testing.T) {
	a := testApp(t)
	m := newManaged(t, a)
	classOn(t, a, m)
	a.target.vpaUpdate = updateRecreate
	s, closeStage, err := a.openStage(t.Context(), "vpa", "vpa-web", silent{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = closeStage() }()
	if notes := strings.Join(s.Info().Notes, " "); !strings.Contains(notes, "MutatingAdmissionPolicy") || !strings.Contains(notes, "축출합니다") {
		t.Errorf("told: %s", notes)
	}
	steps := passOf(t, s, 12)
	wantFact(t, *steps["vpa/3-compare/read"], "dryRunRequest/web.cpu", "300m")
	act := steps["vpa/4-evict/act"]
	wantFact(t, *act, "action", "evict")
	wantFact(t, *act, "evictedPods", "1")
	wantFact(t, *steps["vpa/5-recreate/create"], "absentPods", "1")
	wantFact(t, *steps["vpa/6-admission/read"], "requestBefore/web.cpu", "100m")
	wantFact(t, *steps["vpa/7-admit/patch"], "requestAdded/web.cpu", "+200m")
	wantFact(t, *steps["vpa/7-admit/patch"], "newRequest/web.cpu", "300m")
	wantFact(t, *steps["vpa/7-admit/bind"], "boundPods", "1")
	wantFact(t, *steps["vpa/7-admit/run"], "readyPods", "2")
	wantFact(t, *steps[vpaLast], "updatedPods", "1")
	if got := steps["vpa/7-admit/patch"].Actor; got != vpa.ActorAPIServer {
		t.Errorf("the pod was admitted by %s", got)
	}
	for step, what := range map[trace.StepID]string{
		"vpa/4-evict/act": "deleting", "vpa/5-recreate/create": "created", "vpa/7-admit/bind": "bound", "vpa/7-admit/run": "ready",
	} {
		f := steps[step]
		if len(f.Seen) == 0 || f.Seen[0].Actor != f.Actor || f.Seen[len(f.Seen)-1].What != what && f.Seen[0].What != what {
			t.Errorf("%s of %s: seen %+v", step, f.Actor, f.Seen)
		}
	}
	withoutPolicy(t, m, s)
}

// withoutPolicy: nobody is evicted who would come back as small as before.
func withoutPolicy(t *testing.T, m liveCluster, s Stage) {
	t.Helper()
	m.removePolicy(t)
	steps := passOf(t, s, 1)
	wantFact(t, *steps["vpa/3-compare/read"], "admissionAlive", "false")
	wantFact(t, *steps["vpa/4-evict/act"], "action", "keep")
	if why, _ := steps["vpa/4-evict/act"].Fact("skipped"); !strings.Contains(why, "class install") {
		t.Errorf("told: %s", why)
	}
}

func (m liveCluster) removePolicy(t *testing.T) {
	t.Helper()
	if err := m.kube.AdmissionregistrationV1().MutatingAdmissionPolicyBindings().Delete(t.Context(), "stepscale-vpa", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second) // the API server learns of it a moment later
}

// TestVPAAdmittedInCluster: upstream's admission controller, which somebody else runs,
// gives the new pods their size, and is watched.
func TestVPAAdmittedInCluster(t *testing.T) {
	a := testApp(t)
	m := newManaged(t, a)
	namespace := classOn(t, a, m)
	m.removePolicy(t)
	clients, err := world.NewClients(m.config)
	if err != nil {
		t.Fatal(err)
	}
	theirs := &vpa.State{
		World:    world.World{Namespace: namespace, Clock: clock.RealClock{}, Controller: clients},
		Identity: func(string) *rest.Config { return rest.CopyConfig(m.config) }, Params: vpa.DefaultParams(),
	}
	if err := theirs.Deploy(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = theirs.Close(context.Background()) })
	a.target.vpaUpdate = updateRecreate
	s, closeStage, err := a.openStage(t.Context(), "vpa", "vpa-web", silent{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = closeStage() }()
	if notes := strings.Join(s.Info().Notes, " "); !strings.Contains(notes, "클러스터 안에 설치된 업스트림") {
		t.Errorf("told: %s", notes)
	}
	steps := passOf(t, s, 12)
	wantFact(t, *steps["vpa/6-admission/read"], "admissionBy", string(vpa.AdmissionCluster))
	wantFact(t, *steps["vpa/7-admit/patch"], "newRequest/web.cpu", "300m")
	wantFact(t, *steps["vpa/7-admit/patch"], "newLimit/web.cpu", "900m")
	if got := steps["vpa/7-admit/patch"].Actor; got != vpa.ActorAdmission {
		t.Errorf("the pod was admitted by %s", got)
	}
}

// TestVPAStudent: the student's role is enough for the components, which run as the
// student, and for a scenario with a PodDisruptionBudget.
func TestVPAStudent(t *testing.T) {
	a := testApp(t)
	m := newManaged(t, a)
	namespace := classOn(t, a, m)
	a.target.attach = eks.Options{Context: "kim", Kubeconfig: as(t, m.Info().Kubeconfig, "kim")}
	_, _, err := a.openStage(t.Context(), "vpa", "vpa-pdb", silent{})
	var u *problem.Error
	if !errors.As(err, &u) || !strings.Contains(u.What, "list,watch limitranges") || !strings.Contains(u.Hint, "아무것도 쓰지") {
		t.Fatalf("without the role: %v", err)
	}
	m.enroll(t, namespace, "kim")
	s, closeStage, err := a.openStage(t.Context(), "vpa", "vpa-pdb", silent{})
	if err != nil {
		t.Fatal(err)
	}
	if notes := strings.Join(s.Info().Notes, " "); !strings.Contains(notes, "시나리오에 적힌 대로 파드를 축출합니다") {
		t.Errorf("a scenario about evictions: %s", notes)
	}
	if err := closeStage(); err != nil {
		t.Fatal(err)
	}
	if s, closeStage, err = a.openStage(t.Context(), "vpa", "vpa-web", silent{}); err != nil {
		t.Fatal(err)
	}
	if notes := strings.Join(s.Info().Notes, " "); !strings.Contains(notes, "무엇인지 볼 권한이 없습니다") || !strings.Contains(notes, "다른 VPA Updater") {
		t.Errorf("told: %s", notes)
	}
	steps := passOf(t, s, 12)
	wantFact(t, *steps["vpa/3-compare/read"], "admissionBy", string(vpa.AdmissionPolicy))
	wantFact(t, *steps["vpa/4-evict/act"], "action", "resize")
	wantFact(t, *steps["vpa/7-admit/run"], "newRequest/web.cpu", "300m")
	if err := closeStage(); err != nil {
		t.Fatal(err)
	}
	budgets, err := m.kube.PolicyV1().PodDisruptionBudgets(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(budgets.Items) > 0 {
		t.Errorf("left behind: %v, %v", budgets.Items, err)
	}
}

// TestVPAKilled: the reaper removes the VPA of a killed process and its checkpoints, and
// no others.
func TestVPAKilled(t *testing.T) {
	a := testApp(t)
	m := newManaged(t, a)
	namespace := classOn(t, a, m)
	api := vpaclient.NewForConfigOrDie(m.config).AutoscalingV1()
	checkpoint := func(name, of string) {
		t.Helper()
		c := &vpav1.VerticalPodAutoscalerCheckpoint{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: vpav1.VerticalPodAutoscalerCheckpointSpec{VPAObjectName: of, ContainerName: "web"}}
		within(t, 10*time.Second, "a checkpoint is taken", func() bool {
			_, err := api.VerticalPodAutoscalerCheckpoints(namespace).Create(t.Context(), c, metav1.CreateOptions{})
			return err == nil
		})
	}
	checkpoint("theirs", "theirs")
	t.Setenv("KUBECONFIG", m.Info().Kubeconfig)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "run", "vpa-web", "--loop", "vpa", "--context", "stepscale", "--image", "app", "--yes", "--namespace", namespace)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	vpas := func() int {
		list, err := api.VerticalPodAutoscalers(namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return len(list.Items)
	}
	within(t, time.Minute, "the lesson begins", func() bool { return vpas() == 1 })
	checkpoint("web-web", "web")
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	within(t, 30*time.Second, "the reaper removes the VPA", func() bool { return vpas() == 0 })
	left, err := api.VerticalPodAutoscalerCheckpoints(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(left.Items) != 1 || left.Items[0].Name != "theirs" {
		t.Errorf("checkpoints %v, %v", left.Items, err)
	}
}
