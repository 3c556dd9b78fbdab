package class

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/engine/instances"
)

func TestPrices(t *testing.T) {
	for text, want := range map[string]struct {
		prices int
		line   int
	}{
		"m5.large,0.1\n":               {1, 0},
		"type,usd\nm5.large,0.1\n":     {1, 0},
		"\ufeffm5.large,0.1\n":         {1, 0},
		"# mine\nm5.large, 0.1\nx,0\n": {2, 0},
		"m5.large\n":                   {0, 1},
		"m5.large,0.1\nx,-1\n":         {0, 2},
		"m5.large,0.1\nx,NaN\n":        {0, 2},
		"m5.large,0.1\nx,many\n":       {0, 2},
	} {
		got, err := ReadPrices([]byte(text))
		var wrong *PriceError
		if _, named := got["m5.large"]; len(got) != want.prices || want.prices > 0 && !named || errors.As(err, &wrong) != (want.line > 0) || wrong != nil && wrong.Line != want.line {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

// TestShare: a pod holds the larger of its shares of the node, for as long as it is there.
func TestShare(t *testing.T) {
	now := time.Now()
	m5, _ := instances.Find("m5.large")
	node := m5.Node("n", instances.Placement{})
	node.Status.Allocatable = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("2"), corev1.ResourceMemory: resource.MustParse("8Gi")}
	strange := node.DeepCopy()
	strange.Labels[corev1.LabelInstanceTypeStable] = "z9.huge"
	make := func(cpu, memory string, hours float64) *corev1.Pod {
		p := pod(nil)
		p.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
		if hours > 0 {
			p.Status.StartTime = &metav1.Time{Time: now.Add(-time.Duration(hours * float64(time.Hour)))}
		}
		return p
	}
	for name, c := range map[string]struct {
		pod                *corev1.Pod
		node               *corev1.Node
		prices             map[string]float64
		hours, hourly, usd float64
		unpriced           []string
	}{
		"half of the CPU":  {make("1", "1Gi", 2), node, nil, 1, m5.Price / 2, m5.Price, nil},
		"all the memory":   {make("100m", "8Gi", 1), node, nil, 1, m5.Price, m5.Price, nil},
		"one's own table":  {make("1", "1Gi", 2), node, map[string]float64{"m5.large": 10}, 1, 5, 10, nil},
		"waiting":          {make("1", "1Gi", 0), nil, nil, 0, 0, 0, nil},
		"of unknown price": {make("1", "1Gi", 2), strange, nil, 1, 0, 0, []string{"z9.huge"}},
	} {
		s := Spec{Class: "c", Ends: now.Add(2 * time.Hour), Budget: 1, Prices: c.prices, Seats: Anonymous("c", 2)}
		bills, unpriced := map[string]*SeatBill{"c-s01": {Seat: "s01"}, "c-s02": {Seat: "s02"}}, map[string]bool{}
		bills["c-s02"].add(c.pod, c.node, c.prices, unpriced, now)
		b := s.bill(bills, unpriced, now)
		close := func(a, b float64) bool { return math.Abs(a-b) < 1e-6 }
		if got := b.Seats[1]; got.Pods != 1 || !close(got.NodeHours, c.hours) || !close(got.Hourly, c.hourly) || !close(got.USD, c.usd) || !slices.Equal(b.Unpriced, c.unpriced) || b.Seats[0].Pods != 0 {
			t.Errorf("%s: %+v, unpriced %q", name, got, b.Unpriced)
		}
		if want := c.usd + 2*c.hourly; !close(b.Forecast, want) || b.Over != (want > 1) || b.Total.Pods != 1 || b.Total.CPU != b.Seats[1].CPU {
			t.Errorf("%s: %+v", name, b)
		}
	}
}

// TestCost counts the pods of the class, and of nobody else.
func TestCost(t *testing.T) {
	t.Parallel()
	c := newClassroom(t, "costs", 2)
	c.create(t)
	_, tickets := c.hand(t)
	within(t, patience, "a pod is taken", func() bool {
		_, err := tickets[1].kube(t).CoreV1().Pods(tickets[1].Namespace).Create(t.Context(), pod(nil), metav1.CreateOptions{})
		return err == nil
	})
	b, err := c.Cost(t.Context(), c.spec, time.Now())
	if err != nil || len(b.Seats) != 2 || b.Seats[0].Pods != 0 || b.Seats[1].Pods != 1 || b.Seats[1].CPU != "100m" || b.Total.Pods != 1 {
		t.Errorf("bill %+v, %v", b, err)
	}
}
