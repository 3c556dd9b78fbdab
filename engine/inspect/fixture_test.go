package inspect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	defaults "k8s.io/kubernetes/pkg/apis/autoscaling/v2"
	karpenter "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/yaml"

	"github.com/stepscale/stepscale/engine/hpa"
)

var fixtureNow = time.Date(2026, 11, 30, 3, 0, 0, 0, time.UTC)

// look is what a fixture adds to its objects: what the metrics APIs answer.
type look struct {
	Usage        map[string]map[corev1.ResourceName]resource.Quantity // of each pod, by target
	Values       map[string]resource.Quantity                         // of custom and external metrics
	MetricsError string
	Nodes        []string // where the pods are
}

// fixture reads a file of objects as users write them. The pods of a workload are made as
// its controller would make them, Ready for an hour.
func fixture(t *testing.T, file string) *Snapshot {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixtureReader{t: t, s: &Snapshot{Now: fixtureNow, Namespace: "shop", Unread: map[Kind]string{}}, targets: map[string]*appsv1.Deployment{}}
	for _, doc := range bytes.Split(raw, []byte("---\n")) {
		f.add(doc)
	}
	f.finish()
	return f.s
}

type fixtureReader struct {
	t       *testing.T
	s       *Snapshot
	targets map[string]*appsv1.Deployment // by kind and name; a StatefulSet has what is read of it too
	look    look
}

func (f *fixtureReader) add(doc []byte) {
	f.t.Helper()
	var head metav1.TypeMeta
	if err := yaml.Unmarshal(doc, &head); err != nil {
		f.t.Fatal(err)
	}
	switch head.Kind {
	case "Deployment", "StatefulSet":
		f.targets[head.Kind+"/"+into[appsv1.Deployment](f.t, doc).Name] = into[appsv1.Deployment](f.t, doc)
	case "HorizontalPodAutoscaler":
		h := into[autoscalingv2.HorizontalPodAutoscaler](f.t, doc)
		defaults.SetObjectDefaults_HorizontalPodAutoscaler(h)
		f.s.HPAs = append(f.s.HPAs, HPA{Listed: hpa.Listed{HorizontalPodAutoscaler: h}})
	case "VerticalPodAutoscaler":
		f.s.VPAs = append(f.s.VPAs, *into[vpav1.VerticalPodAutoscaler](f.t, doc))
	case "Event":
		f.s.Events = append(f.s.Events, *into[corev1.Event](f.t, doc))
	case "ResourceQuota":
		f.s.Quotas = append(f.s.Quotas, *into[corev1.ResourceQuota](f.t, doc))
	case "PodDisruptionBudget":
		f.s.PDBs = append(f.s.PDBs, *into[policyv1.PodDisruptionBudget](f.t, doc))
	case "APIService":
		f.s.APIs = append(f.s.APIs, *into[apiregistration.APIService](f.t, doc))
	case "Node":
		f.s.Nodes = append(f.s.Nodes, *into[corev1.Node](f.t, doc))
	case "NodePool":
		f.s.NodePools = append(f.s.NodePools, *into[karpenter.NodePool](f.t, doc))
	case "ConfigMap":
		f.s.Groups = groupsOf(into[corev1.ConfigMap](f.t, doc).Data["status"])
	case "Look":
		raw, err := yaml.YAMLToJSON(doc)
		if err == nil {
			err = json.Unmarshal(raw, &f.look)
		}
		if err != nil {
			f.t.Fatal(err)
		}
	default:
		f.t.Fatalf("a fixture cannot have a %q", head.Kind)
	}
}

func into[T any](t *testing.T, doc []byte) *T {
	t.Helper()
	object := new(T)
	if err := utilyaml.Unmarshal(doc, object); err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	return object
}

func (f *fixtureReader) finish() {
	for _, d := range f.targets {
		for i := range int(*d.Spec.Replicas) {
			f.s.Pods = append(f.s.Pods, f.pod(d, i))
		}
	}
	f.s.Placed = f.s.Pods
	if len(f.s.APIs) == 0 {
		for _, group := range []string{"metrics.k8s.io", "custom.metrics.k8s.io", "external.metrics.k8s.io"} {
			f.s.APIs = append(f.s.APIs, apiregistration.APIService{ObjectMeta: metav1.ObjectMeta{Name: "v1beta1." + group}, Spec: apiregistration.APIServiceSpec{Group: group},
				Status: apiregistration.APIServiceStatus{Conditions: []apiregistration.APIServiceCondition{{Type: apiregistration.Available, Status: apiregistration.ConditionTrue}}}})
		}
	}
	for i := range f.s.HPAs {
		f.target(&f.s.HPAs[i])
	}
}

func (f *fixtureReader) pod(d *appsv1.Deployment, i int) corev1.Pod {
	hourAgo := metav1.NewTime(fixtureNow.Add(-time.Hour))
	p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s-%02d", d.Name, i), Namespace: d.Namespace, Labels: d.Spec.Template.Labels}, Spec: *d.Spec.Template.Spec.DeepCopy(),
		Status: corev1.PodStatus{Phase: corev1.PodRunning, StartTime: &hourAgo, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: hourAgo}}}}
	if i < len(f.look.Nodes) {
		p.Spec.NodeName = f.look.Nodes[i]
	}
	return p
}

func (f *fixtureReader) target(h *HPA) {
	ref := h.Spec.ScaleTargetRef
	d := f.targets[ref.Kind+"/"+ref.Name]
	if d == nil {
		h.TargetErr = apierrors.NewNotFound(schema.GroupResource{Group: "apps", Resource: "deployments"}, ref.Name)
		return
	}
	scale := &autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{Name: d.Name, Namespace: d.Namespace}, Spec: autoscalingv1.ScaleSpec{Replicas: *d.Spec.Replicas},
		Status: autoscalingv1.ScaleStatus{Replicas: *d.Spec.Replicas, Selector: metav1.FormatLabelSelector(d.Spec.Selector)}}
	h.Target = &Target{Scale: scale, Resource: strings.ToLower(ref.Kind) + "s.apps", Meta: d.ObjectMeta, Template: &d.Spec.Template}
	for _, m := range h.Spec.Metrics {
		h.Metrics = append(h.Metrics, f.metric(h, d, m))
	}
}

func (f *fixtureReader) metric(h *HPA, d *appsv1.Deployment, m autoscalingv2.MetricSpec) hpa.MetricData {
	data := hpa.MetricData{Timestamp: fixtureNow}
	if f.look.MetricsError != "" {
		return hpa.MetricData{Err: errors.New(f.look.MetricsError)}
	}
	if m.External != nil {
		value := f.look.Values[m.External.Metric.Name]
		data.Values = []int64{value.MilliValue()}
		return data
	}
	data.Pods = map[string]hpa.PodMetric{}
	used := f.look.Usage[d.Name][corev1.ResourceName(resourceName(m))]
	for _, p := range f.s.podsOf(h) {
		data.Pods[p.Name] = hpa.PodMetric{Timestamp: fixtureNow, Window: 15 * time.Second, Value: used.MilliValue()}
	}
	return data
}
