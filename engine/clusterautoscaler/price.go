package clusterautoscaler

import (
	"fmt"
	"math"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// What a pod would cost, US dollars an hour for a core and for a GiB. Upstream asks the
// cloud (cloudprovider PricingModel); AWS has no answer there, so these are GCE's of
// cloudprovider/gce/gce_price_model.go.
const (
	priceOfCore = 0.033174
	priceOfGiB  = 0.004446
)

// The pod that keeps the ratio of prices steady (expander/price/price.go priceStabilizationPod).
const stabilizingPrice = 0.5*priceOfCore + 500.0/1024*priceOfGiB

// byPrice is what the nodes cost over what the pods are worth, times how far the nodes are
// from the size that a cluster like this should have (expander/price/price.go).
func byPrice(u *ScaleUp, c Choice) (float64, string) {
	nodes := c.Group.Price * float64(c.Nodes)
	pods := float64(requested(corev1.ResourceCPU, c.Pods...))/1000*priceOfCore +
		float64(requested(corev1.ResourceMemory, c.Pods...))/1000/(1<<30)*priceOfGiB
	ratio := (nodes + stabilizingPrice) / (pods + stabilizingPrice)
	unfit := unfitness(len(u.cluster.Nodes), c.Group.Template.Status.Capacity[corev1.ResourceCPU])
	suppressed := (unfit-1)*(1-math.Tanh(float64(c.Nodes-1)/15)) + 1
	return ratio * suppressed, fmt.Sprintf("($%.4f + $%.4f) ÷ ($%.4f + $%.4f) × %.4f", nodes, stabilizingPrice, pods, stabilizingPrice, suppressed)
}

// unfitness is how many times a node is larger or smaller than the preferred one, whose size
// doubles whenever the cluster is about three times as large (expander/price/preferred.go).
func unfitness(nodes int, cores resource.Quantity) float64 {
	preferred := 32000.0
	for _, step := range []struct {
		upTo  int
		milli float64
	}{{2, 1000}, {6, 2000}, {20, 4000}, {60, 8000}, {200, 16000}} {
		if nodes <= step.upTo {
			preferred = step.milli
			break
		}
	}
	of := float64(cores.MilliValue())
	return max(preferred/of, of/preferred)
}
