package vpa

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/checkpoint"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/input"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/input/metrics"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/logic"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/model"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/routines"
	vpautil "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/vpa"
	metricsclient "k8s.io/metrics/pkg/client/clientset/versioned"

	"github.com/stepscale/stepscale/engine/world"
)

// recommender is upstream's recommender taken apart at the seams of
// routines/recommender.go, RunOnce: every phase can be called by itself.
type recommender struct {
	*view
	ooms        *oomWatch
	state       model.ClusterState
	feeder      input.ClusterStateFeeder
	estimate    logic.PodResourceRecommender
	postProcess routines.RecommendationPostProcessor
	checkpoints checkpoint.CheckpointWriter

	usage *toldUsage
	fed   []Feed // what it was fed with, since that was recorded
}

// startRecommender mirrors routines.NewRecommenderController.
func (s *State) startRecommender(ctx context.Context) error {
	if s.recommender != nil {
		return nil
	}
	v, err := newView(s.Identity(ActorRecommender), s.Namespace, "status.phase!=Pending") // as input.newPodClients
	if err != nil {
		return err
	}
	metricsAPI, err := metricsclient.NewForConfig(v.config)
	if err != nil {
		return err
	}
	r := &recommender{
		view: v, ooms: newOOMWatch(), state: model.NewClusterState(gcInterval),
		estimate:    logic.CreatePodResourceRecommender(s.Params.Recommendation),
		postProcess: routines.NewCappingRecommendationProcessor(nil),
		usage:       &toldUsage{MetricsClient: metrics.NewMetricsClient(metrics.NewPodMetricsesSource(metricsAPI.MetricsV1beta1()), s.Namespace, "default-metrics-client")},
	}
	if _, err := v.pods.Core().V1().Pods().Informer().AddEventHandler(r.ooms); err != nil {
		return err
	}
	vpas := v.vpas.Autoscaling().V1()
	vpas.VerticalPodAutoscalerCheckpoints().Informer()
	r.checkpoints = checkpoint.NewCheckpointWriter(r.state, v.vpa.AutoscalingV1())
	r.feeder = input.ClusterStateFeederFactory{
		ClusterState: r.state, OOMObserver: r.ooms,
		PodLister:           v.pods.Core().V1().Pods().Lister(),
		MetricsClient:       r.usage,
		VpaCheckpointClient: v.vpa.AutoscalingV1(), VpaCheckpointLister: vpas.VerticalPodAutoscalerCheckpoints().Lister(),
		VpaLister: vpas.VerticalPodAutoscalers().Lister(), SelectorFetcher: v.selectors, ControllerFetcher: v.controllers,
		RecommenderName: s.recommenderName(), VpaObjectNamespace: s.Namespace,
	}.Make()
	if err := v.start(ctx); err != nil {
		v.stop()
		return err
	}
	s.recommender = r
	r.feeder.InitFromCheckpoints(ctx)
	return r.began()
}

// gcInterval is routines.aggregateContainerStateGCInterval.
const gcInterval = 60 * 60 * 1e9

// load runs the phases that read: VPA objects, then pods.
func (r *recommender) load(ctx context.Context, w *world.World, observer clients) error {
	if err := r.sync(ctx, w, observer); err != nil {
		return err
	}
	if err := r.ooms.catchUp(ctx, w, r.pods.Core().V1().Pods().Informer().GetStore().List); err != nil {
		return err
	}
	r.feeder.LoadVPAs(ctx)
	r.feeder.LoadPods()
	return r.loaded()
}

// collect runs the phases that read usage.
func (r *recommender) collect(ctx context.Context) {
	ooms := r.ooms.handOver()
	r.feeder.LoadRealTimeMetrics(ctx)
	r.feeder.DeleteRemovedPods()
	r.told(func(f *Feed) { f.Collects, f.Usage, f.OOMs = true, r.usage.last, ooms })
}

// modelView is what the model holds of one VPA after collecting.
type modelView struct {
	vpa        *model.Vpa
	containers model.ContainerNameToAggregateStateMap // merged copies, policies applied, mode Off left out
	names      []string                               // of the containers, sorted
}

// look takes the model's view of a VPA; nil when the model does not have it.
func (r *recommender) look(namespace, name string) *modelView {
	vpa := r.state.VPAs()[model.VpaID{Namespace: namespace, VpaName: name}]
	if vpa == nil {
		return nil
	}
	m := &modelView{vpa: vpa, containers: routines.GetContainerNameToAggregateStateMap(vpa)}
	for name := range m.containers {
		m.names = append(m.names, name)
	}
	slices.Sort(m.names)
	return m
}

// samples counts the samples of all containers; none without a view.
func (m *modelView) samples() int {
	n := 0
	if m != nil {
		for _, c := range m.containers {
			n += c.TotalSamplesCount
		}
	}
	return n
}

// recommend computes the recommendation of one VPA and keeps it in the model.
// Nothing is written (routines/recommender.go, processVPAUpdate, first half).
func (r *recommender) recommend(m *modelView, observed *vpav1.VerticalPodAutoscaler, p Params) (uncapped, capped *vpav1.RecommendedPodResources) {
	uncapped = logic.MapToListOfRecommendedContainerResources(r.estimate.GetRecommendedPodResources(m.containers), p.Format)
	capped = r.postProcess.Process(observed, uncapped)
	m.vpa.UpdateRecommendation(capped)
	m.vpa.UpdateConditions(m.vpa.PodCount > 0)
	return uncapped, capped
}

// publish writes the recommendation into the VPA's status if it changed
// (processVPAUpdate, second half). The model stamps conditions with the wall
// clock (model/vpa.go, Set); here they get the loop's time.
func (r *recommender) publish(m *modelView, observed *vpav1.VerticalPodAutoscaler, now metav1.Time) error {
	if err := r.state.RecordRecommendation(m.vpa, now.Time); err != nil {
		return err
	}
	status := m.vpa.AsStatus()
	for i := range status.Conditions {
		status.Conditions[i].LastTransitionTime = transition(observed.Status.Conditions, status.Conditions[i], now)
	}
	if equality.Semantic.DeepEqual(&observed.Status, status) {
		return nil
	}
	_, err := vpautil.UpdateVpaStatusIfNeeded(r.vpa.AutoscalingV1().VerticalPodAutoscalers(m.vpa.ID.Namespace), m.vpa.ID.VpaName, status, &observed.Status)
	return err
}

func transition(old []vpav1.VerticalPodAutoscalerCondition, c vpav1.VerticalPodAutoscalerCondition, now metav1.Time) metav1.Time {
	for _, o := range old {
		if o.Type == c.Type && o.Status == c.Status {
			return o.LastTransitionTime
		}
	}
	return metav1.NewTime(now.Truncate(1e9)) // as the API keeps it
}

// save writes the histograms as checkpoints and forgets what is obsolete.
func (r *recommender) save(ctx context.Context, now metav1.Time) {
	r.checkpoints.StoreCheckpoints(ctx, 1)
	r.state.RateLimitedGarbageCollectAggregateCollectionStates(ctx, now.Time, r.controllers)
}
