package world

import (
	"slices"
	"strconv"
	"strings"

	"github.com/stepscale/stepscale/engine/trace"
)

// AddWatches adds one fact per actor with the resources that it watches.
func AddWatches(f *trace.Frame, open []trace.Watch) {
	byActor := map[string][]string{}
	for _, w := range open {
		if r := w.Resource(); !slices.Contains(byActor[w.Actor], r) {
			byActor[w.Actor] = append(byActor[w.Actor], r)
		}
	}
	actors := make([]string, 0, len(byActor))
	for actor := range byActor {
		actors = append(actors, actor)
	}
	slices.Sort(actors)
	f.Add("watches", strconv.Itoa(len(open)), "")
	for _, actor := range actors {
		slices.Sort(byActor[actor])
		f.Add("watch/"+actor, strings.Join(byActor[actor], ", "), "")
	}
}
