package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/embed"
)

// startLimit is how long etcd may take to open its store and elect itself.
const startLimit = time.Minute

// newEtcdCommand serves a single etcd member whose data nobody will miss: it
// never waits for the disk.
func newEtcdCommand() *cobra.Command {
	var dir, client, peer string
	command := &cobra.Command{
		Use:          "etcd",
		Short:        "a single etcd member without fsync",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(*cobra.Command, []string) error {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return serveEtcd(ctx, dir, client, peer)
		},
	}
	flags := command.Flags()
	flags.StringVar(&dir, "data-dir", "", "folder of the store")
	flags.StringVar(&client, "listen-client-url", "http://127.0.0.1:2379", "where clients reach it")
	flags.StringVar(&peer, "listen-peer-url", "http://127.0.0.1:2380", "where members would reach it")
	return command
}

func serveEtcd(ctx context.Context, dir, client, peer string) error {
	config, err := etcdConfig(dir, client, peer)
	if err != nil {
		return err
	}
	member, err := embed.StartEtcd(config)
	if err != nil {
		return fmt.Errorf("etcd does not start in %s: %w", dir, err)
	}
	defer member.Close()
	select {
	case <-member.Server.ReadyNotify():
	case <-time.After(startLimit):
		return fmt.Errorf("etcd in %s was not ready after %s", dir, startLimit)
	case <-ctx.Done():
		return nil
	}
	select {
	case err := <-member.Err():
		return fmt.Errorf("etcd in %s stopped: %w", dir, err)
	case <-ctx.Done():
		return nil
	}
}

func etcdConfig(dir, client, peer string) (*embed.Config, error) {
	if dir == "" {
		return nil, fmt.Errorf("etcd needs --data-dir")
	}
	clientURL, err := url.Parse(client)
	if err != nil {
		return nil, fmt.Errorf("--listen-client-url %q is no URL: %w", client, err)
	}
	peerURL, err := url.Parse(peer)
	if err != nil {
		return nil, fmt.Errorf("--listen-peer-url %q is no URL: %w", peer, err)
	}
	config := embed.NewConfig()
	config.Dir = dir
	config.ListenClientUrls = []url.URL{*clientURL}
	config.AdvertiseClientUrls = []url.URL{*clientURL}
	config.ListenPeerUrls = []url.URL{*peerURL}
	config.AdvertisePeerUrls = []url.URL{*peerURL}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.UnsafeNoFsync = true
	config.LogLevel = "warn"
	return config, nil
}
