package board

import (
	"encoding/json"
	"maps"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
)

const (
	// mostWord is how long a text of a learner may be, in bytes.
	mostWord = 200
	// mostVotes is how many votes a report keeps, those of a long day.
	mostVotes = 40
)

// Reporter keeps the newest report of a learner and writes it.
type Reporter struct{ *newest[Report] }

// NewReporter begins with votes that were given before. Close has to be called.
func NewReporter(store Store, votes map[string]string, failed func(error)) *Reporter {
	return newReporter(store, votes, failed, retries)
}

func newReporter(store Store, votes map[string]string, failed func(error), pauses func() wait.Backoff) *Reporter {
	return &Reporter{keep(store, Report{Votes: maps.Clone(votes)}, encodeReport, failed, pauses)}
}

func encodeReport(r Report) []byte {
	r.Sent = time.Now()
	bare := r
	bare.Votes = nil
	rest, _ := json.Marshal(bare)
	r.Votes = newestVotes(r.Votes, r.round, MaxReport-len(rest)-len(`,"votes":`)) // what there may be many of
	raw, err := json.Marshal(r)
	if err != nil || len(raw) > MaxReport {
		return rest
	}
	return raw
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
		to.round = bounded(p.Vote)
		to.Votes[to.round] = bounded(p.Choice)
	})
}

// Voted is what the learner has answered in a round; empty where nothing.
func (r *Reporter) Voted(round string) string { return r.look().Votes[round] }

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
