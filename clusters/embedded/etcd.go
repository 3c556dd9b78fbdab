package embedded

import (
	"context"
	"fmt"
	"net/url"

	"go.etcd.io/etcd/server/v3/embed"
)

// startEtcd starts a one-member etcd that listens on unix sockets inside the
// run directory: no port, and nobody but this user can reach it. The store is
// thrown away with the cluster, so nothing is synced to disk.
func startEtcd(ctx context.Context, dir *runDir) (*embed.Etcd, string, error) {
	cfg := embed.NewConfig()
	cfg.Dir = dir.file("etcd")
	cfg.LogLevel = "fatal"
	cfg.Logger = "zap"
	cfg.LogOutputs = []string{"/dev/null"}
	cfg.UnsafeNoFsync = true
	client := url.URL{Scheme: "unix", Path: dir.file("etcd.sock")}
	peer := url.URL{Scheme: "unix", Path: dir.file("peer.sock")}
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		return nil, "", fmt.Errorf("start etcd: %w", err)
	}
	select {
	case <-e.Server.ReadyNotify():
		return e, client.String(), nil
	case err := <-e.Err():
		e.Close()
		return nil, "", fmt.Errorf("start etcd: %w", err)
	case <-ctx.Done():
		e.Close()
		return nil, "", ctx.Err()
	}
}
