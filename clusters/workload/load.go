package workload

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// Point is one row of a timeline: from At on, the load is CPU.
type Point struct {
	At  int   `json:"at"`  // seconds since the generator began
	CPU int64 `json:"cpu"` // millicores
}

// Points samples a timeline; what does not change is not repeated.
func Points(offered func(elapsed time.Duration) int64, length, resolution time.Duration) []Point {
	var points []Point
	for at := time.Duration(0); at < length; at += resolution {
		if cpu := offered(at); len(points) == 0 || points[len(points)-1].CPU != cpu {
			points = append(points, Point{At: int(at.Seconds()), CPU: cpu})
		}
	}
	return points
}

const (
	inFlight = 256                    // requests at once; more are dropped, not put off
	idle     = 500 * time.Millisecond // until it is looked again whether there is load
	reread   = 200 * time.Millisecond // how old what the position's file says may be
)

// generator sends so many requests that together they cost the timeline's CPU.
type generator struct {
	url      string
	cost     time.Duration
	points   []Point
	position string // a file that says where in the timeline it is; empty: that is the time since it began
}

// at is the load in millicores.
func (g generator) at(elapsed time.Duration) int64 {
	var cpu int64
	for _, p := range g.points {
		if time.Duration(p.At)*time.Second > elapsed {
			break
		}
		cpu = p.CPU
	}
	return cpu
}

// elapsed tells where in the timeline it is from now on.
func (g generator) elapsed() func() time.Duration {
	begin := time.Now()
	if g.position == "" {
		return func() time.Duration { return time.Since(begin) }
	}
	var at time.Duration
	var read time.Time
	return func() time.Duration {
		if time.Since(read) < reread {
			return at
		}
		read = time.Now()
		said, err := os.ReadFile(g.position)
		if d, parseErr := time.ParseDuration(strings.TrimSpace(string(said))); err == nil && parseErr == nil {
			at = d // what cannot be read changes nothing
		}
		return at
	}
}

// every is the time between two requests; 0 when there is no load.
func (g generator) every(elapsed time.Duration) time.Duration {
	cpu := g.at(elapsed)
	if cpu <= 0 {
		return 0
	}
	return g.cost * 1000 / time.Duration(cpu)
}

// run never catches up on requests that it could not send in time.
func (g generator) run(ctx context.Context) error {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, // a Service spreads connections over the pods, not requests
	}}
	target := g.url + "/work?cpu=" + url.QueryEscape(g.cost.String())
	room := make(chan struct{}, inFlight)
	elapsed := g.elapsed()
	next := time.Now()
	for {
		every := g.every(elapsed())
		if every > 0 {
			select {
			case room <- struct{}{}:
				go func() { defer func() { <-room }(); send(ctx, client, target) }()
			default:
			}
		} else {
			every = idle
		}
		if next = next.Add(every); time.Until(next) < -idle {
			next = time.Now()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Until(next)):
		}
	}
}

// send forgives every failure: pods come and go.
func send(ctx context.Context, client *http.Client, target string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return
	}
	resp, err := client.Do(req)
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
}
