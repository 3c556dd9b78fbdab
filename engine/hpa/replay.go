package hpa

import (
	"errors"
	"fmt"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	defaults "k8s.io/kubernetes/pkg/apis/autoscaling/v2"
	"sigs.k8s.io/json"
)

// UnknownFieldsError names fields that this engine has no rule for: those of a
// later Kubernetes, or misspelt ones. To leave them out would be to decide
// something else than the cluster does.
type UnknownFieldsError struct{ Fields []string }

func (e *UnknownFieldsError) Error() string {
	return "unknown fields: " + strings.Join(e.Fields, ", ")
}

// ReadRecorded reads the Inputs of a recorded UpdateStep or ActualStep. A recording that
// was damaged or written by hand is an error: what comes out can be decided by our engine
// and by upstream's controller.
func ReadRecorded(inputs []byte) (Recorded, error) {
	var r Recorded
	if err := checkNumbers(inputs); err != nil {
		return Recorded{}, fmt.Errorf("recorded inputs: %w", err)
	}
	strict, err := json.UnmarshalStrict(inputs, &r)
	if err != nil {
		return Recorded{}, fmt.Errorf("recorded inputs: %w", err)
	}
	if err := unknownFields(strict, ""); err != nil {
		return Recorded{}, err
	}
	if r.Input.HPA != nil {
		defaults.SetObjectDefaults_HorizontalPodAutoscaler(r.Input.HPA) // an API server never answers without them
	}
	if err := r.Validate(); err != nil {
		return Recorded{}, err
	}
	return r, nil
}

// decodeHPA reads an API server's answer. Fields of the spec that autoscaling/v2
// of v1.37 does not have are an error; in metadata and status they change nothing.
func decodeHPA(answer []byte) (*autoscalingv2.HorizontalPodAutoscaler, error) {
	object := &autoscalingv2.HorizontalPodAutoscaler{}
	strict, err := json.UnmarshalStrict(answer, object, json.DisallowUnknownFields)
	if err != nil {
		return nil, err
	}
	object.TypeMeta = metav1.TypeMeta{} // as a typed client returns it
	return object, unknownFields(strict, "spec.")
}

// unknownFields is the error for those below a path.
func unknownFields(strict []error, below string) error {
	var fields []string
	for _, err := range strict {
		var f json.FieldError
		if errors.As(err, &f) && strings.HasPrefix(f.FieldPath(), below) {
			fields = append(fields, f.FieldPath())
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return &UnknownFieldsError{Fields: fields}
}
