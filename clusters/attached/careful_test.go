package attached

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
)

// TestCareful: a client's token follows a redirect on the same server only, and an
// answer is read as far as one may go, a watch for ever.
func TestCareful(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s %v", r.URL, r.Header) }))
	t.Cleanup(other.Close)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, strings.Replace(other.URL, "127.0.0.1", "localhost", 1), http.StatusTemporaryRedirect)
		case "/near":
			http.Redirect(w, r, "/here", http.StatusTemporaryRedirect)
		case "/here":
			_, _ = io.WriteString(w, r.Header.Get("Authorization"))
		case "/refusal":
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write(make([]byte, mostRefusal+1))
		case "/refused":
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write(make([]byte, mostRefusal))
		default:
			block := make([]byte, 1<<20)
			for range mostAnswer>>20 + 1 {
				_, _ = w.Write(block)
			}
		}
	}))
	t.Cleanup(server.Close)
	cfg := &rest.Config{Host: server.URL, BearerToken: "secret"}
	cfg.Wrap(beCareful)
	client, err := rest.HTTPClientFor(cfg)
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) (int64, error) {
		answer, err := client.Get(server.URL + path)
		if err != nil {
			return 0, err
		}
		defer answer.Body.Close()
		return io.Copy(io.Discard, answer.Body)
	}
	for path, want := range map[string]error{"/away": errElsewhere, "/near": nil, "/refused": nil, "/refusal": errTooLarge, "/large": errTooLarge, "/large?watch=true": nil} {
		n, err := get(path)
		if !errors.Is(err, want) || want == nil && n == 0 {
			t.Errorf("%s: %d bytes, error %v, want %v", path, n, err, want)
		}
	}
}
