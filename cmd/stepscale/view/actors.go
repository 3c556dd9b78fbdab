package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// ActorMap is who acts on whom in a loop, at one moment.
type ActorMap struct {
	Boxes []ActorBox // in the order in which they move
	Deed  string     // what just went over the lit arrow: "PUT deployments/scale 2 → 4"
	Pods  PodRow
	Low   bool // there is no row for what went over the arrow
}

// ActorBox is one actor of the map.
type ActorBox struct {
	Actor string
	What  string // the value is: "제안"
	Value string // that it told last: "4"
	Moved bool   // it is the actor of the step that is shown
	Asks  bool   // the arrow before it is lit: it read
	Gives bool   // the arrow behind it is lit: it wrote
	Waits bool   // its write waits at the gate
}

// PodRow are the pods by how far they have come.
type PodRow struct {
	Ready, Starting, Pending, Ending int
	Untold                           int       // nothing that was read tells how far they are
	Sizes                            []string  // the requests, where they are known: "100m×2"
	Heights                          []float64 // the request of each pod, where they are known
}

// shortActors are names for a map, where the whole ones do not fit.
var shortActors = map[string]string{
	"metrics-server": "Metrics", "hpa-controller": "HPA", "deployment-controller": "디플로이먼트", "replicaset-controller": "레플리카셋",
	"vpa-recommender": "Recommender", "vpa-updater": "Updater", "vpa-admission-controller": "Admission",
	"horizontal-pod-autoscaler-controller": "업스트림HPA", "learner": "학습자", "cluster-autoscaler": "오토스케일러",
}

// name is the actor's whole one where the layout has room for those.
func (b ActorBox) name(l mapLayout) string {
	if short, ok := shortActors[b.Actor]; ok && !l.whole {
		return short
	}
	return shorten(ActorLabel(b.Actor), mostName)
}

// mostName is how long a name may be of an actor that is none of ours.
const mostName = 24

// value fits the box: what it is of gives way, and goes where next to nothing of it is left.
func (b ActorBox) value(width int) string {
	what, value := cell(b.What), cell(b.Value)
	room := width - ansi.StringWidth(value) - 1
	if ansi.StringWidth(what) > room && room < leastWhat {
		return shorten(value, width)
	}
	return strings.TrimSpace(ansi.Truncate(what, room, "…") + " " + value)
}

// leastWhat is how many columns still say what a value is of.
const leastWhat = 5

// mapLayout is how the boxes share the rows: all rows have the same columns.
type mapLayout struct {
	least, arrow, perRow int
	whole                bool // so are the actors' names
}

// layout finds the roomiest layout that takes the fewest rows.
func (m ActorMap) layout(width int) mapLayout {
	n := len(m.Boxes)
	for rows := 1; rows <= max(n, 1); rows++ {
		per := (n + rows - 1) / rows
		for _, l := range []mapLayout{{9, 6, per, true}, {8, 4, per, true}, {9, 6, per, false}, {9, 4, per, false}, {8, 4, per, false}, {7, 3, per, false}, {4, 2, per, false}} {
			if m.fits(l, width) {
				return l
			}
		}
	}
	return mapLayout{4, 2, 1, false}
}

func (m ActorMap) fits(l mapLayout, width int) bool {
	for from := 0; from < len(m.Boxes); from += l.perRow {
		used := -l.arrow
		for _, b := range m.Boxes[from:min(from+l.perRow, len(m.Boxes))] {
			used += l.arrow + b.width(l)
		}
		if from+l.perRow < len(m.Boxes) { // an arrow to the next row
			used += l.arrow
		}
		if used > width {
			return false
		}
	}
	return true
}

// width of a box, with the column in which a mark stands.
func (b ActorBox) width(l mapLayout) int { return 1 + max(ansi.StringWidth(b.name(l)), l.least) }

// ActorMap draws the map: what goes over the lit arrow, the actors, the number of each,
// and the pods.
func (s *Screen) ActorMap(m ActorMap) {
	m = seenIn(m)
	l := m.layout(s.width)
	for from := 0; from < len(m.Boxes); from += l.perRow {
		s.actorRow(m, l, from)
	}
	s.podRow(m.Pods)
}

func (s *Screen) actorRow(m ActorMap, l mapLayout, from int) {
	row := m.Boxes[from:min(from+l.perRow, len(m.Boxes))]
	var names strings.Builder
	column, deedAt := 0, -1
	for i, b := range row {
		w, gap := b.width(l), l.arrow
		mark, style := " ", faint
		switch {
		case b.Moved:
			mark, style = "●", title
		case b.Value != "":
			style = bold
		}
		names.WriteString(s.style(style, mark+pad(b.name(l), w-1)))
		if from+i+1 == len(m.Boxes) {
			gap = 0
		}
		column += w
		if b.Gives {
			deedAt = column
		}
		if b.Asks {
			deedAt = max(column-w-l.arrow, 0)
		}
		if gap > 0 {
			names.WriteString(s.arrow(b.Gives || m.Boxes[from+i+1].Asks, b.Waits, gap))
		}
		column += gap
	}
	deed := ""
	if deedAt >= 0 {
		text := shorten(m.Deed, s.width)
		deed = strings.Repeat(" ", min(deedAt, max(s.width-ansi.StringWidth(text), 0))) + s.style(green, text)
	}
	if !m.Low {
		s.print(deed + "\n")
	}
	s.print(strings.TrimRight(names.String(), " ") + "\n" + s.valueRow(row, l) + "\n")
}

// valueRow are the values below their actors' names. One may reach as far as the next.
func (s *Screen) valueRow(row []ActorBox, l mapLayout) string {
	var values strings.Builder
	column := 0
	for i, b := range row {
		if b.Value != "" {
			room := s.width - column - 2
			if next := slices.IndexFunc(row[i+1:], func(b ActorBox) bool { return b.Value != "" }); next >= 0 {
				room = -2
				for _, under := range row[i : i+1+next] {
					room += under.width(l) + l.arrow
				}
			}
			style := bold
			if b.Moved {
				style = title
			}
			if gap := column + 1 - ansi.StringWidth(values.String()); gap > 0 {
				values.WriteString(strings.Repeat(" ", gap))
			}
			values.WriteString(s.style(style, b.value(room)))
		}
		column += b.width(l) + l.arrow
	}
	return values.String()
}

// arrow between two boxes. A gate that is closed stands in it.
func (s *Screen) arrow(lit, gate bool, width int) string {
	switch {
	case gate:
		return s.style(yellow, strings.Repeat("─", width-2)+"⛔")
	case lit:
		return s.style(green, strings.Repeat("━", width-2)+"▶") + " "
	}
	return s.style(faint, strings.Repeat("─", width-2)+"▷") + " "
}

// mostPods is how many pods are drawn one by one.
const mostPods = 40

// podState is how far a pod has come: its mark, and its name where there is room for that, and
// where there is not.
type podState struct {
	n                        int
	mark, name, short, color string
}

func (p PodRow) states() []podState {
	return []podState{{p.Ready, "■", "준비됨", "준비", green}, {p.Starting, "▣", "시작하는 중", "시작", yellow}, {p.Pending, "□", "배정을 기다림", "대기", yellow}, {p.Untold, "◇", "그 밖의 파드", "그 밖", cyan}, {p.Ending, "×", "끝나는 중", "종료", red}}
}

// podRow draws the pods, and says how many there are of each kind. Where that is more than a
// row, the names get shorter, and then the drawing of the requests goes: their numbers stay.
func (s *Screen) podRow(p PodRow) {
	line := s.pods(p, false, p.heights())
	if ansi.StringWidth(line) > s.width {
		line = s.pods(p, true, p.heights())
	}
	if ansi.StringWidth(line) > s.width {
		line = s.pods(p, true, "")
	}
	s.print(ansi.Truncate(line, s.width, "…") + "\n")
}

func (s *Screen) pods(p PodRow, short bool, heights string) string {
	var drawn strings.Builder
	var told []string
	left := min(mostPods, max(s.width-40, 8))
	for _, k := range p.states() {
		if k.n <= 0 {
			continue
		}
		drawn.WriteString(s.style(k.color, strings.Repeat(k.mark, min(k.n, left))))
		left -= min(k.n, left)
		name := k.name
		if short {
			name = k.short
		}
		told = append(told, fmt.Sprintf("%s%s %d", k.mark, name, k.n))
	}
	if drawn.Len() == 0 {
		return ""
	}
	line := " 파드 " + drawn.String() + "  " + s.style(faint, strings.Join(told, " "))
	if len(p.Sizes) > 0 {
		line += s.style(faint, " · 요청량 ")
		if heights != "" {
			line += s.style(cyan, heights) + " "
		}
		line += s.style(faint, cell(strings.Join(p.Sizes, ", ")))
	}
	return line
}

// heights draws every pod as high as its request.
func (p PodRow) heights() string {
	if len(p.Heights) == 0 {
		return ""
	}
	most := slices.Max(p.Heights)
	var b strings.Builder
	for _, h := range p.Heights[:min(len(p.Heights), mostPods)] {
		b.WriteRune(eighths[min(max(int(h/max(most, 1)*8+0.5), 1), 8)])
	}
	return b.String()
}
