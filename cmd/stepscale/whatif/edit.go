// Package whatif plays a recorded HPA again under other rules: the same load, in closed
// loop, decided by the same engine. What the other rules would have read is recorded up to
// the decision at which the courses part, and computed by a small model from there on.
package whatif

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	strict "sigs.k8s.io/json"

	"github.com/stepscale/stepscale/engine/hpa"
)

// SetError tells what is wrong with something that was to be set. Its texts are Korean.
type SetError struct{ Set, What, Hint string }

func (e *SetError) Error() string { return e.What + ": " + e.Set }

const setHint = "예: target=70, maxReplicas=20, behavior.scaleDown.stabilizationWindowSeconds=60, horizontal-pod-autoscaler-tolerance=0.2"

// Edit is what is other than in the recording: fields of the HPA's spec and flags of its
// controller. The zero Edit changes nothing.
type Edit struct {
	sets []set
	// The spec that was recorded last, and what was made of it.
	before, after *autoscalingv2.HorizontalPodAutoscalerSpec
}

type set struct{ text, key, value string }

// ParseEdit reads KEY=VALUE. What the keys mean is known once there is an HPA: see Check.
func ParseEdit(texts []string) (*Edit, error) {
	e := &Edit{}
	for _, text := range texts {
		key, value, ok := strings.Cut(text, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !ok || key == "" || value == "" {
			return nil, &SetError{text, "이름=값으로 읽을 수 없습니다", setHint}
		}
		if slices.ContainsFunc(e.sets, func(s set) bool { return s.key == key }) {
			return nil, &SetError{text, "같은 이름을 두 번 정했습니다", "하나만 남겨 주십시오."}
		}
		e.sets = append(e.sets, set{text, key, value})
	}
	return e, nil
}

// Texts are what was set, as it was written.
func (e *Edit) Texts() (texts []string) {
	for _, s := range e.sets {
		texts = append(texts, s.text)
	}
	return texts
}

// apply gives a decision the HPA and the flags that it would have had. The HPA is a copy.
func (e *Edit) apply(r *hpa.Recorded) error {
	if len(e.sets) == 0 {
		return nil
	}
	if err := e.setFlags(&r.Params); err != nil {
		return err
	}
	if e.before == nil || !reflect.DeepEqual(e.before, &r.Input.HPA.Spec) { // from pass to pass it hardly ever changes
		if err := e.remember(*r); err != nil {
			return err
		}
	}
	object := *r.Input.HPA
	object.Spec = *e.after
	r.Input.HPA = &object
	return nil
}

// remember makes the spec of a decision as it would have been.
func (e *Edit) remember(r hpa.Recorded) error {
	before, err := json.Marshal(r.Input.HPA.Spec)
	if err != nil {
		return err
	}
	after, err := e.edited(r, before)
	if err != nil {
		return err
	}
	e.before, e.after = &r.Input.HPA.Spec, after
	return nil
}

const (
	flagPrefix = "horizontal-pod-autoscaler-"
	syncPeriod = flagPrefix + "sync-period"
)

func isFlag(key string) bool { return strings.HasPrefix(key, flagPrefix) }

func (e *Edit) setFlags(p *hpa.Params) error {
	if !slices.ContainsFunc(e.sets, func(s set) bool { return isFlag(s.key) }) {
		return nil
	}
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	p.AddFlags(flags)
	for _, s := range e.sets {
		switch {
		case !isFlag(s.key):
			continue
		case s.key == syncPeriod:
			return &SetError{s.text, "동기화 주기는 바꿀 수 없습니다", "기록에 있는 부하는 기록한 패스의 시각에 잰 것입니다. 다른 주기로는 다시 기록해 주십시오."}
		case flags.Lookup(s.key) == nil:
			return &SetError{s.text, "모르는 플래그입니다", "kube-controller-manager의 플래그 가운데 HPA의 결정을 바꾸는 것을 적어 주십시오. " + setHint}
		}
		if err := flags.Set(s.key, s.value); err != nil {
			return &SetError{s.text, "플래그의 값을 읽을 수 없습니다", setHint}
		}
	}
	return nil
}

// edited is the recorded spec with everything set, as an API server would store it.
func (e *Edit) edited(r hpa.Recorded, before []byte) (*autoscalingv2.HorizontalPodAutoscalerSpec, error) {
	var tree any
	if err := json.Unmarshal(before, &tree); err != nil {
		return nil, err
	}
	object := *r.Input.HPA
	for _, s := range e.sets {
		if isFlag(s.key) {
			continue
		}
		path, err := pathOf(s, r.Input.HPA.Spec.Metrics)
		if err != nil {
			return nil, err
		}
		if tree, err = placed(s, tree, path, setHint); err != nil {
			return nil, err
		}
		if object.Spec, err = decoded[autoscalingv2.HorizontalPodAutoscalerSpec](s, tree, "autoscaling/v2의 HPA에 없는 필드입니다", setHint); err != nil {
			return nil, err
		}
	}
	return e.stored(r, &object)
}

// decoded is a tree as a spec, in which every field has its place.
func decoded[T any](s set, tree any, noField, hint string) (spec T, err error) {
	raw, err := json.Marshal(tree)
	if err != nil {
		return spec, err
	}
	unknown, err := strict.UnmarshalStrict(raw, &spec, strict.DisallowUnknownFields)
	switch {
	case err != nil:
		return spec, &SetError{s.text, "이 필드에 쓸 수 없는 값입니다", hint}
	case len(unknown) > 0:
		return spec, &SetError{s.text, noField, hint}
	}
	return spec, nil
}

// placed is a tree with what is set in its place.
func placed(s set, tree any, path []string, hint string) (any, error) {
	var value any
	if err := yaml.Unmarshal([]byte(s.value), &value); err != nil {
		return nil, &SetError{s.text, "값을 읽을 수 없습니다", hint}
	}
	tree, err := put(tree, path, value)
	if err != nil {
		return nil, &SetError{s.text, err.Error(), hint}
	}
	return tree, nil
}

// stored fills in what the API server does, and refuses what it would.
func (e *Edit) stored(r hpa.Recorded, object *autoscalingv2.HorizontalPodAutoscaler) (*autoscalingv2.HorizontalPodAutoscalerSpec, error) {
	alone := hpa.Recorded{Params: r.Params, Input: hpa.Input{Now: r.Input.Now, HPA: object, Selector: r.Input.Selector}}
	raw, err := json.Marshal(alone)
	if err != nil {
		return nil, err
	}
	checked, err := hpa.ReadRecorded(raw)
	var invalid *hpa.InvalidError
	switch {
	case errors.As(err, &invalid):
		first := invalid.Fields[0]
		return nil, &SetError{strings.Join(e.Texts(), " "), "API 서버가 받지 않는 값입니다", fmt.Sprintf("%s: %s", first.Field, first.ErrorBody())}
	case err != nil:
		return nil, err
	}
	return &checked.Input.HPA.Spec, nil
}

// pathOf is where in the spec something is set. Only what a decision reads can be: who
// scales what, and which metrics there are, would need another recording.
func pathOf(s set, metrics []autoscalingv2.MetricSpec) ([]string, error) {
	if s.key == "target" {
		return targetPath(s, metrics)
	}
	path := strings.FieldsFunc(s.key, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
	if len(path) == 0 {
		return nil, &SetError{s.text, "모르는 이름입니다", setHint}
	}
	switch {
	case path[0] == "minReplicas", path[0] == "maxReplicas", path[0] == "behavior":
		return path, nil
	case path[0] == "metrics" && len(path) == 5 && path[3] == "target" && path[4] != "type":
		return path, nil
	case path[0] == "metrics", path[0] == "scaleTargetRef":
		return nil, &SetError{s.text, "바꿔 볼 수 없는 필드입니다", "메트릭은 목표만 바꿀 수 있습니다. 예: metrics[0].resource.target.averageUtilization=70. 다른 대상이나 다른 메트릭은 기록에 없습니다."}
	}
	return nil, &SetError{s.text, "모르는 이름입니다", setHint}
}

// targetPath is that of the only metric's target.
func targetPath(s set, metrics []autoscalingv2.MetricSpec) ([]string, error) {
	if len(metrics) != 1 {
		return nil, &SetError{s.text, fmt.Sprintf("메트릭이 %d개라 어느 목표인지 알 수 없습니다", len(metrics)), "자리를 적어 주십시오. 예: metrics[0].resource.target.averageUtilization=70"}
	}
	m := metrics[0]
	source := map[autoscalingv2.MetricSourceType]string{
		autoscalingv2.ResourceMetricSourceType: "resource", autoscalingv2.ContainerResourceMetricSourceType: "containerResource",
		autoscalingv2.PodsMetricSourceType: "pods", autoscalingv2.ObjectMetricSourceType: "object", autoscalingv2.ExternalMetricSourceType: "external",
	}[m.Type]
	t, field := hpa.TargetOf(&m), "averageUtilization"
	switch {
	case t.AverageValue != nil:
		field = "averageValue"
	case t.Value != nil:
		field = "value"
	}
	return []string{"metrics", "0", source, "target", field}, nil
}

// put is the tree with a value at a path; mappings on the way are made, list entries are not.
func put(tree any, path []string, value any) (any, error) {
	if len(path) == 0 {
		return value, nil
	}
	switch at := tree.(type) {
	case nil, map[string]any:
		fields, _ := at.(map[string]any)
		if fields == nil {
			fields = map[string]any{}
		}
		child, err := put(fields[path[0]], path[1:], value)
		fields[path[0]] = child
		return fields, err
	case []any:
		i, err := strconv.Atoi(path[0])
		if err != nil || i < 0 || i >= len(at) {
			return at, fmt.Errorf("목록에 %s번째가 없습니다(0부터 %d까지)", path[0], len(at)-1)
		}
		at[i], err = put(at[i], path[1:], value)
		return at, err
	}
	return tree, errors.New("필드가 아니라 값입니다")
}
