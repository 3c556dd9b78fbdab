package view

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/stepscale/stepscale/engine/trace"
)

// Histogram is a VPA's memory of what a container has used, with what was read from it.
type Histogram struct {
	Of      string // "web.cpu"
	Buckets []Bucket
	Marks   []Mark
}

// Bucket is a range of usage, and the share of the samples' weight that is in it.
type Bucket struct{ Range, Share string }

// Mark is a value that is drawn into a histogram: "추천의 백분위수", "258m".
type Mark struct{ Name, Value string }

// marked are the facts that are drawn into a histogram, in the order of the loop.
var marked = []string{"lowerBoundPercentile", "targetPercentile", "upperBoundPercentile", "lowerBound", "target", "upperBound"}

// Histograms are those of a pass, one for each resource that was told.
func Histograms(frames []trace.Frame) (all []Histogram) {
	index := map[string]int{}
	for _, f := range frames {
		for _, x := range f.Facts {
			base, of, ok := strings.Cut(x.Name, "/")
			if base == "bucket" && ok {
				of, name, _ := strings.Cut(of, " ")
				if _, known := index[of]; !known {
					index[of] = len(all)
					all = append(all, Histogram{Of: of})
				}
				h := &all[index[of]]
				h.Buckets = append(h.Buckets, Bucket{name, x.Value})
			}
		}
	}
	for i := range all {
		for _, name := range marked {
			if v, ok := lastOf(frames, name+"/"+all[i].Of); ok {
				all[i].Marks = append(all[i].Marks, Mark{FactLabel(name), v})
			}
		}
	}
	return all
}

func lastOf(frames []trace.Frame, name string) (value string, ok bool) {
	for _, f := range frames {
		if v, told := f.Fact(name); told {
			value, ok = v, true
		}
	}
	return value, ok
}

// Histogram draws the buckets, the fullest as wide as there is room, with the marks behind
// those that they fall into.
func (s *Screen) Histogram(h Histogram) {
	h = seenIn(h)
	s.line(s.style(bold, cell("히스토그램 "+h.Of)) + s.style(faint, " (가장 찬 칸에 맞춘 길이)"))
	left, fullest := 0, 0.0
	for _, b := range h.Buckets {
		share, _ := percent(b.Share)
		left, fullest = max(left, ansi.StringWidth(b.Range)), max(fullest, share)
	}
	room := max(min((s.width-left-12)/2, 40), 6)
	outside := h.Marks
	for _, b := range h.Buckets {
		var here []string
		here, outside = b.Holds(outside)
		line := "  " + pad(b.Range, left) + " " + padLeft(b.Share, 6) + " " + s.style(cyan, pad(shareBar(b.Share, fullest, room), room))
		mark, column := " ◀ ", ansi.StringWidth(line)
		for _, marks := range filled(here, s.width-column-ansi.StringWidth(mark)) {
			line += s.style(yellow, mark+marks)
			s.print(ansi.Truncate(line, s.width, "…") + "\n")
			line, mark = strings.Repeat(" ", column), "   " // the others stand below the first
		}
		if len(here) == 0 {
			s.print(ansi.Truncate(line, s.width, "…") + "\n")
		}
	}
	var others []string
	for _, m := range outside {
		others = append(others, m.Name+" "+m.Value)
	}
	if len(others) > 0 {
		s.item(s.style(faint, "칸의 밖: ") + strings.Join(others, ", "))
	}
}

// filled joins texts to lines of that width; what is wider by itself has a line of its own.
func filled(texts []string, width int) (lines []string) {
	for _, text := range texts {
		if n := len(lines); n > 0 && ansi.StringWidth(lines[n-1]+", "+text) <= width {
			lines[n-1] += ", " + text
		} else {
			lines = append(lines, text)
		}
	}
	return lines
}

// Holds splits marks into those whose values are in the bucket, its end being its own, and
// the others.
func (b Bucket) Holds(marks []Mark) (here []string, others []Mark) {
	low, high, _ := strings.Cut(b.Range, "~")
	from, okFrom := Amount(low)
	to, okTo := Amount(high)
	for _, m := range marks {
		if v, ok := Amount(m.Value); ok && okFrom && okTo && v > from && v <= to {
			here = append(here, m.Name+" "+m.Value)
		} else {
			others = append(others, m)
		}
	}
	return here, others
}

// shareBar is a bar for a share, of which the fullest is as long as there is room.
func shareBar(share string, fullest float64, room int) string {
	v, _ := percent(share)
	full := 0
	if fullest > 0 {
		full = min(max(int(v/fullest*float64(room)+0.5), 0), room)
	}
	if full == 0 {
		return "▏"
	}
	return strings.Repeat("█", full)
}
