package handout

import (
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/engine/trace"
)

// upper is the name of a VPA's upper bound.
const upper = "상한"

// plots are the charts of a page, in its order. A fact that is told of several ("target/web.cpu",
// "target/api.cpu") makes a chart of each.
var plots = []struct {
	title string
	rows  []plottedRow
}{
	{"레플리카", []plottedRow{{"현재 레플리카", []string{"currentReplicas"}}, {"원하는 레플리카", []string{"desiredReplicas"}}}},
	{"사용률과 목표", []plottedRow{{"사용률(%)", []string{"currentUtilization"}}, {"목표(%)", []string{"targetUtilization"}}}},
	{"값과 목표", []plottedRow{{"값", []string{"averageValue", "metricValue"}}, {"목표", []string{"targetAverageValue", "targetValue"}}}},
	{"추천과 요청량", []plottedRow{{"추천", []string{"target"}}, {"하한", []string{"lowerBound"}}, {upper, []string{"upperBound"}}, {"파드의 요청량 가운데 가장 큰 것", []string{"after"}}}},
	{"노드를 기다리는 파드", []plottedRow{{"기다리는 파드", []string{"pendingPods", "waitingPods"}}}},
	{"노드", []plottedRow{{"노드", []string{"clusterNodes", "existingNodes"}}}},
}

// plottedRow is a row of a chart, and the facts that it is read from: the first that is told.
type plottedRow struct {
	name  string
	facts []string
}

// plottedFacts are the facts of all rows.
var plottedFacts = func() sets.Set[string] {
	all := sets.New[string]()
	for _, plot := range plots {
		for _, row := range plot.rows {
			all.Insert(row.facts...)
		}
	}
	return all
}()

// plotted are the values of the passes so far, by fact.
type plotted map[string]*Series

// add takes what was told last in a pass by the steps that did not fail.
func (p *plotted) add(after time.Duration, frames []trace.Frame) {
	if *p == nil {
		*p = plotted{}
	}
	told := map[string]string{}
	for _, f := range frames {
		if f.Err != "" {
			continue
		}
		for _, x := range f.Facts {
			if plottedFacts.Has(engine.Base(x.Name)) {
				told[x.Name] = x.Value
			}
		}
	}
	for name, value := range told {
		if (*p)[name] == nil {
			(*p)[name] = &Series{}
		}
		(*p)[name].add(after, largest(value))
	}
}

// largest is the greatest of a tally ("100m × 1, 300m × 1"), and any other value itself.
func largest(value string) string {
	if !strings.Contains(value, " × ") {
		return value
	}
	return view.Tick{Request: value}.LargestRequest()
}

// charts are those of which something is known.
func (p plotted) charts() (all []Chart) {
	for _, plot := range plots {
		for _, of := range p.subjects(plot.rows[0].facts) {
			c := Chart{Title: strings.TrimSpace(plot.title + " " + strings.TrimPrefix(of, "/"))}
			for _, row := range plot.rows {
				c.Series = append(c.Series, p.row(row, of))
			}
			if c.comparable(); len(c.Series[0].Points) > 1 {
				all = append(all, c)
			}
		}
	}
	return all
}

// subjects are what is after the name of a fact: nothing, or "/web.cpu".
func (p plotted) subjects(facts []string) []string {
	all := map[string]bool{}
	for name := range p {
		if base := engine.Base(name); slices.Contains(facts, base) {
			all[strings.TrimPrefix(name, base)] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func (p plotted) row(r plottedRow, of string) Series {
	s := Series{Name: r.name}
	for _, fact := range r.facts {
		if known := p[fact+of]; known != nil && len(s.Points) == 0 {
			s.Points = known.Points
		}
	}
	return s
}

// comparable leaves out what is no percentage beside one that is, and the other way around.
func (c *Chart) comparable() {
	percent := func(s Series) bool { return len(s.Points) > 0 && strings.HasSuffix(s.Points[0].Text, "%") }
	for i := range c.Series[1:] {
		if s := &c.Series[i+1]; percent(*s) != percent(c.Series[0]) {
			s.Points = nil
		}
	}
}

// Series is a row of numbers over time.
type Series struct {
	Name   string
	Points []Point
}

// Point is one of them.
type Point struct {
	After time.Duration // since the first frame, in loop time
	Y     float64
	Text  string
}

// add puts a value at the end; one that is no number is left out.
func (s *Series) add(after time.Duration, text string) {
	if n, ok := recording.Numbers(text); ok && text != "" {
		s.Points = append(s.Points, Point{after, n[0], text})
	}
}

// headroom is how much higher than the other rows a chart is at the most: the upper bound of a
// young VPA is a hundred times its target.
const headroom = 2

// most is the greatest number that a chart has room for.
func (c Chart) most() float64 {
	all, first := greatest(c.Series), greatest(c.Series[:1])
	others := greatest(slices.DeleteFunc(slices.Clone(c.Series), func(s Series) bool { return s.Name == upper }))
	if first > 0 && all > others*headroom {
		return others * headroom
	}
	return all
}

// Above says what is higher than the chart.
func (c Chart) Above() string {
	if all := greatest(c.Series); all > c.most() {
		return "그림보다 높은 " + korean.Topic(upper) + " 그림의 끝에 그렸습니다. 값은 표에 있습니다."
	}
	return ""
}

func greatest(all []Series) (most float64) {
	for _, s := range all {
		for _, p := range s.Points {
			most = max(most, p.Y)
		}
	}
	return most
}

// Rows are the numbers of a chart where one of them changed: what it draws, as a table.
func (c Chart) Rows() (rows [][]string) {
	for i, p := range c.Series[0].Points {
		row := []string{view.Elapsed(p.After)}
		for _, s := range c.shown() {
			text := ""
			if j, ok := slices.BinarySearchFunc(s.Points, p.After, func(q Point, at time.Duration) int { return int(q.After - at) }); ok {
				text = s.Points[j].Text
			}
			row = append(row, text)
		}
		if i == 0 || i == len(c.Series[0].Points)-1 || !slices.Equal(row[1:], rows[len(rows)-1][1:]) {
			rows = append(rows, row)
		}
	}
	return rows
}

// Listed are as many of the Rows as a page has room for.
func (c Chart) Listed() [][]string { return spread(c.Rows()) }

// shown are the rows of which something is known.
func (c Chart) shown() (all []Series) {
	for _, s := range c.Series {
		if len(s.Points) > 0 {
			all = append(all, s)
		}
	}
	return all
}

// Header are the names of those columns.
func (c Chart) Header() []string {
	names := []string{"경과"}
	for _, s := range c.shown() {
		names = append(names, s.Name)
	}
	return names
}

// Says is a chart in a sentence, for who cannot see it.
func (c Chart) Says() string {
	var parts []string
	for _, s := range c.shown() {
		low, high := s.Points[0], s.Points[0]
		for _, p := range s.Points {
			if p.Y < low.Y {
				low = p
			}
			if p.Y > high.Y {
				high = p
			}
		}
		parts = append(parts, s.Name+": "+s.Points[0].Text+"에서 시작해 가장 낮을 때 "+low.Text+", 가장 높을 때 "+high.Text+", 끝에 "+s.Points[len(s.Points)-1].Text)
	}
	return strings.Join(parts, ". ") + "."
}
