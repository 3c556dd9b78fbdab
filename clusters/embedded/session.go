package embedded

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"sync"
)

// session is one process that drives. It lasts as long as its request to attach, which
// ends with the connection, also when the other side is killed.
type session struct {
	token  string
	ctx    context.Context
	cancel context.CancelFunc
	calls  sync.WaitGroup
	gone   chan struct{} // closed when everything is put back

	// With control.mu.
	ended        bool
	held, opened map[string]bool // what is to be put back
}

// attach gives the seat to the caller for as long as the request lasts. Its answer is
// the session's token, and its end tells that everything is put back.
func (c *control) attach(w http.ResponseWriter, req *http.Request) {
	s, err := c.begin(req.Context())
	if err != nil {
		answer(w, nil, err)
		return
	}
	defer c.end(s)
	answer(w, s.token, nil)
	if http.NewResponseController(w).Flush() == nil {
		<-s.ctx.Done()
	}
}

func (c *control) begin(ctx context.Context) (*session, error) {
	for {
		c.mu.Lock()
		before := c.session
		switch {
		case c.state != Ready:
			c.mu.Unlock()
			return nil, fmt.Errorf("%w: it is %s", ErrNotRunning, c.state)
		case before == nil:
			s := &session{token: rand.Text(), gone: make(chan struct{}), held: map[string]bool{}, opened: map[string]bool{}}
			s.ctx, s.cancel = context.WithCancel(ctx)
			c.session = s
			c.mu.Unlock()
			_, _ = c.cluster.Calls(ctx) // those of the session before
			return s, nil
		}
		c.mu.Unlock()
		if before.ctx.Err() == nil {
			return nil, ErrBusy
		}
		select {
		case <-before.gone:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// end puts back what the session changed once its calls are over, and frees the seat.
func (c *control) end(s *session) {
	s.cancel()
	c.mu.Lock()
	s.ended = true
	c.mu.Unlock()
	s.calls.Wait()
	ctx := context.Background()
	for ns := range s.held {
		_ = c.cluster.Release(ctx, ns)
	}
	for actor := range s.opened {
		_ = c.cluster.Close(ctx, actor)
	}
	_ = c.cluster.restoreNodes(ctx) // of a session that held no namespace yet
	c.mu.Lock()
	c.session = nil
	c.mu.Unlock()
	close(s.gone)
}
