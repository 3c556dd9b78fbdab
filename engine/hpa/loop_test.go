package hpa

import (
	"slices"
	"testing"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
)

func TestStepsAreTheContract(t *testing.T) {
	ids := func(steps []engine.Step[State]) []trace.StepID {
		var list []trace.StepID
		for _, s := range steps {
			if s.Ref == "" || s.Actor == "" || s.Do == nil {
				t.Errorf("step %s: ref, actor and function are required", s.ID)
			}
			list = append(list, s.ID)
		}
		return list
	}
	for _, c := range []struct {
		got, want []trace.StepID
	}{
		{ids(Loop().Table), []trace.StepID{
			"hpa/1-metrics/scrape", "hpa/1-metrics/query", "hpa/2-replicas/group", "hpa/2-replicas/ratio",
			"hpa/2-replicas/tolerance", "hpa/2-replicas/proposal", "hpa/2-replicas/stabilize", "hpa/2-replicas/limit",
			"hpa/3-scale/update", "hpa/4-deployment/replicaset", "hpa/5-pods/create", "hpa/5-pods/bind", "hpa/5-pods/run",
		}},
		{ids(Architecture().Table), []trace.StepID{
			"hpa-architecture/1-replicaset", "hpa-architecture/2-deployment", "hpa-architecture/3-metrics",
			"hpa-architecture/4-watch", "hpa-architecture/5-metrics-server",
		}},
		{ids(Intro().Table), []trace.StepID{"intro/1-horizontal", "intro/2-vertical", "intro/3-autoscalers"}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("steps\n got %v\nwant %v", c.got, c.want)
		}
	}
}
