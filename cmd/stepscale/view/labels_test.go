package view

import (
	"testing"
	"time"
)

// TestElapsed: also where something was before the beginning.
func TestElapsed(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "+00:00", 330 * time.Second: "+05:30", 3930 * time.Second: "+1:05:30", -5 * time.Second: "-00:05", -3930 * time.Second: "-1:05:30",
	} {
		if got := Elapsed(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
