package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/karpenter/pkg/apis"
	"sigs.k8s.io/yaml"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/clusterautoscaler"
	"github.com/stepscale/stepscale/engine/observed"
	"github.com/stepscale/stepscale/engine/trace"
)

// What the two write, in upstream's formats: the status of Cluster Autoscaler 1.30 and later
// (clusterstate/api/types.go), and Karpenter's v1 objects with their status.
const (
	caStatus = `time: 2026-03-02 09:00:00.090873082 +0000 UTC
autoscalerStatus: Running
clusterWide:
  health:
    status: Healthy
    nodeCounts: {registered: {total: 3, ready: 3, notStarted: 0, unready: {total: 0, resourceUnready: 0}}, longUnregistered: 0, unregistered: 0}
    lastProbeTime: "2026-03-02T09:00:00.088071148Z"
    lastTransitionTime: "2026-03-02T07:46:04.409158551Z"
  scaleUp: {status: InProgress, lastProbeTime: "2026-03-02T09:00:00Z", lastTransitionTime: "2026-03-02T08:59:33Z"}
  scaleDown: {status: CandidatesPresent, candidates: 1, lastProbeTime: "2026-03-02T09:00:00Z", lastTransitionTime: "2026-03-02T08:58:34Z"}
nodeGroups:
- name: eks-general-1
  health:
    status: Healthy
    nodeCounts: {registered: {total: 3, ready: 3, notStarted: 0}, longUnregistered: 0, unregistered: 0}
    cloudProviderTarget: 4
    minSize: 1
    maxSize: 4
  scaleUp: {status: Backoff, backoffInfo: {errorCode: InsufficientInstanceCapacity, errorMessage: no capacity in us-east-1a}}
  scaleDown: {status: NoCandidates}
`
	nodePool = `apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: default}
spec:
  template:
    spec:
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: default}
      requirements: [{key: kubernetes.io/arch, operator: In, values: [amd64]}]
  limits: {cpu: "20"}
  disruption: {consolidationPolicy: WhenEmptyOrUnderutilized, consolidateAfter: 1h, budgets: [{nodes: 10%}]}
status:
  resources: {cpu: "16"}
`
	nodeClaim = `apiVersion: karpenter.sh/v1
kind: NodeClaim
metadata: {name: default-x7x2p, labels: {karpenter.sh/nodepool: default, node.kubernetes.io/instance-type: m5.xlarge}}
spec:
  nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: default}
  requirements: [{key: kubernetes.io/arch, operator: In, values: [amd64]}]
status:
  nodeName: ip-10-0-1-23
  conditions:
  - {type: Launched, status: "True", reason: Launched, message: "", lastTransitionTime: "2026-03-02T08:00:00Z"}
  - {type: Registered, status: Unknown, reason: NodeNotFound, message: Node not registered with cluster, lastTransitionTime: "2026-03-02T08:00:00Z"}
`
)

// watched is somebody's cluster with nothing on it that makes nodes, yet.
type watched struct {
	config *rest.Config
	kube   kubernetes.Interface
	dyn    dynamic.Interface
}

// create makes an object with its status, and takes it away again with the test.
func (w watched) create(t *testing.T, of schema.GroupVersionResource, text string) {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		t.Fatal(err)
	}
	client, status := w.dyn.Resource(of), o.Object["status"]
	t.Cleanup(func() { _ = client.Delete(context.Background(), o.GetName(), metav1.DeleteOptions{}) })
	var made *unstructured.Unstructured
	var err error
	within(t, 30*time.Second, "create "+o.GetName(), func() bool { // the API server learns of a CRD by and by
		made, err = client.Create(t.Context(), o, metav1.CreateOptions{})
		return !apierrors.IsNotFound(err)
	})
	if err == nil && status != nil && of.Group != "apiextensions.k8s.io" {
		made.Object["status"] = status
		_, err = client.UpdateStatus(t.Context(), made, metav1.UpdateOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// say is an event as the two send it.
func (w watched) say(t *testing.T, source, kind, namespace, name, reason, message string) {
	t.Helper()
	in := namespace
	if in == "" {
		in = metav1.NamespaceDefault
	}
	e := &corev1.Event{ObjectMeta: metav1.ObjectMeta{GenerateName: name + "."}, InvolvedObject: corev1.ObjectReference{Kind: kind, Namespace: namespace, Name: name},
		Source: corev1.EventSource{Component: source}, Type: corev1.EventTypeNormal, Reason: reason, Message: message, Count: 3,
		FirstTimestamp: metav1.NewTime(time.Now().Add(-time.Minute)), LastTimestamp: metav1.Now()}
	made, err := w.kube.CoreV1().Events(in).Create(t.Context(), e, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.kube.CoreV1().Events(in).Delete(context.Background(), made.Name, metav1.DeleteOptions{}) })
}

// TestObserveNodes: what a real Karpenter and a real Cluster Autoscaler have written is told,
// with what is calculated beside it; by somebody who may do what the printed role says, and
// no less would do. Nothing is written.
func TestObserveNodes(t *testing.T) {
	m := liveOn(t, testApp(t), unused(t)) // every pod on its nodes counts
	dyn, err := dynamic.NewForConfig(m.config)
	if err != nil {
		t.Fatal(err)
	}
	w := watched{m.config, m.kube, dyn}
	w.bind(t, "watcher")
	t.Setenv("KUBECONFIG", as(t, m.Info().Kubeconfig, "watcher"))
	none := runCommand(t, "", "observe", "--nodes", "--context", "watcher")
	if said := strings.Join(strings.Fields(none.out), " "); none.code != problem.ExitOK || !strings.Contains(said, "카펜터는 없습니다") || !strings.Contains(said, "오토스케일러는 보이지 않습니다") || !strings.Contains(said, "찾지 못했습니다") {
		t.Errorf("nothing is installed: exit code %d\n%s%s", none.code, none.out, none.err)
	}
	w.install(t)
	w.wait(t)
	seen := w.read(t)
	for _, want := range []string{
		"observed nodepool/default  통합: WhenEmptyOrUnderutilized, 조용한 시간 1h0m0s, 예산 10%",
		"recalculated nodepool/default  cpu의 한도 20 − 지금 16 = 남은 한도 4",
		"observed nodeclaim/default-x7x2p Registered=Unknown NodeNotFound Node not registered with cluster",
		"observed nodeclaim/default-x7x2p Launched NodePool default, 타입 m5.xlarge, 노드 ip-10-0-1-23",
		"observed nodeclaim/default-x7x2p Unconsolidatable Can't replace with a cheaper node",
		"observed node/ip-10-0-1-23 DisruptionTerminating Disrupting Node: Underutilized",
		"observed configmap/cluster-autoscaler-status Running",
		"recalculated configmap/cluster-autoscaler-status  ",
		"observed nodegroup/eks-general-1 Healthy 노드 3개, 준비된 노드 3개, 목표 4, 최소 1, 최대 4",
		"observed nodegroup/eks-general-1 scaleUp: Backoff InsufficientInstanceCapacity no capacity in us-east-1a",
		"recalculated nodegroup/eks-general-1 max node group size reached",
		"observed pod/default/huge NotTriggerScaleUp pod didn't trigger scale-up: 1 max node group size reached",
		"observed node/sim-node-1 DeletionCandidateOfClusterAutoscaler 없어도 되는 노드로 세고 있습니다",
		"recalculated node/sim-node-1  요청량의 이용률 0.000: 없어도 되는 노드입니다",
		"observed pod/default/huge Unschedulable 0/3 nodes are available",
		"recalculated pod/default/huge  NodeResourcesFit: Insufficient cpu (sim-node-1, sim-node-2, sim-node-3)",
	} {
		if !slices.ContainsFunc(seen, func(line string) bool { return strings.HasPrefix(line, want) }) {
			t.Errorf("%q is not told", want)
		}
	}
	if t.Failed() {
		t.Log(strings.Join(seen, "\n"))
	}
	w.least(t)
}

// install is what the two leave on a cluster.
func (w watched) install(t *testing.T) {
	t.Helper()
	crds := schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	w.create(t, crds, string(apis.NodePoolCRD))
	w.create(t, crds, string(apis.NodeClaimCRD))
	v1 := schema.GroupVersion{Group: "karpenter.sh", Version: "v1"}
	w.create(t, v1.WithResource("nodepools"), nodePool)
	w.create(t, v1.WithResource("nodeclaims"), nodeClaim)
	status := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: observed.StatusName}, Data: map[string]string{"status": caStatus}}
	maps := w.kube.CoreV1().ConfigMaps(observed.StatusNamespace)
	if _, err := maps.Create(t.Context(), status, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = maps.Delete(context.Background(), observed.StatusName, metav1.DeleteOptions{}) })
	w.say(t, "karpenter", "NodeClaim", "", "default-x7x2p", "Unconsolidatable", "Can't replace with a cheaper node")
	w.say(t, "karpenter", "Node", "", "ip-10-0-1-23", "DisruptionTerminating", "Disrupting Node: Underutilized")
	w.say(t, "cluster-autoscaler", "Pod", "default", "huge", "NotTriggerScaleUp", "pod didn't trigger scale-up: 1 max node group size reached")
	w.say(t, "kubelet", "Node", "", "sim-node-1", "Rebooted", "this is nobody's decision")
	soft := `{"spec":{"taints":[{"key":"` + clusterautoscaler.DeletionCandidateTaint + `","value":"1772442000","effect":"PreferNoSchedule"}]}}`
	for patch, when := range map[string]func(func()){soft: func(do func()) { do() }, `{"spec":{"taints":null}}`: t.Cleanup} {
		when(func() {
			if _, err := w.kube.CoreV1().Nodes().Patch(context.Background(), "sim-node-1", types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
}

// wait makes a pod that fits on no node, and lets the scheduler say so.
func (w watched) wait(t *testing.T) {
	t.Helper()
	pods := w.kube.CoreV1().Pods(metav1.NamespaceDefault)
	huge := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "huge"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "c",
		Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("500")}}}}}}
	t.Cleanup(func() {
		_ = pods.Delete(context.Background(), "huge", metav1.DeleteOptions{GracePeriodSeconds: new(int64)})
	})
	within(t, 30*time.Second, "a pod waits", func() bool {
		if _, err := pods.Create(t.Context(), huge, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
			return false // its service account is on the way
		}
		p, err := pods.Get(t.Context(), "huge", metav1.GetOptions{})
		return err == nil && slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool { return c.Reason == corev1.PodReasonUnschedulable })
	})
}

// bind gives a user what the program prints.
func (w watched) bind(t *testing.T, user string) {
	t.Helper()
	printed := runCommand(t, "", "observe", "--role")
	var role rbacv1.ClusterRole
	if err := yaml.UnmarshalStrict([]byte(printed.out), &role); err != nil {
		t.Fatalf("%v in %s%s", err, printed.out, printed.err)
	}
	rbac := w.kube.RbacV1()
	if _, err := rbac.ClusterRoles().Create(t.Context(), &role, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	binding := &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: role.Name}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}}}
	if _, err := rbac.ClusterRoleBindings().Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = rbac.ClusterRoleBindings().Delete(context.Background(), role.Name, metav1.DeleteOptions{})
		_ = rbac.ClusterRoles().Delete(context.Background(), role.Name, metav1.DeleteOptions{})
	})
}

// read is the report as a line each: its mark, its object, its reason, its text.
func (w watched) read(t *testing.T) (lines []string) {
	t.Helper()
	r := runCommand(t, "", "observe", "--nodes", "--context", "watcher", "--output", "json")
	var got nodesReport
	if err := json.Unmarshal([]byte(r.out), &got); err != nil {
		t.Fatalf("%v in %s%s", err, r.out, r.err)
	}
	if got.SchemaVersion != 1 || !got.Karpenter.Installed || !got.ClusterAutoscaler.Installed || len(got.Denied) > 0 {
		t.Errorf("%+v", got)
	}
	for _, l := range slices.Concat(got.Karpenter.Lines, got.ClusterAutoscaler.Lines, got.Pending) {
		lines = append(lines, strings.Join([]string{string(l.Mark), l.About, l.Reason, l.Text}, " "))
	}
	return lines
}

// least holds the role against what is asked of the API server: reads alone, and each of
// its rules is needed.
func (w watched) least(t *testing.T) {
	t.Helper()
	recorder := &clusters.Recorder{}
	cfg := rest.CopyConfig(w.config)
	cfg.Impersonate.UserName = "watcher"
	cfg.Wrap(recorder.Wrap("watcher"))
	reader, err := observed.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	read := func() []string {
		report, err := reader.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return report.Denied
	}
	if denied := read(); len(denied) > 0 {
		t.Errorf("denied %v", denied)
	}
	calls := recorder.Take()
	if len(calls) < 8 || slices.ContainsFunc(calls, func(c trace.Call) bool { return c.Verb != http.MethodGet }) {
		t.Errorf("calls %v", calls)
	}
	roles := w.kube.RbacV1().ClusterRoles()
	whole, err := roles.Get(t.Context(), "stepscale-observe-nodes", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i, rule := range whole.Rules {
		for j, resource := range rule.Resources {
			less, _ := roles.Get(t.Context(), whole.Name, metav1.GetOptions{})
			less.Rules = whole.DeepCopy().Rules
			less.Rules[i].Resources = slices.Delete(less.Rules[i].Resources, j, j+1)
			if len(less.Rules[i].Resources) == 0 {
				less.Rules = slices.Delete(less.Rules, i, i+1)
			}
			if _, err := roles.Update(t.Context(), less, metav1.UpdateOptions{}); err != nil {
				t.Fatal(err)
			}
			within(t, 10*time.Second, "without "+resource+" it is denied, and alone", func() bool {
				denied := read()
				return len(denied) == 1 && strings.HasPrefix(denied[0], resource)
			})
		}
	}
}
