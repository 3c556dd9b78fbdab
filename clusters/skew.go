package clusters

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
)

// Skew is how far ahead this machine's clock is of the API server's, negative when it
// is behind, by the Date header of an answer. Of all that the round trip and the
// header's whole seconds leave open, it is the least. Any answer has a date: where the
// credentials are what was refused, an anonymous configuration does.
func Skew(ctx context.Context, cfg *rest.Config, c clock.PassiveClock) (time.Duration, error) {
	base, _, err := rest.DefaultServerUrlFor(cfg)
	if err != nil {
		return 0, err
	}
	client, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base.JoinPath("version").String(), nil)
	if err != nil {
		return 0, err
	}
	asked := c.Now()
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	return SkewOf(asked, c.Now(), resp.Header)
}

// SkewOf is Skew by an answer that is there already.
func SkewOf(asked, answered time.Time, header http.Header) (time.Duration, error) {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return 0, fmt.Errorf("the server's Date header: %w", err)
	}
	if least := asked.Sub(date.Add(time.Second)); least > 0 { // the header leaves fractions of a second out
		return least, nil
	}
	return min(answered.Sub(date), 0), nil
}
