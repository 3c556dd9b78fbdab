package kind_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"
)

// The stand-in is this test binary under the name docker. It keeps its containers
// as folders, and the control plane that answers in a "node" is an embedded one.
const (
	envState      = "STANDIN_STATE"      // folder of its containers
	envKubeconfig = "STANDIN_KUBECONFIG" // of the control plane in the node
	envFault      = "STANDIN_FAULT"      // a part of the command line that fails
	envSays       = "STANDIN_SAYS"       // and what it says then
)

type standin struct {
	state string
	args  []string
}

// runStandin is docker, as far as kind's library asks for it.
func runStandin(args []string) int {
	line := strings.Join(args, " ")
	if fault := os.Getenv(envFault); fault != "" && strings.Contains(line, fault) {
		fmt.Fprintln(os.Stderr, os.Getenv(envSays))
		return 1
	}
	s := standin{state: os.Getenv(envState), args: args}
	if err := s.run(line); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func (s standin) run(line string) error {
	switch {
	case line == "-v":
		fmt.Println("Docker version 28.0.0, build standin")
	case strings.HasPrefix(line, "info"):
		fmt.Println(`{"CgroupDriver":"systemd","CgroupVersion":"2","MemoryLimit":true,"PidsLimit":true,"CPUShares":true}`)
	case strings.HasPrefix(line, "ps"):
		return s.list()
	case strings.HasPrefix(line, "inspect"), strings.HasPrefix(line, "network"):
		return s.inspect(line)
	case s.args[0] == "run":
		return s.create()
	case s.args[0] == "logs":
		fmt.Println("[  OK  ] Reached target Multi-User System.")
	case s.args[0] == "exec":
		return s.exec()
	case s.args[0] == "rm":
		for _, name := range s.args[3:] {
			if err := os.RemoveAll(filepath.Join(s.state, name)); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("the stand-in does not know: docker %s", line)
	}
	return nil
}

// list answers with the cluster of every node, or with the nodes of one cluster.
func (s standin) list() error {
	entries, err := os.ReadDir(s.state)
	if err != nil {
		return err
	}
	_, filter, _ := strings.Cut(s.args[slices.Index(s.args, "--filter")+1], "io.x-k8s.kind.cluster")
	for _, e := range entries {
		cluster, err := os.ReadFile(filepath.Join(s.state, e.Name(), "cluster"))
		if err != nil {
			return err
		}
		switch filter {
		case "":
			fmt.Println(string(cluster))
		case "=" + string(cluster):
			fmt.Println(e.Name())
		}
	}
	return nil
}

func (s standin) inspect(line string) error {
	switch {
	case strings.Contains(line, "type=image"), strings.HasPrefix(line, "network create"):
	case strings.HasPrefix(line, "network ls"):
		fmt.Println("0123456789ab")
	case strings.Contains(line, "Subnet"):
		fmt.Println("172.18.0.0/16 ")
	case strings.Contains(line, "kind.role"):
		fmt.Println("control-plane")
	case strings.Contains(line, "desktop.docker.io"):
		fmt.Println("")
	case strings.Contains(line, "IPAddress"):
		fmt.Println("172.18.0.2,")
	case strings.Contains(line, "HostPort"):
		cfg, err := clientcmd.BuildConfigFromFlags("", os.Getenv(envKubeconfig))
		if err != nil {
			return err
		}
		host, port, _ := strings.Cut(strings.TrimPrefix(cfg.Host, "https://"), ":")
		fmt.Println(host + "\t" + port)
	}
	return nil
}

func (s standin) create() error {
	name, cluster := s.args[2], ""
	for i, arg := range s.args {
		if v, ok := strings.CutPrefix(arg, "io.x-k8s.kind.cluster="); ok && s.args[i-1] == "--label" {
			cluster = v
		}
	}
	time.Sleep(200 * time.Millisecond) // so that there is something to interrupt
	if err := os.MkdirAll(filepath.Join(s.state, name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.state, name, "cluster"), []byte(cluster), 0o600)
}

// exec runs a command in a node.
func (s standin) exec() error {
	args := slices.DeleteFunc(slices.Clone(s.args[1:]), func(a string) bool { return a == "--privileged" || a == "-i" })
	node, command := filepath.Join(s.state, args[0]), strings.Join(args[1:], " ")
	if _, err := os.Stat(node); err != nil {
		return fmt.Errorf("Error: No such container: %s", args[0]) //nolint:staticcheck // docker's words
	}
	switch {
	case command == "cat /kind/version":
		fmt.Println("v1.37.0")
	case strings.HasPrefix(command, "cp /dev/stdin "):
		body, err := io.ReadAll(os.Stdin)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(node, filepath.Base(args[3])), body, 0o600)
	case command == "cat /etc/kubernetes/admin.conf":
		body, err := os.ReadFile(os.Getenv(envKubeconfig))
		fmt.Print(string(body))
		return err
	case strings.HasPrefix(command, "cat /kind/manifests/"):
		fmt.Println("# nothing")
	case strings.HasPrefix(command, "crictl inspecti"):
		if _, err := os.Stat(filepath.Join(node, "image")); err != nil {
			return errors.New("no such image")
		}
		fmt.Println(`{"status":{"id":"sha256:1"}}`)
	case command == "containerd config dump":
		fmt.Println("version = 2\n[plugins]\n  [plugins.\"io.containerd.grpc.v1.cri\"]\n    [plugins.\"io.containerd.grpc.v1.cri\".containerd]\n      snapshotter = \"overlayfs\"")
	case strings.HasPrefix(command, "ctr --namespace=k8s.io images import"):
		body, err := io.ReadAll(os.Stdin)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(node, "image"), body, 0o600)
	case strings.HasPrefix(command, "kubeadm init"):
		return kubeadmInit(filepath.Join(node, "kubeadm.conf"))
	}
	return nil
}

// kubeadmInit shows in the control plane what kubeadm would have: the pod of
// kube-controller-manager with the arguments of the configuration.
func kubeadmInit(path string) error {
	args, err := controllerManagerArgs(path)
	if err != nil {
		return err
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", os.Getenv(envKubeconfig))
	if err != nil {
		return err
	}
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "kube-controller-manager-", Namespace: metav1.NamespaceSystem, Labels: map[string]string{"component": "kube-controller-manager"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "kube-controller-manager", Image: "kcm", Command: append([]string{"kube-controller-manager"}, args...)}}},
	}
	pods := kube.CoreV1().Pods(metav1.NamespaceSystem) // of a name of its own: the simulated kubelet may still be deleting the one before
	if err := pods.DeleteCollection(context.Background(), metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}, metav1.ListOptions{LabelSelector: "component=kube-controller-manager"}); err != nil {
		return err
	}
	_, err = pods.Create(context.Background(), pod, metav1.CreateOptions{})
	return err
}

// controllerManagerArgs reads controllerManager.extraArgs of a ClusterConfiguration,
// which has to be kubeadm's v1beta4.
func controllerManagerArgs(path string) ([]string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for doc := range strings.SplitSeq(string(raw), "\n---\n") {
		var c struct {
			APIVersion, Kind  string
			ControllerManager struct {
				ExtraArgs []struct{ Name, Value string }
			}
		}
		if err := yaml.Unmarshal([]byte(doc), &c); err != nil || c.Kind != "ClusterConfiguration" {
			continue
		}
		var args []string
		for _, a := range c.ControllerManager.ExtraArgs {
			args = append(args, "--"+a.Name+"="+a.Value)
		}
		return args, nil
	}
	return nil, fmt.Errorf("no ClusterConfiguration in\n%s", raw)
}
