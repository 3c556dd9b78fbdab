package lab

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/scenarios"
)

// notInstalled is a cluster that knows no VPAs.
type notInstalled struct{}

func (notInstalled) ServesVPA(context.Context) (bool, error)                    { return false, nil }
func (notInstalled) Room(context.Context, resource.Quantity) (int, bool, error) { return 0, false, nil }
func (notInstalled) DeniedVPA(context.Context, string) ([]string, error)        { return nil, nil }

// roomFor is a cluster with room for so many pods.
type roomFor struct {
	notInstalled
	pods  int
	known bool
}

func (r roomFor) Room(context.Context, resource.Quantity) (int, bool, error) {
	return r.pods, r.known, nil
}

// listener refuses what it is asked.
type listener struct{ heard []string }

var errRefused = errors.New("no")

func (l *listener) Ask(_ context.Context, announcement []string) error {
	l.heard = announcement
	return errRefused
}

// TestRoomIsCompared: before pods are started on somebody's nodes it is told that they do not
// take all that the scenario may come to.
func TestRoomIsCompared(t *testing.T) {
	for _, c := range []struct {
		scenario string
		room     roomFor
		says     string
	}{
		{"big", roomFor{pods: 100, known: true}, "1001개까지 늘어날 수 있는데, 지금 노드에 남은 자리는 이런 파드(CPU 10m) 100개쯤"},
		{"big", roomFor{pods: 1001, known: true}, ""},
		{"big", roomFor{}, ""}, // nobody knows
		{"web-surge", roomFor{pods: 10, known: true}, "11개까지 늘어날 수 있는데, 지금 노드에 남은 자리는 이런 파드(CPU 100m) 10개쯤"},
		{"vpa-web", roomFor{pods: 3, known: true}, ""},
	} {
		s, err := scenarios.Load(scenarios.FS, c.scenario)
		if err != nil {
			t.Fatal(err)
		}
		d, err := demandOf(s)
		if err != nil {
			t.Fatal(err)
		}
		heard := &listener{}
		if err := (&Guest{Permissions: c.room, Asker: heard}).agree(t.Context(), []string{"Deployment/web"}, d); !errors.Is(err, errRefused) {
			t.Fatal(err)
		}
		if got := strings.Join(heard.heard, " "); !strings.Contains(got, c.says) || strings.Contains(got, "늘어날 수") != (c.says != "") {
			t.Errorf("%s, %+v: %s", c.scenario, c.room, got)
		}
	}
}

// TestNoVPAs: on somebody's cluster that knows no VPAs every loop that needs them is
// refused with what has to be done, and no other is.
func TestNoVPAs(t *testing.T) {
	needs := 0
	for name, l := range loops {
		err := (&Guest{Permissions: notInstalled{}}).permit(t.Context(), l)
		if !slices.Contains(l.Needs, engine.NeedsVPA) {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		needs++
		var u *problem.Error
		if !errors.As(err, &u) || u.Code != problem.ExitUsage || !strings.Contains(u.Hint, "아무것도 쓰지 않았습니다") || !strings.Contains(u.Hint, "stepscale class install") {
			t.Errorf("%s: %+v", name, err)
		}
	}
	if needs == 0 {
		t.Error("no loop needs a VPA")
	}
}
