package inspect

import (
	"fmt"
	"strings"
)

// SARIF is the report as a log of SARIF 2.1.0 (OASIS), which CI systems take. A finding is
// at the path of its object in the API: there is no file to point at.
func (r Report) SARIF(version string) any {
	rules, results := []any{}, []any{}
	for _, rule := range Rules {
		rules = append(rules, map[string]any{
			"id": rule.ID, "shortDescription": text(rule.Title), "fullDescription": text(rule.Title + " (" + rule.Ref + ")"),
			"defaultConfiguration": map[string]any{"level": rule.Level},
		})
	}
	for _, f := range r.Findings {
		results = append(results, f.sarif())
	}
	return map[string]any{
		"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
		"runs": []any{map[string]any{
			"tool":       map[string]any{"driver": map[string]any{"name": "stepscale inspect", "version": version, "rules": rules}},
			"results":    results,
			"properties": map[string]any{"schema": r.Schema, "cluster": r.Cluster},
		}},
	}
}

func (f Finding) sarif() any {
	message := []string{f.What}
	for _, l := range f.Evidence {
		message = append(message, fmt.Sprintf("[%s] %s", l.Mark, l.Text))
	}
	message = append(message, f.Fix, f.Command)
	path := f.Object.path()
	return map[string]any{
		"ruleId": f.Rule, "level": f.Level, "message": text(strings.Join(message, "\n")),
		"partialFingerprints": map[string]any{"stepscale/v1": f.Rule + ":" + path},
		"locations": []any{map[string]any{
			"physicalLocation": map[string]any{"artifactLocation": map[string]any{"uri": path}},
			"logicalLocations": []any{map[string]any{"fullyQualifiedName": f.Object.String(), "kind": "resource"}},
		}},
	}
}

func text(t string) any { return map[string]any{"text": t} }

// resources are the paths of the kinds that findings are about.
var resources = map[string][2]string{
	"HorizontalPodAutoscaler": {"apis/autoscaling/v2", "horizontalpodautoscalers"},
	"VerticalPodAutoscaler":   {"apis/autoscaling.k8s.io/v1", "verticalpodautoscalers"},
	"APIService":              {"apis/apiregistration.k8s.io/v1", "apiservices"},
	"NodePool":                {"apis/karpenter.sh/v1", "nodepools"},
	"ConfigMap":               {"api/v1", "configmaps"},
}

// path is the object's in the API.
func (o Object) path() string {
	r := resources[o.Kind]
	if o.Namespace == "" {
		return r[0] + "/" + r[1] + "/" + o.Name
	}
	return r[0] + "/namespaces/" + o.Namespace + "/" + r[1] + "/" + o.Name
}
