package handout

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

// Chart is rows of numbers on one scale.
type Chart struct {
	Title  string
	Series []Series
}

// The picture in its own units.
const (
	width, height            = 720.0, 240.0
	left, right, top, bottom = 88.0, 12.0, 14.0, 32.0
	gridLines, timeMarks     = 4, 5
)

// SVG draws the chart. What tells the rows apart is their dashes, not their colours alone.
func (c Chart) SVG() template.HTML {
	scale := c.scale()
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %g %g" role="img" aria-label="%s">`, width, height, html.EscapeString(c.Title+". "+c.Says()))
	for i := range gridLines + 1 {
		v := scale.most * float64(i) / gridLines
		y := scale.y(v)
		fmt.Fprintf(&b, `<line class="grid" x1="%g" x2="%g" y1="%.1f" y2="%.1f"/><text x="%g" y="%.1f" text-anchor="end">%s</text>`, left, width-right, y, y, left-6, y+4, c.label(v))
	}
	for i := range timeMarks {
		at := scale.last * time.Duration(i) / (timeMarks - 1)
		anchor := "middle"
		if i == timeMarks-1 {
			anchor = "end"
		}
		fmt.Fprintf(&b, `<text x="%.1f" y="%g" text-anchor="%s">%s</text>`, scale.x(at), height-8, anchor, view.Elapsed(at))
	}
	for i, s := range c.Series {
		if len(s.Points) > 0 {
			fmt.Fprintf(&b, `<path class="row%d" d="%s"/>`, i, scale.path(s.Points))
		}
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) // numbers, and texts that were escaped
}

// label is a number at the side of a chart, in the unit of its values.
func (c Chart) label(v float64) string {
	unit := ""
	if points := c.Series[0].Points; len(points) > 0 {
		unit = strings.TrimLeft(points[0].Text, "0123456789.")
	}
	switch unit {
	case "m":
		return strconv.FormatFloat(math.Round(v*1000), 'f', -1, 64) + unit
	case "Mi":
		return strconv.FormatFloat(math.Round(v/(1<<20)), 'f', -1, 64) + unit
	}
	return strconv.FormatFloat(math.Round(v*10)/10, 'g', -1, 64)
}

// scale puts numbers into the picture.
type scale struct {
	last time.Duration
	most float64
}

// scale ends at a number that four lines divide evenly.
func (c Chart) scale() scale {
	most, step := c.most(), 1.0
	switch {
	case most >= 1<<20: // bytes
		step = 1 << 20
	case strings.HasSuffix(c.label(most), "m"):
		step = 0.001
	}
	s := scale{most: math.Max(gridLines, math.Ceil(most/step/gridLines)*gridLines) * step}
	for _, row := range c.Series {
		if n := len(row.Points); n > 0 {
			s.last = max(s.last, row.Points[n-1].After)
		}
	}
	return s
}

func (s scale) x(at time.Duration) float64 {
	if s.last == 0 {
		return left
	}
	return left + (width-left-right)*float64(at)/float64(s.last)
}

func (s scale) y(v float64) float64 { return top + (height-top-bottom)*(1-min(v, s.most)/s.most) }

// path goes in steps: a value holds until the next. Points on a level line are left out.
func (s scale) path(points []Point) string {
	var b strings.Builder
	points = s.thin(points)
	for i, p := range points {
		switch {
		case i == 0:
			fmt.Fprintf(&b, "M%.1f %.1f", s.x(p.After), s.y(p.Y))
		case p.Y != points[i-1].Y:
			fmt.Fprintf(&b, "H%.1fV%.1f", s.x(p.After), s.y(p.Y))
		case i == len(points)-1:
			fmt.Fprintf(&b, "H%.1f", s.x(p.After))
		}
	}
	return b.String()
}

// thin leaves out what cannot be seen: of the points that are drawn at one place, all but the
// first, the lowest, the highest and the last.
func (s scale) thin(points []Point) (some []Point) {
	for len(points) > 0 {
		n := 1
		for n < len(points) && math.Floor(s.x(points[n].After)) == math.Floor(s.x(points[0].After)) {
			n++
		}
		column := points[:n]
		points = points[n:]
		low, high := 0, 0
		for i, p := range column {
			if p.Y < column[low].Y {
				low = i
			}
			if p.Y > column[high].Y {
				high = i
			}
		}
		kept := []int{0, low, high, n - 1}
		slices.Sort(kept)
		for _, i := range slices.Compact(kept) {
			some = append(some, column[i])
		}
	}
	return some
}
