package board

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
)

// steps tells the class of a step, and fails where the lesson has to wait for it.
func steps(t *testing.T, l *Lesson, n int) (heard string) {
	t.Helper()
	began := time.Now()
	l.Told(at(n))
	heard = fmt.Sprint(l.Now(ahead("hpa/02", 0)).News) // is in nobody's way
	if took := time.Since(began); took > time.Second {
		t.Errorf("a step has waited %s for the class", took)
	}
	return heard
}

// polls is hears where nothing wakes a face: it is asked at every key. What was heard at a step
// is not told again.
func polls(t *testing.T, l *Lesson, want, heard string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !strings.Contains(heard, want); time.Sleep(20 * time.Millisecond) {
		heard = fmt.Sprint(l.Now(ahead("hpa/02", 0)).News)
		if time.Now().After(end) {
			t.Fatalf("it is not said: %s", want)
		}
	}
}

func opened(t *testing.T, pupils []Learner) (all []*Lesson) {
	t.Helper()
	for _, p := range pupils {
		l := p.Open(t.Context())
		t.Cleanup(func() { l.Listener.close(); l.Reporter.stop() })
		all = append(all, l)
	}
	return all
}

func everybodyAt(n int) func(Board) bool {
	return func(b Board) bool {
		return b.Trouble == "" && !slices.ContainsFunc(b.Rows, func(r Row) bool { return r.Steps != n })
	}
}

// restarted stops the API server itself under a class that runs, and starts it again above the
// same store.
func restarted(t *testing.T, s *school) {
	pupils := s.pupils(t, 5)
	w, _ := s.watch(t)
	if err := s.SetPace(t.Context(), Pace{Step: "step-2"}); err != nil {
		t.Fatal(err)
	}
	lessons := opened(t, pupils)
	for _, l := range lessons {
		l.Told(at(1))
	}
	until(t, w, "everybody at step 1", everybodyAt(1))
	back := make(chan error, 1)
	go func() { back <- s.cluster.RestartAPI(t.Context(), 5*time.Second) }()
	until(t, w, "trouble", func(b Board) bool { return strings.Contains(fmt.Sprint(b.remarks()), "연결이 끊겼습니다") })
	for n := 2; n <= 4; n++ {
		for _, l := range lessons {
			steps(t, l, n)
		}
	}
	if b := w.Board(BoardOptions{}); len(b.Rows) != 5 || slices.ContainsFunc(b.Rows, func(r Row) bool { return r.Steps != 1 }) {
		t.Errorf("what was known is forgotten: %+v", b.Rows)
	}
	hears(t, lessons[0], ahead("hpa/02", 3), "held, and why nobody knows better", func(said play.Said) bool {
		return strings.Contains(said.Held, "풀렸는지 알 수 없습니다") && strings.Contains(said.Held, "연결이 끊겼습니다")
	})
	if err := <-back; err != nil {
		t.Fatal(err)
	}
	if err := s.SetPace(t.Context(), Pace{}); err != nil {
		t.Fatal(err)
	}
	until(t, w, "everybody at step 4", everybodyAt(4))
	for _, l := range lessons {
		hears(t, l, ahead("hpa/02", 3), "free", func(said play.Said) bool { return said.Held == "" && said.Freed == "" })
	}
	if reports, err := s.Reports(t.Context()); err != nil || len(reports) != 5 || slices.ContainsFunc(reports, func(r Report) bool { return r.Steps != 4 }) {
		t.Errorf("%d reports, %v", len(reports), err)
	}
}

// rush is a way to the API server that answers, where it is told to, that it is too busy.
type rush struct {
	server  *httptest.Server
	busy    atomic.Bool
	refused atomic.Int64
}

func gather(t *testing.T, cfg *rest.Config) *rush {
	t.Helper()
	to, err := url.Parse(cfg.Host)
	if err != nil {
		t.Fatal(err)
	}
	through := httputil.NewSingleHostReverseProxy(to)
	if through.Transport, err = rest.TransportFor(rest.AnonymousClientConfig(cfg)); err != nil {
		t.Fatal(err)
	}
	through.FlushInterval, through.ErrorLog = -1, log.New(io.Discard, "", 0)
	c := &rush{}
	c.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !c.busy.Load() {
			through.ServeHTTP(w, r)
			return
		}
		c.refused.Add(1)
		w.Header().Set("Retry-After", "1")
		http.Error(w, "Too many requests, please try again later.", http.StatusTooManyRequests) // as the API server's own filter
	}))
	c.server.Config.ErrorLog = through.ErrorLog
	c.server.EnableHTTP2 = true
	c.server.StartTLS()
	t.Cleanup(func() { c.server.CloseClientConnections(); c.server.Close() })
	return c
}

// over is the config through the rush.
func (c *rush) over(cfg *rest.Config) *rest.Config {
	cfg = rest.CopyConfig(cfg)
	cfg.Host, cfg.TLSClientConfig = c.server.URL, rest.TLSClientConfig{Insecure: true}
	return cfg
}

// busy answers everything with 429 for a while: both sides say so, obey, and lose nothing.
func busy(t *testing.T, s *school) {
	const long = 6 * time.Second
	c := gather(t, s.cfg)
	s.cfg = c.over(s.cfg)
	pupils := s.pupils(t, 3)
	w, _ := s.watch(t)
	lessons := opened(t, pupils)
	for _, l := range lessons {
		l.Told(at(1))
	}
	until(t, w, "everybody at step 1", everybodyAt(1))
	c.busy.Store(true)
	c.server.CloseClientConnections()
	end := time.Now().Add(long)
	heard := make([]string, len(lessons))
	for i, l := range lessons {
		heard[i] = steps(t, l, 2)
	}
	until(t, w, "busy", func(b Board) bool { return strings.Contains(fmt.Sprint(b.remarks()), "API 서버가 바쁩니다") })
	for i, l := range lessons {
		polls(t, l, "API 서버가 바쁩니다", heard[i])
		steps(t, l, 3)
	}
	time.Sleep(time.Until(end))
	clients := int64(4 + len(pupils)*(listened+1)) // the board's watches, and theirs with the report
	if n := c.refused.Load(); n > clients*int64(long/time.Second+1) || n == 0 {
		t.Errorf("%d requests in %s by %d that were told to wait a second", n, long, clients)
	}
	c.busy.Store(false)
	until(t, w, "everybody at step 3", everybodyAt(3))
	for _, l := range lessons {
		polls(t, l, "다시 닿았고", "")
	}
}

// offline is ten minutes without a network, sixty times as fast: the lesson is held as long as
// an API server takes to be back, and no longer.
func offline(t *testing.T, s *school) {
	const faster = 60
	u, err := url.Parse(s.cfg.Host)
	if err != nil {
		t.Fatal(err)
	}
	line := lay(t, u.Host)
	w, _ := s.watch(t)
	direct := s.cfg
	s.cfg = line.over(direct)
	p := s.pupil(t, "s001")
	s.cfg = direct
	if err := s.SetPace(t.Context(), Pace{Step: "step-2"}); err != nil {
		t.Fatal(err)
	}
	l := p.open(t.Context(), func() wait.Backoff {
		b := retries()
		b.Duration, b.Cap = b.Duration/faster, b.Cap/faster
		return b
	}, blip+mostDeaf/faster)
	t.Cleanup(func() { l.Listener.close(); l.Reporter.stop() })
	l.Told(at(1))
	until(t, w, "step 1", everybodyAt(1))
	line.cut()
	behind := ahead("hpa/02", 3)
	hears(t, l, behind, "held", func(said play.Said) bool { return strings.Contains(said.Held, "풀렸는지 알 수 없습니다") })
	hears(t, l, behind, "not held any more", func(said play.Said) bool {
		return said.Held == "" && strings.Contains(said.Freed, "더 기다리지 않습니다")
	})
	for n, end := 2, time.Now().Add(10*time.Minute/faster-blip); time.Now().Before(end); n = min(n+1, 60) {
		steps(t, l, n)
		time.Sleep(50 * time.Millisecond)
	}
	steps(t, l, 60)
	if b := w.Board(BoardOptions{Stuck: time.Second}); b.Rows[0].Steps != 1 || !b.Rows[0].Stuck {
		t.Errorf("who is away: %+v", b.Rows)
	}
	line.mend()
	until(t, w, "the newest", everybodyAt(60))
	polls(t, l, "다시 닿았고", "")
	hears(t, l, behind, "held as the instructor says", func(said play.Said) bool {
		return said.Held != "" && !strings.Contains(said.Held, "알 수 없습니다")
	})
}
