package view

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/stepscale/stepscale/engine/trace"
)

// downWindow is the stabilization window of the way down: where an HPA has a behavior, both
// are told, and the value is that of the direction in which it goes.
func downWindow(f trace.Fact) string {
	if _, down, ok := strings.Cut(f.Expr, "축소 "); ok {
		if _, err := time.ParseDuration(down); err == nil {
			return down
		}
	}
	return f.Value
}

// Stabilization draws the proposals of passes, and says for how long the highest of the
// window still holds; false where there is no window. start is the loop time of the first
// frame.
func (s *Screen) Stabilization(ticks []Tick, start time.Time, rows int) bool {
	if len(ticks) == 0 {
		return false
	}
	now := ticks[len(ticks)-1]
	window, err := time.ParseDuration(now.Window)
	if err != nil || window <= 0 {
		return false
	}
	c := Chart{Title: fmt.Sprintf("안정화 구간 %s: 패스마다의 제안 (░ 구간을 벗어남)", Duration(window)), Target: math.NaN()}
	var highest *Tick // of the window, made last
	for i, t := range ticks {
		v, ok := Amount(t.Proposal)
		if !ok {
			v = math.NaN()
		}
		c.Values = append(c.Values, v)
		if now.At.Sub(t.At) > window {
			c.Past = i + 1
		} else if ok && t.Proposal == now.Max {
			highest = &ticks[i]
		}
	}
	c.From, c.To = Elapsed(ticks[0].At.Sub(start)), Elapsed(now.At.Sub(start))
	s.Chart(c, rows)
	if highest != nil {
		s.item(fmt.Sprintf("구간 안의 최댓값 %s: 마지막으로 %s에 나왔고, %s까지 남습니다.", seen(now.Max), Elapsed(highest.At.Sub(start)), Elapsed(highest.At.Add(window).Sub(start))))
	}
	return true
}
