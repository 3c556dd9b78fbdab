package embedded_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// separatePart makes this test binary one of upstream's programs, with its own defaults:
// "etcd DIR CLIENT PEER" or "kube-apiserver DIR ETCD PORT" (the arguments are of the process).
const separatePart = "EMBEDDED_TEST_SEPARATE"

// separateToken is the owner's of those.
const separateToken = "secret"

func separate(part string) int {
	err := errors.New("no such part: " + part)
	switch args := os.Args[1:]; part {
	case "etcd":
		err = separateEtcd(args[0], args[1], args[2])
	case "kube-apiserver":
		cmd := app.NewAPIServerCommand()
		cmd.SetArgs(args)
		err = cmd.Execute()
	}
	fmt.Println(err)
	return 1
}

func separateEtcd(dir, client, peer string) error {
	cfg := embed.NewConfig()
	cfg.Dir, cfg.LogLevel = dir, "error"
	c, p := url.URL{Scheme: "http", Host: client}, url.URL{Scheme: "http", Host: peer}
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{c}, []url.URL{c}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{p}, []url.URL{p}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		return err
	}
	return <-e.Err()
}

// startSeparate runs etcd and kube-apiserver as processes of their own, as somebody who
// only has their binaries would, and returns how long it took until /readyz said ok and
// what they used of the processors.
func startSeparate(b *testing.B) (took, used time.Duration) {
	start := time.Now()
	_, stop := separateServer(b)
	return time.Since(start), stop()
}

// separateServer is the API server's address, when it is ready. What it returns ends both
// processes and tells what they used.
func separateServer(b testing.TB) (address string, stop func() time.Duration) {
	dir := b.TempDir()
	client, peer, port := freePort(b), freePort(b), freePort(b)
	stopEtcd := startPart(b, "etcd", filepath.Join(dir, "etcd"), client, peer)
	token := filepath.Join(dir, "tokens.csv")
	if err := os.WriteFile(token, []byte(separateToken+",owner,owner,system:masters\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	key := filepath.Join(dir, "service-account.key")
	if err := writeKey(key); err != nil {
		b.Fatal(err)
	}
	_, number, _ := net.SplitHostPort(port)
	stopAPI := startPart(b, "kube-apiserver", "--etcd-servers=http://"+client, "--cert-dir="+dir, "--bind-address=127.0.0.1",
		"--secure-port="+number, "--token-auth-file="+token, "--authorization-mode=RBAC", "--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+key, "--service-account-signing-key-file="+key, "--service-cluster-ip-range=10.96.0.0/16",
		"--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none")
	awaitReady(b, "https://"+port+"/readyz")
	return "https://" + port, func() time.Duration { return stopAPI() + stopEtcd() }
}

func freePort(b testing.TB) string {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// startPart starts a part. What it returns ends the part and tells what it used.
func startPart(b testing.TB, part string, args ...string) func() time.Duration {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), separatePart+"="+part)
	cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	return func() time.Duration {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
}

func awaitReady(b testing.TB, address string) {
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	err := wait.PollUntilContextTimeout(b.Context(), 20*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return false, err
		}
		req.Header.Set("Authorization", "Bearer "+separateToken)
		resp, err := client.Do(req)
		if err != nil {
			return false, nil
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK, nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
