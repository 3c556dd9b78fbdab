package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	autoscaling "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	vpaclient "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/client/clientset/versioned"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
)

// classroom is a cluster that an instructor has prepared.
type classroom struct {
	app  *app
	kube kubernetes.Interface
	vpa  vpaclient.Interface
	run  func(argv ...string) (string, int)
}

func newClassroom(t *testing.T) classroom {
	t.Helper()
	c, a := simulated.take(t), testApp(t)
	a.kubeconfig = c.Info().Kubeconfig
	c.dismiss(t)
	return classroom{app: a, kube: kubernetes.NewForConfigOrDie(c.config), vpa: vpaclient.NewForConfigOrDie(c.config), run: func(argv ...string) (string, int) { return a.told("", argv...) }}
}

// recommend makes a VPA with a recommendation, as a recommender would.
func (c classroom) recommend(t *testing.T, namespace, name, target string, mode vpav1.UpdateMode, off string) {
	t.Helper()
	v := &vpav1.VerticalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: vpav1.VerticalPodAutoscalerSpec{
		TargetRef: &autoscaling.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: target}, UpdatePolicy: &vpav1.PodUpdatePolicy{UpdateMode: &mode},
	}}
	if off != "" {
		v.Spec.ResourcePolicy = &vpav1.PodResourcePolicy{ContainerPolicies: []vpav1.ContainerResourcePolicy{{ContainerName: off, Mode: new(vpav1.ContainerScalingModeOff)}}}
	}
	vpas := c.vpa.AutoscalingV1().VerticalPodAutoscalers(namespace)
	var err error
	within(t, 10*time.Second, "a VPA is taken", func() bool { _, err = vpas.Create(t.Context(), v, metav1.CreateOptions{}); return err == nil })
	live, err := vpas.Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	amount := func(cpu, memory string) corev1.ResourceList {
		return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
	}
	live.Status.Recommendation = &vpav1.RecommendedPodResources{ContainerRecommendations: []vpav1.RecommendedContainerResources{
		{ContainerName: "app", Target: amount("250m", "262144k")}, {ContainerName: "proxy", Target: amount("30m", "64Mi")},
	}}
	if _, err := vpas.Update(t.Context(), live, metav1.UpdateOptions{}); err != nil { // the CRD has a status of its own only where it says so
		t.Fatal(err)
	}
	if _, err := vpas.UpdateStatus(t.Context(), live, metav1.UpdateOptions{}); err != nil {
		live, _ = vpas.Get(t.Context(), name, metav1.GetOptions{})
		if live == nil || live.Status.Recommendation == nil {
			t.Fatal(err)
		}
	}
}

// born asks the API server, which stores nothing, what a new pod would be.
func (c classroom) born(t *testing.T, namespace, target string) *corev1.Pod {
	t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: target + "-abc12-", Namespace: namespace, Labels: map[string]string{"pod-template-hash": "abc12"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: target + "-abc12", UID: "1", Controller: new(true)}}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{
			{Name: "app", Image: "app", Resources: corev1.ResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceEphemeralStorage: resource.MustParse("1Gi")},
				Limits:   corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("500m")}}},
			{Name: "other", Image: "app", Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("7m")}}},
			{Name: "proxy", Image: "app"}, // without any request
		}},
	}
	var got *corev1.Pod
	within(t, 10*time.Second, "the namespace takes pods", func() bool {
		var err error
		got, err = c.kube.CoreV1().Pods(namespace).Create(t.Context(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err == nil
	})
	return got
}

// namespace makes one for which the policy speaks, or not.
func (c classroom) namespace(t *testing.T, name string, managed bool) {
	t.Helper()
	ns := namespaceObject(name)
	if managed {
		ns.Labels = map[string]string{clusters.LabelManaged: "true"}
	}
	if _, err := c.kube.CoreV1().Namespaces().Create(t.Context(), ns, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func requests(p *corev1.Pod, container int) string {
	r := p.Spec.Containers[container].Resources.Requests
	return r.Cpu().String() + " " + r.Memory().String() + " " + r.StorageEphemeral().String()
}

// TestClass: the API server itself gives new pods what the VPA recommends.
func TestClass(t *testing.T) {
	t.Parallel()
	c := newClassroom(t)
	if out, code := c.run("class", "install", "--context", "stepscale"); code != problem.ExitUsage || !strings.Contains(out, "--yes") {
		t.Errorf("unasked: exit %d, %s", code, out)
	}
	for range 2 {
		if out, code := c.run("class", "install", "--context", "stepscale", "--yes"); code != problem.ExitOK || !strings.Contains(out, "MutatingAdmissionPolicy stepscale-vpa") {
			t.Fatalf("install: exit %d, %s", code, out)
		}
	}
	for _, name := range []string{"shop", "elsewhere"} {
		c.namespace(t, name, name == "shop")
		c.recommend(t, name, "web", "web", vpav1.UpdateModeInitial, "")
	}
	within(t, 30*time.Second, "the policy is in force", func() bool { return requests(c.born(t, "shop", "web"), 0) == "250m 262144k 1Gi" })
	pod := c.born(t, "shop", "web")
	if pod.Spec.Containers[0].Resources.Limits.Cpu().String() != "500m" || requests(pod, 1) != "7m 0 0" || requests(pod, 2) != "30m 64Mi 0" || pod.Annotations["stepscale.io/vpa"] != "web" {
		t.Errorf("the pod is %+v, annotations %v", pod.Spec.Containers, pod.Annotations)
	}
	if got := requests(c.born(t, "shop", "web2"), 0); got != "100m 0 1Gi" {
		t.Errorf("a pod of another Deployment: %s", got)
	}
	if got := requests(c.born(t, "elsewhere", "web"), 0); got != "100m 0 1Gi" {
		t.Errorf("a pod in somebody else's namespace: %s", got)
	}
	c.recommend(t, "shop", "other", "other", vpav1.UpdateModeInitial, "")
	for _, name := range []string{"off", "some"} {
		c.namespace(t, name, true)
	}
	c.recommend(t, "off", "web", "web", vpav1.UpdateModeOff, "")
	c.recommend(t, "some", "web", "web", vpav1.UpdateModeRecreate, "proxy")
	within(t, 30*time.Second, "a later VPA is in force", func() bool { return requests(c.born(t, "some", "web"), 0) == "250m 262144k 1Gi" })
	if got := requests(c.born(t, "some", "web"), 2); got != "0 0 0" {
		t.Errorf("a container with mode Off: %s", got)
	}
	if got := requests(c.born(t, "off", "web"), 0); got != "100m 0 1Gi" {
		t.Errorf("a VPA with mode Off: %s", got)
	}
	if got := requests(c.born(t, "shop", "other"), 0); got != "100m 0 1Gi" {
		t.Errorf("a VPA of another name: %s", got)
	}
	c.manyVPAs(t)
	if out, code := c.run("class", "status", "--context", "stepscale"); code != problem.ExitOK || strings.Count(out, "stepscale이 만듦") != 7 {
		t.Errorf("status: exit %d, %s", code, out)
	}
	if out, code := c.run("class", "remove", "--context", "stepscale", "--yes"); code != problem.ExitOK || strings.Count(out, "지움") != 7 {
		t.Errorf("remove: exit %d, %s", code, out)
	}
	within(t, 30*time.Second, "the policy is gone", func() bool { return requests(c.born(t, "shop", "web"), 0) == "100m 0 1Gi" })
}

// manyVPAs: what a pod costs does not grow with the VPAs of its namespace.
func (c classroom) manyVPAs(t *testing.T) {
	t.Helper()
	cost := func() time.Duration {
		least := time.Hour
		for range 5 {
			begin := time.Now()
			if got := requests(c.born(t, "shop", "web"), 0); got != "250m 262144k 1Gi" {
				t.Fatalf("the pod has %s", got)
			}
			least = min(least, time.Since(begin))
		}
		return least
	}
	few := cost()
	for i := range 500 {
		v := &vpav1.VerticalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("more-%d", i)},
			Spec: vpav1.VerticalPodAutoscalerSpec{TargetRef: &autoscaling.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "more"}}}
		if _, err := c.vpa.AutoscalingV1().VerticalPodAutoscalers("shop").Create(t.Context(), v, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if many := cost(); many > 5*few+300*time.Millisecond {
		t.Errorf("a pod takes %s beside one VPA, and %s beside 500", few, many)
	} else {
		t.Logf("a pod takes %s beside one VPA, and %s beside 500", few, many)
	}
}

// TestStudent: who is bound to the student's role in one namespace lacks nothing there
// that doctor asks for, and has nothing elsewhere.
func TestStudent(t *testing.T) {
	t.Parallel()
	c := newClassroom(t)
	if out, code := c.run("class", "install", "--context", "stepscale", "--yes"); code != problem.ExitOK {
		t.Fatalf("install: exit %d, %s", code, out)
	}
	if _, err := c.kube.CoreV1().Namespaces().Create(t.Context(), namespaceObject("school"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	bindStudent(t, c.kube, "school", "kim")
	c.app.kubeconfig = as(t, c.app.kubeconfig, "kim")
	allowed := func() bool {
		out, code := c.run("doctor", "--context", "kim", "--namespace", "school")
		return code == problem.ExitOK && strings.Contains(out, "✔ 권한") && strings.Contains(out, "✔ VPA 수업의 권한") && strings.Contains(out, "△ 노드")
	}
	within(t, 30*time.Second, "the student may do all that lessons do", allowed)
	if out, _ := c.run("doctor", "--context", "kim", "-n", "school"); !strings.Contains(out, "△ 네임스페이스의 울타리") || !strings.Contains(out, "NetworkPolicy") {
		t.Errorf("a namespace without a fence: %s", out)
	}
	for _, argv := range [][]string{{"doctor", "--context", "kim", "-n", "elsewhere"}, {"doctor", "--context", "kim"}} {
		out, code := c.run(argv...)
		if code != problem.ExitFailure || !strings.Contains(out, "✘ 권한") || !strings.Contains(out, "△ VPA 수업의 권한") || strings.Contains(out, "create,delete namespaces") != (len(argv) == 3) {
			t.Errorf("%q: exit %d, %s", argv, code, out)
		}
	}
}

// bindStudent lets a user do in a namespace what students do.
func bindStudent(t *testing.T, kube kubernetes.Interface, namespace, user string) {
	t.Helper()
	binding := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "stepscale-student"},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "stepscale-student"},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}}}
	if _, err := kube.RbacV1().RoleBindings(namespace).Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// as copies a kubeconfig with a context for a user whom the instructor impersonates.
func as(t *testing.T, kubeconfig, user string) (file string) {
	t.Helper()
	config, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	who := config.AuthInfos[config.Contexts["stepscale"].AuthInfo].DeepCopy()
	who.Impersonate = user
	config.AuthInfos[user] = who
	config.Contexts[user] = &api.Context{Cluster: config.Contexts["stepscale"].Cluster, AuthInfo: user}
	file = filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		t.Fatal(err)
	}
	return file
}
