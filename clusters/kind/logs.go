package kind

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	kindcluster "sigs.k8s.io/kind/pkg/cluster"
)

var (
	// kubeletEnds is what the kubelet says last when it does not start (component-base/cli/run.go).
	kubeletEnds = regexp.MustCompile(`"command failed" err=("(?:[^"\\]|\\.)*")`)
	// kubeadmEnds is a failed check of kubeadm or the error that it ends with; below it is
	// a stack trace.
	kubeadmEnds = regexp.MustCompile(`(?m)^\s*(\[ERROR .+|error(?: execution phase|:) .+)$`)
)

// logs is the folder of what a failed start said. No cluster has a name like it.
func (c *Cluster) logs() string { return filepath.Join(c.opts.Dir, ".logs", c.opts.Name) }

// keepLogs saves what the nodes say of a start that failed in them, before they are
// removed, and looks there for the line that says why. The next start of this name
// removes it again.
func (c *Cluster) keepLogs(p *kindcluster.Provider, err error) error {
	var e *Error
	if !errors.As(err, &e) || e.Reason != NodeFailed {
		return err
	}
	_ = p.CollectLogs(c.opts.Name, c.logs()) // a part of them is better than none
	if said := output(e.Err); said != "" {
		if err := os.WriteFile(filepath.Join(c.logs(), "kubeadm.log"), []byte(said+"\n"), 0o600); err != nil {
			return errors.Join(e, err)
		}
	}
	e.Logs = c.logs()
	found, _ := filepath.Glob(filepath.Join(c.logs(), "*", "kubelet.log"))
	for _, path := range found {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if all := kubeletEnds.FindAllSubmatch(text, -1); len(all) > 0 {
			if e.Output, err = strconv.Unquote(string(all[len(all)-1][1])); err == nil {
				e.Logs = path
			}
		}
	}
	return e
}

// why is the line of a program's output that says why it failed: the last one, unless
// it is kubeadm's.
func why(output string) string {
	if m := kubeadmEnds.FindStringSubmatch(output); m != nil {
		return m[1]
	}
	return lastLine(output)
}
