package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/scenarios"
)

// changed is web-surge with its objects changed, in a folder of scenarios.
func changed(t *testing.T, old, new, more string) *scenarios.Scenario {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"scenario.yaml", "objects.yaml"} {
		text, err := scenarios.FS.ReadFile("web-surge/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if name == "objects.yaml" {
			before := string(text)
			if text = []byte(strings.Replace(before, old, new, 1) + more); string(text) == before {
				t.Fatal("nothing was changed")
			}
		}
		if err := errors.Join(os.MkdirAll(filepath.Join(dir, "x"), 0o700), os.WriteFile(filepath.Join(dir, "x", name), text, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := scenarios.Load(os.DirFS(dir), "x")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestPodsThatDoNotCome: what is told is what the cluster says of the pods.
func TestPodsThatDoNotCome(t *testing.T) {
	cluster := simulated(t)
	kube, err := kubernetes.NewForConfig(cluster.Config)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("the nodes hold what check says", func(t *testing.T) {
		nodes, err := kube.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var places int64
		for _, n := range nodes.Items {
			places += n.Status.Allocatable.Pods().Value()
		}
		if places != scenarios.MaxPods {
			t.Errorf("the nodes hold %d pods, scenarios.MaxPods is %d", places, scenarios.MaxPods)
		}
	})
	for name, c := range map[string]struct{ old, new, more, what, cause string }{
		"requests": {"cpu: 100m\n          limits:\n            cpu: 500m", "cpu: 200", "", "requests를 채울 노드가 없습니다", "Insufficient cpu"},
		"selector": {"    spec:\n", "    spec:\n      nodeSelector: {gpu: big}\n", "", "조건(nodeSelector, affinity 등)에 맞는 노드가 없습니다", "didn't match"},
		"limits":   {"", "", "---\napiVersion: v1\nkind: LimitRange\nmetadata: {name: web}\nspec: {limits: [{type: Container, max: {cpu: 50m}}]}\n", "LimitRange가 파드를 막았습니다", "maximum cpu usage"},
	} {
		t.Run(name, func(t *testing.T) {
			scenario := changed(t, c.old, c.new, c.more)
			s := newStage(Options{Cluster: cluster, Scenario: scenario})
			t.Cleanup(func() { _ = s.remove(t.Context()) })
			if err := errors.Join(s.objects.connect(), s.fits(t.Context()), s.apply(t.Context())); err != nil {
				t.Fatal(err)
			}
			err := s.await(t.Context(), 20*time.Millisecond, 3*time.Second)
			var u *problem.Error
			if !errors.As(err, &u) || !strings.Contains(u.What, c.what) || u.Cause == nil || !strings.Contains(u.Cause.Error(), c.cause) ||
				!strings.Contains(u.Cause.Error(), "파드 2개 가운데 0개만") || u.Hint == "" {
				t.Errorf("%+v", u)
			}
		})
	}
}

// slow is a cluster whose Deployment gets a Ready pod whenever somebody looks, up to most.
func slow(wanted, most int32) *Stage {
	kube := fake.NewClientset()
	ready := int32(0)
	kube.PrependReactor("list", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
		ready = min(ready+1, most)
		return true, &appsv1.DeploymentList{Items: []appsv1.Deployment{{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{clusters.LabelManaged: "true"}}, Spec: appsv1.DeploymentSpec{Replicas: &wanted}, Status: appsv1.DeploymentStatus{ReadyReplicas: ready}}}}, nil
	})
	return &Stage{Options: Options{Scenario: &scenarios.Scenario{}}, objects: objects{namespace: "x", kube: kube}}
}

// TestPatience: many pods take long, and that is no fault.
func TestPatience(t *testing.T) {
	const every, within = 5 * time.Millisecond, 20 * time.Millisecond
	if err := slow(50, 50).await(t.Context(), every, within); err != nil {
		t.Errorf("50 pods, one after the other: %v", err)
	}
	err := slow(50, 3).await(t.Context(), every, within)
	var u *problem.Error
	if !errors.As(err, &u) || u.What != "시나리오의 파드 50개 가운데 3개만 준비되었습니다" || u.Cause == nil || !strings.Contains(u.Hint, "kubectl") {
		t.Errorf("%v", err)
	}
}

// notes keeps what was told while something waited.
type notes []string

func (*notes) Phase(string, time.Duration) {}

func (n *notes) Note(text string) { *n = append(*n, text) }

// TestWhatKeepsPodsIsTold: within 30 seconds, in the words of who says it; what may pass
// is waited for.
func TestWhatKeepsPodsIsTold(t *testing.T) {
	const within = 5 * time.Minute
	image := corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
		Reason: "ErrImagePull", Message: `failed to resolve reference "reg.example/wrb:v1": not found`}}}}}
	full := corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse,
		Reason: corev1.PodReasonUnschedulable, Message: "0/1 nodes are available: 1 Insufficient cpu."}}}
	for name, c := range map[string]struct {
		status      corev1.PodStatus
		lasts       bool
		what, cause string
	}{
		"image": {image, true, "이미지를 내려받지 못했습니다", `ErrImagePull: failed to resolve reference "reg.example/wrb:v1"`},
		"nodes": {full, false, "requests를 채울 노드가 없습니다", "Insufficient cpu"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				told := &notes{}
				s := slow(2, 1)
				s.Phases = told
				if err := s.objects.kube.(*fake.Clientset).Tracker().Add(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web-1", Namespace: "x"}, Status: c.status}); err != nil {
					t.Fatal(err)
				}
				begin := time.Now()
				err := s.await(t.Context(), time.Second, within)
				took := time.Since(begin)
				var u *problem.Error
				if !errors.As(err, &u) || !strings.Contains(u.What, c.what) || u.Cause == nil || !strings.Contains(u.Cause.Error(), c.cause) {
					t.Errorf("%+v", u)
				}
				if c.lasts != (took <= 30*time.Second) || c.lasts != (len(*told) == 0) {
					t.Errorf("after %s, told meanwhile %q", took, *told)
				}
				if !c.lasts && (len(*told) != 1 || !strings.Contains((*told)[0], c.cause)) {
					t.Errorf("told %q", *told)
				}
			})
		})
	}
}

// TestBlame has what API servers and schedulers say.
func TestBlame(t *testing.T) {
	for why, want := range map[string]string{
		`pods "web-7" is forbidden: exceeded quota: q, requested: requests.cpu=100m, used: requests.cpu=300m, limited: requests.cpu=300m`:      "할당량(ResourceQuota)이 모자라",
		`pods "web-7" is forbidden: failed quota: q: must specify requests.cpu for: web`:                                                       "할당량(ResourceQuota)이 요구하는",
		`pods "web-7" is forbidden: status unknown for quota: q, resources: requests.cpu`:                                                      "아직 세지 않아",
		`pods "web-7" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true`:                                            "파드 보안 표준",
		`0/3 nodes are available: 3 Too many pods. no new claims to deallocate, preemption: 0/3 nodes are available: 3 No preemption victims.`: "자리가 없습니다",
		`0/3 nodes are available: 3 Insufficient memory.`:                                                                                      "requests를 채울 노드",
		`admission webhook "policy.example.com" denied the request: no`:                                                                        "파드를 만들 수 없습니다",
	} {
		e := &problem.Error{What: "파드 2개 가운데 0개"}
		(&Stage{}).blame(e, why, "파드를 만들 수 없습니다", "도움")
		if !strings.Contains(e.What, want) || e.Hint == "" || !strings.Contains(fmt.Sprint(e.Cause), why) {
			t.Errorf("%s: %+v", why, e)
		}
	}
}

// TestFits: where nodes are few, nothing is written.
func TestFits(t *testing.T) {
	kube := fake.NewClientset()
	s := &Stage{Options: Options{Scenario: changed(t, "replicas: 2", "replicas: 5", "")}, objects: objects{kube: kube}}
	if err := s.fits(t.Context()); err != nil {
		t.Errorf("on somebody else's cluster more nodes may come: %v", err)
	}
	s.objects.access.Info.Disposable = true
	var u *problem.Error
	if err := s.fits(t.Context()); !errors.As(err, &u) || !strings.Contains(u.What, "파드는 5개인데") || !strings.Contains(u.Hint, "아무것도 쓰지 않았습니다") {
		t.Errorf("%v", err)
	}
}
