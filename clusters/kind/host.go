package kind

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"sigs.k8s.io/kind/pkg/cluster/nodes"
	"sigs.k8s.io/kind/pkg/cluster/nodeutils"
	"sigs.k8s.io/kind/pkg/exec"
)

// resolveWithin is how long a node may look for a name.
const resolveWithin = 5 * time.Second

// Listen opens a port on this machine that the cluster may call, such as a webhook's.
// The nodes reach it under the returned address, which need not be the listener's
// own. Whether they do is for Reach to find out.
func (c *Cluster) Listen(ctx context.Context) (net.Listener, net.IP, error) {
	node, err := c.controlPlane()
	if err != nil {
		return nil, nil, err
	}
	ip, err := host(ctx, node)
	if err != nil {
		return nil, nil, err
	}
	l, err := net.Listen("tcp", net.JoinHostPort(ip.String(), "0"))
	if errors.Is(err, syscall.EADDRNOTAVAIL) { // a virtual machine's, which forwards it to our loopback
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	return l, ip, err
}

// Reach asks a URL of this machine from within the node where the API server runs,
// which would wait out its time limit without a word where a firewall drops the
// call. Any answer will do. Errors are *Error, with Unreachable.
func (c *Cluster) Reach(ctx context.Context, url string) error {
	node, err := c.controlPlane()
	if err != nil {
		return err
	}
	err = node.CommandContext(ctx, "curl", "-sSk", "--max-time", "5", "--output", "/dev/null", url).Run()
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	said := output(err)
	var known *Error
	if err = explain(err); errors.As(err, &known) {
		return err
	}
	return &Error{Reason: Unreachable, Output: lastLine(said), Err: fmt.Errorf("node %s asks %s: %w", node, url, err)}
}

func (c *Cluster) controlPlane() (nodes.Node, error) {
	provider, err := c.provider()
	if err != nil {
		return nil, err
	}
	all, err := provider.ListInternalNodes(c.opts.Name)
	if err != nil {
		return nil, explain(err)
	}
	node, err := nodeutils.BootstrapControlPlaneNode(all)
	return node, explain(err)
}

// host is this machine as a node sees it, found as the entrypoint of kind's nodes
// does: the name that Docker Desktop and Podman know, and otherwise the gateway of
// the nodes' network, which is our own bridge.
func host(ctx context.Context, node nodes.Node) (net.IP, error) {
	resolving, cancel := context.WithTimeout(ctx, resolveWithin)
	defer cancel()
	hosts, _ := exec.Output(node.CommandContext(resolving, "getent", "ahostsv4", "host.docker.internal")) // fails where nobody knows it
	if f := strings.Fields(string(hosts)); len(f) > 0 {
		if ip := net.ParseIP(f[0]); ip != nil && !ip.IsLoopback() {
			return ip, nil
		}
	}
	route, err := exec.Output(node.CommandContext(ctx, "ip", "-4", "route", "show", "default"))
	if err != nil {
		return nil, failed(ctx, err)
	}
	if f := strings.Fields(string(route)); len(f) > 2 { // default via ADDRESS dev eth0
		if ip := net.ParseIP(f[2]); ip != nil {
			return ip, nil
		}
	}
	return nil, fmt.Errorf("node %s has no default route: %q", node, route)
}
