package board

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/outside"
)

// Vote is a question that the instructor asks everybody, in rounds. The answers of a round
// stand in the learners' reports, and the counts here once they are shown.
type Vote struct {
	ID       string   `json:"id"` // of the question: "v1"
	Round    int      `json:"round"`
	Question string   `json:"question"`
	Choices  []string `json:"choices"`
	Open     bool     `json:"open,omitempty"`
	Tallies  []Tally  `json:"tallies,omitempty"` // of the rounds that are shown, in their order
}

// Tally is how a round went.
type Tally struct {
	Round  int          `json:"round"`
	Counts []play.Count `json:"counts"`
}

// The most that a vote may ask.
const (
	mostChoices  = 8
	mostQuestion = 600 // bytes
	mostTallies  = 8   // the last ones: an object has its bounds
)

// Round is what the answers of the round are kept under.
func (v Vote) round(n int) string { return fmt.Sprintf("%s/%d", v.ID, n) }

// Current is what the answers of the newest round are kept under.
func (v Vote) Current() string { return v.round(v.Round) }

// ballot is what a learner is asked.
func (v Vote) ballot() play.Ballot {
	return play.Ballot{ID: v.Current(), Text: v.Question, Choices: v.Choices}
}

// Count counts the answers of a round. Answers that were no choice are none.
func (v Vote) Count(round int, reports []Report) Tally {
	t := Tally{Round: round}
	for _, c := range v.Choices {
		n := 0
		for _, r := range reports {
			if r.Votes[v.round(round)] == c {
				n++
			}
		}
		t.Counts = append(t.Counts, play.Count{Answer: c, Count: n})
	}
	return t
}

// Show publishes the counts of the newest round, which ends it.
func (v Vote) Show(t Tally) Vote {
	v.Open = false
	v.Tallies = append(slices.DeleteFunc(slices.Clone(v.Tallies), func(o Tally) bool { return o.Round == t.Round }), t)
	v.Tallies = v.Tallies[max(len(v.Tallies)-mostTallies, 0):]
	return v
}

// Again opens the next round.
func (v Vote) Again() Vote {
	v.Round++
	v.Open = true
	return v
}

// Shown is the tally as a screen draws it.
func (t Tally) Shown() (rows []view.Count) {
	for _, c := range t.Counts {
		rows = append(rows, view.Count{Name: shown(c.Answer), Count: c.Count})
	}
	return rows
}

// Says is how a vote stands, without what was answered.
func (v Vote) Says(given int) string {
	state := "닫혀 있습니다."
	if v.Open {
		state = "열려 있습니다."
	}
	return fmt.Sprintf("투표 %d차: %s (%s) · %d명이 답했습니다. %s", v.Round, v.Question, strings.Join(v.Choices, " / "), given, state)
}

// NextVote is the ID of a vote that comes after another one.
func NextVote(before Vote, now time.Time) string {
	n, err := strconv.Atoi(strings.TrimPrefix(before.ID, "v"))
	if err != nil {
		n = 0
	}
	if before.ID == "" { // Home may have been made anew, and old answers be there
		n = int(now.Unix() % 100000)
	}
	return fmt.Sprintf("v%d", n+1)
}

// Given is how many have answered in a round.
func (t Tally) Given() (n int) {
	for _, c := range t.Counts {
		n += c.Count
	}
	return n
}

// Tidy is the vote as everybody sees it, to be written so.
func (v Vote) Tidy() Vote { return v.shown() }

// shown is the vote with texts as a screen may show them.
func (v Vote) shown() Vote {
	v.Question = strings.Join(strings.Fields(outside.Text(outside.Brief(v.Question))), " ")
	v.Choices = slices.Clone(v.Choices)
	for i, c := range v.Choices {
		v.Choices[i] = shown(c)
	}
	return v
}

// Asks tells whether another vote asks the same, as the learners see it.
func (v Vote) Asks(o Vote) bool {
	v, o = v.shown(), o.shown()
	return v.Question == o.Question && slices.Equal(v.Choices, o.Choices)
}

// numbersOf are those in the name of a round: of its question, and its own.
func numbersOf(round string) (n [2]int, ok bool) {
	about, own, ok := strings.Cut(round, "/")
	about, isVote := strings.CutPrefix(about, "v")
	var errs [2]error
	n[0], errs[0] = strconv.Atoi(about)
	n[1], errs[1] = strconv.Atoi(own)
	return n, ok && isVote && len(round) <= mostRound && errs == [2]error{} && n[0] > 0 && n[1] > 0
}

// mostRound is how long the name of a round is at most.
const mostRound = 20

// newestVotes are the votes of the newest rounds, as many as an object may hold; that of the round
// is among them.
func newestVotes(votes map[string]string, round string, bytes int) map[string]string {
	rounds := slices.SortedFunc(maps.Keys(votes), func(a, b string) int {
		x, _ := numbersOf(a)
		y, _ := numbersOf(b)
		return cmp.Or(cmp.Compare(x[0], y[0]), cmp.Compare(x[1], y[1]), cmp.Compare(a, b))
	})
	fits := maps.Clone(votes)
	for _, oldest := range rounds {
		raw, err := json.Marshal(fits)
		if err == nil && len(raw) <= bytes && len(fits) <= mostVotes {
			break
		}
		if oldest != round {
			delete(fits, oldest)
		}
	}
	return fits
}

// Hint is a remark to the class, or to one learner.
type Hint struct {
	ID   string `json:"id"` // another for each
	Text string `json:"text"`
	// At is when it was given, by the instructor's clock: an old one is not told any more.
	At time.Time `json:"at"`
}

// Texts of the instructor's are sentences.
const (
	MostHint   = 600 // bytes, a line or two on a screen
	MostReason = 300 // it stands within a sentence
)

// sentence is what the instructor says, on one line.
func sentence(text string, most int) string {
	return strings.Join(strings.Fields(outside.Text(begin(text, most))), " ")
}

// hintLasts is how long a hint is told to those who come later, clocks that are wrong
// included.
const hintLasts = time.Hour
