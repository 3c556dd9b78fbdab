package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
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
	kwokclient "sigs.k8s.io/kwok/pkg/client/clientset/versioned"
	kwokconfig "sigs.k8s.io/kwok/pkg/config"
	kwok "sigs.k8s.io/kwok/pkg/kwok/controllers"
	kwoklog "sigs.k8s.io/kwok/pkg/log"
	"sigs.k8s.io/kwok/pkg/utils/gotpl"

	"github.com/stepscale/stepscale/engine/trace"
)

const (
	kwokNode     = "kwok.x-k8s.io/node" // KWOK plays the kubelet of nodes that carry it
	nodeCount    = 3
	podsPerNode  = "1000"
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
	if err := c.registerNodes(ctx, conf.TypedClient); err != nil {
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
const (
	kwokRestartCount = "restartCount: 0\n"
	kwokResources    = "        resources: {{ toJson .resources }}\n        allocatedResources: {{ toJson (or .resources.requests dict) }}\n"
)

// kwokStages are KWOK's own stages for a pod that runs at once and goes away
// when it is deleted. Nodes register Ready and match no stage, but KWOK looks
// after no node, nor its pods, without one.
func kwokStages() (map[internalversion.StageResourceRef][]*internalversion.Stage, error) {
	stages := map[internalversion.StageResourceRef][]*internalversion.Stage{}
	podReady := strings.ReplaceAll(podfast.DefaultPodReady, kwokRestartCount, kwokRestartCount+kwokResources)
	if podReady == podfast.DefaultPodReady {
		return nil, errors.New("kwok stage: pod-ready does not say restartCount where it did")
	}
	for _, raw := range []string{nodefast.DefaultNodeInit, podReady, podfast.DefaultPodComplete, podfast.DefaultPodDelete} {
		stage, err := kwokconfig.UnmarshalWithType[*internalversion.Stage](raw)
		if err != nil {
			return nil, fmt.Errorf("kwok stage: %w", err)
		}
		ref := stage.Spec.ResourceRef
		stages[ref] = append(stages[ref], stage)
	}
	return stages, nil
}

// registerNodes makes one Ready node for every kubelet listener. A kubelet
// registers itself in the same way, with its own address and port.
func (c *Cluster) registerNodes(ctx context.Context, client kubernetes.Interface) error {
	for i, listener := range c.kubelets {
		node := simulatedNode(nodeName(i), listener.Addr().(*net.TCPAddr).Port, metav1.NewTime(c.clock.Now()))
		if _, err := client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("register node %s: %w", node.Name, err)
		}
	}
	return nil
}

func nodeName(i int) string { return fmt.Sprintf("sim-node-%d", i+1) }

func simulatedNode(name string, port int, now metav1.Time) *corev1.Node {
	resources := corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse(coresPerNode),
		corev1.ResourceMemory: resource.MustParse("256Gi"),
		corev1.ResourcePods:   resource.MustParse(podsPerNode),
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Annotations: map[string]string{kwokNode: "fake"},
			Labels: map[string]string{
				corev1.LabelHostname: name, corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64", "stepscale.io/simulated": "true",
			},
		},
		Status: corev1.NodeStatus{
			Capacity:    resources,
			Allocatable: resources,
			Addresses: []corev1.NodeAddress{
				{Type: corev1.NodeInternalIP, Address: "127.0.0.1"}, {Type: corev1.NodeHostName, Address: name},
			},
			DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: int32(port)}},
			NodeInfo: corev1.NodeSystemInfo{
				KubeletVersion: "kwok-simulated", OperatingSystem: "linux", Architecture: "amd64", ContainerRuntimeVersion: "kwok://simulated",
			},
			Conditions: []corev1.NodeCondition{{
				Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", Message: "simulated by KWOK",
				LastHeartbeatTime: now, LastTransitionTime: now,
			}},
		},
	}
}
