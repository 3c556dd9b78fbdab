package karpenter

import (
	"math"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"
)

const poolLabel = karpv1.NodePoolLabelKey

// kubectlClaims shows what the NodeClaims have become.
const kubectlClaims = `kubectl get nodeclaim -o custom-columns='NAME:.metadata.name,TYPE:.metadata.labels.node\.kubernetes\.io/instance-type,NODE:.status.nodeName'`

// text is one resource of a list as Kubernetes writes it; "0" where there is none. CPU is
// in millicores always, so that two amounts can be compared at a glance.
func text(of corev1.ResourceList, name corev1.ResourceName) string {
	q := of[name]
	if name == corev1.ResourceCPU {
		return strconv.FormatInt(q.MilliValue(), 10) + "m"
	}
	return q.String()
}

// cores is CPU as Kubernetes writes it: of whole machines, which have whole cores.
func cores(of corev1.ResourceList) string { return of.Cpu().String() }

// rounded is a price without what adding floating-point numbers leaves behind.
func rounded(price float64) float64 { return math.Round(price*1e6) / 1e6 }

// dollars is a price in USD.
func dollars(price float64) string { return strconv.FormatFloat(price, 'f', -1, 64) }
