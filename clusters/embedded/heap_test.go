package embedded

import (
	"context"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"
)

func TestPercentOfGarbage(t *testing.T) {
	for _, c := range []struct {
		live uint64 // MB
		want int
	}{{0, 100}, {60, 100}, {119, 100}, {120, 400}, {180, 400}, {250, 260}, {450, 100}, {900, 100}, {3000, 100}} {
		if got := percentGC(c.live << 20); got != c.want {
			t.Errorf("%d MB alive: %d %%, want %d %%", c.live, got, c.want)
		}
	}
}

// TestRoomForManyPods holds as much as the pods of a big cluster, and looks at what the
// collector does.
func TestRoomForManyPods(t *testing.T) {
	t.Setenv("GOGC", "")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	giveRoom(ctx)
	much := make([]byte, manyLive+manyLive/4)
	collectUntil(t, func(percent uint64) bool { return percent > normalGC })
	runtime.KeepAlive(much)
	cancel()
	collectUntil(t, func(percent uint64) bool { return percent == normalGC })
}

func collectUntil(t *testing.T, done func(percent uint64) bool) {
	t.Helper()
	now := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	for range 500 {
		runtime.GC()
		if metrics.Read(now); done(now[0].Value.Uint64()) {
			return
		}
		time.Sleep(10 * time.Millisecond) // finalizers run on their own
	}
	t.Fatalf("the collector stays at %d %%", now[0].Value.Uint64())
}
