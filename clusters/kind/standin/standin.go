// Package standin is docker for tests on machines that have none: a test binary
// that is called by that name, as far as kind's library asks for it. Containers are
// folders, and the control plane that answers in a node is one that the test runs.
package standin

import (
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

const program = "docker"

// What a test may set while the stand-in is installed.
const (
	EnvFault = "STANDIN_FAULT" // a part of the command line that fails
	EnvSays  = "STANDIN_SAYS"  // and what it says then
	EnvImage = "STANDIN_IMAGE" // the image that docker itself has
	EnvHost  = "STANDIN_HOST"  // what host.docker.internal is in a node; not known when empty
)

// Gateway of the nodes' network is an address that every Linux has and nobody uses.
const Gateway = "127.0.0.7"

const (
	envState      = "STANDIN_STATE"      // folder of its containers
	envKubeconfig = "STANDIN_KUBECONFIG" // of the control plane in the nodes
)

// Called tells whether this process was started as docker: TestMain then hands over
// to Main before anything else.
func Called() bool { return filepath.Base(os.Args[0]) == program }

// Install makes this test binary docker, with everything that it keeps below dir. It
// returns the folder of the containers, one folder each, and the environment in which
// docker is found: no other container engine is, and of other programs only go, with
// which images are made.
func Install(dir, kubeconfig string) (state string, env map[string]string, err error) {
	state = filepath.Join(dir, "containers")
	bin := filepath.Join(dir, "bin")
	self, err := os.Executable()
	if err := errors.Join(err, os.Mkdir(state, 0o755), os.Mkdir(bin, 0o755), os.Symlink(self, filepath.Join(bin, program))); err != nil {
		return "", nil, err
	}
	if tool, err := exec.LookPath("go"); err == nil {
		if err := os.Symlink(tool, filepath.Join(bin, "go")); err != nil {
			return "", nil, err
		}
	}
	return state, map[string]string{"PATH": bin, envState: state, envKubeconfig: kubeconfig}, nil
}

type standin struct {
	state string
	args  []string
}

// Main is docker; it returns the exit code.
func Main(args []string) int {
	line := strings.Join(args, " ")
	if fault := os.Getenv(EnvFault); fault != "" && strings.Contains(line, fault) {
		fmt.Fprintln(os.Stderr, os.Getenv(EnvSays))
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
	case line == "image inspect "+os.Getenv(EnvImage):
	case line == "save "+os.Getenv(EnvImage):
		fmt.Print("archive of " + os.Getenv(EnvImage))
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
		if errors.Is(err, fs.ErrNotExist) { // it is being removed
			continue
		}
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
