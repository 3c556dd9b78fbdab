package lab

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/vpa"
)

// Target is a cluster that somebody else runs, and where in it we may work.
type Target struct {
	Attach    Attachment
	Namespace string // that somebody made for us; empty to make one
}

// Guest are the terms on a cluster that somebody else runs. Its HPA controller is taken
// to be on: nobody can look at the flags of a managed control plane.
type Guest struct {
	Target      Target
	Info        clusters.Info
	State       state.Dir
	Signer      state.Signer
	Mode        hpa.Mode
	InPlace     bool // a VPA resizes pods in place first
	Permissions Permissions
	Asker       Asker

	agreed sets.Set[string] // what may be written
	reaper *reaper          // nil before the first write
}

// Permissions tells what a lesson does not find: of one about the VPA, resource types that
// the class's administrator makes, and what the caller may not do; and room for its pods.
type Permissions interface {
	ServesVPA(context.Context) (bool, error)
	DeniedVPA(ctx context.Context, namespace string) ([]string, error)
	// Room is how many more pods with that request the nodes take, where it is known.
	Room(ctx context.Context, cpu resource.Quantity) (pods int, known bool, err error)
}

// Asker tells what is about to be done, and returns without an error when it may be.
type Asker interface {
	Ask(ctx context.Context, announcement []string) error
}

func (g *Guest) terms() terms {
	return terms{mode: g.Mode, signer: g.Signer, namespace: g.Target.Namespace, full: " 남은 용량은 stepscale doctor에 같은 --eks나 --context를 적어 보실 수 있습니다."}
}

// permit refuses a VPA loop before anything is written where there are no VPAs, and where
// the components, which are the caller, could not even watch.
func (g *Guest) permit(ctx context.Context, l Loop) error {
	if !slices.Contains(l.Needs, engine.NeedsVPA) {
		return nil
	}
	switch served, err := g.Permissions.ServesVPA(ctx); {
	case err != nil:
		return problem.OfCluster(err)
	case !served:
		return &problem.Error{What: "이 클러스터에는 VPA의 리소스 종류(CRD)가 없습니다", Code: problem.ExitUsage,
			Hint: "아무것도 쓰지 않았습니다. 클러스터 전체에 걸친 것이라 수업이 만들지 않습니다. 강사가 stepscale class install을 같은 --eks나 --context로 한 번 실행해야 합니다."}
	}
	denied, err := g.Permissions.DeniedVPA(ctx, g.Target.Namespace)
	if err != nil {
		return problem.OfCluster(err)
	}
	if len(denied) > 0 {
		return &problem.Error{What: "VPA 수업에 필요한 권한이 없습니다: " + strings.Join(denied, "; "), Code: problem.ExitUsage,
			Hint: "아무것도 쓰지 않았습니다. 강사에게 stepscale-student 역할을 부탁하시고(stepscale class install), stepscale doctor에 같은 --eks나 --context와 -n을 적어 확인해 주십시오."}
	}
	return nil
}

// agree announces what will be written, and asks. What was agreed to once is not asked
// again.
func (g *Guest) agree(ctx context.Context, writes []string, d demand) error {
	if !g.agreed.IsSuperset(sets.New(writes...)) {
		where := "새 네임스페이스 하나를 만들고 그 안에만"
		if g.Target.Namespace != "" {
			where = "네임스페이스 " + g.Target.Namespace + " 안에만"
		}
		announcement := []string{
			fmt.Sprintf("지금부터 클러스터 %s(쿠버네티스 %s)에 씁니다. stepscale이 만든 클러스터가 아닙니다.", g.Info.Name, g.Info.Version),
			fmt.Sprintf("%s 씁니다: %s. 파드는 실제로 CPU를 쓰므로 비용이 들 수 있습니다.", where, strings.Join(writes, ", ")),
			"끝나면 만든 것을 모두 지우고, 다른 것은 건드리지 않습니다.",
		}
		room, known, err := g.Permissions.Room(ctx, d.cpu)
		if err != nil {
			return problem.OfCluster(err)
		}
		if text := d.tooMany(room); known && text != "" {
			announcement = append(announcement, text)
		}
		if err := g.Asker.Ask(ctx, announcement); err != nil {
			return err
		}
		g.agreed = g.agreed.Union(sets.New(writes...))
	}
	if g.reaper != nil {
		return nil
	}
	var err error
	g.reaper, err = startReaper(g.State, g.Target)
	return err
}

func (g *Guest) equipVPA(s *vpa.State) { s.Shared, s.InPlaceFirst = true, g.InPlace }

// leave tells the reaper, where there is one.
func (g *Guest) leave(removed bool) error {
	if g.reaper == nil {
		return nil
	}
	return g.reaper.leave(removed)
}
