package board

import (
	"encoding/json"
	"maps"
	"time"
	"unicode/utf8"

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
	return &Reporter{keep(store, Report{Votes: maps.Clone(votes)}, encodeReport, failed)}
}

func encodeReport(r Report) []byte {
	r.Sent = time.Now()
	raw, err := json.Marshal(r)
	if err != nil || len(raw) > MaxReport { // votes are what there may be many of
		r.Votes = nil
		raw, _ = json.Marshal(r)
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
		to.Held, to.Help, to.Done, to.Replicas = p.Held, p.Help, p.Done, p.Replicas
		if p.Vote == "" || len(to.Votes) >= mostVotes && to.Votes[p.Vote] == "" {
			return
		}
		to.Votes = maps.Clone(to.Votes)
		if to.Votes == nil {
			to.Votes = map[string]string{}
		}
		to.Votes[bounded(p.Vote)] = bounded(p.Choice)
	})
}

// Voted is what the learner has answered in a round; empty where nothing.
func (r *Reporter) Voted(round string) string { return r.look().Votes[round] }

// bounded is the beginning of a text.
func bounded(text string) string {
	if len(text) <= mostWord {
		return text
	}
	n := mostWord
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
