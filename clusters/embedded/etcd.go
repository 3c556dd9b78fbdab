package embedded

import (
	"context"
	"fmt"
	"net/url"
	"os"

	"go.etcd.io/etcd/server/v3/embed"
)

// etcdSocket is the longest path below the run directory that is bound to a socket.
const etcdSocket = "etcd.sock"

// A member that is alone elects itself, but only once an election's time has passed:
// upstream's, for members that are far from each other, is a second.
const (
	tickMs     = 10
	electionMs = 50
)

// startEtcd starts a one-member etcd that listens on a unix socket inside the
// run directory: no port, and nobody but this user can reach it. A member that
// is alone has no peers to listen for. The store is thrown away with the
// cluster, so nothing is synced to disk. What has been started when ctx ends
// is returned as well, to be closed.
func startEtcd(ctx context.Context, dir *runDir) (*embed.Etcd, error) {
	cfg := embed.NewConfig()
	cfg.Dir = dir.file("etcd")
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(etcdLogger())
	cfg.UnsafeNoFsync = true
	cfg.TickMs, cfg.ElectionMs = tickMs, electionMs
	client := url.URL{Scheme: "unix", Path: dir.file(etcdSocket)}
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = nil, []url.URL{{Scheme: "unix", Host: "nobody"}}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	e, err := await(ctx, func() (*embed.Etcd, error) { return embed.StartEtcd(cfg) })
	if err != nil {
		return e, fmt.Errorf("start etcd: %w", err)
	}
	if err := os.Chmod(client.Path, 0o600); err != nil {
		return e, err
	}
	select {
	case <-e.Server.ReadyNotify():
		return e, nil
	case err := <-e.Err():
		return e, fmt.Errorf("start etcd: %w", err)
	case <-ctx.Done():
		return e, ctx.Err()
	}
}
