package full

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/cmd/stepscale/wording"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
)

// charts are the values of the passes over time, up to the frame that is shown.
func (m Model) charts() *overlay {
	o := &overlay{page: page{name: chartsName}}
	rows := 5 + m.height/24
	ticks := m.upTo()
	if len(ticks) == 0 {
		o.page = o.with(func(s *view.Screen) {
			s.Note("아직 실행한 단계가 없습니다. 한 패스가 한 칸입니다.")
		})
		return o
	}
	histograms := view.Histograms(m.remembered())
	drawn := len(histograms) > 0
	from, to := view.Elapsed(ticks[0].At.Sub(m.start())), view.Elapsed(ticks[len(ticks)-1].At.Sub(m.start()))
	for _, c := range []view.Chart{
		{Title: "사용률 (%)과 목표(┄)", Unit: "%", Values: series(ticks, func(t view.Tick) string { return t.Utilization }), Target: target(ticks)},
		{Title: "레플리카 수", Values: series(ticks, view.Tick.Pods), Target: math.NaN()},
		{Title: "파드당 사용량", Values: series(ticks, func(t view.Tick) string { return t.PodUsage }), Target: math.NaN()},
		{Title: "VPA의 추천", Values: series(ticks, func(t view.Tick) string { return t.Recommended }), Target: math.NaN()},
		{Title: "파드의 요청량 가운데 가장 큰 것", Values: series(ticks, view.Tick.LargestRequest), Target: math.NaN()},
	} {
		if c.From, c.To = from, to; known(c.Values) {
			drawn = true
			o.page = o.with(func(s *view.Screen) { s.Chart(c, rows) })
		}
	}
	o.page = o.with(func(s *view.Screen) {
		if !s.Stabilization(ticks, m.start(), rows) && !drawn {
			s.Note("이 루프의 단계는 아직 패스마다 그릴 값(사용률, 레플리카 수, 추천)을 알린 적이 없습니다.")
		}
	})
	for _, h := range histograms {
		o.page = o.with(func(s *view.Screen) { s.Histogram(h) })
	}
	return o
}

// remembered are the frames of the pass that is shown, up to the shown one, and of those
// before it where it has no histogram yet.
func (m Model) remembered() []trace.Frame {
	shown := m.frames[:m.cursor+1]
	for i := len(shown) - 1; i >= 0; i-- {
		if slices.ContainsFunc(shown[i].Facts, func(x trace.Fact) bool { return engine.Base(x.Name) == "bucket" }) {
			first := i
			for first > 0 && shown[first-1].Pass == shown[i].Pass {
				first--
			}
			return shown[first:]
		}
	}
	return nil
}

// upTo are the passes up to the frame that is shown, the last as far as it has come.
func (m Model) upTo() (ticks []view.Tick) {
	f, _, ok := m.frame()
	if !ok {
		return nil
	}
	for _, t := range m.ticks {
		if t.Pass < f.Pass {
			ticks = append(ticks, t)
		}
	}
	return append(ticks, view.NewTick(play.OfPass(m.frames[:m.cursor+1], f.Pass)))
}

func series(ticks []view.Tick, of func(view.Tick) string) (values []float64) {
	for _, t := range ticks {
		values = append(values, amount(of(t)))
	}
	return values
}

// amount is NaN where there is nothing.
func amount(text string) float64 {
	v, ok := view.Amount(text)
	if !ok {
		return math.NaN()
	}
	return v
}

func target(ticks []view.Tick) float64 {
	for i := len(ticks) - 1; i >= 0; i-- {
		if strings.HasSuffix(ticks[i].Target, "%") {
			return amount(ticks[i].Target)
		}
	}
	return math.NaN()
}

func known(values []float64) bool {
	for _, v := range values {
		if !math.IsNaN(v) {
			return true
		}
	}
	return false
}

// ending is the last page: what was predicted and what came.
func (m Model) ending(e play.Finished) []block {
	right, asked := 0, 0
	for _, r := range m.results {
		if r.verdict.Guess != "" {
			asked++
		}
		if r.verdict.Guess != "" && r.verdict.Kind == play.Right {
			right++
		}
	}
	return []block{func(s *view.Screen) {
		s.Blank()
		s.Done(e.Text)
		if asked > 0 {
			s.Note("예측 " + strconv.Itoa(asked) + "개 가운데 " + strconv.Itoa(right) + "개가 맞았습니다.")
		}
		for _, r := range m.results {
			if r.verdict.Guess != "" && r.verdict.Kind != play.Right {
				s.Note(r.question + " 예측 " + r.verdict.Guess + ", 실제 " + view.FactValue(r.verdict.Value))
			}
		}
		wording.Remember(s, e)
	}}
}
