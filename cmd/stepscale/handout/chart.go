package handout

import (
	"fmt"
	"html"
	"html/template"
	"math"
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
	left, right, top, bottom = 44.0, 12.0, 12.0, 28.0
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
		fmt.Fprintf(&b, `<line class="grid" x1="%g" x2="%g" y1="%.1f" y2="%.1f"/><text x="%g" y="%.1f" text-anchor="end">%g</text>`, left, width-right, y, y, left-6, y+4, math.Round(v*10)/10)
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

// scale puts numbers into the picture.
type scale struct {
	last time.Duration
	most float64
}

// scale ends at a number that four lines divide evenly.
func (c Chart) scale() scale {
	s := scale{most: math.Max(gridLines, math.Ceil(c.most()/gridLines)*gridLines)}
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

func (s scale) y(v float64) float64 { return top + (height-top-bottom)*(1-v/s.most) }

// path goes in steps: a value holds until the next. Points on a level line are left out.
func (s scale) path(points []Point) string {
	var b strings.Builder
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
