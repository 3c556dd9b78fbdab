package hpa

import (
	"fmt"
	"math"
	"time"

	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kubernetes/pkg/apis/autoscaling"
	conversion "k8s.io/kubernetes/pkg/apis/autoscaling/v2"
	upstream "k8s.io/kubernetes/pkg/apis/autoscaling/validation"
)

// What no recording of ours reaches. Beyond it a replay would take the machine's
// memory or its day.
const (
	mostPods    = 10_000
	mostEntries = 100_000        // of a history, or of a metric's series
	longest     = 24 * time.Hour // that a flag of the controller may say
	firstYear   = 2000           // virtual time begins here
	lastYear    = 2199           // and does not reach the end of time.Duration
)

// InvalidError names what no controller can have read. The paths are those of the
// recording's JSON.
type InvalidError struct{ Fields field.ErrorList }

func (e *InvalidError) Error() string { return e.Fields.ToAggregate().Error() }

// Validate tells whether a recorded decision can be made again. It demands of the
// HPA what an API server demands, and of the rest what the API server, the Metrics
// Server and our own memory always give.
func (r *Recorded) Validate() error {
	var errs field.ErrorList
	errs = append(errs, validateParams(r.Params, field.NewPath("params"))...)
	errs = append(errs, validateInput(r.Input, field.NewPath("input"))...)
	errs = append(errs, validateHistory(r.History, r.Input.Now, field.NewPath("history"))...)
	if len(errs) == 0 {
		return nil
	}
	return &InvalidError{Fields: errs}
}

func validateParams(p Params, path *field.Path) (errs field.ErrorList) {
	for _, flag := range []struct {
		name  string
		value time.Duration
	}{
		{"SyncPeriod", p.SyncPeriod}, {"DownscaleStabilization", p.DownscaleStabilization},
		{"CPUInitializationPeriod", p.CPUInitializationPeriod}, {"InitialReadinessDelay", p.InitialReadinessDelay},
	} {
		if flag.value < 0 || flag.value > longest {
			errs = append(errs, field.Invalid(path.Child(flag.name), flag.value.String(), "must be between 0 and "+longest.String()))
		}
	}
	for _, factor := range []struct {
		name  string
		value float64
	}{{"Tolerance", p.Tolerance}, {"ScaleUpLimitFactor", p.ScaleUpLimitFactor}, {"ScaleUpLimitMinimum", p.ScaleUpLimitMinimum}} {
		if factor.value < 0 || factor.value > math.MaxInt32 {
			errs = append(errs, field.Invalid(path.Child(factor.name), factor.value, "must be between 0 and 2147483647"))
		}
	}
	return errs
}

func validateInput(in Input, path *field.Path) (errs field.ErrorList) {
	if y := in.Now.UTC().Year(); y < firstYear || y > lastYear {
		errs = append(errs, field.Invalid(path.Child("Now"), in.Now.String(), fmt.Sprintf("must be between the years %d and %d", firstYear, lastYear)))
	}
	errs = append(errs, nonnegative(path.Child("SpecReplicas"), int64(in.SpecReplicas))...)
	errs = append(errs, nonnegative(path.Child("StatusReplicas"), int64(in.StatusReplicas))...)
	errs = append(errs, atMost(path.Child("Rivals"), len(in.Rivals), mostPods)...)
	for i, r := range in.Rivals {
		errs = append(errs, validName(path.Child("Rivals").Index(i).Child("Name"), r.Name)...)
	}
	if in.HPA == nil {
		return append(errs, field.Required(path.Child("HPA"), ""))
	}
	errs = append(errs, validateHPA(in, path.Child("HPA"))...)
	errs = append(errs, validatePods(in, path.Child("Pods"))...)
	return append(errs, validateMetrics(in, path.Child("Metrics"))...)
}

// validateHPA asks the API server's own rules.
func validateHPA(in Input, path *field.Path) field.ErrorList {
	var internal autoscaling.HorizontalPodAutoscaler
	if err := conversion.Convert_v2_HorizontalPodAutoscaler_To_autoscaling_HorizontalPodAutoscaler(in.HPA.DeepCopy(), &internal, nil); err != nil {
		return field.ErrorList{field.Invalid(path, in.HPA.Name, err.Error())}
	}
	core := upstream.CrossVersionObjectReferenceValidationOptions{AllowEmptyAPIGroup: true} // a ReplicationController has none
	errs := upstream.ValidateHorizontalPodAutoscaler(&internal, upstream.HorizontalPodAutoscalerSpecValidationOptions{
		ScaleTargetRefValidationOptions: core, ObjectMetricsValidationOptions: core,
	})
	for _, e := range errs {
		e.Field = path.String() + "." + e.Field
	}
	return errs
}

func validatePods(in Input, path *field.Path) (errs field.ErrorList) {
	if errs := atMost(path, len(in.Pods), mostPods); errs != nil {
		return errs
	}
	seen := make(map[string]bool, len(in.Pods))
	for i, p := range in.Pods {
		at := path.Index(i)
		if p == nil {
			errs = append(errs, field.Required(at, ""))
			continue
		}
		errs = append(errs, validName(at.Child("metadata", "name"), p.Name)...)
		if p.Namespace != in.HPA.Namespace {
			errs = append(errs, field.Invalid(at.Child("metadata", "namespace"), p.Namespace, "must be the HPA's"))
		}
		if seen[p.Name] {
			errs = append(errs, field.Duplicate(at.Child("metadata", "name"), p.Name))
		}
		seen[p.Name] = true
	}
	return errs
}

// validateMetrics wants an answer for each metric, or none at all: the controller
// does not ask where the target is switched off or outside of its bounds.
func validateMetrics(in Input, path *field.Path) (errs field.ErrorList) {
	if n := len(in.HPA.Spec.Metrics); len(in.Metrics) != 0 && len(in.Metrics) != n {
		errs = append(errs, field.Invalid(path, len(in.Metrics), fmt.Sprintf("must have one answer for each of the %d metrics", n)))
	}
	for i, m := range in.Metrics {
		errs = append(errs, atMost(path.Index(i).Child("Pods"), len(m.Pods), mostEntries)...)
		errs = append(errs, atMost(path.Index(i).Child("Values"), len(m.Values), mostEntries)...)
	}
	return errs
}

// validateHistory wants a past: what the controller remembers has happened.
func validateHistory(h History, now time.Time, path *field.Path) (errs field.ErrorList) {
	entry := func(where *field.Path, replicas int32, at time.Time) {
		errs = append(errs, nonnegative(where, int64(replicas))...)
		if at.After(now) {
			errs = append(errs, field.Invalid(where.Child("Time"), at.String(), "must not be after the decision"))
		}
	}
	errs = append(errs, atMost(path, len(h.Recommendations)+len(h.ScaleUp)+len(h.ScaleDown), mostEntries)...)
	if len(errs) > 0 {
		return errs
	}
	for i, r := range h.Recommendations {
		entry(path.Child("Recommendations").Index(i), r.Replicas, r.Time)
	}
	for i, e := range h.ScaleUp {
		entry(path.Child("ScaleUp").Index(i), e.Change, e.Time)
	}
	for i, e := range h.ScaleDown {
		entry(path.Child("ScaleDown").Index(i), e.Change, e.Time)
	}
	errs = append(errs, validateOutdated(h.ScaleUp, path.Child("ScaleUp"))...)
	return append(errs, validateOutdated(h.ScaleDown, path.Child("ScaleDown"))...)
}

// validateOutdated wants a later event that found an outdated one so: no period of a
// policy is shorter than a second.
func validateOutdated(events []ScaleEvent, path *field.Path) (errs field.ErrorList) {
	var newest time.Time
	for _, e := range events {
		if e.Time.After(newest) {
			newest = e.Time
		}
	}
	for i, e := range events {
		if e.Outdated && !newest.After(e.Time.Add(time.Second)) {
			errs = append(errs, field.Invalid(path.Index(i).Child("Outdated"), true, "must be older than the newest by more than a second"))
		}
	}
	return errs
}

func nonnegative(path *field.Path, n int64) field.ErrorList {
	return apivalidation.ValidateNonnegativeField(n, path)
}

func atMost(path *field.Path, n, most int) field.ErrorList {
	if n <= most {
		return nil
	}
	return field.ErrorList{field.TooMany(path, n, most)}
}

func validName(path *field.Path, name string) (errs field.ErrorList) {
	for _, message := range apivalidation.NameIsDNSSubdomain(name, false) {
		errs = append(errs, field.Invalid(path, name, message))
	}
	return errs
}
