// Package standin is docker for tests on machines that have none, as far as kind's
// library asks for it: a small program by that name that asks the test's process.
// Containers are folders, and the control plane that answers in a node is one that the
// test runs.
package standin

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/tools/clientcmd"
)

const program = "github.com/stepscale/stepscale/clusters/kind/standin/docker"

// What a test may set while the stand-in is installed.
const (
	EnvFault   = "STANDIN_FAULT"   // a part of the command line that fails
	EnvSays    = "STANDIN_SAYS"    // and what it says then
	EnvHang    = "STANDIN_HANG"    // a part of the command line that is not answered as long as it is waited for
	EnvCgroup  = "STANDIN_CGROUP"  // the version of the host's cgroups; 2 when empty
	EnvKubelet = "STANDIN_KUBELET" // what the nodes' journal has of the kubelet
	EnvImage   = "STANDIN_IMAGE"   // the image that docker itself has
	EnvHost    = "STANDIN_HOST"    // what host.docker.internal is in a node; not known when empty
)

// Gateway of the nodes' network is an address that every Linux has and nobody uses.
const Gateway = "127.0.0.7"

const (
	envState      = "STANDIN_STATE"      // folder of its containers
	envKubeconfig = "STANDIN_KUBECONFIG" // of the control plane in the nodes
	envAddress    = "STANDIN_ADDRESS"    // where this process answers
)

// Install builds docker, with everything that it keeps below dir. It returns the folder
// of the containers, one folder each, and the environment in which docker is found: no
// other container engine is, and of other programs only go, with which images are made.
func Install(dir, kubeconfig string) (state string, env map[string]string, err error) {
	state = filepath.Join(dir, "containers")
	bin := filepath.Join(dir, "bin")
	tool, err := exec.LookPath("go")
	if err := errors.Join(err, os.Mkdir(state, 0o755), os.Mkdir(bin, 0o755), os.Symlink(tool, filepath.Join(bin, "go"))); err != nil {
		return "", nil, err
	}
	build := exec.Command(tool, "build", "-o", filepath.Join(bin, "docker"), program)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("%w: %s", err, out)
	}
	at, err := address()
	return state, map[string]string{"PATH": bin, envState: state, envKubeconfig: kubeconfig, envAddress: at}, err
}

type standin struct {
	state  string
	args   []string
	env    map[string]string
	stdin  []byte
	stdout bytes.Buffer
	gone   <-chan struct{} // closed when who asked has ended
}

// answer is docker's.
func (c call) answer(gone <-chan struct{}) answer {
	line := strings.Join(c.Args, " ")
	if fault := c.Env[EnvFault]; fault != "" && strings.Contains(line, fault) {
		return answer{Code: 1, Stderr: []byte(c.Env[EnvSays] + "\n")}
	}
	if hang := c.Env[EnvHang]; hang != "" && strings.Contains(line, hang) {
		<-gone
		return answer{Code: 1}
	}
	s := &standin{state: c.Env[envState], args: c.Args, env: c.Env, stdin: c.Stdin, gone: gone}
	if err := s.run(line); err != nil {
		return answer{Code: 1, Stdout: s.stdout.Bytes(), Stderr: []byte(err.Error() + "\n")}
	}
	return answer{Stdout: s.stdout.Bytes()}
}

func (s *standin) run(line string) error {
	switch {
	case line == "-v":
		fmt.Fprintln(&s.stdout, "Docker version 28.0.0, build standin")
	case line == "info --format {{.CgroupVersion}}":
		fmt.Fprintln(&s.stdout, cmp.Or(s.env[EnvCgroup], "2"))
	case strings.HasPrefix(line, "info"):
		fmt.Fprintln(&s.stdout, `{"CgroupDriver":"systemd","CgroupVersion":"2","MemoryLimit":true,"PidsLimit":true,"CPUShares":true}`)
	case strings.HasPrefix(line, "ps"):
		return s.list()
	case strings.HasPrefix(line, "inspect"), strings.HasPrefix(line, "network"):
		return s.inspect(line)
	case line == "image inspect "+s.env[EnvImage]:
	case line == "save "+s.env[EnvImage]:
		fmt.Fprint(&s.stdout, "archive of "+s.env[EnvImage])
	case s.args[0] == "run":
		return s.create()
	case s.args[0] == "logs":
		fmt.Fprintln(&s.stdout, "[  OK  ] Reached target Multi-User System.")
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
func (s *standin) list() error {
	entries, err := os.ReadDir(s.state)
	if err != nil {
		return err
	}
	_, filter, _ := strings.Cut(s.args[slices.Index(s.args, "--filter")+1], "io.x-k8s.kind.cluster")
	for _, e := range entries {
		cluster, err := os.ReadFile(filepath.Join(s.state, e.Name(), "cluster"))
		if errors.Is(err, fs.ErrNotExist) { // it is being removed
			continue
		}
		if err != nil {
			return err
		}
		switch filter {
		case "":
			fmt.Fprintln(&s.stdout, string(cluster))
		case "=" + string(cluster):
			fmt.Fprintln(&s.stdout, e.Name())
		}
	}
	return nil
}

func (s *standin) inspect(line string) error {
	switch {
	case strings.Contains(line, "type=image"), strings.HasPrefix(line, "network create"):
	case strings.HasPrefix(line, "network ls"):
		fmt.Fprintln(&s.stdout, "0123456789ab")
	case strings.Contains(line, "Subnet"):
		fmt.Fprintln(&s.stdout, "172.18.0.0/16 ")
	case strings.Contains(line, "kind.role"):
		fmt.Fprintln(&s.stdout, "control-plane")
	case strings.Contains(line, "desktop.docker.io"):
		fmt.Fprintln(&s.stdout, "")
	case strings.Contains(line, "IPAddress"):
		fmt.Fprintln(&s.stdout, "172.18.0.2,")
	case strings.Contains(line, "HostPort"):
		cfg, err := clientcmd.BuildConfigFromFlags("", s.env[envKubeconfig])
		if err != nil {
			return err
		}
		host, port, _ := strings.Cut(strings.TrimPrefix(cfg.Host, "https://"), ":")
		fmt.Fprintln(&s.stdout, host+"\t"+port)
	}
	return nil
}

func (s *standin) create() error {
	name, cluster := s.args[2], ""
	for i, arg := range s.args {
		if v, ok := strings.CutPrefix(arg, "io.x-k8s.kind.cluster="); ok && s.args[i-1] == "--label" {
			cluster = v
		}
	}
	select {
	case <-time.After(200 * time.Millisecond): // so that there is something to interrupt
	case <-s.gone:
		return errors.New("interrupted")
	}
	made, err := os.MkdirTemp(filepath.Dir(s.state), name)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(made, "cluster"), []byte(cluster), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(made, "node-image"), []byte(s.args[len(s.args)-1]), 0o600); err != nil {
		return err
	}
	return os.Rename(made, filepath.Join(s.state, name)) // there with its label, or not at all
}
