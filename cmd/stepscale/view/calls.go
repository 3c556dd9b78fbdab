package view

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/stepscale/stepscale/engine/trace"
)

// callGroup is calls of one actor that differ in nothing but the name of the
// object: a thousand pods are one line.
type callGroup struct {
	actor, verb, path string
	status, count     int
	fastest, slowest  time.Duration
	cached            bool
}

func groupCalls(calls []trace.Call) []callGroup {
	type key struct {
		actor, verb, shape string
		status             int
		cached             bool
	}
	var groups []callGroup
	index := map[key]int{}
	for _, c := range calls {
		path, _, query := strings.Cut(c.Path, "?")
		shape := pathShape(path)
		k := key{c.Actor, c.Verb, shape, c.Status, c.Cached}
		if query && strings.Contains(c.Path, "watch=") {
			path += "?watch"
			k.shape += "?watch"
		}
		i, ok := index[k]
		if !ok {
			index[k] = len(groups)
			groups = append(groups, callGroup{actor: c.Actor, verb: c.Verb, path: path,
				status: c.Status, cached: c.Cached, count: 1, fastest: c.Latency, slowest: c.Latency})
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

// calls shows the requests that the step's own actor really made: verb, status, latency,
// path. The path comes last because it is the one that may have to be shortened.
func (s *Screen) calls(f trace.Frame, path pathText) { s.callList(f, maxRows, path) }

// pathText is a path for that many columns: shorten where rows are dear, or wholePath.
type pathText func(path string, width int) string

// wholePath shortens nothing; who has it wrapped reads all of it.
func wholePath(path string, _ int) string { return cell(path) }

// Calls shows every request that was made in a step, those of others and those that wait
// at the gate, too.
func (s *Screen) Calls(f trace.Frame) {
	f = seenIn(f)
	if len(f.Calls)+len(f.Waiting) == 0 {
		s.line("이 단계에서 API 서버를 부른 액터는 없습니다.")
		return
	}
	s.callList(f, len(f.Calls), wholePath)
	s.waiting(f, wholePath)
	s.meanwhile(f)
}

func (s *Screen) callList(f trace.Frame, limit int, path pathText) {
	own := f.Own()
	if len(own) == 0 {
		return
	}
	groups := groupCalls(own)
	s.section(fmt.Sprintf("API 호출 %d건", len(own)))
	wide, times := 0, 0
	for _, g := range groups {
		wide = max(wide, len(g.latency()))
		times = max(times, len(g.times()))
	}
	for i, g := range groups {
		if i == limit {
			s.item(s.style(faint, fmt.Sprintf("… 외 %d종류", len(groups)-i)))
			return
		}
		s.call(g, wide, times, path)
		if why := g.remark(); why != "" {
			s.print(s.wrap("         "+s.style(faint, why), 9) + "\n")
		}
	}
}

// meanwhile folds what others did into a line for each: it is not what the step is about.
func (s *Screen) meanwhile(f trace.Frame) {
	var actors []string
	deeds, times := map[string][]deed{}, map[deed]int{}
	for _, c := range f.Meanwhile() {
		d := deedOf(c)
		if times[d]++; times[d] > 1 {
			continue
		}
		if !slices.Contains(actors, c.Actor) {
			actors = append(actors, c.Actor)
		}
		deeds[c.Actor] = append(deeds[c.Actor], d)
	}
	if len(actors) == 0 {
		return
	}
	s.section("그동안 다른 액터가 한 일 (이 단계의 것이 아닙니다)")
	for _, a := range actors {
		var texts []string
		for _, d := range deeds[a] {
			texts = append(texts, d.text(times[d]))
		}
		s.item(s.actor(a) + "  " + strings.Join(texts, ", "))
	}
}

// deed is what somebody did to one kind of object.
type deed struct{ actor, what, refused string }

func deedOf(c trace.Call) deed {
	d := deed{c.Actor, "읽기", refusal(c.Verb, c.Path, c.Status)}
	if c.Writes() {
		d.what = c.Verb + " " + c.Resource()
	}
	return d
}

func (d deed) text(times int) string {
	text := d.what
	if times > 1 {
		text += fmt.Sprintf(" ×%d", times)
	}
	if d.refused != "" {
		text += " (" + strings.TrimSuffix(d.refused, ".") + ")"
	}
	return text
}

// remark explains a call that did not do what it asked for, or that upstream does not make.
func (g callGroup) remark() string {
	if why := refusal(g.verb, g.path, g.status); why != "" || !g.cached {
		return why
	}
	return "업스트림은 묻지 않고, watch로 채워 둔 캐시에서 꺼냅니다."
}

// refusal says why a call did not do what it asked for, and that nothing is broken where
// that is so.
func refusal(verb, path string, status int) string {
	switch {
	case status == 0:
		return "대답이 오지 않았습니다."
	case status < http.StatusBadRequest:
		return ""
	case status == http.StatusConflict && verb == http.MethodPost:
		return "409: 같은 이름의 오브젝트가 이미 있습니다."
	case status == http.StatusConflict:
		return "409: 읽은 뒤에 다른 액터가 먼저 고쳤습니다. 다시 읽고 다시 씁니다."
	case status == http.StatusNotFound && verb == http.MethodGet:
		return "404: 아직 없는 오브젝트입니다."
	case status == http.StatusNotFound && verb == http.MethodDelete:
		return "404: 이미 사라진 오브젝트입니다."
	case status == http.StatusNotFound: // who patches before he creates is told so, too
		return "404: 그런 오브젝트가 없습니다. 아직 만들지 않았거나 이미 사라졌습니다."
	case status == http.StatusTooManyRequests && strings.HasSuffix(path, "/eviction"):
		return "429: PodDisruptionBudget이 막았습니다. 나중에 다시 시도합니다."
	case status == http.StatusTooManyRequests:
		return "429: 요청이 너무 많습니다. 나중에 다시 시도합니다."
	case status == http.StatusForbidden:
		return "403: 권한이나 할당량이 막았습니다."
	case status >= http.StatusInternalServerError:
		return fmt.Sprintf("%d: API 서버가 지금은 처리하지 못했습니다.", status)
	}
	return fmt.Sprintf("%d: API 서버가 받지 않았습니다.", status)
}

func (g callGroup) times() string {
	if g.count > 1 {
		return fmt.Sprintf("×%d", g.count)
	}
	return ""
}

func (s *Screen) call(g callGroup, wide, times int, path pathText) {
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
	if one := path(g.path, s.width-lead); s.width-lead >= 30 && ansi.StringWidth(one) <= s.width-lead {
		s.print(head + one + "\n")
		return
	}
	s.print(strings.TrimRight(head, " ") + "\n    " + hang(path(g.path, s.width-4), s.width, 4) + "\n")
}

// waiting are the writes that stand at a gate, or in a webhook.
func (s *Screen) waiting(f trace.Frame, path pathText) {
	waiting := f.Waiting
	if len(waiting) == 0 {
		return
	}
	at := "게이트"
	if f.Deed() == trace.Asked {
		at = "게이트나 웹훅"
	}
	s.section("아직 기다리는 액터 (쓰기가 " + at + "에서 멈춰 있습니다)")
	var calls []trace.Call
	for _, w := range waiting {
		calls = append(calls, trace.Call{Actor: w.Actor, Verb: w.Verb, Path: w.Path})
	}
	for _, g := range groupCalls(calls) {
		line := s.actor(g.actor) + "  " + g.verb + " "
		if g.count > 1 {
			line += fmt.Sprintf("×%d ", g.count)
		}
		s.item(line + path(g.path, s.width-4))
	}
}
