package problem

import (
	"strings"

	"github.com/agnivade/levenshtein"
)

// Nearest is the candidate most like name, or "" when none is like it.
func Nearest(name string, candidates []string) string {
	best, least := "", max(len(name)/3, 2)+1
	if len(name) <= 2 {
		least = 2
	}
	for _, c := range candidates {
		if d := levenshtein.ComputeDistance(name, c); d < least {
			best, least = c, d
		}
	}
	if best != "" {
		return best
	}
	for _, c := range candidates {
		if len(name) > 1 && strings.Contains(c, name) {
			return c
		}
	}
	return ""
}
