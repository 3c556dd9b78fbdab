package whatif

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	podutil "k8s.io/kubernetes/pkg/api/v1/pod"

	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/scenarios"
)

// Startup is how long new pods take.
type Startup struct {
	Start   time.Duration // from the scale write to the container's start
	Ready   time.Duration // from there until the pod is Ready
	Assumed bool          // no pod was recorded while it started
}

// assumedStart is what an embedded cluster's pods take.
const assumedStart = 3 * time.Second

// startupOf are the medians of the pods that were recorded while they started.
func startupOf(decisions []Decision) Startup {
	var starts, readies []time.Duration
	seen, settled := map[string]bool{}, map[string]bool{}
	for i, d := range decisions {
		for _, p := range d.Recorded.Input.Pods {
			ready := podutil.GetPodReadyCondition(p.Status)
			if p.Status.StartTime == nil || p.DeletionTimestamp != nil {
				continue
			}
			if !seen[p.Name] && i > 0 {
				if took := p.Status.StartTime.Sub(decisions[i-1].Recorded.Input.Now); took >= 0 {
					starts = append(starts, took)
				}
			}
			if ready != nil && ready.Status == corev1.ConditionTrue && !settled[p.Name] {
				readies = append(readies, max(0, ready.LastTransitionTime.Sub(p.Status.StartTime.Time)))
				settled[p.Name] = true
			}
			seen[p.Name] = true
		}
	}
	s := Startup{Start: assumedStart, Ready: median(readies), Assumed: len(starts) == 0}
	if !s.Assumed {
		s.Start = median(starts)
	}
	return s
}

func median(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// model is a target's pods as they would have been: they start and end when they are told
// to, are Ready after as long as the recorded ones were, and use what the load asks.
type model struct {
	startup  Startup
	feed     feed
	begun    time.Time // of the load
	scraped  time.Time // by the Metrics Server, last
	replicas int32
	pods     []*pod
	made     int
}

// pod is one of them. Its object is what the HPA controller reads.
type pod struct {
	object        *corev1.Pod
	starts, ready time.Time
	used          map[string]*counter // by container
}

// counter is what a kubelet and the Metrics Server know of a container.
type counter struct {
	cpu    float64 // seconds
	memory int64   // bytes
	before uint64  // nanoseconds of CPU at the scrape before
	since  time.Time
}

// feed is where the load comes from.
type feed interface {
	// flow lets the pods use what they do until a time.
	flow(m *model, until time.Time)
	// answer is what the metrics API says of a metric then.
	answer(m *model, i int, recorded hpa.Input) hpa.MetricData
}

// modelFrom begins with the pods of a decision, of which the Metrics Server has read the
// counters at a time.
func (s *Study) modelFrom(in hpa.Input, scraped time.Time) *model {
	m := &model{startup: s.Startup, begun: s.begun(), scraped: scraped, replicas: in.SpecReplicas, feed: recordedFeed{}}
	if s.scenario != nil {
		m.feed = scenarioFeed{s.scenario}
	}
	for _, p := range in.Pods {
		if p.DeletionTimestamp != nil || p.Status.Phase == corev1.PodFailed || p.Status.Phase == corev1.PodSucceeded {
			continue
		}
		own := &pod{object: owned(p, in.HPA.Spec.ScaleTargetRef.Name), starts: m.scraped, ready: m.scraped, used: map[string]*counter{}}
		if p.Status.StartTime != nil {
			own.starts = p.Status.StartTime.Time
		}
		if c := podutil.GetPodReadyCondition(p.Status); c != nil && c.Status == corev1.ConditionTrue {
			own.ready = c.LastTransitionTime.Time
		} else {
			own.ready = own.starts.Add(s.Startup.Ready)
		}
		for _, c := range scenarios.Running(p) {
			own.used[c.Name] = &counter{since: m.scraped}
			if own.starts.After(m.scraped) {
				own.used[c.Name] = fresh(own.starts)
			}
		}
		m.pods = append(m.pods, own)
	}
	return m
}

// fresh is the counter of a container that starts; what it has used then is that of an
// embedded cluster's.
func fresh(starts time.Time) *counter { return &counter{cpu: 2e-9, since: starts} }

// owned is a copy of the pod with the owner that its recording has left out.
func owned(p *corev1.Pod, workload string) *corev1.Pod {
	p = p.DeepCopy()
	name := workload
	if hash := p.Labels[appsv1.DefaultDeploymentUniqueLabelKey]; hash != "" {
		name += "-" + hash
	}
	yes := true
	p.OwnerReferences = []metav1.OwnerReference{{Name: name, Controller: &yes}}
	return p
}

// resize starts or ends pods, at the time of the decision.
func (m *model) resize(to int32, in hpa.Input) {
	m.replicas = to
	slices.SortStableFunc(m.pods, func(a, b *pod) int { // those that are Ready for longest stay (controller_utils.go: ActivePodsWithRanks)
		return cmp.Or(a.ready.Compare(b.ready), strings.Compare(a.object.Name, b.object.Name))
	})
	if int32(len(m.pods)) > to {
		m.pods = m.pods[:to]
	}
	for int32(len(m.pods)) < to {
		p := m.start(in)
		if p == nil {
			return
		}
		m.pods = append(m.pods, p)
	}
}

// start makes a pod like the recorded ones; nil where none was ever recorded.
func (m *model) start(in hpa.Input) *pod {
	var like *corev1.Pod
	if len(m.pods) > 0 {
		like = m.pods[0].object
	} else if len(in.Pods) > 0 {
		like = owned(in.Pods[0], in.HPA.Spec.ScaleTargetRef.Name)
	} else {
		return nil
	}
	m.made++
	object := like.DeepCopy()
	object.Name, object.UID = fmt.Sprintf("%s-whatif-%05d", in.HPA.Spec.ScaleTargetRef.Name, m.made), ""
	object.Status = corev1.PodStatus{Phase: corev1.PodPending}
	p := &pod{object: object, starts: in.Now.Add(m.startup.Start), used: map[string]*counter{}}
	p.ready = p.starts.Add(m.startup.Ready)
	for _, c := range scenarios.Running(object) {
		p.used[c.Name] = fresh(p.starts)
	}
	return p
}

// input is what the HPA controller reads at a decision. The rest is as recorded: who else
// selects the pods, and that a metric has no answer.
func (m *model) input(in hpa.Input) hpa.Input {
	m.feed.flow(m, in.Now)
	recorded := in
	in.SpecReplicas, in.StatusReplicas, in.Pods, in.Metrics = m.replicas, int32(len(m.pods)), nil, nil
	for _, p := range m.pods {
		p.show(in.Now)
		in.Pods = append(in.Pods, p.object)
	}
	slices.SortFunc(in.Pods, func(a, b *corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	for i := range in.HPA.Spec.Metrics {
		if i < len(recorded.Metrics) && recorded.Metrics[i].Err != nil {
			in.Metrics = append(in.Metrics, recorded.Metrics[i])
			continue
		}
		in.Metrics = append(in.Metrics, m.feed.answer(m, i, recorded))
	}
	m.scrape(in.Now)
	return in
}

// show brings the pod's status up to a time.
func (p *pod) show(now time.Time) {
	status, since := corev1.ConditionFalse, metav1.NewTime(p.starts)
	if !now.Before(p.ready) {
		status, since = corev1.ConditionTrue, metav1.NewTime(p.ready)
	}
	if c := podutil.GetPodReadyCondition(p.object.Status); c != nil && c.Status == status && p.object.Status.Phase == corev1.PodRunning {
		return
	}
	p.object = p.object.DeepCopy() // it was handed out as it was
	if p.object.Status.Phase = corev1.PodPending; now.Before(p.starts) {
		p.object.Status.StartTime, p.object.Status.Conditions = nil, nil
		return
	}
	start := metav1.NewTime(p.starts)
	p.object.Status.Phase, p.object.Status.StartTime = corev1.PodRunning, &start
	p.object.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: status, LastTransitionTime: since}}
}
