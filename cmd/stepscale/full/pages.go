package full

import "github.com/stepscale/stepscale/cmd/stepscale/view"

// block writes a part of a page.
type block func(s *view.Screen)

// page is what a pane shows, as blocks that fit any width.
type page struct {
	name   string
	blocks []block
	behind int // of a page of the story: the frame behind which it was said; -1 before the first
	laid   *laid
}

// laid is a page as it was laid out last: it is looked at more often than it changes.
type laid struct {
	width int
	color bool
	lines []string
}

// with is the page with more blocks at its end.
func (p page) with(b ...block) page {
	return page{p.name, append(p.blocks[:len(p.blocks):len(p.blocks)], b...), p.behind, &laid{}}
}

// before is the page with more blocks at its head.
func (p page) before(b ...block) page {
	return page{p.name, append(append([]block{}, b...), p.blocks...), p.behind, &laid{}}
}

// lines are the page as it is on a screen of that width.
func (p page) lines(width int, color bool) []string {
	if len(p.blocks) == 0 {
		return nil
	}
	if p.laid.lines == nil || p.laid.width != width || p.laid.color != color {
		*p.laid = laid{width, color, trimmed(written(width, color, func(s *view.Screen) {
			for _, b := range p.blocks {
				b(s)
			}
		}))}
	}
	return p.laid.lines
}

// last is the page of a pane that is read now.
func last(pages []page) page {
	if len(pages) == 0 {
		return page{}
	}
	return pages[len(pages)-1]
}

// renew puts a page in the place of the last one.
func renew(pages []page, p page) []page {
	if len(pages) == 0 {
		return []page{p}
	}
	return append(append([]page{}, pages[:len(pages)-1]...), p)
}
