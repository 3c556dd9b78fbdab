package board

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// served is a board on a page.
func served(t *testing.T, ask func(bool) Board, wake func() <-chan struct{}) *Web {
	t.Helper()
	w, err := NewWeb(0, ask, wake)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return w
}

func get(t *testing.T, url, host string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		r.Host = host
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got, string(text)
}

// TestWebIsOursAlone: on the loopback interface, by a path that nobody can guess, and under
// no name that somebody made to lead here.
func TestWebIsOursAlone(t *testing.T) {
	w := served(t, func(bool) Board { return someBoard(BoardOptions{}) }, func() <-chan struct{} { return nil })
	base := "http://" + w.listener.Addr().String()
	if !strings.HasPrefix(base, "http://127.0.0.1:") || len(w.token) < 20 || !strings.HasPrefix(w.URL(), base+"/"+w.token) {
		t.Errorf("%s", w.URL())
	}
	_, port, _ := strings.Cut(w.listener.Addr().String(), ":")
	for url, want := range map[string]int{base: 404, base + "/": 404, base + "/events": 404, base + "/x/": 404, base + "/x/events": 404, w.URL() + "x": 404, w.URL(): 200} {
		if got, text := get(t, url, ""); got.StatusCode != want || want != 200 && strings.Contains(text, "s02") {
			t.Errorf("%s: %d", url, got.StatusCode)
		}
	}
	for host, want := range map[string]int{"localhost:" + port: 200, "evil.example:" + port: 403, "evil.example": 403, "127.0.0.1": 403, "[::1]:" + port: 403} {
		if got, _ := get(t, w.URL(), host); got.StatusCode != want {
			t.Errorf("as %s: %d", host, got.StatusCode)
		}
	}
	got, err := http.Post(w.URL(), "", nil)
	if err != nil || got.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %v %v", got.StatusCode, err)
	}
	_ = got.Body.Close()
}

// TestPageIsWhole: in Korean, for light and dark, and it loads nothing from anywhere; its own
// script is the only one that may run, and puts text in as text.
func TestPageIsWhole(t *testing.T) {
	w := served(t, func(bool) Board { return someBoard(BoardOptions{}) }, func() <-chan struct{} { return nil })
	got, text := get(t, w.URL(), "")
	policy := got.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || got.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("%s %v", policy, got.Header)
	}
	if _, again := get(t, w.URL(), ""); again == text {
		t.Error("the nonce is the same twice")
	}
	for _, tag := range regexp.MustCompile(`<[a-z][^>]*>`).FindAllString(text, -1) {
		if regexp.MustCompile(`\s(src|href|style|on[a-z]+)=`).MatchString(tag) {
			t.Error(tag)
		}
		if m := regexp.MustCompile(`nonce="([^"]*)"`).FindStringSubmatch(tag); m != nil && !strings.Contains(policy, "'nonce-"+m[1]+"'") {
			t.Errorf("%s, %s", tag, policy)
		}
	}
	for _, want := range []string{`lang="ko"`, "prefers-color-scheme: dark", `scope = "col"`, "EventSource"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	for _, never := range []string{"innerHTML", "{{first}}", "http://", "https://", "//cdn", "{{nonce}}"} {
		if strings.Contains(text, never) {
			t.Errorf("%s is there", never)
		}
	}
}

// TestEvents: a board at once, another when there is one, answers where they are asked for,
// and no line of a report that ends an event.
func TestEvents(t *testing.T) {
	var mu sync.Mutex
	b := someBoard(BoardOptions{})
	b.Rows[0].Seat = "s02\n\ndata: x"
	changed := make(chan struct{})
	w := served(t, func(show bool) Board {
		mu.Lock()
		defer mu.Unlock()
		if show {
			return someBoard(BoardOptions{Show: true})
		}
		return b
	}, func() <-chan struct{} {
		mu.Lock()
		defer mu.Unlock()
		return changed
	})
	read := func(query string) func() sheet {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.URL()+"events"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = got.Body.Close() })
		lines := bufio.NewScanner(got.Body)
		lines.Buffer(nil, 1<<20)
		return func() (s sheet) {
			for lines.Scan() {
				if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
					if err := json.Unmarshal([]byte(text), &s); err != nil {
						t.Fatal(err)
					}
					return s
				}
			}
			t.Fatal(lines.Err())
			return s
		}
	}
	next := read("")
	if s := next(); !s.Hidden || len(s.Bars) > 0 || len(s.Rows) != 6 || s.Rows[0].Kind != "help" || !strings.Contains(s.Rows[0].Cells[0], "data: x") || len(s.Columns) != len(s.Rows[0].Cells) {
		t.Errorf("%+v", s)
	}
	mu.Lock()
	b.Class = "another"
	close(changed)
	changed = make(chan struct{})
	mu.Unlock()
	began := time.Now()
	for !strings.Contains(next().Head, "another") {
		if time.Since(began) > 10*time.Second {
			t.Fatal("no other board comes")
		}
	}
	if s := read("?show=1")(); s.Hidden || len(s.Bars) != 3 {
		t.Errorf("%+v", s)
	}
}
