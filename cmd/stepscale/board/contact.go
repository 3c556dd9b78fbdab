package board

import (
	"errors"
	"sync"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
)

// contact is whether what is written gets there, and what was told of that.
type contact struct {
	mu   sync.Mutex
	err  error // that it does not
	said bool  // whoever writes knows that it does not
}

// is takes in how writing goes. That somebody has taken over is told also to who knows that
// nothing gets there.
func (c *contact) is(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err, c.said = err, c.said && !errors.Is(err, errTaken)
}

// news tell, once each, that nothing gets there, and that it does again.
func (c *contact) news(lost func(error) string, back string) (all []play.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.err != nil && !c.said:
		all = []play.Event{play.Note{Text: lost(c.err)}}
	case c.err == nil && c.said:
		all = []play.Event{play.Note{Text: back}}
	}
	c.said = c.err != nil
	return all
}
