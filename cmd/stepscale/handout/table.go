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

// Table is that of all passes.
type Table struct {
	Header []string   // of the columns of which something is known
	Rows   [][]string // without those that say the same as the one before, as many as there is room for
	Left   string     // what is left out; empty where nothing is
}

// tableOf puts the passes into a table.
func tableOf(passes []Row) (t Table) {
	known := knownOf(passes)
	for _, i := range known {
		t.Header = append(t.Header, columns[i].name)
	}
	for _, p := range passes {
		var row []string
		for _, i := range known {
			row = append(row, columns[i].of(p))
		}
		if n := len(t.Rows); n > 0 && slices.Equal(t.Rows[n-1][2:], row[2:]) {
			continue
		}
		t.Rows = append(t.Rows, row)
	}
	different := len(t.Rows)
	t.Rows = spread(t.Rows)
	if len(t.Rows) < len(passes) {
		t.Left = fmt.Sprintf("패스 %d개 가운데 %d개입니다. 앞의 줄과 값이 같은 패스는 뺐습니다.", len(passes), len(t.Rows))
		if len(t.Rows) < different {
			t.Left += " 그러고도 많아 고르게 뽑았습니다."
		}
		t.Left += " 모두 기록에 있습니다."
	}
	return t
}

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

// knownOf are the columns that are not empty; which pass it is and when are always known.
func knownOf(passes []Row) (all []int) {
	for i, c := range columns {
		if i < 2 || slices.ContainsFunc(passes, func(p Row) bool { v := c.of(p); return v != "" && v != "-" }) {
			all = append(all, i)
		}
	}
	return all
}
