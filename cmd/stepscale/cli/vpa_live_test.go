package cli

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	vpaclient "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/client/clientset/versioned"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/vpa"
	"github.com/stepscale/stepscale/engine/world"
)

// starts notes what is told of what starts.
type starts struct {
	silent
	names []string
}

func (s *starts) Phase(name string, _ time.Duration) { s.names = append(s.names, name) }

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
	m.dismiss(t)
	namespace := unique("shop")
	m.enroll(t, namespace, "somebody")
	a.target.namespace = namespace
	m.load(t, namespace, "{at: 0s, step: 490m}")
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
func passOf(t *testing.T, s stage, passes int) map[trace.StepID]*trace.Frame {
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

// TestVPAInPlace: on a shared cluster pods are resized in place first on request, and nothing
// is left of it in a namespace that was somebody else's.
func TestVPAInPlace(t *testing.T) {
	t.Parallel()
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
	a.target.vpaUpdate = updateInPlace
	s, closeStage, err := a.openStage(t.Context(), "vpa", "vpa-web", silent{})
	if err != nil {
		t.Fatal(err)
	}
	if notes := strings.Join(s.Info().Notes, " "); !strings.Contains(notes, "그 자리에서 먼저 조정하고") {
		t.Errorf("told: %s", notes)
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
// recorded from watches, unless something else was asked for.
func TestVPARecreate(t *testing.T) {
	t.Parallel()
	a := testApp(t)
	m := newManaged(t, a)
	classOn(t, a, m)
	phases := &starts{}
	s, closeStage, err := a.openStage(t.Context(), "vpa", "vpa-web", phases)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = closeStage() }()
	if !slices.Contains(phases.names, "VPA의 CRD") || !slices.Contains(phases.names, "VPA 오브젝트") {
		t.Errorf("started %v", phases.names)
	}
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
func withoutPolicy(t *testing.T, m liveCluster, s stage) {
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

// deployTheirs lets somebody else run upstream's admission controller on the cluster.
func deployTheirs(t *testing.T, m liveCluster, namespace string) {
	t.Helper()
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
}

// TestVPAAdmittedInCluster: upstream's admission controller, which somebody else runs,
// gives the new pods their size, and is watched.
func TestVPAAdmittedInCluster(t *testing.T) {
	t.Parallel()
	a := testApp(t)
	m := newManaged(t, a)
	namespace := classOn(t, a, m)
	m.removePolicy(t)
	deployTheirs(t, m, namespace)
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

// TestVPAAdmittedByBoth: where the policy and upstream's admission controller would both
// change a pod, the policy leaves it to the other, and that is told.
func TestVPAAdmittedByBoth(t *testing.T) {
	t.Parallel()
	a := testApp(t)
	m := newManaged(t, a)
	namespace := classOn(t, a, m)
	deployTheirs(t, m, namespace)
	s, closeStage, err := a.openStage(t.Context(), "vpa", "vpa-web", silent{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = closeStage() }()
	if notes := strings.Join(s.Info().Notes, " "); !strings.Contains(notes, "정책이 이 VPA를 건너뛰게 합니다") {
		t.Errorf("told: %s", notes)
	}
	left := false
	for f, err := s.Session().Next(); !scaled(f); f, err = s.Session().Next() {
		if err != nil || f.Pass > 12 {
			t.Fatalf("pass %d: %v", f.Pass, err)
		}
		if said, ok := f.Fact("admissionLeft"); ok {
			left = true
			wantFact(t, f, "admissionBy", string(vpa.AdmissionCluster))
			wantFact(t, f, "dryRunLimit/web.cpu", "900m")
			if said != "true" {
				t.Errorf("said %q", said)
			}
		}
	}
	if !left {
		t.Error("nobody said that the policy passes the VPA over")
	}
	for f, err := s.Session().Next(); f.Step != vpaLast; f, err = s.Session().Next() {
		if err != nil {
			t.Fatal(err)
		}
		if f.Step == "vpa/7-admit/patch" {
			wantFact(t, f, "requestAdded/web.cpu", "+200m")
			wantFact(t, f, "newLimit/web.cpu", "900m") // of 300m, which the policy would have cut the request to: 300m
		}
	}
}

// TestClassStays: a lesson on a cluster of our own that an instructor has prepared leaves the
// pods to its webhook alone, and at its end removes what it has made itself.
func TestClassStays(t *testing.T) {
	t.Parallel()
	a := simulatedApp(t)
	s := testStage(t, a, t.Context(), "hpa", "web-surge") // for its cluster
	class, err := vpa.NewClass(s.config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := class.Install(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = class.Remove(context.Background()) })
	lesson, closeStage, err := a.openStage(t.Context(), "vpa", "vpa-web", silent{})
	if err != nil {
		t.Fatal(err)
	}
	steps := passOf(t, lesson, 12)
	wantFact(t, *steps["vpa/7-admit/patch"], "requestAdded/web.cpu", "+200m")
	wantFact(t, *steps["vpa/7-admit/patch"], "newLimit/web.cpu", "900m")
	if err := closeStage(); err != nil {
		t.Fatal(err)
	}
	if class, err = vpa.NewClass(s.config); err != nil {
		t.Fatal(err)
	}
	all, err := class.Status(t.Context())
	if err != nil || len(all) < 7 {
		t.Fatalf("%d parts, %v", len(all), err)
	}
	for _, p := range all {
		if !p.There || p.Going || !p.Ours {
			t.Errorf("%s %s: there %t, going %t", p.Kind, p.Name, p.There, p.Going)
		}
	}
}

// TestVPAStudent: the student's role is enough for the components, which run as the
// student, and for a scenario with a PodDisruptionBudget.
func TestVPAStudent(t *testing.T) {
	t.Parallel()
	a := testApp(t)
	m := newManaged(t, a)
	namespace := classOn(t, a, m)
	a.target.attach = lab.Attachment{Context: "kim", Kubeconfig: as(t, m.Info().Kubeconfig, "kim")}
	_, _, err := a.openStage(t.Context(), "vpa", "vpa-pdb", silent{})
	var u *problem.Error
	if !errors.As(err, &u) || !strings.Contains(u.What, "list,watch limitranges") || !strings.Contains(u.Hint, "아무것도 쓰지") {
		t.Fatalf("without the role: %v", err)
	}
	m.enroll(t, namespace, "kim")
	a.target.vpaUpdate = updateInPlace
	if err := a.disconnect(); err != nil {
		t.Fatal(err)
	}
	s, closeStage, err := a.openStage(t.Context(), "vpa", "vpa-pdb", silent{})
	if err != nil {
		t.Fatal(err)
	}
	if notes := strings.Join(s.Info().Notes, " "); !strings.Contains(notes, "원문의 4)~7)처럼 파드를 축출합니다") {
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
	t.Parallel()
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
	cmd := a.program(t, "run", "vpa-web", "--loop", "vpa", "--context", "stepscale", "--image", "app", "--yes", "--namespace", namespace)
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
