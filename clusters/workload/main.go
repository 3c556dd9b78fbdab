// Package workload is what pods of a lesson run on a real cluster: a server that
// burns the CPU that requests ask of it, and a generator that sends them. These two use
// the standard library only, so that their sources compile alone to a small binary.
package workload

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os/signal"
	"syscall"
	"time"
)

// Main runs "burn" or "load" until SIGTERM and returns the exit code.
func Main(args []string, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, args, stderr); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

func run(ctx context.Context, args []string, stderr io.Writer) error {
	if len(args) == 0 {
		return errors.New("say burn or load")
	}
	f := flag.NewFlagSet(args[0], flag.ContinueOnError)
	f.SetOutput(stderr)
	switch args[0] {
	case "burn":
		listen := f.String("listen", ":8080", "address")
		if err := f.Parse(args[1:]); err != nil {
			return err
		}
		return burn(ctx, *listen)
	case "load":
		url := f.String("url", "", "of the server")
		cost := f.Duration("cost", 5*time.Millisecond, "CPU time of one request")
		timeline := f.String("timeline", "", "JSON list of points")
		position := f.String("position", "", "file with a duration: where in the timeline it is, instead of the time since the start")
		if err := f.Parse(args[1:]); err != nil {
			return err
		}
		var points []Point
		if err := json.Unmarshal([]byte(*timeline), &points); err != nil {
			return fmt.Errorf("timeline: %w", err)
		}
		g := generator{url: *url, cost: *cost, points: points, position: *position}
		return g.run(ctx)
	}
	return fmt.Errorf("no such verb: %s", args[0])
}

// burn serves /work?cpu=5ms, which takes that much CPU time, and /healthz.
func burn(ctx context.Context, listen string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("/work", func(w http.ResponseWriter, r *http.Request) {
		d, err := time.ParseDuration(r.URL.Query().Get("cpu"))
		if err != nil || d < 0 || d > time.Second {
			http.Error(w, "cpu: a duration up to 1s", http.StatusBadRequest)
			return
		}
		Burn(d)
	})
	server := &http.Server{Addr: listen, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() }) // a pod of a lesson ends at once
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
