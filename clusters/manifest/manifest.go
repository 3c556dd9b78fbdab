// Package manifest reads manifests and puts their objects on a cluster. Everything that
// it puts there bears our label and is written under one field manager.
package manifest

import (
	"bytes"
	"errors"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

const (
	// LabelManaged marks every object that stepscale made; cleanup touches no other.
	LabelManaged = "stepscale.io/managed"
	// FieldManager is under whose name the API server keeps the fields that we write.
	FieldManager = "stepscale"
)

// EachObject calls do for every object of a manifest, in its order, until one fails.
func EachObject(manifest []byte, do func(*unstructured.Unstructured) error) error {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifest), 4096)
	for {
		obj := &unstructured.Unstructured{}
		if err := decoder.Decode(obj); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if len(obj.Object) == 0 {
			continue
		}
		if err := do(obj); err != nil {
			return err
		}
	}
}

// Mark labels an object as one that stepscale made.
func Mark(o metav1.Object) {
	labels := o.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[LabelManaged] = "true"
	o.SetLabels(labels)
}

// Marked tells whether an object bears our label. On a cluster that others use too
// anybody can write it: there it proves nothing alone.
func Marked(o metav1.Object) bool { return o.GetLabels()[LabelManaged] == "true" }
