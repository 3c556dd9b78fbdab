package whatif

import (
	"errors"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/scenarios"
)

// Decision is a recorded one.
type Decision struct {
	Pass     int
	Recorded hpa.Recorded
	Desired  int32  // that the recording says was decided
	Refused  string // what the API server said to the scale write; empty where it took it
}

// Study is a recording that can be played under other rules.
type Study struct {
	decisions []Decision
	scenario  *scenarios.Scenario // of which the load is known at any second; nil where the usage that was recorded is all
	Startup   Startup
}

// New is the study of the decisions of one run, at least one.
func New(h recording.Header, decisions []Decision) (*Study, error) {
	s := &Study{decisions: decisions, Startup: startupOf(decisions)}
	if !h.Virtual || h.Scenario == nil || h.Scenario.Timeline == "" {
		return s, nil
	}
	var err error
	s.scenario, err = scenarios.Parse(h.Scenario.Name+"/scenario.yaml", []byte(h.Scenario.Timeline))
	return s, err
}

// Scenario tells whether the load is known from a scenario.
func (s *Study) Scenario() bool { return s.scenario != nil }

// Course is what came, or would have come, of a load.
type Course struct {
	Points []Point
	Parted int      // the index of the first decision that is another than the recorded; -1 without one
	First  *Parting // the first calculation that is another; it may be before the decision is
}

// Point is one decision of a course.
type Point struct {
	Pass          int           `json:"pass"`
	At            time.Time     `json:"at"`
	Current       int32         `json:"currentReplicas"`
	Desired       int32         `json:"desiredReplicas"`
	Usage, Target int64         `json:"-"` // of the first metric: percent, or milli-units
	Percent       bool          `json:"-"`
	Measured      bool          `json:"measured"`
	Saturated     bool          `json:"saturated"` // a pod is at its limit, or all use more than they request
	AtMin, AtMax  bool          `json:"-"`
	For           time.Duration `json:"-"` // until the next
}

// Play is the course under an edit.
func (s *Study) Play(e *Edit) (Course, error) {
	return s.play(e, 0, nil)
}

// Check plays the recording itself with the model alone, which is given nothing of what
// was recorded but the pods of the beginning: how many decisions it comes to, and of those
// how many are the recorded ones.
func (s *Study) Check() (agreed, all int, err error) {
	first := s.decisions[0]
	c, err := s.play(&Edit{}, 0, s.modelFrom(first.Recorded.Input, s.begun()))
	for i, p := range c.Points {
		if p.Desired == s.decisions[i].Desired && p.Current == s.decisions[i].Recorded.Input.SpecReplicas {
			agreed++
		}
	}
	return agreed, len(c.Points), err
}

// begun is when the load began: a period before the first pass was decided.
func (s *Study) begun() time.Time {
	first := s.decisions[0]
	return first.Recorded.Input.Now.Add(-time.Duration(first.Pass) * first.Recorded.Params.SyncPeriod)
}

// play decides pass by pass; the edit holds from a pass on. Without a model everything is as recorded until a decision
// is another one.
func (s *Study) play(e *Edit, from int, m *model) (Course, error) {
	c := Course{Parted: -1}
	memory := s.decisions[0].Recorded.History.Clone()
	var status *autoscalingv2.HorizontalPodAutoscalerStatus // ours, once there is a model
	for i, d := range s.decisions {
		r := d.Recorded
		if d.Pass >= from {
			if err := e.apply(&r); err != nil {
				return c, err
			}
			if c.First == nil && m == nil && len(e.sets) > 0 {
				c.First = parting(d.Pass, d.Recorded, r, memory)
			}
		}
		if i > 0 && len(d.Recorded.History.Recommendations) == 0 { // the controller began anew, or its HPA did
			memory = &hpa.History{}
		}
		var refused error
		if m != nil {
			r.Input = m.input(r.Input)
			if status != nil {
				object := *r.Input.HPA
				object.Status = *status
				r.Input.HPA = &object
			}
		} else if d.Refused != "" {
			refused = errors.New(d.Refused)
		}
		p := pointOf(d.Pass, r)
		result := hpa.DecideAndWrite(r.Params, r.Input, memory, refused)
		p.Desired = result.Desired
		s.last(i, &p)
		c.Points = append(c.Points, p)
		status = &result.Status
		if m == nil && p.Desired != d.Desired {
			m, c.Parted = s.modelFrom(r.Input, r.Input.Now), i
		}
		if m != nil {
			m.resize(p.Desired, r.Input)
		}
	}
	return c, nil
}

// last adds how long a point lasts: until the next, or a period.
func (s *Study) last(i int, p *Point) {
	p.For = s.decisions[i].Recorded.Params.SyncPeriod
	if i+1 < len(s.decisions) {
		p.For = s.decisions[i+1].Recorded.Input.Now.Sub(p.At)
	}
}

// Recorded is the course that was recorded.
func (s *Study) Recorded() Course {
	c := Course{Parted: -1}
	for i, d := range s.decisions {
		p := pointOf(d.Pass, d.Recorded)
		p.Desired = d.Desired
		s.last(i, &p)
		c.Points = append(c.Points, p)
	}
	return c
}

// pointOf is a decision before it is made.
func pointOf(pass int, r hpa.Recorded) Point {
	in := r.Input
	p := Point{Pass: pass, At: in.Now, Current: in.SpecReplicas, Saturated: saturated(in)}
	low := int32(1)
	if in.HPA.Spec.MinReplicas != nil {
		low = *in.HPA.Spec.MinReplicas
	}
	p.AtMin, p.AtMax = p.Current <= low, p.Current >= in.HPA.Spec.MaxReplicas
	d := hpa.NewDecision(r.Params, in, &hpa.History{}) // which a ratio does not ask
	d.Run(hpa.StageGroup)
	d.Run(hpa.StageRatio)
	m, ok := d.Measured(0)
	if !ok {
		return p
	}
	p.Measured, p.Usage, p.Target, p.Percent = true, m.Value, m.Target, m.Requests > 0
	if m.PerPod && in.StatusReplicas > 0 {
		p.Usage /= int64(in.StatusReplicas)
	}
	p.Saturated = p.Saturated || p.Percent && p.Usage >= 100
	return p
}

// saturated tells whether a pod's CPU is at its limit, where its demand is not known any more.
func saturated(in hpa.Input) bool {
	for i, spec := range in.HPA.Spec.Metrics {
		if spec.Resource == nil || spec.Resource.Name != corev1.ResourceCPU || i >= len(in.Metrics) {
			continue
		}
		for _, p := range in.Pods {
			limit := limitOf(p)
			if sample, ok := in.Metrics[i].Pods[p.Name]; ok && limit > 0 && sample.Value >= limit {
				return true
			}
		}
	}
	return false
}

// limitOf adds up the CPU limits in millicores; 0 where a container has none.
func limitOf(p *corev1.Pod) (sum int64) {
	for _, c := range scenarios.Running(p) {
		limit := c.Resources.Limits.Cpu().MilliValue()
		if limit == 0 {
			return 0
		}
		sum += limit
	}
	return sum
}
