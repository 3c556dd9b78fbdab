package scenarios

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Who acts on what scenario.yaml says.
const (
	screens  = "what the screens say"
	checker  = "the checker"
	model    = "the load model, read by the simulated kubelets"
	adapter  = "the metrics adapter"
	timeline = "the agenda, at its moment of virtual time"
	nodes    = "the embedded cluster, which registers the nodes"
)

// keyActors names for every key of scenario.yaml what acts on it. A list is written as
// its items are.
var keyActors = map[string]string{
	"title": screens, "karpenter": "Karpenter's loop", "hpa": engineHPA, "vpa": theVPA, "target": model, "faults": checker,
	"flags": "the controller that has the flag (lab: TestEveryFlagHasAController)",

	"pod.idle": model, "pod.ready": "simulated kubelet: before it no probe succeeds", "pod.startup.cpu": model, "pod.startup.for": model,

	"load.unit": model, "load.cost": model,
	"memory.idle": model, "memory.growth": model,

	"loads.target": model, "loads.container": model,
	"loads.pod.idle": model, "loads.pod.ready": "simulated kubelet: before it no probe succeeds", "loads.pod.startup.cpu": model, "loads.pod.startup.for": model,
	"loads.load.unit": model, "loads.load.cost": model, "loads.memory.idle": model, "loads.memory.growth": model,

	"metrics.pods": adapter, "metrics.object": adapter, "metrics.external": adapter, "metrics.target": adapter,
	"metrics.of.kind": adapter, "metrics.of.name": adapter, "metrics.labels": adapter,

	"events.at": timeline, "events.by": "the client with that actor's name", "events.apply": apiServer,
	"events.patch.kind": apiServer, "events.patch.name": apiServer, "events.patch.with": apiServer,
	"events.delete.kind": apiServer, "events.delete.name": apiServer, "events.delete.pods": apiServer, "events.delete.count": apiServer,
	"events.evict.pods": apiServer, "events.evict.count": apiServer,
	"events.crash.pods": kubelet, "events.crash.count": kubelet, "events.crash.container": kubelet,
	"events.notReady.node": "simulated kubelet, and upstream's node lifecycle controller", "events.notReady.for": timeline,
	"events.metricsAway.for": timeline,
	"nodes.type":             nodes, "nodes.count": nodes, "nodes.zone": nodes,
	"groups.name": nodes, "groups.type": nodes, "groups.zone": nodes, "groups.desired": nodes,
	"groups.min": "the Cluster Autoscaler's loop", "groups.max": "the Cluster Autoscaler's loop",

	"events.freeze.pods": kubelet, "events.freeze.count": kubelet, "events.freeze.for": timeline,
}

func init() {
	for _, of := range []string{"load", "memory", "loads.load", "loads.memory", "metrics"} {
		for _, key := range []string{"noise.percent", "noise.seed", "segments.at", "segments.step", "segments.ramp", "segments.wave", "segments.spike", "segments.for", "segments.period"} {
			keyActors[of+"."+key] = model
			if of == "metrics" {
				keyActors[of+"."+key] = adapter
			}
		}
	}
}

// TestEveryKeyHasAnActor asks the reader itself which keys it takes, at every depth: one
// that is new has no row, and nobody who acts on it is known.
func TestEveryKeyHasAnActor(t *testing.T) {
	taken := keysBelow(nil)
	for _, path := range taken {
		if strings.TrimSpace(keyActors[path]) == "" {
			t.Errorf("%s is accepted, and nobody acts on it", path)
		}
	}
	for path := range keyActors {
		if !slices.Contains(taken, path) {
			t.Errorf("%s has an actor and is refused", path)
		}
	}
}

// nobody is a key that nothing takes.
const nobody = "nobodys"

var keysHint = regexp.MustCompile(`^쓸 수 있는 키: (.+)$`)

// keysBelow are the keys below a place, down to those whose value has none.
func keysBelow(path []string) (all []string) {
	for _, key := range keysAt(path) {
		at := append(slices.Clone(path), key)
		below := keysBelow(at)
		if below == nil {
			below = []string{strings.Join(at, ".")}
		}
		all = append(all, below...)
	}
	return all
}

// keysAt are the keys that the reader names when there is one that it does not take. What
// it takes may depend on what else is there, as in delete.
func keysAt(path []string) []string {
	found := map[string]bool{}
	for _, beside := range []string{"", "pods: x"} {
		for _, list := range []bool{false, true} {
			for _, p := range problemsOf(path, list, beside) {
				m := keysHint.FindStringSubmatch(p.Hint)
				if m == nil || !strings.Contains(p.Msg, nobody) {
					continue
				}
				for _, key := range strings.Split(m[1], ", ") {
					found[key] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// problemsOf reads a scenario with an unknown key at the place; the lists on the way are
// those that are known to be lists.
func problemsOf(path []string, list bool, beside string) Problems {
	value := "{" + nobody + ": 1"
	if beside != "" && len(path) > 0 {
		value += ", " + beside
	}
	value += "}"
	for i := len(path) - 1; i >= 0; i-- {
		if slices.Contains([]string{"loads", "metrics", "events", "segments", "nodes", "groups"}, path[i]) || list && i == len(path)-1 {
			value = "[" + value + "]"
		}
		value = "{" + path[i] + ": " + value + "}"
	}
	_, problems := parse("x/scenario.yaml", []byte(value))
	return problems
}
