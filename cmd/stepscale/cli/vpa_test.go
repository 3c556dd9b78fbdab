package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/ptr"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/vpa"
	"github.com/stepscale/stepscale/scenarios"
)

const vpaWebhook = "vpa-webhook-config"

// toStep runs until the step of the pass, and returns its frame.
func toStep(t *testing.T, s *clusterStage, pass int, step trace.StepID) trace.Frame {
	t.Helper()
	frames, err := s.Session().Continue(func(f trace.Frame) bool { return f.Pass == pass && f.Step == step })
	if err != nil {
		t.Fatalf("until pass %d, %s: %v", pass, step, err)
	}
	return frames[len(frames)-1]
}

func wantFact(t *testing.T, f trace.Frame, name, want string) {
	t.Helper()
	if got, _ := f.Fact(name); got != want {
		t.Errorf("pass %d, %s: %s is %q, want %q\n%+v", f.Pass, f.Step, name, got, want, f.Facts)
	}
}

// withScenario adds a variant of a scenario to those that there are: replace has
// pairs of old and new text in objects.yaml and scenario.yaml.
func withScenario(t *testing.T, a *app, name, from string, replace ...string) {
	t.Helper()
	all := fstest.MapFS{}
	err := fs.WalkDir(scenarios.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(scenarios.FS, path)
		all[path] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"objects.yaml", "scenario.yaml"} {
		text := string(all[from+"/"+file].Data)
		for i := 0; i < len(replace); i += 2 {
			text = strings.ReplaceAll(text, replace[i], replace[i+1])
		}
		all[name+"/"+file] = &fstest.MapFile{Data: []byte(text)}
	}
	a.scenarios = all
}

// TestVPAModes runs the update modes that the golden traces do not.
func TestVPAModes(t *testing.T) {
	t.Parallel()
	a := simulatedApp(t)
	t.Run("off", func(t *testing.T) {
		s := testStage(t, a, t.Context(), "vpa", "vpa-off")
		wantFact(t, toStep(t, s, 5, "vpa/2-recommend/status"), "target/web.cpu", "300m")
		wantFact(t, toStep(t, s, 5, vpa.UpdateStep), "action", "keep")
		wantFact(t, toStep(t, s, 5, "vpa/8-conclusion/compare"), "after/web.cpu", "100m × 2")
	})
	t.Run("initial", func(t *testing.T) {
		s := testStage(t, a, t.Context(), "vpa", "vpa-initial")
		wantFact(t, toStep(t, s, 5, vpa.UpdateStep), "action", "keep") // outside of the bounds, and left alone
		toStep(t, s, 5, "vpa/8-conclusion/compare")
		pods, err := s.kube.CoreV1().Pods(s.namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.kube.CoreV1().Pods(s.namespace).Delete(t.Context(), pods.Items[0].Name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		wantFact(t, toStep(t, s, 6, "vpa/7-admit/patch"), "newRequest/web.cpu", "300m") // a pod that is born all the same
		wantFact(t, toStep(t, s, 6, "vpa/8-conclusion/compare"), "action", "keep")
	})
	t.Run("auto", func(t *testing.T) {
		withScenario(t, a, "vpa-auto", "vpa-web", "updateMode: Recreate", "updateMode: Auto")
		s := testStage(t, a, t.Context(), "vpa", "vpa-auto")
		f := toStep(t, s, 1, "vpa/1-usage/objects")
		wantFact(t, f, "updateMode", "Auto")
		wantFact(t, toStep(t, s, 4, vpa.UpdateStep), "action", "evict")
		toStep(t, s, 4, "vpa/8-conclusion/compare")
	})
}

// TestVPAPolicies: a sidecar with mode Off, maxAllowed, and requests only.
func TestVPAPolicies(t *testing.T) {
	t.Parallel()
	a := simulatedApp(t)
	withScenario(t, a, "vpa-policy", "vpa-web",
		"        resources:\n          requests:\n            cpu: 100m\n          limits:\n            cpu: 300m\n",
		"        resources: {requests: {cpu: 100m}, limits: {cpu: 300m}}\n      - name: proxy\n        image: registry.k8s.io/pause:3.10\n        resources: {requests: {cpu: 50m}, limits: {cpu: 300m}}\n",
		"controlledResources: [cpu]", "controlledResources: [cpu]\n      controlledValues: RequestsOnly\n      maxAllowed: {cpu: 200m}\n    - containerName: proxy\n      mode: \"Off\"",
		"step: 490m", "step: 980m", "490m    #", "980m    #")
	s := testStage(t, a, t.Context(), "vpa", "vpa-policy")
	f := toStep(t, s, 4, "vpa/2-recommend/policy")
	wantFact(t, f, "uncappedTarget/web.cpu", "300m")
	wantFact(t, f, "target/web.cpu", "200m")
	if _, told := f.Fact("target/proxy.cpu"); told {
		t.Error("a container with mode Off has a recommendation")
	}
	wantFact(t, toStep(t, s, 4, vpa.UpdateStep), "action", "evict")
	f = toStep(t, s, 4, "vpa/7-admit/patch")
	wantFact(t, f, "newRequest/web.cpu", "200m")
	wantFact(t, f, "newLimit/web.cpu", "300m") // as it was
	wantFact(t, f, "newRequest/proxy.cpu", "50m")
	toStep(t, s, 4, "vpa/8-conclusion/compare")
}

// TestVPAWebhookDown cuts the webhook off between the eviction and the new pod.
func TestVPAWebhookDown(t *testing.T) {
	t.Parallel()
	a := simulatedApp(t)
	for _, c := range []struct {
		policy admissionregistrationv1.FailurePolicyType
		check  func(t *testing.T, s *clusterStage)
	}{
		{admissionregistrationv1.Ignore, func(t *testing.T, s *clusterStage) {
			toStep(t, s, 4, "vpa/5-recreate/create")
			f := toStep(t, s, 4, "vpa/7-admit/patch")
			wantFact(t, f, "newRequest/web.cpu", "100m") // born as the template says
			toStep(t, s, 4, "vpa/8-conclusion/compare")
		}},
		{admissionregistrationv1.Fail, func(t *testing.T, s *clusterStage) {
			f := toStep(t, s, 4, "vpa/5-recreate/create")
			if text, _ := f.Fact("replicaFailure"); !strings.Contains(text, "failed calling webhook") {
				t.Errorf("replicaFailure is %q", text)
			}
			f = toStep(t, s, 4, "vpa/8-conclusion/compare")
			wantFact(t, f, "podsTotal", "1") // nobody may be born
		}},
	} {
		t.Run(string(c.policy), func(t *testing.T) {
			s := testStage(t, a, t.Context(), "vpa", "vpa-web")
			wantFact(t, toStep(t, s, 4, vpa.UpdateStep), "action", "evict")
			cutWebhook(t, s, c.policy)
			c.check(t, s)
		})
	}
}

// cutWebhook lets the registration point to a port where nobody listens, and
// waits until the API server knows.
func cutWebhook(t *testing.T, s *clusterStage, policy admissionregistrationv1.FailurePolicyType) {
	t.Helper()
	hooks := s.kube.AdmissionregistrationV1().MutatingWebhookConfigurations()
	config, err := hooks.Get(t.Context(), vpaWebhook, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	config.Webhooks[0].ClientConfig.URL = ptr.To("https://127.0.0.1:1/")
	config.Webhooks[0].FailurePolicy = &policy
	if _, err := hooks.Update(t.Context(), config, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	sets, err := s.kube.AppsV1().ReplicaSets(s.namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	rs := sets.Items[0]
	probe := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{GenerateName: "probe-", Labels: rs.Spec.Template.Labels,
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(&rs, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))}}, Spec: rs.Spec.Template.Spec}
	err = wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, 10*time.Second, true, func(ctx context.Context) (bool, error) {
		pod, err := s.kube.CoreV1().Pods(s.namespace).Create(ctx, probe, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err != nil || pod.Annotations["vpaObservedContainers"] == "", nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestVPAUpdaterRestsWithoutAdmission takes the lease of the admission controller
// away: nobody is evicted who could not be born again bigger.
func TestVPAUpdaterRestsWithoutAdmission(t *testing.T) {
	t.Parallel()
	s := testStage(t, simulatedApp(t), t.Context(), "vpa", "vpa-web")
	toStep(t, s, 4, "vpa/2-recommend/status")
	err := s.kube.CoordinationV1().Leases(metav1.NamespaceSystem).Delete(t.Context(), vpa.ActorAdmission, metav1.DeleteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	wantFact(t, toStep(t, s, 4, "vpa/3-compare/read"), "admissionAlive", "false")
	wantFact(t, toStep(t, s, 4, vpa.UpdateStep), "action", "keep")
	toStep(t, s, 4, "vpa/8-conclusion/compare")
}

// TestVPAFaults are manifests that cannot work, and what the loop tells of them.
func TestVPAFaults(t *testing.T) {
	t.Parallel()
	a := simulatedApp(t)
	t.Run("unknown target", func(t *testing.T) {
		s := testStage(t, a, t.Context(), "vpa", "vpa-missing-target")
		wantFact(t, toStep(t, s, 1, "vpa/1-usage/objects"), "conditionReason", "ConfigUnsupported")
		f := toStep(t, s, 1, "vpa/2-recommend/status")
		wantFact(t, f, "condition/RecommendationProvided", "False")
		wantFact(t, toStep(t, s, 1, "vpa/8-conclusion/compare"), "action", "keep")
	})
	t.Run("two VPAs", func(t *testing.T) {
		s := testStage(t, a, t.Context(), "vpa", "vpa-two")
		f := toStep(t, s, 1, "vpa/3-compare/read")
		wantFact(t, f, "controlledPods/web", "2") // the older one, or of two of one second the first by name
		wantFact(t, f, "controlledPods/web-too", "")
		toStep(t, s, 1, "vpa/8-conclusion/compare")
	})
	t.Run("recommendation missing", func(t *testing.T) {
		withScenario(t, a, "vpa-other", "vpa-web", "  updatePolicy:", "  recommenders: [{name: somebody-else}]\n  updatePolicy:")
		s := testStage(t, a, t.Context(), "vpa", "vpa-other")
		f := toStep(t, s, 1, "vpa/1-usage/objects")
		if text, _ := f.Fact("skipped"); !strings.Contains(text, "spec.recommenders") {
			t.Errorf("skipped is %q", text)
		}
		toStep(t, s, 1, "vpa/3-compare/read")
		f = toStep(t, s, 1, "vpa/3-compare/decide")
		verdicts := 0
		for _, x := range f.Facts {
			if strings.HasPrefix(x.Name, "verdict/") && x.Value == "noRecommendation" {
				verdicts++
			}
		}
		if verdicts != 2 {
			t.Errorf("%d pods judged noRecommendation, want 2: %+v", verdicts, f.Facts)
		}
		wantFact(t, toStep(t, s, 1, "vpa/8-conclusion/compare"), "action", "keep")
	})
}

// TestVPAOfOthersIsLeftAlone finds a VPA that we did not install, and removes
// nothing of it.
func TestVPAOfOthersIsLeftAlone(t *testing.T) {
	t.Parallel()
	a := simulatedApp(t)
	s := testStage(t, a, t.Context(), "hpa", "web-surge")
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "vpa-updater", Namespace: metav1.NamespaceSystem},
		Spec: appsv1.DeploymentSpec{Replicas: ptr.To[int32](0), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "vpa-updater"}},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "vpa-updater"}},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "updater", Image: "updater"}}}}},
	}
	deployments := s.kube.AppsV1().Deployments(metav1.NamespaceSystem)
	if _, err := deployments.Create(t.Context(), d, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	_, _, err := a.openStage(t.Context(), "vpa", "vpa-web", silent{})
	var u *problem.Error
	if !errors.Is(err, vpa.ErrForeign) || !errors.As(err, &u) || !strings.Contains(u.What, "stepscale이 설치하지 않은 VPA") {
		t.Fatalf("opened beside another VPA: %v", err)
	}
	if _, err := deployments.Get(t.Context(), d.Name, metav1.GetOptions{}); err != nil {
		t.Errorf("the other VPA: %v", err)
	}
	if err := deployments.Delete(t.Context(), d.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// TestVPALeavesNothing counts what is cluster-wide before and after.
func TestVPALeavesNothing(t *testing.T) {
	t.Parallel()
	a := simulatedApp(t)
	outer := testStage(t, a, t.Context(), "hpa", "web-surge")
	var before map[string]int
	within(t, 20*time.Second, "nothing is left of a test before", func() bool {
		before = clusterWide(t, outer)
		return before["crd"]+before["lease"] == 0
	})
	for range 2 { // the second finds what the first is still removing
		s, closeStage, err := a.openStage(t.Context(), "vpa", "vpa-web", silent{})
		if err != nil {
			t.Fatal(err)
		}
		toStep(t, s.(*clusterStage), 1, "vpa/8-conclusion/compare")
		if during := clusterWide(t, outer); len(during) <= len(before) {
			t.Fatalf("nothing was deployed: %v", during)
		}
		if err := closeStage(); err != nil {
			t.Fatal(err)
		}
	}
	err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, 20*time.Second, true, func(context.Context) (bool, error) {
		return maps.Equal(before, clusterWide(t, outer)), nil
	})
	if err != nil {
		t.Errorf("before %v\nafter  %v", before, clusterWide(t, outer))
	}
}

// clusterWide counts the objects that deploying a VPA makes.
func clusterWide(t *testing.T, s *clusterStage) map[string]int {
	t.Helper()
	n := map[string]int{}
	roles, err := s.kube.RbacV1().ClusterRoles().List(t.Context(), metav1.ListOptions{})
	bindings, err2 := s.kube.RbacV1().ClusterRoleBindings().List(t.Context(), metav1.ListOptions{})
	hooks, err3 := s.kube.AdmissionregistrationV1().MutatingWebhookConfigurations().List(t.Context(), metav1.ListOptions{})
	_, err4 := s.kube.Discovery().ServerResourcesForGroupVersion("autoscaling.k8s.io/v1")
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
	for _, r := range roles.Items {
		n["clusterrole/"+r.Name]++
	}
	for _, r := range bindings.Items {
		n["clusterrolebinding/"+r.Name]++
	}
	if _, err := s.kube.CoordinationV1().Leases(metav1.NamespaceSystem).Get(t.Context(), vpa.ActorAdmission, metav1.GetOptions{}); err == nil {
		n["lease"]++
	}
	for _, h := range hooks.Items {
		n["webhook/"+h.Name]++
	}
	switch {
	case err4 == nil:
		n["crd"]++
	case !apierrors.IsNotFound(err4):
		t.Fatal(fmt.Errorf("discovery: %w", err4))
	}
	return n
}

// TestVPAInterruptWhileTheWebhookHolds stops in the middle of an admission.
func TestVPAInterruptWhileTheWebhookHolds(t *testing.T) {
	t.Parallel()
	a := simulatedApp(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s, closeStage, err := a.openStage(ctx, "vpa", "vpa-web", silent{})
	if err != nil {
		t.Fatal(err)
	}
	stage := s.(*clusterStage)
	wantFact(t, toStep(t, stage, 4, vpa.UpdateStep), "action", "evict")
	toStep(t, stage, 4, "vpa/5-recreate/create")
	cancel()
	if _, err := stage.Session().Next(); !errors.Is(err, context.Canceled) {
		t.Errorf("the next step: %v", err)
	}
	began := time.Now()
	if err := closeStage(); err != nil {
		t.Errorf("close: %v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("closing took %s", took)
	}
}
