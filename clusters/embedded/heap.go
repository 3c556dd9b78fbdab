package embedded

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

const (
	normalGC = 100       // percent: Go's own default
	mostGC   = 400       // and the most of ours
	roomGC   = 900 << 20 // bytes of heap up to which garbage may gather beyond the default
	manyLive = 120 << 20 // bytes of live heap that only a cluster of many pods has
)

// giveRoom lets garbage gather, as long as ctx lasts, where many pods are alive: collecting
// it took a third of the time in which 1,000 pods start. A lesson's cluster of a few pods
// keeps Go's default, and what GOGC says is followed.
func giveRoom(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	afterEveryCollection(func() bool {
		if ctx.Err() != nil {
			debug.SetGCPercent(normalGC)
			return false
		}
		debug.SetGCPercent(percentGC(liveHeap()))
		return true
	})
}

// percentGC is how much garbage may gather, in percent of what is alive.
func percentGC(live uint64) int {
	if live < manyLive {
		return normalGC
	}
	return int(min(max(roomGC*100/live, normalGC+100)-100, mostGC))
}

// liveHeap is what the last collection has found alive, in bytes.
func liveHeap() uint64 {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if live[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return live[0].Value.Uint64()
}

// afterEveryCollection calls f after each of the garbage collector's runs, until it
// returns false.
func afterEveryCollection(f func() bool) {
	type garbage struct{ _ *int } // a pointer keeps it from sharing its block with others
	var again func(*garbage)
	again = func(g *garbage) {
		if f() {
			runtime.SetFinalizer(g, again)
		}
	}
	runtime.SetFinalizer(&garbage{}, again)
}
