package whatif

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/engine/vpa"
)

// slots are a target's pods as they would have been: one that is evicted comes again at
// once, with the size that the admission controller gives it; one that is resized lives on.
type slots struct {
	pods []*corev1.Pod
	made int
}

// at are the pods of a pass: as many as were recorded then, once there are any.
func (m *slots) at(recorded []*corev1.Pod) []*corev1.Pod {
	if m.pods == nil {
		m.pods = slices.Clone(recorded)
	}
	if n := len(recorded); n > 0 && n < len(m.pods) {
		m.pods = m.pods[:n]
	}
	for i := len(m.pods); i < len(recorded); i++ { // somebody else has scaled
		m.pods = append(m.pods, recorded[i])
	}
	return m.pods
}

// update evicts or resizes.
func (m *slots) update(j vpa.Judged, updated []string) error {
	m.pods = slices.Clone(m.pods)
	for i, p := range m.pods {
		if !slices.Contains(updated, p.Name) {
			continue
		}
		sized, err := j.Sized(p)
		if err != nil {
			return err
		}
		if !j.InPlace() {
			m.made++
			since := metav1.NewTime(j.Now)
			sized.Name, sized.UID, sized.Status.StartTime, sized.Status.ContainerStatuses = fmt.Sprintf("whatif-%05d", m.made), "", &since, nil
		}
		m.pods[i] = sized
	}
	return nil
}
