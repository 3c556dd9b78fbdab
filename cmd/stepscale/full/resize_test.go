package full

import (
	"hash/fnv"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
)

// TestResizes plays every lesson on a terminal that has another size whenever the play says
// something, with keys that nobody would press in that order: a thousand sizes at least.
// The screen is always as large as the terminal, and Enter leads to the end of the lesson.
func TestResizes(t *testing.T) {
	var resized atomic.Int64
	t.Run("lessons", func(t *testing.T) {
		for _, name := range recordings(t) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				seed := fnv.New64a()
				_, _ = io.WriteString(seed, name)
				random := rand.New(rand.NewPCG(seed.Sum64(), 20))
				l := &learner{t: t, wrong: true}
				resize := func() {
					l.update(tea.WindowSizeMsg{Width: 3 + random.IntN(237), Height: 1 + random.IntN(79)})
					fills(t, l.m)
					resized.Add(1)
				}
				l.told = func(play.Event) { resize() }
				keys := []string{"tab", "up", "down", "left", "right", "[", "]", "end", "g", "esc", "a", "o", "space", ":", "b"}
				l.plays(name, sizes[1], func(l *learner, stop play.Stop) {
					for range 3 {
						l.press(keys[random.IntN(len(keys))])
						resize()
					}
					l.press("esc")
					l.run(tea.KeyPressMsg{Code: 'u', Mod: tea.ModCtrl}) // what was typed as an answer
				})
			})
		}
	})
	if n := resized.Load(); n < 1000 {
		t.Errorf("only %d sizes", n)
	}
}
