package attached

import (
	"errors"
	"io"
	"net/http"

	"github.com/stepscale/stepscale/engine/outside"
)

// mostAnswer is how much of an answer is read: the pods of a cluster of ten thousand
// are less, and more would take this machine's memory. A refusal is a sentence: it is
// decoded at every try again, and every second by who waits.
const (
	mostAnswer  = 128 << 20 // bytes
	mostRefusal = 1 << 20
)

var (
	errElsewhere = errors.New("the API server sends us to another server")
	errTooLarge  = errors.New("the API server's answer is too large")
)

// careful is what a client of somebody else's API server goes through. client-go puts
// its credentials on every request, also on one that follows a redirect to another
// server, and reads an answer to its end, which need not come.
type careful struct{ next http.RoundTripper }

func beCareful(next http.RoundTripper) http.RoundTripper { return careful{next} }

func (c careful) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Response != nil && r.Response.Request != nil && (r.URL.Host != r.Response.Request.URL.Host || r.URL.Scheme != r.Response.Request.URL.Scheme) {
		return nil, errElsewhere
	}
	answer, err := c.next.RoundTrip(r)
	if err == nil && r.URL.Query().Get("watch") == "" && answer.StatusCode != http.StatusSwitchingProtocols {
		most := int64(mostAnswer)
		if answer.StatusCode >= http.StatusBadRequest {
			most = mostRefusal
		}
		answer.Body = body{outside.AtMost(answer.Body, most, errTooLarge), answer.Body}
	}
	return answer, err
}

// body is one that can be read in another way than it is closed.
type body struct {
	io.Reader
	io.Closer
}
