package workload

import (
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

const threadClock = 3 // CLOCK_THREAD_CPUTIME_ID, clock_gettime(2)

// Burn takes that much CPU time of the calling thread, however long that lasts.
func Burn(d time.Duration) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for until := threadTime() + d; threadTime() < until; {
		for range 10_000 { // between two system calls
		}
	}
}

// threadTime is the CPU time that this thread has taken, to the nanosecond: what
// getrusage(2) tells moves with the scheduler's tick on many kernels, 4 ms at a time.
func threadTime() time.Duration {
	var now syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, threadClock, uintptr(unsafe.Pointer(&now)), 0); errno != 0 {
		return 0
	}
	return time.Duration(now.Nano())
}
