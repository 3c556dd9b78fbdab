package whatif

import (
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"

	"github.com/stepscale/stepscale/engine/vpa"
)

// VPAPass is what a recording has of a pass of the VPA.
type VPAPass struct {
	Pass    int
	At      time.Time
	Fed     vpa.Fed
	Told    map[string]string // the recommendation, by the names of its facts
	Judged  *vpa.Judged       // nil: the updater compared nothing
	Updated []string          // pods that it chose, sorted
	Changed int               // of those, how many were evicted or resized
}

// VPAStudy is a recording of a VPA that can be played under other rules.
type VPAStudy struct{ passes []VPAPass }

// NewVPA is the study of the passes of one run, at least one.
func NewVPA(passes []VPAPass) *VPAStudy { return &VPAStudy{passes} }

// VPACourse is what came, or would have come, of a load.
type VPACourse struct {
	Points []VPAPoint
	Parted int // the index of the first pass with another recommendation or other updates; -1 without one
}

// VPAPoint is one pass of a course.
type VPAPoint struct {
	Pass      int               `json:"pass"`
	At        time.Time         `json:"at"`
	Told      map[string]string `json:"recommendation"`
	Pods      int               `json:"pods"`
	Requested vpa.Usage         `json:"requested"` // of a pod, the mean: millicores and bytes
	Used      vpa.Usage         `json:"used"`      // likewise
	Measured  bool              `json:"measured"`
	Updates   int               `json:"updates"` // pods that are evicted or resized
	For       time.Duration     `json:"-"`       // until the next
}

// Play is the course under an edit.
func (s *VPAStudy) Play(e *Edit) (VPACourse, error) { return s.play(e, 0, nil) }

// Check plays the recording itself with the model alone, which is given nothing of what
// was recorded but the pods of the first comparison and what all pods used: in how many
// passes it comes to the recorded updates.
func (s *VPAStudy) Check() (agreed, all int, err error) {
	m := &slots{}
	c, err := s.play(&Edit{}, 0, m)
	for i, p := range c.Points {
		if p.Updates == s.passes[i].Changed {
			agreed++
		}
	}
	return agreed, len(c.Points), err
}

// Recorded is the course that was recorded.
func (s *VPAStudy) Recorded() VPACourse {
	c := VPACourse{Parted: -1}
	for i, p := range s.passes {
		point := s.point(i, p.judged(nil, nil).Pods)
		point.Told, point.Updates = p.Told, p.Changed
		c.Points = append(c.Points, point)
	}
	return c
}

// play feeds upstream's recommender pass by pass, and lets it decide; the edit holds from a
// pass on. Without slots the pods are as recorded until other ones are updated, or the same
// ones otherwise.
func (s *VPAStudy) play(e *Edit, from int, m *slots) (VPACourse, error) {
	c := VPACourse{Parted: -1}
	end := e.halfLives()
	defer end()
	var again vpa.Again
	for i, p := range s.passes {
		fed, err := p.Fed, error(nil)
		if p.Pass >= from {
			if fed, err = e.fed(p.Fed); err != nil {
				return c, err
			}
		}
		recommended, err := again.Recommend(fed)
		if err != nil {
			return c, err
		}
		j := p.judged(&fed, recommended)
		if m != nil {
			j.Pods, j.Held = m.at(j.Pods), nil
		}
		order, err := p.decide(j)
		if err != nil {
			return c, err
		}
		point := s.point(i, j.Pods)
		point.Told, point.Updates = vpa.Told(recommended), p.Changed
		otherSize := !maps.Equal(point.Told, p.Told)
		otherPods := m == nil && !slices.Equal(slices.Sorted(slices.Values(order)), p.Updated)
		if c.Parted < 0 && (otherSize || otherPods) {
			c.Parted = i
		}
		if m == nil && (otherPods || otherSize && p.Changed > 0) {
			m = &slots{pods: j.Pods}
		}
		if m != nil {
			order = order[:min(len(order), j.Spare(len(j.Pods)))]
			point.Updates = len(order)
			if err := m.update(j, order); err != nil {
				return c, err
			}
		}
		c.Points = append(c.Points, point)
	}
	return c, nil
}

// judged is what the updater compares in the pass, under the edited VPA where there is one.
// Where it compared nothing, the pods are those that the recommender saw.
func (p VPAPass) judged(fed *vpa.Fed, recommended *vpav1.RecommendedPodResources) vpa.Judged {
	j := vpa.Judged{Params: p.Fed.Params, Now: p.Fed.Now}
	if p.Judged != nil {
		j = *p.Judged
	}
	from := p.Fed
	if fed != nil {
		from, j.Params = *fed, fed.Params
	}
	last := from.Feeds[len(from.Feeds)-1]
	for _, v := range last.VPAs {
		if v.Object.Name != from.VPA {
			continue
		}
		j.VPA = v.Object.DeepCopy()
		if p.Judged == nil {
			j.Pods = selected(last.Pods, v.Selector)
		}
	}
	if j.VPA == nil {
		j.VPA = &vpav1.VerticalPodAutoscaler{}
	}
	j.VPA.Status.Recommendation = recommended
	return j
}

// decide is which pods upstream updates, the most urgent first.
func (p VPAPass) decide(j vpa.Judged) ([]string, error) {
	if !j.Moves() || p.Judged == nil && p.moved() {
		return nil, nil
	}
	return j.Again()
}

// moved tells whether the updater would have compared pods in this pass, if it could have:
// then it was kept from it, and another VPA would have been, too.
func (p VPAPass) moved() bool { return p.judged(nil, nil).Moves() }

func selected(pods []*corev1.Pod, selector *string) (list []*corev1.Pod) {
	if selector == nil {
		return nil
	}
	chosen, err := labels.Parse(*selector)
	if err != nil {
		return nil
	}
	for _, p := range pods {
		if p.DeletionTimestamp == nil && p.Status.Phase == corev1.PodRunning && chosen.Matches(labels.Set(p.Labels)) {
			list = append(list, p)
		}
	}
	return list
}

// point is a pass before anything is decided in it.
func (s *VPAStudy) point(i int, pods []*corev1.Pod) VPAPoint {
	p := s.passes[i]
	point := VPAPoint{Pass: p.Pass, At: p.At, Pods: len(pods), For: p.Fed.Params.Interval}
	if i+1 < len(s.passes) {
		point.For = s.passes[i+1].At.Sub(p.At)
	}
	for _, pod := range pods {
		for _, c := range pod.Spec.Containers {
			point.Requested.CPU += c.Resources.Requests.Cpu().MilliValue()
			point.Requested.Memory += c.Resources.Requests.Memory().Value()
		}
	}
	if n := int64(len(pods)); n > 0 {
		point.Requested.CPU /= n
		point.Requested.Memory /= n
	}
	point.Used, point.Measured = p.used()
	return point
}

// used is what the VPA's pods used, the mean.
func (p VPAPass) used() (mean vpa.Usage, measured bool) {
	last := p.Fed.Feeds[len(p.Fed.Feeds)-1]
	mine := map[string]bool{}
	for _, v := range last.VPAs {
		if v.Object.Name == p.Fed.VPA {
			for _, pod := range selected(last.Pods, v.Selector) {
				mine[pod.Name] = true
			}
		}
	}
	seen := map[string]bool{}
	for _, u := range last.Usage {
		if mine[u.ID.PodName] {
			seen[u.ID.PodName] = true
			mean.CPU += int64(u.Usage["cpu"])
			mean.Memory += int64(u.Usage["memory"])
		}
	}
	n := int64(len(seen))
	if n == 0 {
		return mean, false
	}
	return vpa.Usage{CPU: mean.CPU / n, Memory: mean.Memory / n}, true
}
