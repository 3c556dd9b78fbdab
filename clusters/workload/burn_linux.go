package workload

import (
	"runtime"
	"syscall"
	"time"
)

const rusageThread = 1 // RUSAGE_THREAD, getrusage(2)

// Burn takes that much CPU time of the calling thread, however long that lasts.
func Burn(d time.Duration) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for until := threadTime() + d; threadTime() < until; {
		for range 10_000 { // between two system calls
		}
	}
}

// threadTime is the CPU time that this thread has taken.
func threadTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(rusageThread, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
