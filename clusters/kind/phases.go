package kind

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"sigs.k8s.io/kind/pkg/log"
)

// phases is the library's logger: without a terminal behind it a phase arrives as
// " • Preparing nodes 📦  ..." and ends with " ✓ " or " ✗ " before the same name.
type phases struct {
	report func(phase string, took time.Duration)

	mu    sync.Mutex
	since map[string]time.Time
}

func (p *phases) Warn(string)                  {} // the errors that follow say more
func (p *phases) Warnf(string, ...any)         {}
func (p *phases) Error(string)                 {}
func (p *phases) Errorf(string, ...any)        {}
func (p *phases) V(l log.Level) log.InfoLogger { return phase{p, l == 0} }

type phase struct {
	*phases
	told bool
}

func (p phase) Enabled() bool                 { return p.told }
func (p phase) Infof(format string, a ...any) { p.Info(fmt.Sprintf(format, a...)) }

func (p phase) Info(line string) {
	if !p.told || p.report == nil {
		return
	}
	line = strings.TrimSpace(line)
	if name, ok := strings.CutPrefix(line, "•"); ok {
		p.begin(phaseName(name))
	} else if name, ok := strings.CutPrefix(line, "✓"); ok {
		p.end(phaseName(name))
	}
}

func (p *phases) begin(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.since == nil {
		p.since = map[string]time.Time{}
	}
	p.since[name] = time.Now()
	p.report(name, 0)
}

func (p *phases) end(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if begun, ok := p.since[name]; ok {
		p.report(name, max(time.Since(begun), time.Nanosecond))
	}
}

// phaseName is the library's name without its pictures and dots.
func phaseName(text string) string {
	text = strings.TrimSuffix(strings.TrimSpace(text), "...")
	return strings.TrimSpace(strings.TrimFunc(text, func(r rune) bool { return r > 0x2000 || r == ' ' }))
}
