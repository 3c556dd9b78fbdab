package full

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
)

// world is what all frames up to one of them tell of the cluster: what stands in the
// boxes of the map, and the pods.
type world struct {
	pass    int
	said    map[string]told   // by actor: the value that it told last
	sizes   map[string]string // by pod: its request
	unsized []string          // pods that are new, of which nobody has said it
	total   int
	ready   int
	bound   int // to a node, and not ready yet
	created int // in this pass, and not bound yet
	ending  int
}

type told struct{ what, value string }

// saying is a fact that stands in the box of an actor, whoever tells it.
type saying struct{ actor, fact, what string }

// sayings are in the order of a pass: of one frame the last counts.
var sayings = []saying{
	{trace.ActorMetrics, "scrapedPods", "파드"},
	{trace.ActorMetrics, "totalUsage", "사용량"},
	{trace.ActorHPA, "currentReplicas", "현재"},
	{trace.ActorHPA, "readyPods", "준비"},
	{trace.ActorHPA, "currentUtilization", "사용률"},
	{trace.ActorHPA, "usageRatio", "비율"},
	{trace.ActorHPA, "proposal", "제안"},
	{trace.ActorHPA, "stabilizedReplicas", "안정화"},
	{trace.ActorHPA, "desiredReplicas", "원하는"},
	{trace.ActorDeployment, "currentReplicas", "원하는"},
	{trace.ActorDeployment, "scaleReplicas", "원하는"},
	{trace.ActorDeployment, "deploymentReplicas", "원하는"},
	{trace.ActorReplicaSet, "replicaSetReplicas", "원하는"},
	{trace.ActorScheduler, "boundPods", "배정"},
	{trace.ActorKubelet, "readyPods", "준비"},
	{"vpa-recommender", "samples", "표본"},
	{"vpa-recommender", "targetPercentile", "추천"},
	{"vpa-recommender", "targetMargin", "추천"},
	{"vpa-recommender", "targetMinimum", "추천"},
	{"vpa-recommender", "targetRounded", "추천"},
	{"vpa-recommender", "target", "추천"},
	{"vpa-updater", "podsToUpdate", "바꿀"},
	{"vpa-updater", "evictedPods", "축출"},
	{"vpa-updater", "resizedPods", "조정"},
	{"vpa-admission-controller", "newRequest", "요청량"},
	{"vpa-admission-controller", "patches", "패치"},
	{"horizontal-pod-autoscaler-controller", "upstreamReplicas", "원하는"},
}

// own are the actors whose boxes only their own steps fill: an HPA counts ready pods, too.
var own = []string{trace.ActorHPA, trace.ActorKubelet, "vpa-recommender"}

// counts are the actors of which the box counts what they did in a pass.
var counts = []string{trace.ActorScheduler, "vpa-updater", "vpa-admission-controller"}

// with is the world after one more frame.
func (w world) with(f trace.Frame, loop engine.Definition) world {
	w.said, w.sizes = maps.Clone(w.said), maps.Clone(w.sizes)
	if w.said == nil {
		w.said, w.sizes = map[string]told{}, map[string]string{}
	}
	if f.Pass != w.pass {
		w.pass = f.Pass
		maps.DeleteFunc(w.said, func(actor string, _ told) bool { return slices.Contains(counts, actor) })
	}
	known := false
	for _, s := range sayings {
		known = known || s.actor == f.Actor
		if slices.Contains(own, s.actor) && s.actor != f.Actor {
			continue
		}
		for _, x := range f.Facts {
			if engine.Base(x.Name) == s.fact {
				w.said[s.actor] = told{s.what, x.Value}
				break
			}
		}
	}
	if !known {
		w.tells(f, loop)
	}
	return w.pods(f)
}

// tells puts the last number that an actor told of which nobody has said what stands in
// its box; what it told of one object of several stands for none of them.
func (w world) tells(f trace.Frame, loop engine.Definition) {
	for _, x := range f.Facts {
		if x.Name != engine.Base(x.Name) {
			continue
		}
		unit, _ := loop.Facts.Unit(x.Name)
		if unit == engine.Count || unit == engine.Amount || unit == engine.Percent {
			w.said[f.Actor] = told{view.FactLabel(x.Name), x.Value}
		}
	}
}

// pods follows the pods on their way from the frame's counts.
func (w world) pods(f trace.Frame) world {
	count := func(name string) (int, bool) {
		text, ok := f.Fact(name)
		n, err := strconv.Atoi(text)
		return n, ok && err == nil
	}
	_, listed := count("podsListed")
	w = w.sized(f, listed)
	ready, counted := count("readyPods")
	made, making := count("createdPods")
	if counted && making { // everybody has moved in one step
		w.total, w.ready, w.created, w.bound, w.ending = ready, ready, 0, 0, 0
		return w
	}
	w.created += made
	w.total += made
	for _, gone := range []string{"deletedPods", "evictedPods"} {
		if n, ok := count(gone); ok && n > 0 {
			w.ending, w.ready, w.total = n, max(w.ready-n, 0), max(w.total-n, 0)
			delete(w.said, trace.ActorKubelet) // it has counted those, too
		}
	}
	if listed {
		w.total, _ = count("podsListed")
		w.ending = 0
	}
	if n, ok := count("podsTotal"); ok {
		w.total = n
	}
	if n, ok := count("boundPods"); ok {
		w.bound, w.created = w.bound+n, max(w.created-n, 0)
	}
	if n, ok := count("unreadyPods"); ok {
		w.bound = n
	}
	if counted && ready <= w.total {
		w.ready = ready
		if f.Actor == trace.ActorKubelet { // who waits for a node goes on waiting
			w.bound, w.ending = 0, 0
		}
	}
	return w
}

// sized follows the requests of the pods: those that are read, those of pods that go, and
// that with which the new ones of a pass were admitted.
func (w world) sized(f trace.Frame, listed bool) world {
	if listed { // those that are gone are not listed any more
		w.sizes, w.unsized = map[string]string{}, nil
	}
	w.unsized = slices.Clone(w.unsized)
	for _, c := range f.Changes {
		pod, ok := strings.CutPrefix(c.Object, "pod/")
		switch {
		case ok && c.Field == "metadata.deletionTimestamp":
			delete(w.sizes, pod)
		case ok && c.Field == "metadata.name" && c.To != "" && len(w.sizes) > 0:
			w.unsized = append(w.unsized, pod)
		}
	}
	for _, x := range f.Facts {
		base, of, _ := strings.Cut(x.Name, "/")
		name, cpu := strings.CutSuffix(of, ".cpu")
		switch {
		case cpu && base == "request":
			w.sizes[name] = x.Value
		case cpu && base == "newRequest":
			for _, pod := range w.unsized {
				w.sizes[pod] = x.Value
			}
			w.unsized = nil
		}
	}
	return w
}

// row are the pods as they are drawn.
func (w world) row() view.PodRow {
	ready := min(w.ready, w.total)
	left := w.total - ready
	pending := min(w.created, left)
	starting := min(w.bound, left-pending)
	return view.PodRow{Ready: ready, Pending: pending, Starting: starting, Untold: left - pending - starting, Ending: w.ending, Sizes: w.tally(), Heights: w.heights()}
}

// heights are the requests of the pods, the same pod always at the same place.
func (w world) heights() (all []float64) {
	for _, pod := range slices.Sorted(maps.Keys(w.sizes)) {
		v, _ := view.Amount(w.sizes[pod])
		all = append(all, v)
	}
	return all
}

// tally are the requests of the pods, alike ones together: "100m×2".
func (w world) tally() []string {
	count := map[string]int{}
	for _, size := range w.sizes {
		count[size]++
	}
	var all []string
	for _, size := range slices.Sorted(maps.Keys(count)) {
		all = append(all, size+"×"+strconv.Itoa(count[size]))
	}
	return all
}

// actorMap is the map at a frame.
func actorMap(loop engine.Definition, w world, f trace.Frame) view.ActorMap {
	m := view.ActorMap{Pods: w.row()}
	deed := f.Deed()
	for _, actor := range loop.Actors() {
		if actor == trace.ActorLearner && f.Actor != trace.ActorLearner { // who only looks on has no place
			continue
		}
		said := w.said[actor]
		b := view.ActorBox{Actor: actor, What: said.what, Value: said.value, Moved: actor == f.Actor}
		b.Waits = slices.ContainsFunc(f.Waiting, func(x trace.Waiting) bool { return x.Actor == actor })
		if b.Moved {
			b.Gives = deed == trace.Wrote || deed == trace.Refused || deed == trace.Asked
			b.Asks = deed == trace.OnlyRead || deed == trace.Answered
		}
		m.Boxes = append(m.Boxes, b)
	}
	m.Deed = deedText(f)
	return m
}

// deedText is what the step's own actor asked for, in a few words: of a write with what it
// changed.
func deedText(f trace.Frame) string {
	own := f.Own()
	at := slices.IndexFunc(own, func(c trace.Call) bool { return c.Writes() && c.OK() })
	if at < 0 {
		at = slices.IndexFunc(own, trace.Call.Writes)
	}
	if at < 0 && len(own) > 0 {
		at = len(own) - 1
	}
	if at < 0 {
		return ""
	}
	c := own[at]
	text := c.Verb + " " + c.Resource()
	times := 0
	for _, other := range own {
		if other.Verb == c.Verb && other.Resource() == c.Resource() {
			times++
		}
	}
	if times > 1 {
		text += " ×" + strconv.Itoa(times)
	}
	moves := map[string]bool{}
	for _, change := range f.Changes {
		if strings.HasPrefix(change.Field, "spec.") {
			moves[change.From+" → "+change.To] = true
		}
	}
	if c.Writes() && len(moves) == 1 { // of many that are not alike, none stands for all
		text += "  " + slices.Collect(maps.Keys(moves))[0]
	}
	return text
}
