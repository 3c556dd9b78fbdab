package vpa

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	vpalisters "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/client/listers/autoscaling.k8s.io/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/input"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/input/history"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/input/metrics"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/input/oom"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/logic"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/model"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/routines"
	controllerfetcher "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/target/controller_fetcher"
	listersv1 "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

// What makes a recommendation impossible to compute again.
var (
	ErrNoBeginning = errors.New("the recording does not begin with the recommender's start")
	ErrStopped     = errors.New("upstream's code stopped on these inputs")
)

// Again is upstream's recommender once more, with a recording in the place of the API
// server: its feeder, model and estimators. What a recording says was fed, it is fed with.
type Again struct {
	recommender *recommender
	source      *source
}

// Recommend feeds what a step was fed with and computes the recommendation for its VPA: nil
// where there is none. The steps of a recording are to be fed in their order.
func (a *Again) Recommend(f Fed) (capped *vpav1.RecommendedPodResources, err error) {
	defer func() {
		if stopped := recover(); stopped != nil {
			err = fmt.Errorf("%w: %v", ErrStopped, stopped)
		}
	}()
	for _, feed := range f.Feeds {
		if err := a.feed(f, feed); err != nil {
			return nil, err
		}
	}
	r := a.recommender
	m, last := r.look(f.Namespace, f.VPA), f.Feeds[len(f.Feeds)-1]
	at := slices.IndexFunc(last.VPAs, func(v FedVPA) bool { return v.Object.Name == f.VPA })
	if m != nil && at >= 0 && len(m.names) > 0 {
		r.estimate = logic.CreatePodResourceRecommender(f.Params.Recommendation)
		_, capped = r.recommend(m, last.VPAs[at].Object, f.Params)
	}
	r.state.RateLimitedGarbageCollectAggregateCollectionStates(context.Background(), f.Now, a.source)
	return capped, nil
}

func (a *Again) feed(f Fed, feed Feed) error {
	ctx := context.Background()
	if feed.Starts {
		a.start(f)
	}
	if a.recommender == nil {
		return ErrNoBeginning
	}
	a.source.load(feed)
	r := a.recommender
	if feed.Starts {
		r.feeder.InitFromCheckpoints(ctx)
		return nil
	}
	r.feeder.LoadVPAs(ctx)
	r.feeder.LoadPods()
	if feed.Past != nil {
		r.feeder.InitFromHistoryProvider(feed.Past.histories(f.Namespace))
		r.feeder.LoadPods()
		return nil
	}
	if !feed.Collects {
		return nil
	}
	for _, o := range feed.OOMs {
		a.source.GetObservedOomsChannel() <- o
	}
	r.feeder.LoadRealTimeMetrics(ctx)
	r.feeder.DeleteRemovedPods()
	return nil
}

// start makes the recommender, as startRecommender does.
func (a *Again) start(f Fed) {
	a.source = newSource()
	r := &recommender{state: model.NewClusterState(gcInterval), postProcess: routines.NewCappingRecommendationProcessor(nil)}
	r.feeder = input.ClusterStateFeederFactory{
		ClusterState: r.state, OOMObserver: a.source, MetricsClient: a.source, SelectorFetcher: a.source, ControllerFetcher: a.source,
		PodLister:           listersv1.NewPodLister(a.source.pods),
		VpaCheckpointLister: vpalisters.NewVerticalPodAutoscalerCheckpointLister(a.source.checkpoints),
		VpaLister:           vpalisters.NewVerticalPodAutoscalerLister(a.source.vpas),
		RecommenderName:     f.Recommender, VpaObjectNamespace: f.Namespace,
	}.Make()
	a.recommender = r
}

// source answers upstream's feeder with what was recorded.
type source struct {
	oom.Observer
	vpas, pods, checkpoints cache.Indexer
	usage                   []*metrics.ContainerMetricsSnapshot
	selectors               map[string]*string
}

func newSource() *source {
	index := func() cache.Indexer {
		return cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	}
	return &source{Observer: oom.NewObserver(), vpas: index(), pods: index(), checkpoints: index()}
}

func (s *source) load(f Feed) {
	var vpas, pods, checkpoints []any
	s.selectors, s.usage = map[string]*string{}, f.Usage
	for _, v := range f.VPAs {
		vpas, s.selectors[v.Object.Name] = append(vpas, v.Object), v.Selector
	}
	for _, p := range f.Pods {
		pods = append(pods, p)
	}
	for _, c := range f.Checkpoints {
		checkpoints = append(checkpoints, c)
	}
	_, _, _ = s.vpas.Replace(vpas, ""), s.pods.Replace(pods, ""), s.checkpoints.Replace(checkpoints, "") // of memory
}

func (s *source) GetContainersMetrics(context.Context) ([]*metrics.ContainerMetricsSnapshot, error) {
	return s.usage, nil
}

var errNoTarget = errors.New("the target could not be read when this was recorded")

func (s *source) Fetch(_ context.Context, v *vpav1.VerticalPodAutoscaler) (labels.Selector, error) {
	text := s.selectors[v.Name]
	if text == nil {
		return nil, errNoTarget
	}
	return labels.Parse(*text)
}

// FindTopMostWellKnownOrScalable: of a target that was not the topmost controller, no
// selector is recorded.
func (s *source) FindTopMostWellKnownOrScalable(_ context.Context, k *controllerfetcher.ControllerKeyWithAPIVersion) (*controllerfetcher.ControllerKeyWithAPIVersion, error) {
	return k, nil
}

// histories are a recorded past as upstream's history provider gives it.
func (p *Past) histories(namespace string) podHistories {
	all := podHistories{}
	for _, pod := range p.Pods {
		object := &corev1.Pod{}
		object.Name, object.Namespace, object.Labels = pod.Name, namespace, pod.Labels
		n := 0
		for name, u := range pod.Containers {
			object.Spec.Containers = append(object.Spec.Containers, corev1.Container{Name: name})
			n = max(n, min(len(u.CPU), len(u.Memory)))
		}
		for i := range n {
			used := map[string]Usage{}
			for name, u := range pod.Containers {
				if i < len(u.CPU) && i < len(u.Memory) {
					used[name] = Usage{CPU: u.CPU[i], Memory: u.Memory[i]}
				}
			}
			all.add(object, used, p.From.Add(time.Duration(i+1)*p.Step))
		}
	}
	return all
}

var _ history.HistoryProvider = podHistories{}

// Told are the values of a recommendation as the facts of RecommendStep have them, by the
// fact's name.
func Told(r *vpav1.RecommendedPodResources) map[string]string {
	return each(r, func(name model.ResourceName, l corev1.ResourceList) string { return text(name, amountOf(name, l)) })
}

// Exactly are its values as the VPA's status has them, by the names of Told.
func Exactly(r *vpav1.RecommendedPodResources) map[string]string {
	return each(r, func(name model.ResourceName, l corev1.ResourceList) string {
		q := l[corev1.ResourceName(name)]
		return q.String()
	})
}

func each(r *vpav1.RecommendedPodResources, value func(model.ResourceName, corev1.ResourceList) string) map[string]string {
	all := map[string]string{}
	if r == nil {
		return all
	}
	for i := range r.ContainerRecommendations {
		c := &r.ContainerRecommendations[i]
		for _, bound := range Bounds {
			for _, name := range resources {
				if _, ok := list(c, bound)[corev1.ResourceName(name)]; ok {
					all[bound+"/"+of(c.ContainerName, name)] = value(name, list(c, bound))
				}
			}
		}
	}
	return all
}

// Bounds are the numbers that a recommendation has of a resource, as facts and the VPA's
// status call them.
var Bounds = []string{"lowerBound", "target", "uncappedTarget", "upperBound"}
