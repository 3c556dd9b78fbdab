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
		if r := watchedResource(w.Path); !slices.Contains(byActor[w.Actor], r) {
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

// watchedResource shortens the path of a watch to its resource:
// "/apis/apps/v1/namespaces/web/replicasets" is "replicasets".
func watchedResource(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case len(parts) > 2 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		parts = parts[3:]
	}
	if len(parts) > 2 && parts[0] == "namespaces" {
		parts = parts[2:]
	}
	return strings.Join(parts, "/")
}
