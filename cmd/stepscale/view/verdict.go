package view

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// VerdictView is one decision of ours beside upstream's.
type VerdictView struct {
	Pass                    int
	At, Start               time.Time
	Current, Ours, Upstream int32 // replicas
	Equal                   bool
}

var verdictColumns = []column{{"패스", 4}, {"경과", 8}, {"지금", 4}, {"stepscale", 9}, {"쿠버네티스", 10}}

// VerdictHeader names the columns of Verdict rows.
func (s *Screen) VerdictHeader() {
	var b strings.Builder
	for _, c := range verdictColumns {
		b.WriteString(padLeft(c.name, c.width) + "  ")
	}
	s.print(s.style(faint, b.String()+"판정") + "\n")
}

// Verdict writes one row.
func (s *Screen) Verdict(v VerdictView) {
	cells := []string{strconv.Itoa(v.Pass), Elapsed(v.At.Sub(v.Start)), strconv.Itoa(int(v.Current)), move(v.Current, v.Ours), move(v.Current, v.Upstream)}
	var b strings.Builder
	for i, c := range verdictColumns {
		b.WriteString(padLeft(cells[i], c.width) + "  ")
	}
	if v.Equal {
		b.WriteString(s.style(green, "✔ 같음"))
	} else {
		b.WriteString(s.style(boldRed, "✘ 다름"))
	}
	s.print(b.String() + "\n")
}

// move is what a controller wrote; nothing where it kept the replicas.
func move(from, to int32) string {
	if from == to {
		return "유지"
	}
	return fmt.Sprintf("→ %d", to)
}

var differences = map[string]string{"scale": "레플리카 쓰기", "events": "이벤트"}

// Difference shows what the two controllers did not do alike.
func (s *Screen) Difference(what, ours, upstream string) {
	label := differences[what]
	if label == "" {
		label = seen(what)
	}
	s.item(s.style(bold, label))
	s.print(s.wrap("    stepscale   "+seen(ours), 16) + "\n")
	s.print(s.wrap("    쿠버네티스  "+seen(upstream), 16) + "\n")
}
