package main

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// tmpfs mounts a file system of this size on the state directory.
func tmpfs(t *testing.T, flags uintptr, size string) *machine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount")
	}
	m := newMachine(t, "state")
	if err := os.Mkdir(m.state, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", m.state, "tmpfs", flags, "size="+size); errors.Is(err, unix.EPERM) {
		t.Skip("this root cannot mount: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(m.state, unix.MNT_DETACH) })
	return m
}

func TestSmallDiskIsTold(t *testing.T) {
	t.Parallel()
	for _, size := range []string{"1m", "40m"} {
		t.Run(size, func(t *testing.T) {
			m := tmpfs(t, 0, size)
			m.refused(m.start(), "빈자리", "STEPSCALE_STATE_DIR", m.state)
		})
	}
}

func TestFullDiskIsTold(t *testing.T) {
	t.Parallel()
	m := tmpfs(t, 0, "1m")
	fill(t, m.state)
	m.refused(m.start(), "상태 디렉터리에 쓸 수 없습니다", "STEPSCALE_STATE_DIR")
}

func TestReadOnlyStateDirectoryIsTold(t *testing.T) {
	t.Parallel()
	m := tmpfs(t, unix.MS_RDONLY, "1m")
	m.refused(m.start(), "상태 디렉터리에 쓸 수 없습니다", "STEPSCALE_STATE_DIR", m.state)
}

// TestDiskThatFillsUpIsTold fills the disk under a running lesson: etcd gives up, and
// would take the process with it. The wave's load is never still, so that every pass writes.
func TestDiskThatFillsUpIsTold(t *testing.T) {
	t.Parallel()
	m := tmpfs(t, 0, "215m")
	r := m.startRun("wave")
	stop := keepFull(t, m.state)
	defer stop()
	m.refused(m.end(r, "도움:"), "임베디드 클러스터가 도중에 멈췄습니다: etcd", "no space left on device", filepath.Join(m.state, "upstream.log"))
}

// fill leaves no room on a disk. Its file has the name of one that may stay.
func fill(t *testing.T, dir string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, "fill.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 1<<20))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Error(err)
	}
}

// keepFull fills the disk again and again: etcd gives room back when the file of its
// next log, which it makes in advance, does not find enough.
func keepFull(t *testing.T, dir string) (stop func()) {
	fill(t, dir)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case <-time.After(50 * time.Millisecond):
				fill(t, dir)
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}
