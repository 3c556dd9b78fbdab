//go:build !linux

package workload

import "time"

// Burn keeps a CPU busy for that long: here nobody tells a thread's CPU time.
func Burn(d time.Duration) {
	for until := time.Now().Add(d); time.Now().Before(until); {
		continue
	}
}
