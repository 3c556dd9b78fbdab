package embedded

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/metrics/pkg/apis/custom_metrics"
	"k8s.io/metrics/pkg/apis/external_metrics"
	"sigs.k8s.io/custom-metrics-apiserver/pkg/provider"
)

// Metric is a value that is no resource of a pod, as it is now.
type Metric struct {
	Name   string
	Labels map[string]string
	Of     corev1.ObjectReference // what has it; zero: nothing in the cluster (an external metric)
	Value  int64                  // thousandths
}

// Metered is a Load with metrics beside what the containers use.
type Metered interface {
	Load
	// Metrics returns the metrics of the namespace whose running pods these are, elapsed
	// after the load began. What has no value now is left out.
	Metrics(elapsed time.Duration, pods []*corev1.Pod) []Metric
}

// adapter answers custom.metrics.k8s.io and external.metrics.k8s.io with what the loads
// say, at the time of the virtual clock. It is a provider of upstream's library for
// adapters (sigs.k8s.io/custom-metrics-apiserver), which serves the API.
type adapter struct{ usage *usage }

// metrics are those of a namespace now, and its running pods.
func (u *usage) metrics(ctx context.Context, namespace string) ([]Metric, []*corev1.Pod, error) {
	running, err := u.runningPods(ctx)
	if err != nil {
		return nil, nil, err
	}
	u.mu.Lock()
	l := u.loads[namespace]
	u.mu.Unlock()
	if metered, ok := l.model.(Metered); ok {
		return metered.Metrics(u.clock.Now().Sub(l.since), running[namespace]), running[namespace], nil
	}
	return nil, nil, nil
}

// named are the metrics of that name on objects of that resource; an external one is on
// none. Without any the error is NotFound.
func (a adapter) named(ctx context.Context, namespace, name, of string) ([]Metric, []*corev1.Pod, error) {
	all, pods, err := a.usage.metrics(ctx, namespace)
	if err != nil {
		return nil, nil, err
	}
	found := slices.DeleteFunc(all, func(m Metric) bool { return m.Name != name || pluralOf(m.Of) != of })
	if len(found) == 0 {
		return nil, nil, provider.NewMetricNotFoundError(schema.GroupResource{Resource: of}, name)
	}
	return found, pods, nil
}

// pluralOf is the resource under which the API asks about an object.
func pluralOf(o corev1.ObjectReference) string {
	if o.Kind == "" {
		return ""
	}
	plural, _ := meta.UnsafeGuessKindToResource(schema.GroupVersionKind{Kind: o.Kind})
	return plural.Resource
}

// GetMetricByName is the metric of one object.
func (a adapter) GetMetricByName(ctx context.Context, of types.NamespacedName, info provider.CustomMetricInfo, selector labels.Selector) (*custom_metrics.MetricValue, error) {
	found, _, err := a.named(ctx, of.Namespace, info.Metric, info.GroupResource.Resource)
	if err != nil {
		return nil, err
	}
	list := a.values(of.Namespace, found, func(m Metric) bool { return m.Of.Name == of.Name && selector.Matches(labels.Set(m.Labels)) })
	if len(list) == 0 {
		return nil, provider.NewMetricNotFoundForSelectorError(info.GroupResource, info.Metric, of.Name, selector)
	}
	return &list[0], nil
}

// GetMetricBySelector is the metric of every pod whose labels fit. Other objects are
// asked for by name.
func (a adapter) GetMetricBySelector(ctx context.Context, namespace string, of labels.Selector, info provider.CustomMetricInfo, selector labels.Selector) (*custom_metrics.MetricValueList, error) {
	found, pods, err := a.named(ctx, namespace, info.Metric, info.GroupResource.Resource)
	if err != nil {
		return nil, err
	}
	fit := map[string]bool{}
	for _, p := range pods {
		fit[p.Name] = of.Matches(labels.Set(p.Labels))
	}
	return &custom_metrics.MetricValueList{Items: a.values(namespace, found, func(m Metric) bool {
		return (of.Empty() || fit[m.Of.Name]) && selector.Matches(labels.Set(m.Labels))
	})}, nil
}

// values are those of the metrics that fit, one for each object: what several series say
// of one is added up, as a query that sums by object does.
func (a adapter) values(namespace string, found []Metric, fits func(Metric) bool) []custom_metrics.MetricValue {
	sums := map[string]int64{}
	var kept []Metric
	for _, m := range found {
		if !fits(m) {
			continue
		}
		if _, again := sums[m.Of.Name]; !again {
			kept = append(kept, m)
		}
		sums[m.Of.Name] += m.Value
	}
	list := make([]custom_metrics.MetricValue, 0, len(kept))
	for _, m := range kept {
		list = append(list, custom_metrics.MetricValue{
			DescribedObject: custom_metrics.ObjectReference{Kind: m.Of.Kind, APIVersion: m.Of.APIVersion, Namespace: namespace, Name: m.Of.Name},
			Metric:          custom_metrics.MetricIdentifier{Name: m.Name},
			Timestamp:       metav1.NewTime(a.usage.clock.Now()),
			Value:           *resource.NewMilliQuantity(sums[m.Of.Name], resource.DecimalSI),
		})
	}
	return list
}

// GetExternalMetric are the series of that name whose labels fit, each by itself.
func (a adapter) GetExternalMetric(ctx context.Context, namespace string, selector labels.Selector, info provider.ExternalMetricInfo) (*external_metrics.ExternalMetricValueList, error) {
	found, _, err := a.named(ctx, namespace, info.Metric, "")
	if err != nil {
		return nil, err
	}
	list := &external_metrics.ExternalMetricValueList{Items: []external_metrics.ExternalMetricValue{}}
	for _, m := range found {
		if selector.Matches(labels.Set(m.Labels)) {
			list.Items = append(list.Items, external_metrics.ExternalMetricValue{
				MetricName: m.Name, MetricLabels: maps.Clone(m.Labels),
				Timestamp: metav1.NewTime(a.usage.clock.Now()), Value: *resource.NewMilliQuantity(m.Value, resource.DecimalSI),
			})
		}
	}
	return list, nil
}

// ListAllMetrics is what discovery tells.
func (a adapter) ListAllMetrics() (list []provider.CustomMetricInfo) {
	for _, m := range a.all() {
		if of := pluralOf(m.Of); of != "" {
			list = append(list, provider.CustomMetricInfo{GroupResource: schema.GroupResource{Resource: of}, Namespaced: true, Metric: m.Name})
		}
	}
	return slices.Compact(list)
}

// ListAllExternalMetrics is what discovery tells.
func (a adapter) ListAllExternalMetrics() (list []provider.ExternalMetricInfo) {
	for _, m := range a.all() {
		if m.Of.Kind == "" {
			list = append(list, provider.ExternalMetricInfo{Metric: m.Name})
		}
	}
	return slices.Compact(list)
}

// all are the metrics of every namespace, sorted by what has them and by name.
func (a adapter) all() (list []Metric) {
	a.usage.mu.Lock()
	namespaces := slices.Sorted(maps.Keys(a.usage.loads))
	a.usage.mu.Unlock()
	for _, ns := range namespaces {
		of, _, err := a.usage.metrics(context.Background(), ns)
		if err == nil { // discovery asks again
			list = append(list, of...)
		}
	}
	slices.SortFunc(list, func(x, y Metric) int { return strings.Compare(x.Of.Kind+"/"+x.Name, y.Of.Kind+"/"+y.Name) })
	return list
}
