package vpa

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/model"
	vpautil "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/vpa"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// scrape lets one interval pass while the Metrics Server reads the kubelets.
func scrape(ctx context.Context, s *State, f *trace.Frame) error {
	s.pass = pass{}
	f.Kubectl = "kubectl top pods -n " + s.Namespace
	if err := s.skip(ctx, f); err != nil {
		return err
	}
	n, err := s.Tick(ctx, s.Params.Interval)
	if err != nil {
		return err
	}
	f.Add("interval", plain(s.Params.Interval), "")
	if n > 0 {
		f.Add("scrapes", strconv.Itoa(n), fmt.Sprintf("%s / %s", plain(s.Params.Interval), plain(world.MetricResolution)))
	}
	list, err := s.podMetrics(ctx)
	if world.IsFault(err) {
		return err
	}
	if err != nil {
		f.Add("metricError", err.Error(), "")
		return nil
	}
	names := make([]string, 0, len(list))
	for _, m := range list {
		names = append(names, m.Name)
	}
	f.Add("scrapedPods", strconv.Itoa(len(names)), world.SomeNames(names))
	return nil
}

// skip lets the hours go by that nobody wants to watch.
func (s *State) skip(ctx context.Context, f *trace.Frame) error {
	if s.Params.Skip == 0 || s.Past == nil || s.Simulation == nil {
		return nil
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	f.Add("skippedTime", plain(s.Params.Skip), "")
	return s.relive(ctx, s.Params.Skip)
}

func (s *State) podMetrics(ctx context.Context) ([]metricsv1beta1.PodMetrics, error) {
	list, err := s.AsObserver().Metrics.MetricsV1beta1().PodMetricses(s.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list.Items, func(a, b metricsv1beta1.PodMetrics) int { return strings.Compare(a.Name, b.Name) })
	return list.Items, nil
}

// observer are the clients that are not recorded.
func (s *State) observer() (clients, error) {
	if s.observing.config != nil {
		return s.observing, nil
	}
	var err error
	s.observing, err = newClients(s.Identity(""))
	return s.observing, err
}

// loadObjects is the recommender's look at VPA objects and pods.
func loadObjects(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = fmt.Sprintf("kubectl get vpa -n %s -o yaml", s.Namespace)
	o, err := s.observer()
	if err != nil {
		return err
	}
	if err := s.recommender.load(ctx, &s.World, o); err != nil {
		return err
	}
	vpa, err := o.vpa.AutoscalingV1().VerticalPodAutoscalers(s.Namespace).Get(ctx, s.VPA, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		if err := s.NamespaceGone(ctx); err != nil {
			return err
		}
		s.skipPass(f, fmt.Sprintf("VPA %s 네임스페이스 %s에 없습니다. 이번 패스는 아무것도 하지 않습니다.", korean.Subject(s.VPA), s.Namespace))
		return nil
	}
	if err != nil {
		return err
	}
	s.pass.vpa = vpa
	f.Add("vpas", strconv.Itoa(len(s.recommender.state.VPAs())), "")
	f.Add("updateMode", string(vpautil.GetUpdateMode(vpa)), modeRemark(vpa))
	if ref := vpa.Spec.TargetRef; ref != nil {
		f.Add("targetRef", world.ObjectName(ref.Kind, ref.Name), "")
	}
	m := s.recommender.look(s.Namespace, s.VPA)
	if m == nil {
		s.skipPass(f, "Recommender의 모델에 이 VPA가 없습니다. spec.recommenders에 다른 Recommender를 적었는지 확인하십시오.")
		return nil
	}
	s.addConditions(f, m)
	return s.addRequests(ctx, f)
}

func (s *State) skipPass(f *trace.Frame, why string) {
	s.pass.skip = why
	f.Add("skipped", why, "")
}

// addConditions tells what the recommender thinks of the VPA object itself.
func (s *State) addConditions(f *trace.Frame, m *modelView) {
	for _, c := range m.vpa.AsStatus().Conditions {
		if c.Status != corev1.ConditionTrue || c.Type == "RecommendationProvided" {
			continue
		}
		f.Add("conditionReason", string(c.Type), "")
		f.Add("conditionMessage", c.Message, "")
	}
}

// addRequests tells what the pods of the VPA ask for now.
func (s *State) addRequests(ctx context.Context, f *trace.Frame) error {
	pods, err := s.vpaPods(ctx)
	if err != nil {
		return err
	}
	addRequestsOf(f, pods)
	return nil
}

func addRequestsOf(f *trace.Frame, pods []*corev1.Pod) {
	f.Add("podsListed", strconv.Itoa(len(pods)), "")
	for _, p := range pods {
		for _, c := range p.Spec.Containers {
			for _, r := range resources {
				if _, ok := c.Resources.Requests[corev1.ResourceName(r)]; ok {
					f.Add("request/"+p.Name+"."+string(r), text(r, amountOf(r, c.Resources.Requests)), "")
				}
			}
		}
	}
}

// collectUsage is the recommender's query to the Metrics Server.
func collectUsage(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = s.KubectlMetrics()
	if s.pass.skip != "" {
		f.Add("skipped", s.pass.skip, "")
		return nil
	}
	metrics, err := s.podMetrics(ctx)
	if world.IsFault(err) {
		return err
	}
	if err != nil {
		f.Add("metricError", err.Error(), "")
	}
	if len(metrics) == 0 { // of containers that have just started again, which the list of pods shows
		f.Kubectl = "kubectl get pods -n " + s.Namespace
	}
	before := s.recommender.look(s.Namespace, s.VPA).samples()
	peaks := s.memoryPeaks()
	s.recommender.collect(ctx)
	f.Inputs = s.fed()
	s.pass.model = s.recommender.look(s.Namespace, s.VPA)
	pods, err := s.vpaPods(ctx)
	if err != nil {
		return err
	}
	s.addUsage(f, metrics, pods)
	if m := s.pass.model; m != nil {
		f.Add("matchedPods", strconv.Itoa(m.vpa.PodCount), "")
	}
	samples := s.pass.model.samples()
	f.Add("newSamples", strconv.Itoa(samples-before), "")
	f.Add("samples", strconv.Itoa(samples), "")
	s.addOOMs(f, pods, peaks)
	return nil
}

// addUsage tells the usage of every container of the VPA, and keeps the mean.
func (s *State) addUsage(f *trace.Frame, metrics []metricsv1beta1.PodMetrics, pods []*corev1.Pod) {
	n := int64(0)
	for _, m := range metrics {
		if !slices.ContainsFunc(pods, func(p *corev1.Pod) bool { return p.Name == m.Name }) {
			continue
		}
		n++
		for _, c := range m.Containers {
			cpu, memory := c.Usage.Cpu().MilliValue(), c.Usage.Memory().Value()
			s.pass.usage.CPU += cpu
			s.pass.usage.Memory += memory
			f.Add("podMetric/"+m.Name+".cpu", text(model.ResourceCPU, model.ResourceAmount(cpu)), "")
			f.Add("podMetric/"+m.Name+".memory", text(model.ResourceMemory, model.ResourceAmount(memory)), "")
		}
		f.Add("podTimestamp/"+m.Name, m.Timestamp.UTC().Format(engine.ClockLayout), "")
	}
	if n > 0 {
		s.pass.usage = Usage{CPU: s.pass.usage.CPU / n, Memory: s.pass.usage.Memory / n}
		s.pass.haveUsage = true
	}
}

// vpaPods are the live pods that the VPA's target owns, sorted by name.
func (s *State) vpaPods(ctx context.Context) ([]*corev1.Pod, error) {
	w, err := s.workload(ctx)
	if err != nil {
		return nil, err
	}
	pods := w.Active()
	sortPods(pods)
	return pods, nil
}

func sortPods(pods []*corev1.Pod) {
	slices.SortFunc(pods, func(a, b *corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
}

// workload is the VPA's target with what hangs on it; empty when it is gone.
func (s *State) workload(ctx context.Context) (world.Workload, error) {
	if s.pass.vpa == nil || s.pass.vpa.Spec.TargetRef == nil || s.pass.vpa.Spec.TargetRef.Kind != "Deployment" {
		return world.Workload{}, nil
	}
	w, err := s.Workload(ctx, s.pass.vpa.Spec.TargetRef.Name)
	if apierrors.IsNotFound(err) {
		return world.Workload{}, nil
	}
	return w, err
}
