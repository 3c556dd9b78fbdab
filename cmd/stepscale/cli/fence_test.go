package cli

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	vpaclient "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/client/clientset/versioned"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
)

// TestFence: a student's namespace is made by one command, and lets nothing pass that
// reaches beyond it.
func TestFence(t *testing.T) {
	t.Parallel()
	c := newClassroom(t)
	class := func(argv ...string) (string, int) { return c.run(append([]string{"class"}, argv...)...) }
	if out, code := class("namespace", "s01", "--user", "kim", "--context", "stepscale", "--yes"); code != problem.ExitUsage || !strings.Contains(out, "class install") {
		t.Errorf("before the installation: exit %d, %s", code, out)
	}
	c.refusesForeign(t)
	if out, code := class("install", "--context", "stepscale", "--yes"); code != problem.ExitOK {
		t.Fatalf("install: exit %d, %s", code, out)
	}
	if out, code := class("namespace", "s01", "--user", "kim", "--context", "stepscale"); code != problem.ExitUsage || !strings.Contains(out, "--yes") {
		t.Errorf("unasked: exit %d, %s", code, out)
	}
	if _, err := c.kube.CoreV1().Namespaces().Get(t.Context(), "s01", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("unasked, and written: %v", err)
	}
	for range 2 {
		if out, code := class("namespace", "s01", "s02", "--user", "student-{}", "--context", "stepscale", "--yes"); code != problem.ExitOK || strings.Contains(out, "아직 세어지지") {
			t.Fatalf("namespace: exit %d, %s", code, out)
		}
	}
	c.namespace(t, "theirs", true)
	if out, code := class("namespace", "s03", "theirs", "--user", "student-{}", "--context", "stepscale", "--yes"); code != problem.ExitUsage || !strings.Contains(out, "Namespace theirs") {
		t.Errorf("a namespace of somebody else's: exit %d, %s", code, out)
	}
	if _, err := c.kube.CoreV1().Namespaces().Get(t.Context(), "s03", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("one was refused, and the other made: %v", err)
	}
	c.app.kubeconfig = as(t, c.app.kubeconfig, "student-s01")
	out, code := c.run("doctor", "--context", "student-s01", "-n", "s01")
	if code != problem.ExitOK || !strings.Contains(out, "✔ 네임스페이스의 울타리") {
		t.Errorf("doctor: exit %d, %s", code, out)
	}
	fenced(t, c.app.kubeconfig)
}

// refusesForeign: parts of somebody else's are named before anything is written.
func (c classroom) refusesForeign(t *testing.T) {
	t.Helper()
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "stepscale-student", Labels: map[string]string{"stepscale.io/managed": "true", "team": "red"}},
		Rules: []rbacv1.PolicyRule{{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}}}}
	roles := c.kube.RbacV1().ClusterRoles()
	if _, err := roles.Create(t.Context(), role, metav1.CreateOptions{FieldManager: "their-tool"}); err != nil {
		t.Fatal(err)
	}
	out, code := c.run("class", "install", "--context", "stepscale", "--yes")
	for _, want := range []string{"ClusterRole stepscale-student", "their-tool", "team=red", time.Now().Local().Format(time.DateOnly)} {
		if code != problem.ExitUsage || !strings.Contains(out, want) {
			t.Errorf("a role of somebody else's: exit %d, no %q in %s", code, want, out)
		}
	}
	if list, err := c.kube.AdmissionregistrationV1().ValidatingAdmissionPolicies().List(t.Context(), metav1.ListOptions{}); err != nil || len(list.Items) > 0 {
		t.Errorf("refused, and written: %v, %v", list.Items, err)
	}
	if err := roles.Delete(t.Context(), role.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// fenced tries as the student what would reach beyond the namespace.
func fenced(t *testing.T, kubeconfig string) {
	t.Helper()
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(&clientcmd.ClientConfigLoadingRules{ExplicitPath: kubeconfig},
		&clientcmd.ConfigOverrides{CurrentContext: "student-s01"}).ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	kube := kubernetes.NewForConfigOrDie(config)
	pod := func(change func(*corev1.Pod)) func() error {
		p := plainPod()
		change(p)
		return func() error {
			_, err := kube.CoreV1().Pods("s01").Create(t.Context(), p, metav1.CreateOptions{})
			return err
		}
	}
	service := func(spec corev1.ServiceSpec) func() error {
		spec.Ports = []corev1.ServicePort{{Port: 80}}
		return func() error {
			_, err := kube.CoreV1().Services("s01").Create(t.Context(), &corev1.Service{ObjectMeta: metav1.ObjectMeta{GenerateName: "s-"}, Spec: spec}, metav1.CreateOptions{})
			return err
		}
	}
	patch := func(resource, name, body string) func() error {
		return func() error {
			return kube.CoreV1().RESTClient().Patch(types.MergePatchType).AbsPath(resource).Name(name).Body([]byte(body)).Do(t.Context()).Error()
		}
	}
	if err := pod(func(*corev1.Pod) {})(); err != nil {
		t.Fatalf("a pod that does no harm: %v", err)
	}
	if err := service(corev1.ServiceSpec{})(); err != nil {
		t.Fatalf("a Service that does no harm: %v", err)
	}
	// The API server looks for policies every second (admission/plugin/policy/generic,
	// policyRefreshIntervalDefault). Nothing that is tried meanwhile is kept.
	within(t, 10*time.Second, "the policy is in force", func() bool {
		outside := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "outside"}, Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "metadata.internal"}}
		_, err := kube.CoreV1().Services("s01").Create(t.Context(), outside, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return refused(err)
	})
	for what, try := range map[string]func() error{
		"hostPath": pod(func(p *corev1.Pod) {
			p.Spec.Volumes = []corev1.Volume{{Name: "root", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}}}
		}),
		"hostNetwork": pod(func(p *corev1.Pod) { p.Spec.HostNetwork = true }),
		"hostPID":     pod(func(p *corev1.Pod) { p.Spec.HostPID = true }),
		"privileged": pod(func(p *corev1.Pod) {
			p.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{Privileged: new(true)}
		}),
		"root":            pod(func(p *corev1.Pod) { p.Spec.SecurityContext.RunAsUser = new(int64(0)) }),
		"system priority": pod(func(p *corev1.Pod) { p.Spec.PriorityClassName = "system-node-critical" }),
		"capabilities": pod(func(p *corev1.Pod) {
			p.Spec.Containers[0].SecurityContext.Capabilities.Add = []corev1.Capability{"SYS_ADMIN"}
		}),
		"too large": pod(func(p *corev1.Pod) {
			p.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("3")}
		}),
		"externalIPs":        service(corev1.ServiceSpec{ExternalIPs: []string{"192.0.2.1"}}),
		"NodePort":           service(corev1.ServiceSpec{Type: corev1.ServiceTypeNodePort}),
		"LoadBalancer":       service(corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer}),
		"ExternalName":       service(corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "metadata.internal"}),
		"the level":          patch("/api/v1/namespaces", "s01", `{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"privileged"}}}`),
		"the class":          patch("/api/v1/namespaces", "s01", `{"metadata":{"labels":{"stepscale.io/class":null}}}`),
		"the quota":          patch("/api/v1/namespaces/s01/resourcequotas", "stepscale", `{"spec":{"hard":{"pods":"1000"}}}`),
		"the limits":         patch("/api/v1/namespaces/s01/limitranges", "stepscale", `{"spec":{"limits":[]}}`),
		"the network policy": patch("/apis/networking.k8s.io/v1/namespaces/s01/networkpolicies", "stepscale", `{"spec":{"ingress":[{}]}}`),
		"the binding":        patch("/apis/rbac.authorization.k8s.io/v1/namespaces/s01/rolebindings", "stepscale-student", `{"subjects":[]}`),
		"the policy":         patch("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies", "stepscale-student", `{"spec":{"failurePolicy":"Ignore"}}`),
		"a neighbour":        func() error { _, err := kube.CoreV1().Pods("s02").List(t.Context(), metav1.ListOptions{}); return err },
		"the neighbour's pods": func() error {
			_, err := kube.CoreV1().Pods("s02").Create(t.Context(), plainPod(), metav1.CreateOptions{})
			return err
		},
		"the neighbour's namespace": func() error {
			_, err := kube.CoreV1().Namespaces().Get(t.Context(), "s02", metav1.GetOptions{})
			return err
		},
	} {
		if err := try(); !refused(err) {
			t.Errorf("%s: %v", what, err)
		}
	}
	manyReplicas(t, kube)
	manyOfVPAs(t, vpaclient.NewForConfigOrDie(config))
}

// refused tells of an answer that somebody has refused what would be valid elsewhere.
func refused(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsInvalid(err) && (strings.Contains(err.Error(), "ValidatingAdmissionPolicy 'stepscale-student'") ||
		strings.Contains(err.Error(), "privileged: Forbidden: disallowed by cluster policy")) // the embedded API server's own answer comes first
}

// plainPod is one that a student may make.
func plainPod() *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{GenerateName: "p-"}, Spec: corev1.PodSpec{
		SecurityContext: &corev1.PodSecurityContext{RunAsNonRoot: new(true), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
		Containers:      []corev1.Container{{Name: "app", Image: "app", SecurityContext: restricted()}},
	}}
}

func manyReplicas(t *testing.T, kube kubernetes.Interface) {
	t.Helper()
	labels := map[string]string{"app": "many"}
	p := plainPod()
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "many"}, Spec: appsv1.DeploymentSpec{
		Replicas: new(int32(100_000)), Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: p.Spec},
	}}
	deployments := kube.AppsV1().Deployments("s01")
	if _, err := deployments.Create(t.Context(), d, metav1.CreateOptions{}); !refused(err) {
		t.Errorf("100,000 replicas: %v", err)
	}
	d.Spec.Replicas = new(int32(0))
	if _, err := deployments.Create(t.Context(), d, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for replicas, want := range map[int32]bool{100_000: true, 30: false} {
		scale := &autoscaling.Scale{ObjectMeta: metav1.ObjectMeta{Name: "many", Namespace: "s01"}, Spec: autoscaling.ScaleSpec{Replicas: replicas}}
		if _, err := deployments.UpdateScale(t.Context(), "many", scale, metav1.UpdateOptions{}); refused(err) != want {
			t.Errorf("a scale of %d: %v", replicas, err)
		}
	}
	set := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Name: "many"}, Spec: appsv1.ReplicaSetSpec{Replicas: new(int32(100_000)), Selector: d.Spec.Selector, Template: d.Spec.Template}}
	if _, err := kube.AppsV1().ReplicaSets("s01").Create(t.Context(), set, metav1.CreateOptions{}); !refused(err) {
		t.Errorf("a ReplicaSet of 100,000: %v", err)
	}
	within(t, 30*time.Second, "the quota stops the controller", func() bool {
		live, err := deployments.Get(t.Context(), "many", metav1.GetOptions{})
		pods, err2 := kube.CoreV1().Pods("s01").List(t.Context(), metav1.ListOptions{})
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		return len(pods.Items) == 20 && live.Status.Replicas == 19
	})
}

func manyOfVPAs(t *testing.T, client vpaclient.Interface) {
	t.Helper()
	made := 0
	for i := range 51 {
		v := &vpav1.VerticalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("v%d", i)},
			Spec: vpav1.VerticalPodAutoscalerSpec{TargetRef: &autoscaling.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "many"}}}
		_, err := client.AutoscalingV1().VerticalPodAutoscalers("s01").Create(t.Context(), v, metav1.CreateOptions{})
		switch {
		case err == nil:
			made++
		case !refused(err):
			t.Fatal(err)
		}
	}
	if made != 10 {
		t.Errorf("of 51 VPAs, %d were made", made)
	}
}

// TestHPAStudent: the HPA's lesson plays inside the fence, with the student's rights.
func TestHPAStudent(t *testing.T) {
	t.Parallel()
	a := testApp(t)
	m := newManaged(t, a)
	namespace := classOn(t, a, m)
	m.enroll(t, namespace, "kim")
	m.load(t, namespace)
	a.target.attach = lab.Attachment{Context: "kim", Kubeconfig: as(t, m.Info().Kubeconfig, "kim")}
	s, closeStage, err := a.openStage(t.Context(), "hpa", "web-surge", silent{})
	if err != nil {
		t.Fatal(err)
	}
	scaleUp(t, s)
	if err := closeStage(); err != nil {
		t.Fatal(err)
	}
}

// restricted is what the Pod Security Standard of that name wants of a container.
func restricted() *corev1.SecurityContext {
	return &corev1.SecurityContext{AllowPrivilegeEscalation: new(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}}
}
