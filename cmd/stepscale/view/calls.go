package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/stepscale/stepscale/engine/trace"
)

// callGroup is calls of one actor that differ in nothing but the name of the
// object: a thousand pods are one line.
type callGroup struct {
	actor, verb, path string
	status, count     int
	fastest, slowest  time.Duration
}

func groupCalls(calls []trace.Call) []callGroup {
	type key struct {
		actor, verb, shape string
		status             int
	}
	var groups []callGroup
	index := map[key]int{}
	for _, c := range calls {
		path, _, query := strings.Cut(c.Path, "?")
		shape := pathShape(path)
		k := key{c.Actor, c.Verb, shape, c.Status}
		if query && strings.Contains(c.Path, "watch=") {
			path += "?watch"
			k.shape += "?watch"
		}
		i, ok := index[k]
		if !ok {
			index[k] = len(groups)
			groups = append(groups, callGroup{actor: c.Actor, verb: c.Verb, path: path,
				status: c.Status, count: 1, fastest: c.Latency, slowest: c.Latency})
			continue
		}
		g := &groups[i]
		if g.path != path {
			g.path = shape
		}
		g.count++
		g.fastest, g.slowest = min(g.fastest, c.Latency), max(g.slowest, c.Latency)
	}
	return groups
}

// pathShape puts * for the name of an object: .../namespaces/x/pods/web-1/status
// becomes .../namespaces/x/pods/*/status.
func pathShape(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if p == "namespaces" && i+3 < len(parts) {
			parts[i+3] = "*"
			return strings.Join(parts, "/")
		}
		if p == "nodes" && i+1 < len(parts) {
			parts[i+1] = "*"
			return strings.Join(parts, "/")
		}
	}
	return path
}

func (g callGroup) latency() string {
	a, b := latency(g.fastest), latency(g.slowest)
	if a == b {
		return a
	}
	return a + "~" + b
}

// calls shows the requests that were really made: verb, status, latency, path.
// The path comes last because it is the one that may have to be shortened.
func (s *Screen) calls(f trace.Frame) {
	if len(f.Calls) == 0 {
		return
	}
	groups := groupCalls(f.Calls)
	s.section(fmt.Sprintf("API 호출 %d건", len(f.Calls)))
	wide, times := 0, 0
	for _, g := range groups {
		wide = max(wide, len(g.latency()))
		times = max(times, len(g.times()))
	}
	for i, g := range groups {
		if i == maxRows {
			s.item(s.style(faint, fmt.Sprintf("… 외 %d종류", len(groups)-i)))
			return
		}
		if g.actor != "" && g.actor != f.Actor {
			s.item(s.actor(g.actor))
		}
		s.call(g, wide, times)
	}
}

func (g callGroup) times() string {
	if g.count > 1 {
		return fmt.Sprintf("×%d", g.count)
	}
	return ""
}

func (s *Screen) call(g callGroup, wide, times int) {
	status, code := fmt.Sprint(g.status), green
	if g.status == 0 {
		status, code = "---", red
	} else if g.status >= 400 {
		code = red
	}
	if times > 0 {
		times++
	}
	lead := 2 + 7 + 4 + wide + 1 + times
	head := "  " + pad(g.verb, 7) + s.style(code, status) + " " + padLeft(g.latency(), wide) + " " + pad(g.times(), times)
	if room := s.width - lead; room >= 30 {
		s.print(head + shorten(g.path, room) + "\n")
		return
	}
	s.print(strings.TrimRight(head, " ") + "\n    " + shorten(g.path, s.width-4) + "\n")
}
