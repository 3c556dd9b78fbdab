package scenarios

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/pod-security-admission/api"
	podsecurity "k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

// TestRestricted: kubectl apply of a scenario works in a namespace that enforces the
// restricted Pod Security Standard.
func TestRestricted(t *testing.T) {
	evaluator, err := podsecurity.NewEvaluator(podsecurity.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	files, err := fs.Glob(FS, "*/objects.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("scenarios %v, %v", files, err)
	}
	for _, file := range files {
		text, err := fs.ReadFile(FS, file)
		if err != nil {
			t.Fatal(err)
		}
		checked := 0
		for _, document := range regexp.MustCompile(`(?m)^---$`).Split(string(text), -1) {
			if !strings.Contains(document, "kind: Deployment\nmetadata") {
				continue
			}
			d := &appsv1.Deployment{}
			if err := yaml.UnmarshalStrict([]byte(document), d); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			checked++
			pod := d.Spec.Template
			for _, r := range evaluator.EvaluatePod(api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}, &pod.ObjectMeta, &pod.Spec) {
				if !r.Allowed {
					t.Errorf("%s: %s %s", file, r.ForbiddenReason, r.ForbiddenDetail)
				}
			}
		}
		if checked == 0 {
			t.Errorf("%s has no Deployment", file)
		}
	}
}
