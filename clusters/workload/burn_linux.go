package workload

import (
	"sync"
	"syscall"
	"time"
	"unsafe"
)

const processClock = 2 // CLOCK_PROCESS_CPUTIME_ID, clock_gettime(2)

// mostAhead is how much of the process's own CPU time may count towards what is asked
// next: enough for a garbage collection, too little for a pause to make the load after
// it look smaller.
const mostAhead = 50 * time.Millisecond

// account is the one that all requests are on. A lesson's numbers are of the whole
// process: the connections, the requests, the probes and the garbage collector take CPU
// time too, a fifth of what is asked and more, and so they count towards it.
var account struct {
	sync.Mutex
	due time.Duration // of the process's CPU clock, when all that was asked has been taken
}

// Burn sees to it that this process takes that much CPU time more than it was asked for
// before. Requests that burn at the same time do it together, on as many CPUs.
func Burn(d time.Duration) {
	account.Lock()
	account.due = max(account.due, processTime()-mostAhead) + d
	until := account.due
	account.Unlock()
	for processTime() < until {
		for range 10_000 { // between two system calls
		}
	}
}

// processTime is the CPU time that all threads have taken, to the nanosecond: what
// getrusage(2) tells moves with the scheduler's tick on many kernels, 4 ms at a time.
func processTime() time.Duration {
	var now syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, processClock, uintptr(unsafe.Pointer(&now)), 0); errno != 0 {
		return 0
	}
	return time.Duration(now.Nano())
}
