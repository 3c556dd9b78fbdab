package vpa

import (
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/updater/utils"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// resize tries the pods in place and returns those that must be evicted.
func (s *State) resize(f *trace.Frame, d *decided) (evict []*corev1.Pod, err error) {
	for _, p := range d.order {
		if slices.Contains(s.pass.resized, p.Name) { // before a fault
			f.Changes = append(f.Changes, s.resizeChanges(p, d.vpa)...)
			continue
		}
		switch d.inPlace.CanInPlaceUpdate(p, d.vpa, nil) {
		case utils.InPlaceEvict:
			evict = append(evict, p)
		case utils.InPlaceApproved:
			err := d.inPlace.InPlaceUpdate(p, d.vpa, s.updater.events)
			if world.IsFault(err) {
				return nil, err
			}
			if err != nil {
				f.Add("resizeRefused/"+p.Name, refusal(err), err.Error())
				evict = append(evict, p)
				continue
			}
			s.pass.resized = append(s.pass.resized, p.Name)
			f.Changes = append(f.Changes, s.resizeChanges(p, d.vpa)...)
		default:
			f.Add("resizeHeld/"+p.Name, "이번 패스에 조정할 수 있는 파드 수를 채웠습니다", "")
		}
	}
	f.Add("resizedPods", strconv.Itoa(len(s.pass.resized)), world.SomeNames(s.pass.resized))
	return evict, nil
}

// resizeChanges are the requests that a resize in place has written.
func (s *State) resizeChanges(p *corev1.Pod, v *vpav1.VerticalPodAutoscaler) []trace.Change {
	r, _, err := s.updater.processor.Apply(v, p)
	if err != nil {
		return nil // or the resize would have failed
	}
	var changes []trace.Change
	for _, c := range compare(p, r) {
		changes = append(changes, trace.Change{Object: "pod/" + p.Name, Field: "spec.resources.requests." + string(c.resource),
			From: text(c.resource, c.request), To: text(c.resource, c.target)})
	}
	return changes
}
