package vpa

import (
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
)

// What lessons write to the VPA's objects, by resource type. A type that somebody else
// installed may be older than ours and lack a field, which the API server would drop
// in silence.
var written = map[string][]string{
	"verticalpodautoscalers": {
		"spec.targetRef", "spec.recommenders", "spec.updatePolicy.updateMode", "spec.resourcePolicy.containerPolicies",
		"status.conditions", "status.recommendation",
	},
	"verticalpodautoscalercheckpoints": {"spec.vpaObjectName", "spec.containerName", "status.cpuHistogram", "status.memoryHistogram"},
}

// writtenModes are the values of spec.updatePolicy.updateMode.
var writtenModes = []vpav1.UpdateMode{vpav1.UpdateModeOff, vpav1.UpdateModeInitial, vpav1.UpdateModeRecreate, vpav1.UpdateModeInPlaceOrRecreate}

// lacking is what lessons need of a resource type and it does not have.
func lacking(live *unstructured.Unstructured) []string {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(live.Object, crd); err != nil {
		return []string{err.Error()}
	}
	version := vpav1.SchemeGroupVersion.Version
	i := slices.IndexFunc(crd.Spec.Versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool { return v.Name == version && v.Served })
	if i < 0 || crd.Spec.Versions[i].Schema == nil {
		return []string{version}
	}
	var all []string
	for _, path := range written[crd.Spec.Names.Plural] {
		field := at(crd.Spec.Versions[i].Schema.OpenAPIV3Schema, path)
		if field == nil {
			all = append(all, path)
			continue
		}
		if path != "spec.updatePolicy.updateMode" || len(field.Enum) == 0 {
			continue
		}
		for _, mode := range writtenModes {
			if !slices.ContainsFunc(field.Enum, func(j apiextensionsv1.JSON) bool { return string(j.Raw) == `"`+string(mode)+`"` }) {
				all = append(all, path+" "+string(mode))
			}
		}
	}
	return all
}

// at is the schema of a field, or of what keeps all fields below it.
func at(schema *apiextensionsv1.JSONSchemaProps, path string) *apiextensionsv1.JSONSchemaProps {
	for name := range strings.SplitSeq(path, ".") {
		if schema == nil || schema.XPreserveUnknownFields != nil && *schema.XPreserveUnknownFields {
			return schema
		}
		field, ok := schema.Properties[name]
		if !ok {
			return nil
		}
		schema = &field
	}
	return schema
}
