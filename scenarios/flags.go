package scenarios

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/stepscale/stepscale/engine/korean"
)

// Flag is a flag of a controller that the scenario sets.
type Flag struct {
	Name  string // as upstream spells it, without the dashes
	Value string // that upstream's flag takes
}

// resolution is the Metrics Server's: passes come with its looks, or with some of them.
const resolution = 15 * time.Second

// flagValue is what a flag may be set to.
type flagValue struct {
	loop  string // hpa, vpa or groups: whose controller has it
	fits  func(text string) bool
	wants string // said where it does not
}

// flags are those of kube-controller-manager, of the VPA's recommender and updater and of
// Cluster Autoscaler that can be seen in a run.
var flags = map[string]flagValue{
	"horizontal-pod-autoscaler-sync-period":               {"hpa", durations(resolution, time.Hour, resolution), "15s, 30s, 1m처럼 15초의 배수를 적어 주십시오. Metrics Server가 15초마다 읽습니다."},
	"horizontal-pod-autoscaler-tolerance":                 {"hpa", numbers(0, 100), "0.1처럼 0부터 100까지의 수를 적어 주십시오."},
	"horizontal-pod-autoscaler-downscale-stabilization":   {"hpa", durations(0, maxDuration, time.Second), "5m처럼 시간을 적어 주십시오."},
	"horizontal-pod-autoscaler-cpu-initialization-period": {"hpa", durations(0, maxDuration, time.Second), "5m처럼 시간을 적어 주십시오."},
	"horizontal-pod-autoscaler-initial-readiness-delay":   {"hpa", durations(0, maxDuration, time.Second), "30s처럼 시간을 적어 주십시오."},

	"target-cpu-percentile":                                share,
	"recommendation-lower-bound-cpu-percentile":            share,
	"recommendation-upper-bound-cpu-percentile":            share,
	"target-memory-percentile":                             share,
	"recommendation-lower-bound-memory-percentile":         share,
	"recommendation-upper-bound-memory-percentile":         share,
	"recommendation-margin-fraction":                       {"vpa", numbers(0, 100), "0.15처럼 0부터 100까지의 수를 적어 주십시오."},
	"pod-recommendation-min-cpu-millicores":                {"vpa", numbers(0, 1e6), "25처럼 밀리코어의 수를 적어 주십시오."},
	"pod-recommendation-min-memory-mb":                     {"vpa", numbers(0, 1e6), "250처럼 메가바이트의 수를 적어 주십시오."},
	"round-cpu-millicores":                                 {"vpa", integers(1, 1e6), "10처럼 1 이상의 정수를 적어 주십시오."},
	"min-replicas":                                         {"vpa", integers(1, MaxPods), "2처럼 1 이상의 정수를 적어 주십시오."},
	"eviction-tolerance":                                   {"vpa", numbers(0, 1), "0.5처럼 0부터 1까지의 수를 적어 주십시오."},
	"pod-update-threshold":                                 {"vpa", numbers(0, 100), "0.1처럼 0부터 100까지의 수를 적어 주십시오."},
	"in-recommendation-bounds-eviction-lifetime-threshold": {"vpa", durations(0, maxDuration, time.Second), "12h처럼 시간을 적어 주십시오."},
	"evict-after-oom-threshold":                            {"vpa", durations(0, maxDuration, time.Second), "10m처럼 시간을 적어 주십시오."},
	"in-place-skip-disruption-budget":                      {"vpa", booleans, "true나 false를 적어 주십시오."},

	"scan-interval":                    {"groups", durations(time.Second, time.Hour, time.Second), "10s처럼 1초부터 1시간까지의 시간을 적어 주십시오."},
	"expander":                         {"groups", expanders, "least-waste, most-pods, least-nodes, random 가운데 하나나, 쉼표로 이은 여럿을 적어 주십시오."},
	"max-nodes-total":                  {"groups", integers(0, MaxNodes), "4처럼 노드의 수를 적어 주십시오. 0은 한도가 없다는 뜻입니다."},
	"max-nodes-per-scaleup":            {"groups", integers(1, 1000), "2처럼 1 이상의 정수를 적어 주십시오."},
	"balance-similar-node-groups":      {"groups", booleans, "true나 false를 적어 주십시오."},
	"new-pod-scale-up-delay":           {"groups", durations(0, maxDuration, time.Second), "30s처럼 시간을 적어 주십시오."},
	"scale-down-utilization-threshold": {"groups", numbers(0, 1), "0.5처럼 0부터 1까지의 수를 적어 주십시오."},
	"scale-down-unneeded-time":         {"groups", durations(0, maxDuration, time.Second), "10m처럼 시간을 적어 주십시오."},
	"scale-down-delay-after-add":       {"groups", durations(0, maxDuration, time.Second), "10m처럼 시간을 적어 주십시오."},
	"unremovable-node-recheck-timeout": {"groups", durations(0, maxDuration, time.Second), "5m처럼 시간을 적어 주십시오."},
	"max-drain-parallelism":            {"groups", integers(1, MaxNodes), "1처럼 1 이상의 정수를 적어 주십시오."},
	"skip-nodes-with-local-storage":    {"groups", booleans, "true나 false를 적어 주십시오."},
}

var share = flagValue{"vpa", numbers(0, 1), "0.9처럼 0부터 1까지의 수를 적어 주십시오."}

// FlagNames are the flags that a scenario may set, sorted.
func FlagNames() []string { return slices.Sorted(maps.Keys(flags)) }

func durations(least, most, unit time.Duration) func(string) bool {
	return func(text string) bool {
		d, err := time.ParseDuration(text)
		return err == nil && d >= least && d <= most && d%unit == 0
	}
}

func numbers(least, most float64) func(string) bool {
	return func(text string) bool {
		v, err := strconv.ParseFloat(text, 64)
		return err == nil && v >= least && v <= most // NaN is neither
	}
}

// integers are written as pflag would write them: it reads 010 as eight, and not 08.
func integers(least, most int) func(string) bool {
	return func(text string) bool {
		v, err := strconv.Atoi(text)
		return err == nil && v >= least && v <= most && text == strconv.Itoa(v)
	}
}

// expanders are Cluster Autoscaler's that need nothing beside them.
func expanders(text string) bool {
	for _, name := range strings.Split(text, ",") {
		if !slices.Contains([]string{"least-waste", "most-pods", "least-nodes", "random"}, name) {
			return false
		}
	}
	return true
}

func booleans(text string) bool { return text == "true" || text == "false" }

// otherwise says of flags that a scenario cannot set where the same is written instead.
var otherwise = map[string]string{
	"oom-bump-up-ratio":     "objects.yaml의 VPA에 spec.resourcePolicy.containerPolicies[].oomBumpUpRatio를 적어 주십시오.",
	"oom-min-bump-up-bytes": "objects.yaml의 VPA에 spec.resourcePolicy.containerPolicies[].oomMinBumpUp을 적어 주십시오.",
	"recommender-interval":  "VPA의 한 패스는 1분이고 바꿀 수 없습니다.",
	"updater-interval":      "VPA의 한 패스는 1분이고 바꿀 수 없습니다.",
}

// flagged reads the flags, which stand there under upstream's names.
func (r *reader) flagged(n *yaml.Node, loops map[string]bool) (list []Flag) {
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		r.add(n.Line, "flags: {horizontal-pod-autoscaler-tolerance: 0.05}처럼 적어 주십시오.", "flags에는 플래그의 이름과 값을 적어야 합니다.")
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i].Value, n.Content[i+1]
		flag, known := flags[name]
		text, ok := r.scalar(value, name)
		switch {
		case !known:
			hint := otherwise[name]
			if hint == "" {
				hint = "쓸 수 있는 것: " + strings.Join(FlagNames(), ", ")
			}
			r.add(n.Content[i].Line, hint, "flags에 쓸 수 없는 플래그입니다: %s", name)
		case !ok:
		case slices.ContainsFunc(list, func(f Flag) bool { return f.Name == name }):
			r.add(n.Content[i].Line, "하나만 남겨 주십시오.", "flags에 같은 플래그가 두 번 있습니다: %s", name)
		case !loops[flag.loop]:
			r.add(n.Content[i].Line, "flags에서 지우거나 "+korean.Object(flag.loop)+" 적어 주십시오.", "%s %s 있을 때만 쓸 수 있습니다.", korean.Topic(name), korean.Subject(flag.loop))
		case !flag.fits(text):
			r.add(value.Line, flag.wants, "%s에 쓸 수 없는 값입니다: %s", name, text)
		default:
			list = append(list, Flag{name, text})
		}
	}
	return list
}
