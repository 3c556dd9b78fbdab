package referee

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestABubbleNeedsNoRunningTest is the canary of Replay, which opens a bubble of
// testing/synctest outside of any test: with a zero testing.T, which nothing promises.
func TestABubbleNeedsNoRunningTest(t *testing.T) {
	begin, woken := time.Now(), false
	synctest.Test(new(testing.T), func(inner *testing.T) {
		start := time.Now()
		go func() {
			select {
			case <-time.After(24 * time.Hour):
				woken = time.Since(start) == 24*time.Hour
			case <-inner.Context().Done():
			}
		}()
		time.Sleep(25 * time.Hour)
		synctest.Wait()
	})
	if !woken || time.Since(begin) > time.Hour {
		t.Errorf("woken %v, after %v", woken, time.Since(begin))
	}
}
