package lab

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/stepscale/stepscale/engine/clusterautoscaler"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/vpa"
	"github.com/stepscale/stepscale/scenarios"
)

// hpaParams are the HPA controller's, with what the scenario sets.
func (s *Stage) hpaParams() (hpa.Params, error) {
	p := hpa.DefaultParams()
	_, err := set(s.Scenario.Flags, p.AddFlags)
	return p, err
}

// vpaParams are those of the VPA's components, with what the scenario sets.
func (s *Stage) vpaParams() (vpa.Params, error) {
	p := vpa.DefaultParams()
	_, err := set(s.Scenario.Flags, p.AddFlags)
	return p, err
}

// nodeOptions are Cluster Autoscaler's, with what the scenario sets.
func (s *Stage) nodeOptions() (clusterautoscaler.Options, error) {
	o := clusterautoscaler.DefaultOptions()
	_, err := set(s.Scenario.Flags, o.AddFlags)
	return o, err
}

// set sets those of the flags that a controller has, and says what they were where that
// is something else.
func set(flags []scenarios.Flag, add func(*pflag.FlagSet)) (said []string, err error) {
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	add(fs)
	for _, f := range flags {
		its := fs.Lookup(f.Name)
		if its == nil {
			continue
		}
		if err := fs.Set(f.Name, f.Value); err != nil {
			return nil, err
		}
		if its.Value.String() == its.DefValue {
			continue
		}
		said = append(said, fmt.Sprintf("--%s=%s(기본값 %s)", f.Name, f.Value, its.DefValue))
	}
	return said, nil
}

// flagNote tells what the scenario sets in the controllers.
func (s *Stage) flagNote() string {
	h, v, c := hpa.DefaultParams(), vpa.DefaultParams(), clusterautoscaler.DefaultOptions()
	var said []string
	for _, add := range []func(*pflag.FlagSet){h.AddFlags, v.AddFlags, c.AddFlags} {
		of, err := set(s.Scenario.Flags, add)
		if err != nil {
			return ""
		}
		said = append(said, of...)
	}
	if len(said) == 0 {
		return ""
	}
	return "이 시나리오는 컨트롤러의 플래그를 바꿉니다: " + strings.Join(said, ", ")
}
