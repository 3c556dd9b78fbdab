package class

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/pager"
	podresources "k8s.io/component-helpers/resource"

	"github.com/stepscale/stepscale/engine/instances"
)

// CostSchema names the shape of a Bill.
const CostSchema = "stepscale.class-cost/v1"

// Bill is what a class holds of its cluster at one moment. It is about the pods that are
// there: what was deleted before is not known any more.
type Bill struct {
	Schema   string     `json:"schema"`
	Class    string     `json:"class"`
	At       time.Time  `json:"at"`
	Ends     time.Time  `json:"ends"`
	Seats    []SeatBill `json:"seats"`
	Total    SeatBill   `json:"total"`
	Forecast float64    `json:"forecastUSD"` // what is held, and the same for the time that is left
	Budget   float64    `json:"budgetUSD,omitempty"`
	Over     bool       `json:"overBudget"`
	Unpriced []string   `json:"unpricedTypes,omitempty"` // instance types whose price nobody knows
}

// SeatBill is what a learner's pods hold.
type SeatBill struct {
	Seat      string  `json:"seat,omitempty"`
	Pods      int     `json:"pods"`
	CPU       string  `json:"cpu"`    // requests
	Memory    string  `json:"memory"` // requests
	NodeHours float64 `json:"nodeHours"`
	Hourly    float64 `json:"usdPerHour"`
	USD       float64 `json:"usd"`

	cpu, memory resource.Quantity
}

// PriceError is a line of a price table that cannot be read.
type PriceError struct{ Line int }

func (e *PriceError) Error() string {
	return strconv.Itoa(e.Line) + ": 인스턴스 타입과 시간당 USD가 아닙니다"
}

// ReadPrices reads a price table: an instance type and its price in USD an hour, one a line.
func ReadPrices(text []byte) (map[string]float64, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff")))) // as spreadsheets write it
	r.FieldsPerRecord, r.TrimLeadingSpace, r.Comment = -1, true, '#'
	prices := map[string]float64{}
	for line := 1; ; line++ {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return prices, nil
		}
		if err != nil || len(row) < 2 {
			return nil, &PriceError{line}
		}
		price, err := strconv.ParseFloat(strings.TrimSpace(row[1]), 64)
		if err != nil && len(prices) == 0 && line == 1 { // the names of the columns
			continue
		}
		if err != nil || price < 0 || math.IsNaN(price) || math.IsInf(price, 0) {
			return nil, &PriceError{line}
		}
		prices[strings.TrimSpace(row[0])] = price
	}
}

// priceOf is what an instance of the type costs an hour: the instructor's table counts
// before the one that comes with stepscale.
func priceOf(prices map[string]float64, name string) (float64, bool) {
	if p, ok := prices[name]; ok {
		return p, true
	}
	t, ok := instances.Find(name)
	return t.Price, ok
}

// Cost counts what the class's pods hold, with two lists: nodes and pods.
func (r *Room) Cost(ctx context.Context, s Spec, now time.Time) (Bill, error) {
	nodes, err := r.nodes(ctx)
	if err != nil {
		return Bill{}, err
	}
	bills := map[string]*SeatBill{}
	for _, seat := range s.Seats {
		bills[seat.Namespace] = &SeatBill{Seat: seat.ID}
	}
	unpriced := map[string]bool{}
	list := pager.New(pager.SimplePageFunc(func(o metav1.ListOptions) (runtime.Object, error) { return r.kube.CoreV1().Pods("").List(ctx, o) }))
	err = list.EachListItem(ctx, metav1.ListOptions{}, func(obj runtime.Object) error {
		pod, ok := obj.(*corev1.Pod)
		if b := bills[pod.Namespace]; ok && b != nil && pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed {
			b.add(pod, nodes[pod.Spec.NodeName], s.Prices, unpriced, now)
		}
		return nil
	})
	if err != nil {
		return Bill{}, err
	}
	return s.bill(bills, unpriced, now), nil
}

func (r *Room) nodes(ctx context.Context) (map[string]*corev1.Node, error) {
	list, err := r.kube.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	nodes := map[string]*corev1.Node{}
	if err != nil {
		return nil, err
	}
	for i := range list.Items {
		nodes[list.Items[i].Name] = &list.Items[i]
	}
	return nodes, nil
}

// add counts one pod: it holds the larger of its shares of the node's CPU and memory, since
// it was started there.
func (b *SeatBill) add(pod *corev1.Pod, node *corev1.Node, prices map[string]float64, unpriced map[string]bool, now time.Time) {
	requests := podresources.PodRequests(pod, podresources.PodResourcesOptions{})
	b.Pods++
	b.cpu.Add(*requests.Cpu())
	b.memory.Add(*requests.Memory())
	if node == nil || pod.Status.StartTime == nil {
		return // it waits, and holds nothing
	}
	share := max(shareOf(requests.Cpu(), node.Status.Allocatable.Cpu()), shareOf(requests.Memory(), node.Status.Allocatable.Memory()))
	hours := share * max(now.Sub(pod.Status.StartTime.Time).Hours(), 0)
	b.NodeHours += hours
	name := node.Labels[corev1.LabelInstanceTypeStable]
	price, known := priceOf(prices, name)
	if !known {
		unpriced[name] = true
		return
	}
	b.Hourly += share * price
	b.USD += hours * price
}

func shareOf(part, whole *resource.Quantity) float64 {
	if whole.IsZero() {
		return 0
	}
	return part.AsApproximateFloat64() / whole.AsApproximateFloat64()
}

// bill puts the learners' together.
func (s Spec) bill(bills map[string]*SeatBill, unpriced map[string]bool, now time.Time) Bill {
	all := Bill{Schema: CostSchema, Class: s.Class, At: now, Ends: s.Ends, Budget: s.Budget, Unpriced: slices.Sorted(maps.Keys(unpriced))}
	for _, seat := range s.Seats {
		b := bills[seat.Namespace]
		b.CPU, b.Memory = b.cpu.String(), b.memory.String()
		all.Seats = append(all.Seats, *b)
		all.Total.Pods += b.Pods
		all.Total.NodeHours += b.NodeHours
		all.Total.Hourly += b.Hourly
		all.Total.USD += b.USD
		all.Total.cpu.Add(b.cpu)
		all.Total.memory.Add(b.memory)
	}
	all.Total.CPU, all.Total.Memory = all.Total.cpu.String(), all.Total.memory.String()
	all.Forecast = all.Total.USD + all.Total.Hourly*max(s.Ends.Sub(now).Hours(), 0)
	all.Over = s.Budget > 0 && all.Forecast > s.Budget
	return all
}
