package lab

import (
	"context"
	"net"

	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/vpa"
)

// Own are the terms on a cluster that we made, whose HPA controller does not run.
type Own struct {
	Nodes Nodes
	Down  string // the command that removes the cluster, which stays
}

// Nodes are those of a cluster on this machine.
type Nodes interface {
	// Listen opens what they reach, and says under which address.
	Listen(context.Context) (net.Listener, net.IP, error)
	// Reach asks from there.
	Reach(ctx context.Context, url string) error
}

func (o Own) terms() terms {
	return terms{mode: hpa.ModeAlone, stays: "수업이 끝나도 클러스터는 남습니다. 지우시려면: " + o.Down,
		full: " Docker에 CPU와 메모리를 더 주시거나, 쓰지 않는 kind 클러스터를 지우셔도 됩니다."}
}

func (o Own) permit(context.Context, Loop) error            { return nil }
func (o Own) agree(context.Context, []string, demand) error { return nil }
func (o Own) equipVPA(s *vpa.State)                         { s.Listen, s.Reach = o.Nodes.Listen, o.Nodes.Reach }
func (o Own) leave(bool) error                              { return nil }
