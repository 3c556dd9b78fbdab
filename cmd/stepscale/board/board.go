package board

import (
	"cmp"
	"slices"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
)

// Schema names the form of a board as JSON.
const Schema = "stepscale.board/v1"

// Board is a class at a moment.
type Board struct {
	Schema    string     `json:"schema"`
	Class     string     `json:"class"`
	At        time.Time  `json:"at"`
	Trouble   string     `json:"trouble,omitempty"` // why what is told is old
	Pace      Pace       `json:"pace"`
	Vote      *Ballots   `json:"vote,omitempty"`
	Rows      []Row      `json:"rows"`
	Questions []Question `json:"questions"`
}

// Row is one learner.
type Row struct {
	Seat      string    `json:"seat"`
	Namespace string    `json:"namespace"`
	Reported  bool      `json:"reported"`
	Silent    bool      `json:"silent,omitempty"` // said that nothing is reported, and nothing is
	Lesson    string    `json:"lesson,omitempty"`
	Step      string    `json:"step,omitempty"`
	Steps     int       `json:"steps"`
	Total     int       `json:"total"`
	Since     time.Time `json:"since,omitzero"` // the step was reached, by the board's clock
	Stuck     bool      `json:"stuck"`
	Help      bool      `json:"help"`
	Held      bool      `json:"held"`
	Sweep     string    `json:"sweep,omitempty"` // asked whether the pods may go, and what became of it
	Done      bool      `json:"done"`
	Question  string    `json:"question,omitempty"`
	Answered  bool      `json:"answered"`
	Answer    string    `json:"answer,omitempty"` // empty while it is hidden
	Open      bool      `json:"open"`             // the question's step is not executed
	Replicas  *int32    `json:"replicas,omitempty"`
	Problem   string    `json:"problem,omitempty"` // why the report is not believed

	about question
}

// question is which question of which lesson.
type question struct {
	lesson string
	step   int // how many steps are executed before its own
	fact   string
}

// Question is how everybody has answered one question.
type Question struct {
	Lesson string       `json:"lesson"`
	Step   int          `json:"step"` // the number of its step, from 1
	Fact   string       `json:"fact"`
	Here   int          `json:"here"`   // learners that stand at it
	Open   int          `json:"open"`   // of those, who have not executed its step
	Given  int          `json:"given"`  // answers
	Hidden bool         `json:"hidden"` // Counts are not shown yet
	Counts []play.Count `json:"counts,omitempty"`
}

// Ballots is the vote that was opened last, with how many have answered.
type Ballots struct {
	Vote
	Given int `json:"given"`
}

// BoardOptions are how a board is to be read.
type BoardOptions struct {
	Stuck time.Duration // so long at one step
	Show  bool          // answers, also those of a question that is open
}

// reported is what the board has taken in of one learner.
type reported struct {
	Report
	since   time.Time // by the board's clock
	problem string
	version string // of the object
	sweep   Sweep  // what was said about the pods
}

// board puts together what is known: the roster is what there is, whatever anybody reports.
func board(o BoardOptions, now time.Time, roster map[string]string, reports map[string]reported, answers map[question]map[string]string) Board {
	b := Board{Schema: Schema, At: now, Rows: []Row{}, Questions: []Question{}}
	here, open := map[question]int{}, map[question]int{}
	for namespace, seat := range roster {
		row := Row{Seat: seat, Namespace: namespace}
		if r, ok := reports[namespace]; ok {
			row.take(r, now, o.Stuck)
		}
		if row.about != (question{}) {
			here[row.about]++
			if row.Open {
				open[row.about]++
			}
		}
		b.Rows = append(b.Rows, row)
	}
	for about := range here {
		b.Questions = append(b.Questions, count(about, here[about], open[about], answers[about], o.Show))
	}
	for i, row := range b.Rows {
		if row.about != (question{}) && open[row.about] > 0 && !o.Show {
			b.Rows[i].Answer = ""
		}
	}
	slices.SortFunc(b.Rows, byUrgency)
	slices.SortFunc(b.Questions, func(a, c Question) int {
		return cmp.Or(cmp.Compare(c.Here, a.Here), cmp.Compare(a.Lesson, c.Lesson), cmp.Compare(c.Step, a.Step), cmp.Compare(a.Fact, c.Fact))
	})
	return b
}

// take fills the row from a report.
func (row *Row) take(r reported, now time.Time, stuck time.Duration) {
	row.Reported, row.Problem, row.Silent = !r.Silent, r.problem, r.Silent
	if r.problem != "" || r.Silent {
		return
	}
	row.Lesson, row.Step, row.Steps, row.Total, row.Since = r.Lesson, r.Step, r.Steps, r.Total, r.since
	row.Help, row.Held, row.Done, row.Replicas = r.Help, r.Held, r.Done, r.Replicas
	row.Stuck = stuck > 0 && !r.Done && !r.Held && now.Sub(r.since) >= stuck
	row.Sweep = r.sweep.now(r.version, r.Kept)
	row.Question, row.Answer, row.Answered, row.Open = r.Question, r.Answer, r.Answer != "", r.Open
	row.about = r.about()
}

// about is the question that a report speaks of.
func (r Report) about() question {
	if r.Question == "" {
		return question{}
	}
	q := question{r.Lesson, r.Steps, r.Question}
	if !r.Open {
		q.step--
	}
	return q
}

// count counts the answers to a question, the more frequent first.
func count(about question, here, open int, answers map[string]string, show bool) Question {
	q := Question{Lesson: about.lesson, Step: about.step + 1, Fact: about.fact, Here: here, Open: open, Given: len(answers), Hidden: open > 0 && !show}
	if q.Hidden {
		return q
	}
	counts := map[string]int{}
	for _, a := range answers {
		counts[a]++
	}
	for a, n := range counts {
		q.Counts = append(q.Counts, play.Count{Answer: a, Count: n})
	}
	slices.SortFunc(q.Counts, func(a, b play.Count) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), bySeat(a.Answer, b.Answer))
	})
	return q
}

// byUrgency has raised hands first, then those who are stuck, each by seat.
func byUrgency(a, b Row) int {
	urgency := func(r Row) int {
		switch {
		case r.Help:
			return 0
		case r.Stuck:
			return 1
		}
		return 2
	}
	return cmp.Or(cmp.Compare(urgency(a), urgency(b)), bySeat(a.Seat, b.Seat), cmp.Compare(a.Namespace, b.Namespace))
}

// bySeat has s2 before s10.
func bySeat(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// Sum is how many of the class stand how.
type Sum struct{ Seats, Reported, Silent, Help, Stuck, Held, Done, Asked, Kept, Swept int }

// Sum counts.
func (b Board) Sum() (s Sum) {
	s.Seats = len(b.Rows)
	for _, r := range b.Rows {
		for _, c := range []struct {
			is bool
			n  *int
		}{{r.Reported, &s.Reported}, {r.Silent, &s.Silent}, {r.Help, &s.Help}, {r.Stuck, &s.Stuck}, {r.Held, &s.Held}, {r.Done, &s.Done},
			{r.Sweep == SweepAsked, &s.Asked}, {r.Sweep == SweepKept, &s.Kept}, {r.Sweep == SweepDone, &s.Swept}} {
			if c.is {
				*c.n++
			}
		}
	}
	return s
}
