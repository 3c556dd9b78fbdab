package handout

import (
	"fmt"
	"html"
	"html/template"
	"strings"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

// Histogram is a VPA's memory of what a container has used.
type Histogram struct{ view.Histogram }

// A row of the picture, and where its bar begins and may end.
const (
	rowHeight, markHeight, barLeft, barRight = 26.0, 26.0, 150.0, 560.0
)

// SVG draws a bar for each bucket, the fullest as long as there is room, and below it the
// values that fall into it.
func (h Histogram) SVG() template.HTML {
	fullest := 0.0
	for _, b := range h.Buckets {
		fullest = max(fullest, share(b.Share))
	}
	var b strings.Builder
	y := 0.0
	for _, bucket := range h.Buckets {
		long := 1.0
		if fullest > 0 {
			long = max(long, share(bucket.Share)/fullest*(barRight-barLeft))
		}
		fmt.Fprintf(&b, `<text x="%g" y="%g" text-anchor="end">%s</text><rect class="bar" x="%g" y="%g" width="%.1f" height="%g"/><text x="%.1f" y="%g">%s</text>`,
			barLeft-8, y+19, html.EscapeString(bucket.Range), barLeft, y+3, long, rowHeight-6, barLeft+long+8, y+19, html.EscapeString(bucket.Share))
		y += rowHeight
		here, _ := bucket.Holds(h.Marks)
		for _, text := range here {
			fmt.Fprintf(&b, `<text x="%g" y="%g">▲ %s</text>`, barLeft, y+17, html.EscapeString(text))
			y += markHeight
		}
	}
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %g %g" role="img" aria-label="%s">%s</svg>`, width, y, html.EscapeString("히스토그램 "+h.Of+". "+h.Says()), b.String())) // numbers, and texts that were escaped
}

// Outside are the values that fall into no bucket.
func (h Histogram) Outside() string {
	marks := h.Marks
	for _, b := range h.Buckets {
		_, marks = b.Holds(marks)
	}
	return told(marks)
}

func told(marks []view.Mark) string {
	var parts []string
	for _, m := range marks {
		parts = append(parts, m.Name+" "+m.Value)
	}
	return strings.Join(parts, ", ")
}

// Says is the histogram in a sentence.
func (h Histogram) Says() string { return fmt.Sprintf("칸 %d개. %s.", len(h.Buckets), told(h.Marks)) }

// Rows are the buckets, with what falls into them.
func (h Histogram) Rows() (rows [][]string) {
	for _, b := range h.Buckets {
		here, _ := b.Holds(h.Marks)
		rows = append(rows, []string{b.Range, b.Share, strings.Join(here, ", ")})
	}
	return rows
}

// Header are the names of those columns.
func (h Histogram) Header() []string { return []string{"칸", "무게", "여기에 있는 값"} }

func share(text string) float64 {
	v, _ := view.Amount(text)
	return v
}
