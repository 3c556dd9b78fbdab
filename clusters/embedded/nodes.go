package embedded

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/utils/clock"
	nodefast "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	podfast "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
	"sigs.k8s.io/kwok/pkg/apis/internalversion"
	"sigs.k8s.io/kwok/pkg/apis/v1alpha1"
	kwokclient "sigs.k8s.io/kwok/pkg/client/clientset/versioned"
	kwok "sigs.k8s.io/kwok/pkg/kwok/controllers"
	kwoklog "sigs.k8s.io/kwok/pkg/log"
	"sigs.k8s.io/kwok/pkg/utils/gotpl"
	"sigs.k8s.io/yaml"

	"github.com/stepscale/stepscale/engine/trace"
)

const (
	kwokNode     = "kwok.x-k8s.io/node" // KWOK plays the kubelet of nodes that carry it
	nodeCount    = 3
	podsPerNode  = "2000"
	coresPerNode = "128"
	playParallel = 16
)

// startKubelets registers the simulated nodes and starts KWOK, which plays
// their kubelets. Times in pod status come from the virtual clock.
func (c *Cluster) startKubelets(ctx context.Context) error {
	stages, err := kwokStages()
	if err != nil {
		return err
	}
	cfg := c.gated(trace.ActorKubelet, rest.ImpersonationConfig{})
	conf, err := kwokClients(cfg)
	if err != nil {
		return fmt.Errorf("kwok: %w", err)
	}
	conf.Clock = clock.RealClock{} // stages have no delay; only the times they write are virtual
	conf.FuncMap = gotpl.FuncMap{"Now": func() string { return c.clock.Now().Format(time.RFC3339Nano) }}
	conf.ManageNodesWithAnnotationSelector = kwokNode + "=fake"
	conf.CIDR = "10.244.0.0/16"
	conf.NodeIP = "127.0.0.1"
	conf.LocalStages = stages
	conf.PodPlayStageParallelism = playParallel
	conf.NodePlayStageParallelism = nodeCount
	conf.PodsOnNodeSyncParallelism = nodeCount
	conf.ID = "stepscale"
	controller, err := kwok.NewController(conf)
	if err != nil {
		return fmt.Errorf("kwok: %w", err)
	}
	if err := c.registerNodes(ctx); err != nil {
		return err
	}
	quiet := kwoklog.NewContext(ctx, kwoklog.NewLogger(io.Discard, kwoklog.LevelError))
	if err := controller.Start(quiet); err != nil {
		return fmt.Errorf("kwok: %w", err)
	}
	return c.startResizer(ctx, conf.TypedClient)
}

// kwokClients fills in the clients. No stage impersonates anybody, so the
// impersonating clients stay nil.
func kwokClients(cfg *rest.Config) (kwok.Config, error) {
	var conf kwok.Config
	var err error
	if conf.TypedClient, err = kubernetes.NewForConfig(cfg); err != nil {
		return conf, err
	}
	if conf.DynamicClient, err = dynamic.NewForConfig(cfg); err != nil {
		return conf, err
	}
	if conf.TypedKwokClient, err = kwokclient.NewForConfig(cfg); err != nil {
		return conf, err
	}
	conf.RESTMapper = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(conf.TypedClient.Discovery()))
	conf.RESTClient = conf.TypedClient.CoreV1().RESTClient()
	return conf, nil
}

// KWOK reports no resources of a container, a kubelet does: they are what the
// container got, while the spec says what it is to get.
var kwokResources = [2]string{"restartCount: 0\n", "restartCount: 0\n" +
	"        resources: {{ toJson .resources }}\n        allocatedResources: {{ toJson (or .resources.requests dict) }}\n"}

// KWOK calls every container ready. One with a probe is not until it has succeeded,
// which usage.probe finds while time passes.
var kwokProbes = [][2]string{
	{"      {{ $now := Now }}\n", "      {{ $now := Now }}\n      {{ $ready := \"True\" }}\n" +
		"      {{ range .spec.containers }}{{ if or .readinessProbe .startupProbe }}{{ $ready = \"False\" }}{{ end }}{{ end }}\n" +
		"      {{ range .spec.initContainers }}{{ if or .readinessProbe .startupProbe }}{{ $ready = \"False\" }}{{ end }}{{ end }}\n"},
	{"status: \"True\"\n        type: Ready\n", "status: {{ $ready | Quote }}\n        type: Ready\n"},
	{"status: \"True\"\n        type: ContainersReady\n", "status: {{ $ready | Quote }}\n        type: ContainersReady\n"},
	{"ready: true\n", "ready: {{ if or .readinessProbe .startupProbe }}false{{ else }}true{{ end }}\n"},
}

// KWOK would make a node Ready that is not. Here a node says so for a reason.
var kwokNotReady = [2]string{"operator: 'NotIn'\n      values:\n      - 'True'\n", "operator: 'DoesNotExist'\n"}

// KWOK would delete a pod once more: the API server writes the grace period of 0 that a
// kubelet's DELETE asks for before the pod is gone (registry/generic/registry, Delete).
var kwokDeleted = [2]string{kwokGoing, kwokGoing + "    - key: '.metadata.deletionGracePeriodSeconds == 0'\n      operator: 'NotIn'\n      values:\n      - 'true'\n"}

const kwokGoing = "    - key: '.metadata.deletionTimestamp'\n      operator: 'Exists'\n"

// kwokStages are KWOK's own stages for a pod that runs at once and goes away
// when it is deleted. Nodes register Ready and match no stage, but KWOK looks
// after no node, nor its pods, without one. KWOK's reader of stages would link
// kustomize with it, 86 packages.
func kwokStages() (map[internalversion.StageResourceRef][]*internalversion.Stage, error) {
	stages := map[internalversion.StageResourceRef][]*internalversion.Stage{}
	for _, s := range []struct {
		raw     string
		changes [][2]string
	}{
		{nodefast.DefaultNodeInit, [][2]string{kwokNotReady}},
		{podfast.DefaultPodReady, append(kwokProbes, kwokResources)},
		{podfast.DefaultPodComplete, nil},
		{podfast.DefaultPodDelete, [][2]string{kwokDeleted}},
	} {
		for _, c := range s.changes {
			if !strings.Contains(s.raw, c[0]) {
				return nil, fmt.Errorf("kwok stage does not say %q where it did: %s", c[0], s.raw)
			}
			s.raw = strings.ReplaceAll(s.raw, c[0], c[1])
		}
		var written v1alpha1.Stage
		if err := yaml.UnmarshalStrict([]byte(s.raw), &written); err != nil {
			return nil, fmt.Errorf("kwok stage: %w", err)
		}
		stage, err := internalversion.ConvertToInternalStage(&written)
		if err != nil {
			return nil, fmt.Errorf("kwok stage: %w", err)
		}
		ref := stage.Spec.ResourceRef
		stages[ref] = append(stages[ref], stage)
	}
	return stages, nil
}

// registerNodes makes the nodes that the cluster begins with, all Ready.
func (c *Cluster) registerNodes(ctx context.Context) error {
	for i := range nodeCount {
		if err := c.register(ctx, defaultNode(i), true); err != nil {
			return err
		}
	}
	return nil
}

// register makes a node as its kubelet does, with its own address and port.
func (c *Cluster) register(ctx context.Context, node *corev1.Node, ready bool) error {
	port, err := c.kubelets.listen(node.Name)
	if err != nil {
		return err
	}
	made := simulatedNode(node, port)
	made.Status.Conditions = []corev1.NodeCondition{c.readiness(ready)}
	if _, err := c.usage.kubelet.CoreV1().Nodes().Create(ctx, made, metav1.CreateOptions{}); err != nil {
		c.kubelets.close(node.Name)
		return fmt.Errorf("register node %s: %w", node.Name, err)
	}
	return nil
}

// readiness is what a kubelet says of its node: that it is Ready, or that its network is
// not (kubelet/nodestatus/setters.go, ReadyCondition).
func (c *Cluster) readiness(ready bool) corev1.NodeCondition {
	now := metav1.NewTime(c.clock.Now())
	if ready {
		return corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", Message: "simulated by KWOK",
			LastHeartbeatTime: now, LastTransitionTime: now}
	}
	return corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionFalse, Reason: "KubeletNotReady", Message: networkDown,
		LastHeartbeatTime: now, LastTransitionTime: now}
}

func defaultName(i int) string { return fmt.Sprintf("sim-node-%d", i+1) }

func defaultNode(i int) *corev1.Node {
	name := defaultName(i)
	size := corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse(coresPerNode),
		corev1.ResourceMemory: resource.MustParse("256Gi"),
		corev1.ResourcePods:   resource.MustParse(podsPerNode),
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			corev1.LabelHostname: name, corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64",
		}},
		Status: corev1.NodeStatus{Capacity: size, Allocatable: size},
	}
}

// simulatedNode is the node with what makes it one of ours: KWOK plays its kubelet.
func simulatedNode(node *corev1.Node, port int) *corev1.Node {
	made := node.DeepCopy()
	metav1.SetMetaDataAnnotation(&made.ObjectMeta, kwokNode, "fake")
	metav1.SetMetaDataLabel(&made.ObjectMeta, "stepscale.io/simulated", "true")
	made.Status.Addresses = []corev1.NodeAddress{
		{Type: corev1.NodeInternalIP, Address: "127.0.0.1"}, {Type: corev1.NodeHostName, Address: made.Name},
	}
	made.Status.DaemonEndpoints = corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: int32(port)}}
	made.Status.NodeInfo = corev1.NodeSystemInfo{
		KubeletVersion: "kwok-simulated", OperatingSystem: made.Labels[corev1.LabelOSStable], Architecture: made.Labels[corev1.LabelArchStable],
		ContainerRuntimeVersion: "kwok://simulated",
	}
	return made
}
