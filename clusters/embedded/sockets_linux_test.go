package embedded_test

import (
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// strangerEnv makes this test binary a stranger who reads listeners from its standard
// input and says which of them let it in.
const strangerEnv = "EMBEDDED_TEST_STRANGER"

const (
	acceptsConns = 0x10000 // __SO_ACCEPTCON in the flags of /proc/net/unix
	tcpListen    = "0A"    // TCP_LISTEN in the state of /proc/net/tcp
	nobody       = 65534
)

type listener struct{ Network, Address string }

// listeners are those of this process, as the kernel knows them.
func listeners(t *testing.T) []listener {
	t.Helper()
	mine := map[string]bool{}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		link, _ := os.Readlink(filepath.Join("/proc/self/fd", fd.Name()))
		if inode, ok := strings.CutPrefix(link, "socket:["); ok {
			mine[strings.TrimSuffix(inode, "]")] = true
		}
	}
	var all []listener
	for _, f := range table(t, "unix") { // Num RefCount Protocol Flags Type St Inode [Path]
		flags, err := strconv.ParseUint(f[3], 16, 64)
		if err == nil && flags&acceptsConns != 0 && mine[f[6]] {
			all = append(all, listener{"unix", strings.Join(f[7:], " ")})
		}
	}
	for _, network := range []string{"tcp", "tcp6"} { // sl local_address rem_address st queues tr retrnsmt uid timeout inode
		for _, f := range table(t, network) {
			if f[3] == tcpListen && mine[f[9]] {
				all = append(all, listener{network, hostPort(t, f[1])})
			}
		}
	}
	return all
}

func table(t *testing.T, name string) (rows [][]string) {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/net/" + name)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(raw)), "\n")[1:] {
		rows = append(rows, strings.Fields(line))
	}
	return rows
}

// hostPort reads an address of /proc/net/tcp: words in the byte order of the host,
// which is little-endian on every machine that we build for.
func hostPort(t *testing.T, s string) string {
	t.Helper()
	host, port, _ := strings.Cut(s, ":")
	ip, err := hex.DecodeString(host)
	if err != nil {
		t.Fatal(err)
	}
	for word := range slices.Chunk(ip, 4) {
		slices.Reverse(word)
	}
	n, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort(net.IP(ip).String(), strconv.FormatUint(n, 10))
}

// servedListeners are those of a cluster that is driven over its control socket too.
func servedListeners(t *testing.T) []listener {
	t.Helper()
	serve(t)
	return listeners(t)
}

func TestListenersAreOursAlone(t *testing.T) {
	all := servedListeners(t)
	count := map[string]int{}
	for _, l := range all {
		count[l.Network]++
		if l.Network == "unix" {
			privateSocket(t, l.Address)
			continue
		}
		if host, _, _ := net.SplitHostPort(l.Address); !net.ParseIP(host).IsLoopback() {
			t.Errorf("%s %s is reached from other machines", l.Network, l.Address)
		}
		for _, problem := range letIn(l) {
			t.Error(problem)
		}
	}
	if count["unix"] != 2 || count["tcp"] < 5 { // etcd, control; the API server, Metrics Server, three kubelets
		t.Errorf("listeners %v, want those of every component", all)
	}
}

func privateSocket(t *testing.T, path string) {
	t.Helper()
	if !filepath.IsAbs(path) {
		t.Errorf("unix socket %q is no file", path)
		return
	}
	for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(name)
		if err != nil {
			t.Error(err)
		} else if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
}

// letIn says what a caller without credentials gets of a listener and should not.
func letIn(l listener) (problems []string) {
	if l.Network == "unix" {
		conn, err := net.DialTimeout("unix", l.Address, time.Second)
		if err == nil {
			_ = conn.Close()
			problems = append(problems, "unix socket "+l.Address+" lets a stranger in")
		}
		return problems
	}
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // a stranger does not care
	}}
	for _, path := range []string{"/", "/metrics", "/metrics/resource", "/healthz", "/livez", "/readyz", "/version", "/debug/pprof/", "/debug/flags/v", "/api", "/apis", "/apis/metrics.k8s.io/v1beta1/pods", "/openapi/v2", "/stats/summary"} {
		for _, scheme := range []string{"https", "http"} {
			resp, err := client.Get(scheme + "://" + l.Address + path)
			if err != nil {
				continue // the handshake failed
			}
			_ = resp.Body.Close()
			refused := resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden
			if scheme == "http" {
				refused = resp.StatusCode == http.StatusBadRequest // "sent an HTTP request to an HTTPS server"
			}
			if !refused {
				problems = append(problems, fmt.Sprintf("%s %s://%s%s answers a stranger with %s", l.Network, scheme, l.Address, path, resp.Status))
			}
		}
	}
	return problems
}

// TestNobodyProfiles: not even the owner, whose heap has keys in it. A refusal would prove
// nothing: somebody who may do everything there is told that there is no such thing.
func TestNobodyProfiles(t *testing.T) {
	cfg, err := cluster.Up(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cfg.TLSClientConfig = rest.TLSClientConfig{Insecure: true} // kubelets and the Metrics Server have other names
	kubelets := rest.CopyConfig(cfg)
	kubelets.BearerToken = ""
	kubelets.CertFile = filepath.Join(filepath.Dir(cluster.Info().Kubeconfig), "kubelet-client.crt") // which kubelets ask for
	kubelets.KeyFile = strings.TrimSuffix(kubelets.CertFile, ".crt") + ".key"
	asked := 0
	for _, l := range listeners(t) {
		if l.Network == "unix" {
			continue
		}
		asked++
		allowed := false
		for _, who := range []*rest.Config{cfg, kubelets} {
			client, err := rest.HTTPClientFor(who)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Get("https://" + l.Address + "/debug/pprof/")
			if err != nil { // a kubelet does not shake hands with a token
				continue
			}
			_ = resp.Body.Close()
			switch resp.StatusCode {
			case http.StatusUnauthorized, http.StatusForbidden:
			case http.StatusNotFound:
				allowed = true
			default:
				t.Errorf("%s serves profiles: %s", l.Address, resp.Status)
			}
		}
		if !allowed {
			t.Errorf("nobody was let in at %s: whether it serves profiles is not known", l.Address)
		}
	}
	if asked < 5 {
		t.Errorf("%d listeners", asked)
	}
}

// TestOnlyTheFrontProxyIsBelieved: a certificate of this cluster is not enough to say on
// whose behalf one calls.
func TestOnlyTheFrontProxyIsBelieved(t *testing.T) {
	for who, want := range map[string]int{"front-proxy": 2, "kubelet-client": 0} { // the API server, Metrics Server
		cfg := &rest.Config{TLSClientConfig: rest.TLSClientConfig{Insecure: true}}
		cfg.CertFile = filepath.Join(filepath.Dir(cluster.Info().Kubeconfig), who+".crt")
		cfg.KeyFile = strings.TrimSuffix(cfg.CertFile, ".crt") + ".key"
		client, err := rest.HTTPClientFor(cfg)
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, l := range listeners(t) {
			if l.Network == "unix" {
				continue
			}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+l.Address+"/apis/metrics.k8s.io/v1beta1/nodes", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Remote-User", "somebody")
			req.Header.Set("X-Remote-Group", "system:masters")
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				got++
			}
		}
		if got != want {
			t.Errorf("%d servers believe %s, want %d", got, who, want)
		}
	}
}

// TestAnotherUserIsRefused runs as another user of this machine against everything
// that listens.
func TestAnotherUserIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	order, err := json.Marshal(servedListeners(t))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe") // this binary, whatever directory it is in
	cmd.Env = append(os.Environ(), strangerEnv+"=1")
	cmd.Dir = "/"
	cmd.Stdin = strings.NewReader(string(order))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "uid 65534\n") {
		t.Fatalf("%v: %s", err, out)
	}
	if problems := strings.TrimPrefix(string(out), "uid 65534\n"); problems != "" {
		t.Error(problems)
	}
}

// stranger is what the other user does.
func stranger() int {
	var all []listener
	if err := json.NewDecoder(os.Stdin).Decode(&all); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("uid", os.Geteuid())
	for _, l := range all {
		for _, problem := range letIn(l) {
			fmt.Println(problem)
		}
	}
	return 0
}

func init() {
	if os.Getenv(strangerEnv) != "" {
		os.Exit(stranger())
	}
}
