package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// tmpfs mounts a file system of this size on a new directory.
func tmpfs(t *testing.T, flags uintptr, size string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount")
	}
	dir := shortDir(t)
	if err := unix.Mount("tmpfs", dir, "tmpfs", flags, "size="+size); errors.Is(err, unix.EPERM) {
		t.Skip("this root cannot mount: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

func TestSmallDiskIsTold(t *testing.T) {
	for _, size := range []string{"1m", "40m"} {
		t.Run(size, func(t *testing.T) {
			state := tmpfs(t, 0, size)
			got := stepscale(t, state, "", endsWithin, "run", "web-surge", "--for", "15s")
			refused(t, got, state, "빈자리", "STEPSCALE_STATE_DIR", state)
		})
	}
}

func TestFullDiskIsTold(t *testing.T) {
	state := tmpfs(t, 0, "1m")
	fill(t, state)
	got := stepscale(t, state, "", endsWithin, "run", "web-surge", "--for", "15s")
	refused(t, got, state, "상태 디렉터리에 쓸 수 없습니다", "STEPSCALE_STATE_DIR")
}

func TestReadOnlyStateDirectoryIsTold(t *testing.T) {
	state := tmpfs(t, unix.MS_RDONLY, "1m")
	got := stepscale(t, state, "", endsWithin, "run", "web-surge", "--for", "15s")
	refused(t, got, state, "상태 디렉터리에 쓸 수 없습니다", "STEPSCALE_STATE_DIR", state)
}

// TestDiskThatFillsUpIsTold fills the disk under a running lesson: etcd gives up, and
// would take the process with it.
func TestDiskThatFillsUpIsTold(t *testing.T) {
	state := tmpfs(t, 0, "215m")
	r := startRun(t, state)
	fill(t, state)
	ended := make(chan error, 1)
	go func() { ended <- r.cmd.Wait() }()
	select {
	case err := <-ended:
		screen := r.await(t, "도움:", time.Second)
		refused(t, runEnd{exitCode(t, err), screen}, state, "임베디드 클러스터가 도중에 멈췄습니다: etcd", "no space left on device", filepath.Join(state, "upstream.log"))
	case <-time.After(2 * time.Minute):
		_ = r.cmd.Process.Kill()
		t.Fatalf("it goes on: %s", r.await(t, "", time.Second))
	}
}

func fill(t *testing.T, dir string) {
	t.Helper()
	err := os.WriteFile(filepath.Join(dir, "fill"), []byte(strings.Repeat("x", 216<<20)), 0o600)
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}
