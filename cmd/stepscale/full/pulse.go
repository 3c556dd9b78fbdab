package full

import (
	"reflect"
	"sync"
	"time"
	"unsafe"

	tea "charm.land/bubbletea/v2"
)

// How often a program looks whether it has something to write. Every look wakes a processor,
// and sixty a second are more than a hundredth of one while nobody touches a key.
const (
	lively = time.Second / 60 // while something happens
	asleep = time.Second
	// awake is how long after a message the next one is expected.
	awake = 200 * time.Millisecond
)

// pulse lets a program look often while messages come, and seldom while none do.
type pulse struct {
	ticker *time.Ticker
	mu     sync.Mutex
	slow   bool
	last   time.Time // when a message came
	rest   *time.Timer
}

// pulseOf gives a program that does not run yet a ticker to look by: it takes one that it has
// (tea.go, startRenderer), and no option hands it one. Of a program of another make it is nil.
func pulseOf(program *tea.Program) *pulse {
	field, ok := reflect.TypeOf(program).Elem().FieldByName("ticker")
	if !ok || field.Type != reflect.TypeFor[*time.Ticker]() {
		return nil
	}
	p := &pulse{ticker: time.NewTicker(lively)}
	p.rest = time.AfterFunc(awake, p.calms)
	*(**time.Ticker)(unsafe.Add(unsafe.Pointer(program), field.Offset)) = p.ticker
	return p
}

// beats takes note of a message.
func (p *pulse) beats() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.slow {
		p.ticker.Reset(lively)
	}
	p.slow, p.last = false, time.Now()
	p.rest.Reset(awake)
}

// calms looks seldom, unless a message has come meanwhile.
func (p *pulse) calms() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.last) >= awake {
		p.ticker.Reset(asleep)
		p.slow = true
	}
}

func (p *pulse) ends() {
	if p != nil {
		p.rest.Stop()
		p.ticker.Stop()
	}
}
