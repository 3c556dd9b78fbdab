package board

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"sync"
	"time"
	"unicode/utf8"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
)

const (
	// settle is how long a report waits for what comes right behind it: a step that is
	// executed and the next question are one write.
	settle = 100 * time.Millisecond
	// writeTimeout is how long one write may take.
	writeTimeout = 10 * time.Second
	// mostWord is how long a text of a learner may be, in bytes.
	mostWord = 200
	// mostVotes is how many votes a report keeps, those of a long day.
	mostVotes = 40
)

// retries is how long a write that failed waits before it is tried again; anything that
// is told in between is written with it.
func retries() wait.Backoff {
	return wait.Backoff{Duration: 500 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 1 << 20, Cap: 20 * time.Second}
}

var errUnwritten = errors.New("the newest report is not written")

// Store is where a report is written.
type Store interface {
	Write(ctx context.Context, report []byte) error
}

// Reporter keeps the newest report of a learner and writes it, one write at a time. It is
// safe for several goroutines, and nothing waits for the cluster but Close.
type Reporter struct {
	store   Store
	failed  func(error) // is told of the first failure, and with nil when it is over; may be nil
	pauses  func() wait.Backoff
	changed chan struct{}
	closing chan struct{}
	ended   chan struct{}
	stop    context.CancelFunc
	once    sync.Once

	mu      sync.Mutex
	report  Report
	round   string // that was voted in last
	told    bool   // of a failure
	version int    // of report
	written int    // the version that is in the store
}

// NewReporter begins with votes that were given before. Close has to be called.
func NewReporter(store Store, votes map[string]string, failed func(error)) *Reporter {
	return newReporter(store, votes, failed, retries)
}

func newReporter(store Store, votes map[string]string, failed func(error), pauses func() wait.Backoff) *Reporter {
	r := &Reporter{store: store, failed: failed, pauses: pauses, changed: make(chan struct{}, 1), closing: make(chan struct{}), ended: make(chan struct{})}
	r.report.Votes = maps.Clone(votes)
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go func() {
		defer close(r.ended)
		r.run(ctx)
	}()
	return r
}

// Close writes what is not written yet, as long as the context lasts, and ends the
// reporter. The error is that the newest report is not in the store.
func (r *Reporter) Close(ctx context.Context) error {
	r.once.Do(func() { close(r.closing) })
	select {
	case <-r.ended:
	case <-ctx.Done():
	}
	r.stop()
	<-r.ended
	if raw, _ := r.newest(); raw != nil {
		return errUnwritten
	}
	return nil
}

// Told takes in where the learner stands.
func (r *Reporter) Told(p play.Progress) {
	r.change(func(to *Report) {
		if to.Lesson != p.Lesson || to.Step != p.Step || to.Steps != p.Steps || to.Since.IsZero() {
			to.Since = time.Now()
		}
		to.Lesson, to.Step, to.Steps, to.Total = bounded(p.Lesson), bounded(p.Step), p.Steps, p.Total
		to.Question, to.Answer, to.Open = bounded(p.Question), bounded(p.Answer), p.Open
		to.Held, to.Help, to.Done, to.Replicas, to.Kept = p.Held, p.Help, p.Done, p.Replicas, bounded(p.Kept)
		if p.Vote == "" {
			return
		}
		to.Votes = maps.Clone(to.Votes)
		if to.Votes == nil {
			to.Votes = map[string]string{}
		}
		r.round = bounded(p.Vote)
		to.Votes[r.round] = bounded(p.Choice)
	})
}

// Voted is what the learner has answered in a round; empty where nothing.
func (r *Reporter) Voted(round string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.report.Votes[round]
}

// bounded is the beginning of a learner's text.
func bounded(text string) string { return begin(text, mostWord) }

func begin(text string, most int) string {
	if len(text) <= most {
		return text
	}
	n := most
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

func (r *Reporter) change(do func(*Report)) {
	r.mu.Lock()
	do(&r.report)
	r.version++
	r.mu.Unlock()
	select {
	case r.changed <- struct{}{}:
	default: // it is going to look anyway
	}
}

// newest is the report to be written, and which one it is; nil where it has been.
func (r *Reporter) newest() ([]byte, int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.version == r.written {
		return nil, r.version
	}
	r.report.Sent = time.Now()
	bare := r.report
	bare.Votes = nil
	rest, _ := json.Marshal(bare)
	r.report.Votes = newest(r.report.Votes, r.round, MaxReport-len(rest)-len(`,"votes":`)) // what there may be many of
	raw, err := json.Marshal(r.report)
	if err != nil || len(raw) > MaxReport {
		raw = rest
	}
	return raw, r.version
}

// run writes until Close, and then once more what is not written yet.
func (r *Reporter) run(ctx context.Context) {
	for {
		select {
		case <-r.closing:
			r.flush(ctx)
			return
		case <-r.changed:
		}
		select {
		case <-r.closing:
		case <-time.After(settle):
		}
		r.flush(ctx)
	}
}

// flush writes the newest report, again and again until it is written or Close gives up.
// Before Close, something newer takes its place.
func (r *Reporter) flush(ctx context.Context) {
	closing := r.closing
	for again := r.pauses(); ctx.Err() == nil; {
		raw, version := r.newest()
		if raw == nil {
			return
		}
		err := r.write(ctx, raw)
		if err == nil {
			r.mu.Lock()
			r.written = version
			r.mu.Unlock()
			r.tell(nil)
			return // what was told meanwhile has left its mark in changed
		}
		r.tell(err)
		pause := again.Step()
		if s, asked := apierrors.SuggestsClientDelay(err); asked {
			pause = max(pause, time.Duration(s)*time.Second)
		}
		select {
		case <-ctx.Done():
		case <-closing: // there is little time left
			closing, again = nil, r.pauses()
		case <-time.After(pause):
		}
	}
}

func (r *Reporter) write(ctx context.Context, raw []byte) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return r.store.Write(ctx, raw)
}

// tell passes on that writing fails, and that it does not any more, once each.
func (r *Reporter) tell(err error) {
	r.mu.Lock()
	news := r.told != (err != nil)
	r.told = err != nil
	r.mu.Unlock()
	if news && r.failed != nil {
		r.failed(err)
	}
}
