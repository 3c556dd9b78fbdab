package standin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
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

// exec runs a command in a node.
func (s *standin) exec() error {
	args := slices.DeleteFunc(slices.Clone(s.args[1:]), func(a string) bool { return a == "--privileged" || a == "-i" })
	node, command := filepath.Join(s.state, args[0]), strings.Join(args[1:], " ")
	if _, err := os.Stat(node); err != nil {
		return fmt.Errorf("no such container: %s", args[0])
	}
	switch {
	case command == "cat /kind/version":
		fmt.Fprintln(&s.stdout, "v1.37.0")
	case strings.HasPrefix(command, "cp /dev/stdin "):
		return os.WriteFile(filepath.Join(node, filepath.Base(args[3])), s.stdin, 0o600)
	case command == "cat /etc/kubernetes/admin.conf":
		body, err := os.ReadFile(s.env[envKubeconfig])
		fmt.Fprint(&s.stdout, string(body))
		return err
	case strings.HasPrefix(command, "cat /kind/manifests/"):
		fmt.Fprintln(&s.stdout, "# nothing")
	case strings.HasPrefix(command, "crictl inspecti"):
		if _, err := os.Stat(filepath.Join(node, "image")); err != nil {
			return errors.New("no such image")
		}
		fmt.Fprintln(&s.stdout, `{"status":{"id":"sha256:1"}}`)
	case command == "containerd config dump":
		fmt.Fprintln(&s.stdout, "version = 2\n[plugins]\n  [plugins.\"io.containerd.grpc.v1.cri\"]\n    [plugins.\"io.containerd.grpc.v1.cri\".containerd]\n      snapshotter = \"overlayfs\"")
	case strings.HasPrefix(command, "ctr --namespace=k8s.io images import"):
		return os.WriteFile(filepath.Join(node, "image"), s.stdin, 0o600)
	case command == "journalctl --no-pager -u kubelet.service":
		fmt.Fprintln(&s.stdout, s.env[EnvKubelet])
	case strings.HasPrefix(command, "kubeadm init"):
		return s.kubeadmInit(filepath.Join(node, "kubeadm.conf"))
	default:
		return s.network(args[1:])
	}
	return nil
}

// network runs a command that looks at the world outside the node. Of others
// nothing is known, and they succeed.
func (s *standin) network(args []string) error {
	switch args[0] {
	case "getent":
		host := s.env[EnvHost]
		if host == "" {
			return errors.New("exit status 2")
		}
		fmt.Fprintf(&s.stdout, "%s STREAM %s\n%s DGRAM\n", host, args[2], host)
	case "ip":
		fmt.Fprintf(&s.stdout, "default via %s dev eth0 \n", Gateway)
	case "curl":
		return curl(args[len(args)-1])
	}
	return nil
}

// curl is curl -sSk --max-time 5.
func curl(url string) error {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	response, err := client.Get(url)
	if err != nil {
		return fmt.Errorf("curl: (7) %w", err)
	}
	return response.Body.Close()
}

// kubeadmInit shows in the control plane what kubeadm would have: the pod of
// kube-controller-manager with the arguments of the configuration.
func (s *standin) kubeadmInit(path string) error {
	args, err := ControllerManagerArgs(path)
	if err != nil {
		return err
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", s.env[envKubeconfig])
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

// ControllerManagerArgs reads controllerManager.extraArgs of a ClusterConfiguration,
// which has to be kubeadm's v1beta4.
func ControllerManagerArgs(path string) ([]string, error) {
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
