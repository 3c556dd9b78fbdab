package cli

import (
	"fmt"
	"sync"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

// startup shows what is starting. It is a lab's Phases.
type startup struct {
	mu     sync.Mutex
	screen *view.Screen
	said   bool

	attached bool // to somebody else's cluster, which is there already
}

func (p *startup) Phase(name string, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.said {
		p.said = true
		text := "클러스터를 준비합니다. 잠시만 기다려 주십시오."
		if p.attached {
			text = "클러스터에 시나리오를 준비합니다. 잠시만 기다려 주십시오."
		}
		p.screen.Note(text)
	}
	if took == 0 {
		p.screen.Busy(name)
	} else {
		p.screen.Erase()
		p.screen.Done(fmt.Sprintf("%s 준비됨 (%.1f초)", name, took.Seconds()))
	}
}

func (p *startup) Note(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.screen.Erase()
	p.screen.Note(text)
}
