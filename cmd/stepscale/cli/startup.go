package cli

import (
	"fmt"
	"sync"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

// Phases is told what is starting (took is zero) and how long it took. It may
// be called from several goroutines at once.
type Phases interface {
	Phase(name string, took time.Duration)
}

// startup shows what an Opener starts.
type startup struct {
	mu     sync.Mutex
	screen *view.Screen
	said   bool
}

func (p *startup) Phase(name string, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.said {
		p.said = true
		p.screen.Note("클러스터를 준비합니다. 잠시만 기다려 주십시오.")
	}
	if took == 0 {
		p.screen.Busy(name)
	} else {
		p.screen.Erase()
		p.screen.Done(fmt.Sprintf("%s 준비됨 (%.1f초)", name, took.Seconds()))
	}
}
