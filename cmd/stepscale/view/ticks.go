package view

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stepscale/stepscale/engine/trace"
)

// Tick is one pass of the loop, as one row of a table.
type Tick struct {
	Pass               int
	At                 time.Time
	Current, Desired   string
	Utilization, Usage string // Usage is the average value where there is no percentage
	Target             string
	Proposal, Max      string // of this pass, and the highest within the stabilization window
	Window             string // for which proposals hold a scale-down back
	Action             string
	Reason             string // of the condition that says why nothing could be decided; or
	Blocked            bool   // it is what keeps the pods from being as it was decided
	Events             []trace.Event

	PodUsage, RequestBefore, Request, Lower, Recommended string // of the VPA loop
	of                                                   string // "web.memory": what those are about
	sizes                                                bool   // it is a pass of a VPA, also where it has no pods
	obstacle                                             string // what kept a VPA from sizing a pod, if nothing came of the pass
	Also                                                 string // a second action of the same pass

	Pending, NewNodes, NodeType string // of a loop that is about nodes
	NodeAction                  string // beside an HPA's, whose row has no place for it
}

// NewTick sums up the frames of one pass. Its time is that of the try that led to the
// decision: a step that failed may have been run again for minutes.
func NewTick(frames []trace.Frame) Tick {
	var t Tick
	failed := false // on the way to the decision
	for i, f := range frames {
		if i == 0 || failed {
			t.Pass, t.At = f.Pass, f.At
		}
		t.Events = append(t.Events, f.Events...)
		if failed = f.Err != "" && t.Action == ""; f.Err != "" {
			continue
		}
		for _, fact := range f.Facts {
			switch fact.Name {
			case "currentReplicas":
				t.Current = fact.Value
			case "desiredReplicas":
				t.Desired = fact.Value
			case "currentUtilization":
				t.Utilization = fact.Value
			case "averageValue", "metricValue":
				t.Usage = fact.Value
			case "targetUtilization", "targetAverageValue", "targetValue":
				t.Target = fact.Value
			case "metricDesiredReplicas":
				t.Proposal = fact.Value
			case "recommendationMax":
				t.Max = fact.Value
			case "stabilizationWindow":
				t.Window = downWindow(fact)
			case "action":
				t.act(fact.Value)
			case "conditionReason":
				t.Reason = fact.Value
			case "replicaFailure":
				t.blocked("FailedCreate")
			case "unschedulablePods":
				t.blocked(unschedulable)
			default:
				t.vpaFact(fact)
				t.nodeFact(fact)
			}
		}
	}
	t.nodesApart()
	if t.Pending != "" && t.Reason == unschedulable { // what a loop about nodes decides on, and no obstacle to it
		t.Blocked = false
	}
	if t.sizes && t.Current == "" && t.Action == "keep" {
		t.Blocked = t.Reason != "" // the recommender says it of the VPA
		if t.obstacle != "" {
			t.blocked(t.obstacle)
		}
	}
	return t
}

// unschedulable is the scheduler's word for a pod that no node has room for.
const unschedulable = "Unschedulable"

// blocked names what keeps the pods from being as the autoscaler wants them, in the
// words of the API; a reason of the autoscaler's own says more.
func (t *Tick) blocked(reason string) {
	if t.Reason == "" {
		t.Reason, t.Blocked = reason, true
	}
}

// decision is what the autoscaler did. One that kept what it cannot have has kept nothing.
func (t Tick) decision() string {
	if t.Blocked && (t.Action == "keep" || t.Action == "") {
		return "막힘"
	}
	return dash(actions[t.Action])
}

// Decision is what was decided in the pass, by all of its autoscalers.
func (t Tick) Decision() string {
	text := t.decision()
	for _, also := range []string{t.Also, t.NodeAction} {
		if also != "" {
			text += "·" + actions[also]
		}
	}
	return text
}

// act keeps the decision of the pass; two autoscalers may have made one each.
func (t *Tick) act(action string) {
	switch {
	case t.Action == "" || t.Action == "keep":
		t.Action = action
	case action != "keep" && action != t.Action:
		t.Also = action
	}
}

var actions = map[string]string{"scaleUp": "확장", "scaleDown": "축소", "keep": "유지", "evict": "재생성", "resize": "조정", "addNode": "노드 추가", "replaceNode": "노드 교체", "removeNode": "노드 제거"}

type column struct {
	name  string
	width int
}

var (
	tickColumns = []column{{"패스", 4}, {"경과", 8}, {"사용률", 7}, {"목표", 6}, {"레플리카", 9}, {"결정", 4}}
	wideColumns = slices.Insert(slices.Clone(tickColumns), 4, column{"제안", 4}, column{"최댓값", 6})
)

// TickHeader names the columns of Tick rows; first is the row that follows.
func (s *Screen) TickHeader(first Tick) {
	var b strings.Builder
	for _, c := range s.columns(first) {
		name := c.name
		if name == "사용률" && first.amount() {
			name = "값"
		}
		b.WriteString(padLeft(name, c.width) + " ")
	}
	if room := s.barRoom(first); room > 0 && !first.amount() {
		b.WriteString(" 사용률과 목표(┃)")
	}
	s.print(s.style(faint, strings.TrimRight(b.String(), " ")) + "\n")
}

// amount tells whether the HPA compares amounts and no percentages: there is no bar then.
func (t Tick) amount() bool { return t.Utilization == "" && t.Usage != "" }

// columns leaves the proposals out on a narrow screen, and then the target.
func (s *Screen) columns(t Tick) []column {
	switch {
	case t.nodes():
		return nodeColumns
	case t.both() && s.width >= 72:
		return bothColumns
	case t.vpa() && s.width >= 64:
		return vpaColumns
	case t.vpa():
		return append(append([]column{vpaColumns[0]}, vpaColumns[2:4]...), vpaColumns[5:]...)
	case s.width >= 58:
		return wideColumns
	case s.width >= 44:
		return tickColumns
	}
	return append(tickColumns[:3:3], tickColumns[4:]...)
}

func (s *Screen) barRoom(t Tick) int {
	if t.vpa() || t.nodes() || s.plain {
		return 0
	}
	used := 2
	for _, c := range s.columns(t) {
		used += c.width + 1
	}
	if room := s.width - used; room >= 18 {
		return min(room, 50)
	}
	return 0
}

// Tick writes one row. start is the loop time of the session's first frame.
func (s *Screen) Tick(t Tick, start time.Time) {
	t = seenIn(t)
	t.Reason = cell(t.Reason)
	usage := t.Utilization
	if usage == "" {
		usage = t.Usage
	}
	replicas := dash(t.Current)
	if t.Desired != "" && t.Desired != t.Current {
		replicas += "→" + t.Desired
	}
	cells := map[string]string{
		"패스": strconv.Itoa(t.Pass), "경과": Elapsed(t.At.Sub(start)), "사용률": dash(usage),
		"목표": dash(t.Target), "제안": dash(t.Proposal), "최댓값": dash(t.Max), "레플리카": replicas, "결정": t.decision(),
	}
	if t.vpa() {
		maps.Copy(cells, t.vpaCells())
	}
	maps.Copy(cells, t.nodeCells())
	if t.Also != "" {
		cells["결정"] += "·" + actions[t.Also]
	}
	var b strings.Builder
	for _, c := range s.columns(t) {
		cell := padLeft(cells[c.name], c.width)
		switch {
		case c.name == "결정" && t.decision() == "막힘":
			cell = s.style(yellow, cell)
		case c.name == "결정" && t.Action != "keep":
			cell = s.style(green, cell)
		}
		b.WriteString(cell + " ")
	}
	room := s.barRoom(t)
	switch {
	case t.Reason != "" && room < len(t.Reason):
		b.WriteString("\n     " + s.style(yellow, t.Reason))
	case t.Reason != "":
		b.WriteString(" " + s.style(yellow, t.Reason))
	case room > 0:
		b.WriteString(" " + s.bar(t.Utilization, t.Target, room))
	}
	s.print(strings.TrimRight(b.String(), " ") + "\n")
	if t.NodeAction != "" {
		s.print("     " + s.style(green, strings.TrimSpace(actions[t.NodeAction]+" "+cell(t.NodeType))) + "\n")
	}
	s.eventRows(t.Events)
}

// Skipped counts the rows that were left out because they say the same.
func (s *Screen) Skipped(n int) {
	s.print(s.style(faint, fmt.Sprintf("   … 같은 결정 %d패스 …", n)) + "\n")
}

func dash(v string) string {
	if v == "" {
		return "-"
	}
	return v
}

// bar draws a percentage with a mark where the target is. The scale ends at
// four times the target, so that the mark stands still from row to row.
func (s *Screen) bar(value, target string, width int) string {
	v, ok := percent(value)
	t, okTarget := percent(target)
	if !ok || !okTarget || t <= 0 || s.plain {
		return ""
	}
	scale := float64(width) / (4 * t)
	full := int(v*scale + 0.5)
	over := full > width
	full = min(full, width)
	mark := min(int(t*scale+0.5), width-1)
	if over {
		return gauge(full, mark) + "▶"
	}
	return gauge(full, mark)
}

// gauge draws a bar of full cells with a mark on or behind it.
func gauge(full, mark int) string {
	var b strings.Builder
	for i := range max(full, mark+1) {
		switch {
		case i == mark:
			b.WriteString("┃")
		case i < full:
			b.WriteString("█")
		default:
			b.WriteString("·")
		}
	}
	return b.String()
}

func percent(v string) (float64, bool) {
	n, err := strconv.ParseFloat(strings.TrimSuffix(v, "%"), 64)
	return n, err == nil && strings.HasSuffix(v, "%")
}

// bars compares utilization with its target below the step that computed them.
func (s *Screen) bars(f trace.Frame) {
	value, _ := f.Fact("currentUtilization")
	target, _ := f.Fact("targetUtilization")
	bar := s.bar(value, target, min(s.width-20, 60))
	if bar == "" {
		return
	}
	s.section("사용률과 목표")
	s.print("  " + padLeft(value, 6) + " " + s.style(cyan, bar) + "\n")
	s.print("  " + padLeft(target, 6) + " ┃ 표시가 목표입니다\n")
}
