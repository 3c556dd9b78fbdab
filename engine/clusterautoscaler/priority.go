package clusterautoscaler

import (
	"fmt"
	"math"
	"regexp"

	"sigs.k8s.io/yaml"
)

// byPriority is the highest number whose patterns match the group's name
// (expander/priority/priority.go). Groups that none matches are not used, unless none of
// the choices is matched: then all are equal.
func byPriority(u *ScaleUp, c Choice) (float64, string) {
	priorities, err := ParsePriorities(u.autoscaler.Options.Priorities)
	if err != nil {
		return 0, "우선순위를 읽지 못함: " + err.Error() // and chance decides, as upstream
	}
	highest := math.Inf(-1)
	for number, patterns := range priorities {
		for _, p := range patterns {
			if p.MatchString(c.Group.Name) {
				highest = max(highest, float64(number))
			}
		}
	}
	if math.IsInf(highest, -1) {
		return highest, "맞는 패턴이 없음"
	}
	return highest, fmt.Sprintf("우선순위 %.0f", highest)
}

// ParsePriorities reads the value of the key priorities in the ConfigMap of the priority
// expander: lists of patterns by number.
func ParsePriorities(text string) (map[int][]*regexp.Regexp, error) {
	var written map[int][]string
	if err := yaml.UnmarshalStrict([]byte(text), &written); err != nil {
		return nil, fmt.Errorf("priorities: %w", err)
	}
	if len(written) == 0 {
		return nil, fmt.Errorf("priorities: empty")
	}
	priorities := map[int][]*regexp.Regexp{}
	for number, patterns := range written {
		for _, p := range patterns {
			compiled, err := regexp.Compile(p)
			if err != nil {
				return nil, fmt.Errorf("priority %d: %w", number, err)
			}
			priorities[number] = append(priorities[number], compiled)
		}
	}
	return priorities, nil
}
