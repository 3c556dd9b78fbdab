package scenarios_test

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/stepscale/stepscale/scenarios"
)

// names are mappings whose keys are the author's own words.
var names = []string{"labels", "matchLabels", "data", "selector", "nodeSelector", "hard", "default"}

// walk calls seen with every field below v and its value.
func walk(v any, seen func(name string, value any)) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			seen(name, value)
			if !slices.Contains(names, name) {
				walk(value, seen)
			}
		}
	case []any:
		for _, item := range v {
			walk(item, seen)
		}
	}
}

// harmless fails for an object that a scenario may not have.
func harmless(t *testing.T, s *scenarios.Scenario) {
	t.Helper()
	var kinds []schema.GroupVersionKind
	for _, k := range scenarios.Kinds() {
		kinds = append(kinds, k.GroupVersionKind)
	}
	for _, o := range s.Parts() {
		if !slices.Contains(kinds, o.GroupVersionKind()) {
			t.Errorf("a %s is accepted", o.GroupVersionKind())
		}
		walk(o.Object, func(name string, value any) {
			dangerous := slices.Contains(scenarios.Forbidden, name) ||
				slices.Contains([]string{"privileged", "allowPrivilegeEscalation", "automountServiceAccountToken", "paused"}, name) && value != false ||
				name == "type" && slices.Contains([]any{"NodePort", "LoadBalancer", "ExternalName", "Unconfined", "Localhost"}, value)
			if dangerous && value != nil {
				t.Errorf("%s: %v is accepted in\n%s", name, value, s.Objects)
			}
		})
	}
}
