package world

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// TaintsText writes taints as kubectl does, in one line.
func TaintsText(taints []corev1.Taint) string {
	if len(taints) == 0 {
		return "없음"
	}
	all := make([]string, len(taints))
	for i, t := range taints {
		all[i] = t.ToString()
	}
	return strings.Join(all, ", ")
}
