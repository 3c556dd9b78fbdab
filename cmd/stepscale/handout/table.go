package handout

import (
	"fmt"
	"slices"
)

// columns are those of the table of all passes.
var columns = []struct {
	name string
	of   func(Row) string
}{
	{"패스", func(r Row) string { return r.Pass }},
	{"경과", func(r Row) string { return r.Elapsed }},
	{"사용", func(r Row) string { return r.Usage }},
	{"목표", func(r Row) string { return r.Target }},
	{"레플리카", func(r Row) string { return r.Replicas }},
	{"추천", func(r Row) string { return r.Recommended }},
	{"요청량", func(r Row) string { return r.Request }},
	{"대기·후보", func(r Row) string { return r.Waiting }},
	{"타입·그룹", func(r Row) string { return r.Node }},
	{"결정", func(r Row) string { return r.Decision }},
	{"이유", func(r Row) string { return r.Reason }},
}

// mostRows is how many lines a table has at the most: a day has 5,760 passes.
const mostRows = 400

// Header are the names of the columns of which something is known.
func (r *Report) Header() (names []string) {
	for _, i := range r.known() {
		names = append(names, columns[i].name)
	}
	return names
}

// Rows are the passes, those left out that say the same as the one before them.
func (r *Report) Rows() [][]string {
	var rows [][]string
	known := r.known()
	for _, p := range r.Passes {
		var row []string
		for _, i := range known {
			row = append(row, columns[i].of(p))
		}
		if n := len(rows); n > 0 && slices.Equal(rows[n-1][2:], row[2:]) {
			continue
		}
		rows = append(rows, row)
	}
	return rows
}

// Unlisted says what Rows and Listed leave out.
func (r *Report) Unlisted() string {
	all, listed := len(r.Passes), len(r.Listed())
	if all == listed {
		return ""
	}
	text := fmt.Sprintf("패스 %d개 가운데 %d개입니다. 앞의 줄과 값이 같은 패스는 뺐습니다.", all, listed)
	if len(r.Rows()) > listed {
		text += " 그러고도 많아 고르게 뽑았습니다."
	}
	return text + " 모두 기록에 있습니다."
}

// Listed are as many of the Rows as a page has room for.
func (r *Report) Listed() [][]string { return spread(r.Rows()) }

// spread takes as many as a table has room for, evenly, with the first and the last.
func spread(rows [][]string) [][]string {
	if len(rows) <= mostRows {
		return rows
	}
	var some [][]string
	for i := range mostRows {
		some = append(some, rows[i*(len(rows)-1)/(mostRows-1)])
	}
	return some
}

// known are the columns that are not empty.
func (r *Report) known() (all []int) {
	for i, c := range columns {
		if i < 2 || slices.ContainsFunc(r.Passes, func(p Row) bool { v := c.of(p); return v != "" && v != "-" }) {
			all = append(all, i)
		}
	}
	return all
}
