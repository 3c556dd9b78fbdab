package scenarios

import (
	"cmp"
	"slices"
	"time"
)

// Pod is what the model needs to know of a pod.
type Pod struct {
	Name         string
	Ready        bool
	Age          time.Duration // since it was started
	ContainerAge time.Duration // since the container's last (re)start
	CPULimit     int64         // millicores, 0: none
}

// PodCost is what a pod uses without any load.
type PodCost struct {
	Idle       int64         // millicores
	Startup    int64         // millicores, on top of Idle
	StartupFor time.Duration // since the pod was started
	Ready      time.Duration // since a container's start: before it no probe succeeds
	readyLine  int           // in scenario.yaml
}

// Own is what the pod uses for itself: idle and startup, within its limit.
func (c PodCost) Own(p Pod) int64 {
	own := c.Idle
	if p.Age < c.StartupFor {
		own += c.Startup
	}
	if p.CPULimit > 0 {
		own = min(own, p.CPULimit)
	}
	return own
}

// Spread is how a load came to lie on pods. The sum of Usage and Unserved is
// what was offered and what the pods use for themselves.
type Spread struct {
	Usage    map[string]int64 // millicores by pod
	Unserved int64            // millicores that no Ready pod had room for
}

// Usage is what every pod uses, in millicores. Only Ready pods get load.
func (s *Scenario) Usage(elapsed time.Duration, pods []Pod) map[string]int64 {
	return s.Spread(elapsed, pods).Usage
}

// Unserved is the part of the load that no Ready pod has room for, in millicores.
func (s *Scenario) Unserved(elapsed time.Duration, pods []Pod) int64 {
	return s.Spread(elapsed, pods).Unserved
}

// Spread lays the load evenly on the Ready pods of the target. What a pod cannot take
// because of its limit goes to those that still have room.
func (s *Scenario) Spread(elapsed time.Duration, pods []Pod) Spread {
	return s.flows()[0].spread(elapsed, pods)
}

func (f Flow) spread(elapsed time.Duration, pods []Pod) Spread {
	out := Spread{Usage: make(map[string]int64, len(pods)), Unserved: f.Load.At(elapsed)}
	type server struct {
		name string
		room int64
		turn int
	}
	var servers []server
	for _, p := range pods {
		own := f.Pod.Own(p)
		out.Usage[p.Name] += own
		if !p.Ready {
			continue
		}
		room := int64(maxMillicores)
		if p.CPULimit > 0 {
			room = p.CPULimit - own
		}
		servers = append(servers, server{name: p.Name, room: room})
	}
	slices.SortFunc(servers, func(a, b server) int { return cmp.Compare(a.name, b.name) })
	for i := range servers { // the millicore that cannot be shared goes round, second by second
		servers[i].turn = (i + int(elapsed/time.Second)) % len(servers)
	}
	slices.SortFunc(servers, func(a, b server) int {
		return cmp.Or(cmp.Compare(a.room, b.room), cmp.Compare(a.turn, b.turn))
	})
	for i, p := range servers { // the least room first: what it leaves is shared by the rest
		share := min(out.Unserved/int64(len(servers)-i), p.room)
		out.Usage[p.name] += share
		out.Unserved -= share
	}
	return out
}
