package class

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	podresources "k8s.io/component-helpers/resource"
	"k8s.io/utils/clock"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/cmd/stepscale/board"
)

// SweepSchema names the shape of Holdings.
const SweepSchema = "stepscale.class-sweep/v1"

// Idleness says whose pods may go.
type Idleness struct {
	Idle  time.Duration // nothing was done for so long
	Grace time.Duration // for the answer
}

// Holdings are the seats whose lessons hold pods, at one moment of the API server's clock.
type Holdings struct {
	Schema string    `json:"schema"`
	Class  string    `json:"class"`
	At     time.Time `json:"at"`
	DryRun bool      `json:"dryRun,omitempty"`
	Seats  []Holding `json:"seats"`
}

// Holding is what a seat's lesson holds, and what becomes of it.
type Holding struct {
	Seat      string    `json:"seat"`
	Namespace string    `json:"namespace"`
	Pods      int       `json:"pods"`
	CPU       string    `json:"cpu"` // requests
	Quiet     int       `json:"quietSeconds"`
	State     Fate      `json:"state"`
	Until     time.Time `json:"until,omitzero"` // the answer is waited for

	sweep board.Sweep // as it was said last
	seen  string      // the version of the report
	fits  bool        // there is nothing to be done
}

// Fate is what becomes of a seat's pods.
type Fate string

// The fates.
const (
	FateUsed    Fate = "used"    // something was done lately
	FateUnknown Fate = "unknown" // nobody reports
	FateHand    Fate = "hand"    // the learner waits for the instructor, with the hand raised
	FateHeld    Fate = "held"    // or by the pace
	FateAsk     Fate = "ask"     // the learner is asked, now
	FateAsked   Fate = "asked"   // and was asked before, and may still answer
	FateKept    Fate = "kept"    // has answered, or done something else
	FateSweep   Fate = "sweep"   // nobody has answered: the pods go
	FateEnded   Fate = "ended"   // there are none any more: nothing is asked any longer
)

// Acts tells whether somebody is told something new, or loses something.
func (h Holding) Acts() bool { return !h.fits }

// Holdings looks who holds pods, and what is to become of them. Nothing is written.
func (r *Room) Holdings(ctx context.Context, s Spec, o Idleness) (Holdings, error) {
	ahead, err := clusters.Skew(ctx, r.config, clock.RealClock{})
	if err != nil {
		return Holdings{}, err
	}
	now := time.Now().Add(-ahead)
	all := Holdings{Schema: SweepSchema, Class: s.Class, At: now, Seats: []Holding{}}
	present, err := r.Present(ctx, s)
	if err != nil {
		return all, err
	}
	said, pace, err := r.said(ctx, s.Class)
	if err != nil {
		return all, err
	}
	held, err := r.held(ctx)
	if err != nil {
		return all, err
	}
	for _, seat := range s.Seats {
		if !present[seat.ID] { // or somebody else's
			continue
		}
		h, parts := held[seat.Namespace], said[seat.Namespace]
		h.Seat, h.Namespace, h.sweep = seat.ID, seat.Namespace, board.ReadSweep(&parts.hint)
		h.judge(o, parts.report, pace, now)
		if h.Pods > 0 || h.Acts() {
			all.Seats = append(all.Seats, h)
		}
	}
	return all, nil
}

// parts are what is written in a learner's namespace.
type parts struct {
	report *corev1.ConfigMap // nil where there is none
	hint   corev1.ConfigMap
}

// said is what learners and their instructor have written.
func (r *Room) said(ctx context.Context, class string) (map[string]parts, board.Pace, error) {
	desk := board.Desk{Class: class, Kube: r.kube}
	pace, err := desk.Pace(ctx)
	if err != nil {
		return nil, pace, err
	}
	all := map[string]parts{}
	for part, put := range map[string]func(*parts, *corev1.ConfigMap){
		board.PartReport: func(p *parts, cm *corev1.ConfigMap) { p.report = cm },
		board.PartHint:   func(p *parts, cm *corev1.ConfigMap) { p.hint = *cm },
	} {
		list, err := desk.Parts(ctx, part)
		if err != nil {
			return nil, pace, err
		}
		for i := range list {
			p := all[list[i].Namespace]
			put(&p, &list[i])
			all[list[i].Namespace] = p
		}
	}
	return all, pace, nil
}

// held is what Deployments of lessons ask for, by namespace.
func (r *Room) held(ctx context.Context) (map[string]Holding, error) {
	list, err := clusters.Workloads(ctx, r.kube, "")
	if err != nil {
		return nil, err
	}
	all, cpu := map[string]Holding{}, map[string]*resource.Quantity{}
	for _, d := range list {
		h, sum := all[d.Namespace], cpu[d.Namespace]
		if sum == nil {
			sum = &resource.Quantity{}
			cpu[d.Namespace] = sum
		}
		requests := podresources.PodRequests(&corev1.Pod{Spec: d.Spec.Template.Spec}, podresources.PodResourcesOptions{})
		for range *d.Spec.Replicas {
			sum.Add(*requests.Cpu())
		}
		h.Pods += int(*d.Spec.Replicas)
		h.CPU = sum.String()
		all[d.Namespace] = h
	}
	return all, nil
}

// judge says what becomes of a seat, by what is written on the cluster and nothing else: a
// sweep that was killed goes on where it was.
func (h *Holding) judge(o Idleness, report *corev1.ConfigMap, pace board.Pace, now time.Time) {
	open := h.sweep.State == board.SweepAsked || h.sweep.State == board.SweepGoing
	h.fits = true
	as := func(f Fate, acts bool) { h.State, h.fits = f, !acts }
	if report == nil {
		as(FateUnknown, open)
		return
	}
	r, err := board.ReadReport(report)
	h.seen = report.ResourceVersion
	quiet := max(now.Sub(board.HeardAt(report)), 0)
	h.Quiet = int(quiet / time.Second)
	untouched := h.sweep.Seen == h.seen
	switch {
	case h.sweep.State == board.SweepGoing && untouched:
		as(FateSweep, true)
	case h.sweep.State == board.SweepGoing: // and was killed: what it has taken is given back
		as(FateKept, true)
	case h.Pods == 0:
		as(FateEnded, open)
	case err != nil || r.Silent:
		as(FateUnknown, open)
	case open && untouched && now.Before(h.sweep.Until):
		as(FateAsked, false)
		h.Until = h.sweep.Until
	case open && untouched:
		as(FateSweep, true)
	case open && quiet < o.Idle:
		as(FateKept, true)
	case r.Help:
		as(FateHand, open)
	case r.Held && pace.Step != "":
		as(FateHeld, open)
	case quiet < o.Idle:
		as(FateUsed, false)
	default:
		as(FateAsk, true)
		h.Until = now.Add(o.Grace).Round(time.Second)
	}
}

// Sweep does what is to be done, for the seats side by side. What it came to stands in the
// holdings; a seat at which it fails is no reason to leave out the others.
func (r *Room) Sweep(ctx context.Context, all Holdings) error {
	errs := make([]error, len(all.Seats))
	err := each(ctx, len(all.Seats), func(ctx context.Context, i int) error {
		h := &all.Seats[i]
		if !h.Acts() {
			return nil
		}
		if err := r.carryOut(ctx, all, h); err != nil {
			h.fits, errs[i] = true, fmt.Errorf("%s: %w", h.Seat, err)
		}
		return ctx.Err()
	})
	return errors.Join(append(errs, err)...)
}

func (r *Room) carryOut(ctx context.Context, all Holdings, h *Holding) error {
	say := func(s board.Sweep) error { return s.Write(ctx, r.kube, all.Class, h.Namespace) }
	switch h.State {
	case FateAsk:
		return say(board.Sweep{ID: strconv.FormatInt(all.At.UnixNano(), 36), State: board.SweepAsked, Minutes: h.Quiet / 60, Pods: h.Pods, Until: h.Until, Seen: h.seen})
	case FateSweep:
		return r.take(ctx, say, h)
	}
	return r.giveBack(ctx, say, h)
}

// take takes a learner's pods. It says so before, and looks afterwards: a step that was
// executed at that very moment gets them back.
func (r *Room) take(ctx context.Context, say func(board.Sweep) error, h *Holding) error {
	s := h.sweep
	h.Pods = max(h.Pods, s.Pods)
	s.State, s.Pods = board.SweepGoing, h.Pods
	if err := say(s); err != nil {
		return err
	}
	for _, do := range []func(context.Context) error{
		func(ctx context.Context) error { return clusters.Park(ctx, r.kube, h.Namespace) },
		func(context.Context) error { s.State = board.SweepDone; return say(s) },
	} {
		there, err := r.touched(ctx, h)
		if err != nil {
			return err
		}
		if there {
			h.State = FateKept
			return r.giveBack(ctx, say, h)
		}
		if err := do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// giveBack says that nothing is asked any more, and why where the learner has kept the pods.
func (r *Room) giveBack(ctx context.Context, say func(board.Sweep) error, h *Holding) error {
	if h.State == FateKept || h.sweep.State == board.SweepGoing {
		if err := clusters.Wake(ctx, r.kube, h.Namespace); err != nil {
			return err
		}
	}
	if h.State == FateKept {
		return say(board.Sweep{ID: h.sweep.ID, State: board.SweepKept, Seen: h.seen})
	}
	return say(board.Sweep{})
}

// touched tells whether the learner has done something since the question.
func (r *Room) touched(ctx context.Context, h *Holding) (bool, error) {
	cm, err := r.kube.CoreV1().ConfigMaps(h.Namespace).Get(ctx, board.Object(board.PartReport), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	if err == nil {
		h.seen = cm.ResourceVersion
	}
	return err == nil && h.seen != h.sweep.Seen, err
}

// Acting are those of whom something is to be done.
func (all Holdings) Acting() (some []Holding) {
	return slices.DeleteFunc(slices.Clone(all.Seats), func(h Holding) bool { return !h.Acts() })
}
