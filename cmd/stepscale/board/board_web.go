package board

import (
	"context"
	"crypto/rand"
	_ "embed" // the page
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

//go:embed board.html
var page []byte

const (
	// webTimeout is how long a browser may take to send a request's head.
	webTimeout = 5 * time.Second
	// webPause is the least time between two boards of a stream.
	webPause = 200 * time.Millisecond
	// webBeat is the most: times on the board grow, and a stream that says nothing may be
	// one that is dead.
	webBeat = time.Second
)

// Web serves the board as one page, on this machine alone. The path has a token that nobody
// can guess: other users of the machine, and other pages of the browser, do not get in.
type Web struct {
	listener net.Listener
	token    string
	ask      func(show bool) Board
	wake     func() <-chan struct{}
}

// NewWeb listens on a free port of the loopback interface, or on the one given. wake gives
// a channel that is closed when there is a new board.
func NewWeb(port int, ask func(show bool) Board, wake func() <-chan struct{}) (*Web, error) {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, err
	}
	return &Web{l, rand.Text(), ask, wake}, nil
}

// URL is where the page is.
func (w *Web) URL() string { return fmt.Sprintf("http://%s/%s/", w.listener.Addr(), w.token) }

// Serve serves until the context ends.
func (w *Web) Serve(ctx context.Context) error {
	server := &http.Server{Handler: w.guarded(), ReadHeaderTimeout: webTimeout, MaxHeaderBytes: 16 << 10, BaseContext: func(net.Listener) context.Context { return ctx }}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	err := server.Serve(w.listener)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// guarded answers who names this machine as it is: a name of somebody else's that was made
// to lead here is no way in.
func (w *Web) guarded() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /"+w.token+"/{$}", w.page)
	mux.HandleFunc("GET /"+w.token+"/events", w.events)
	addr := w.listener.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		h := rw.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if r.Host != addr && r.Host != "localhost:"+port {
			http.Error(rw, "이 주소로는 열 수 없습니다.", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(rw, r)
	})
}

func (w *Web) page(rw http.ResponseWriter, _ *http.Request) {
	nonce := rand.Text()
	first, err := json.Marshal(w.ask(false).page()) // which writes < as \u003c
	if err != nil {
		http.Error(rw, err.Error(), http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.Header().Set("Content-Security-Policy", fmt.Sprintf("default-src 'none'; script-src 'nonce-%[1]s'; style-src 'nonce-%[1]s'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'", nonce))
	_, _ = strings.NewReplacer("{{nonce}}", nonce, "{{first}}", string(first)).WriteString(rw, string(page))
}

// events sends the board whenever it is another, until the browser is gone.
func (w *Web) events(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	flush := http.NewResponseController(rw)
	show := r.URL.Query().Get("show") == "1"
	for {
		changed := w.wake()
		raw, err := json.Marshal(w.ask(show).page())
		if err != nil {
			return
		}
		if _, err := fmt.Fprintf(rw, "data: %s\n\n", raw); err != nil || flush.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(webPause):
		}
		select {
		case <-r.Context().Done():
			return
		case <-changed:
		case <-time.After(webBeat - webPause):
		}
	}
}

// sheet is a board as the page shows it: the same words as in every face.
type sheet struct {
	Head    string      `json:"head"`
	Clock   string      `json:"clock"`
	Remarks []string    `json:"remarks"`
	Columns []string    `json:"columns"`
	Rows    []sheetRow  `json:"rows"`
	Title   string      `json:"title"`
	Hidden  bool        `json:"hidden"`
	Bars    []sheetBars `json:"bars"`
}

type sheetRow struct {
	Kind  string   `json:"kind"` // "help", "stuck", "done", "away", or empty
	Cells []string `json:"cells"`
}

type sheetBars struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// pageColumns are those of boardColumns that are big enough for the last row of a room, the
// more useful first.
var pageColumns = []int{0, 5, 2, 4, 6, 7, 1}

func (b Board) page() sheet {
	s := sheet{Head: b.head(), Clock: b.At.Local().Format(time.TimeOnly), Remarks: b.remarks()}
	for _, c := range pageColumns {
		s.Columns = append(s.Columns, boardColumns[c].name)
	}
	for _, r := range b.Rows {
		row := sheetRow{Kind: r.kind()}
		for _, c := range pageColumns {
			row.Cells = append(row.Cells, boardColumns[c].cell(r, b.At))
		}
		s.Rows = append(s.Rows, row)
	}
	if len(b.Questions) > 0 {
		q := b.Questions[0]
		s.Title, s.Hidden = q.title(), q.Hidden
		for _, c := range q.counts(mostAnswers) {
			s.Bars = append(s.Bars, sheetBars{c.Name, c.Count})
		}
	}
	return s
}

// kind is what is urgent about a learner.
func (r Row) kind() string {
	switch {
	case r.Help:
		return "help"
	case r.Stuck, r.Problem != "":
		return "stuck"
	case r.Done:
		return "done"
	case !r.Reported:
		return "away"
	}
	return ""
}
