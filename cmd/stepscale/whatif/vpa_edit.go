package whatif

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"
	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/runtime"
	vpahandler "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/admission-controller/resource/vpa"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	aggregate "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/model"

	"github.com/stepscale/stepscale/engine/vpa"
)

const vpaHint = "예: target-cpu-percentile=0.5, recommendation-margin-fraction=0, cpu-histogram-decay-half-life=1h, minAllowed.cpu=200m, updateMode=Off"

// The recommender's flags that its histograms are made with (recommender/config/config.go).
const (
	cpuHalfLife    = "cpu-histogram-decay-half-life"
	memoryHalfLife = "memory-histogram-decay-half-life"
)

// OfVPA tells whether something that is set is the VPA's and not the HPA's.
func (e *Edit) OfVPA() bool {
	flags := vpaFlags(&vpa.Params{})
	return slices.ContainsFunc(e.sets, func(s set) bool {
		first, _, _ := strings.Cut(s.key, ".")
		return flags.Lookup(s.key) != nil || slices.Contains([]string{cpuHalfLife, memoryHalfLife, "minAllowed", "maxAllowed", "updateMode", "updatePolicy"}, first) || strings.HasPrefix(first, "resourcePolicy")
	})
}

func vpaFlags(p *vpa.Params) *pflag.FlagSet {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	p.AddFlags(flags)
	return flags
}

// checkVPA tells what of the edit a VPA has not.
func (e *Edit) checkVPA(f vpa.Fed) error {
	for _, s := range e.sets {
		if s.key != cpuHalfLife && s.key != memoryHalfLife {
			continue
		}
		if d, err := time.ParseDuration(s.value); err != nil || d <= 0 {
			return &SetError{s.text, "0보다 긴 시간이 아닙니다", "예: " + s.key + "=12h"}
		}
	}
	_, err := e.fed(f)
	return err
}

// fed is what the recommender would have been fed with.
func (e *Edit) fed(f vpa.Fed) (vpa.Fed, error) {
	if len(e.sets) == 0 {
		return f, nil
	}
	flags := vpaFlags(&f.Params)
	f.Feeds = slices.Clone(f.Feeds)
	for _, s := range e.sets {
		switch {
		case s.key == cpuHalfLife || s.key == memoryHalfLife:
		case flags.Lookup(s.key) != nil:
			if err := flags.Set(s.key, s.value); err != nil {
				return f, &SetError{s.text, "플래그의 값을 읽을 수 없습니다", vpaHint}
			}
			if err := f.Params.Valid(); err != nil {
				return f, &SetError{s.text, "이 플래그에 쓸 수 없는 값입니다", vpaHint}
			}
		default:
			for i := range f.Feeds {
				if err := e.setVPA(s, f.VPA, &f.Feeds[i]); err != nil {
					return f, err
				}
			}
		}
	}
	return f, nil
}

func (e *Edit) setVPA(s set, name string, feed *vpa.Feed) error {
	feed.VPAs = slices.Clone(feed.VPAs)
	for i, v := range feed.VPAs {
		if v.Object.Name != name {
			continue
		}
		spec, err := withSet(s, v.Object.Spec)
		if err != nil {
			return err
		}
		object := *v.Object
		object.Spec = spec
		if err := admitted(&object); err != nil {
			return &SetError{s.text, "VPA의 웹훅이 받지 않는 값입니다", err.Error()}
		}
		feed.VPAs[i].Object = &object
	}
	return nil
}

// admitted asks upstream's webhook for VPA objects (admission-controller/resource/vpa:
// GetPatches).
func admitted(v *vpav1.VerticalPodAutoscaler) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, _, refused := vpahandler.NewResourceHandler(vpahandler.NewDefaultPreProcessor()).GetPatches(context.Background(),
		&admissionv1.AdmissionRequest{Operation: admissionv1.Create, Object: runtime.RawExtension{Raw: raw}})
	return refused.ToAggregate()
}

func withSet(s set, spec vpav1.VerticalPodAutoscalerSpec) (changed vpav1.VerticalPodAutoscalerSpec, err error) {
	path, spec, err := vpaPath(s, *spec.DeepCopy())
	if err != nil {
		return spec, err
	}
	raw, err := json.Marshal(spec)
	if err != nil {
		return spec, err
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		return spec, err
	}
	if tree, err = placed(s, tree, path, vpaHint); err != nil {
		return spec, err
	}
	if changed, err = decoded[vpav1.VerticalPodAutoscalerSpec](s, tree, "VPA에 없는 필드입니다", vpaHint); err != nil {
		return spec, err
	}
	if u := changed.UpdatePolicy; u != nil && u.UpdateMode != nil && *u.UpdateMode == vpav1.UpdateModeInPlace {
		return spec, &SetError{s.text, "InPlace는 업스트림에서 기본으로 꺼져 있어 계산하지 않습니다", "Off, Initial, Recreate, InPlaceOrRecreate 가운데 하나를 적어 주십시오."}
	}
	return changed, nil
}

// vpaPath is where in the spec something is set; what is written short is of all
// containers.
func vpaPath(s set, spec vpav1.VerticalPodAutoscalerSpec) ([]string, vpav1.VerticalPodAutoscalerSpec, error) {
	path := strings.FieldsFunc(s.key, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
	if len(path) == 0 {
		return nil, spec, &SetError{s.text, "모르는 이름입니다", vpaHint}
	}
	switch path[0] {
	case "updateMode":
		return append([]string{"updatePolicy"}, path...), spec, nil
	case "updatePolicy", "resourcePolicy":
		return path, spec, nil
	case "minAllowed", "maxAllowed":
		if spec.ResourcePolicy == nil || len(spec.ResourcePolicy.ContainerPolicies) == 0 {
			spec.ResourcePolicy = &vpav1.PodResourcePolicy{ContainerPolicies: []vpav1.ContainerResourcePolicy{{ContainerName: vpav1.DefaultContainerResourcePolicy}}}
		}
		if n := len(spec.ResourcePolicy.ContainerPolicies); n > 1 {
			return nil, spec, &SetError{s.text, fmt.Sprintf("컨테이너의 정책이 %d개라 어느 것인지 알 수 없습니다", n), "자리를 적어 주십시오. 예: resourcePolicy.containerPolicies[0]." + s.key + "=" + s.value}
		}
		return append([]string{"resourcePolicy", "containerPolicies", "0"}, path...), spec, nil
	case "targetRef", "recommenders":
		return nil, spec, &SetError{s.text, "바꿔 볼 수 없는 필드입니다", "다른 대상이나 다른 Recommender는 기록에 없습니다."}
	}
	return nil, spec, &SetError{s.text, "모르는 이름입니다", vpaHint}
}

// aggregations is held while upstream's package has another configuration: it is one for
// the whole process.
var aggregations sync.Mutex

// halfLives makes upstream's histograms with those of the edit until end is called.
func (e *Edit) halfLives() (end func()) {
	var cpu, memory time.Duration
	for _, s := range e.sets {
		d, err := time.ParseDuration(s.value)
		if err != nil || d <= 0 {
			continue
		}
		switch s.key {
		case cpuHalfLife:
			cpu = d
		case memoryHalfLife:
			memory = d
		}
	}
	if cpu == 0 && memory == 0 { // and no other variant of the sweep has any
		return func() {}
	}
	aggregations.Lock()
	before := aggregate.GetAggregationsConfig()
	config := *before
	config.CPUHistogramDecayHalfLife = cmp.Or(cpu, config.CPUHistogramDecayHalfLife)
	config.MemoryHistogramDecayHalfLife = cmp.Or(memory, config.MemoryHistogramDecayHalfLife)
	aggregate.InitializeAggregationsConfig(&config)
	return func() {
		aggregate.InitializeAggregationsConfig(before)
		aggregations.Unlock()
	}
}
