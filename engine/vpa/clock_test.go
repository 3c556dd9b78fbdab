package vpa

import (
	"errors"
	"reflect"
	"testing"
	"time"
	"unsafe"

	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/updater/restriction"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
)

// TestUpstreamKeepsItsClock is the canary of setClock, which writes a field of
// upstream's that is not exported.
func TestUpstreamKeepsItsClock(t *testing.T) {
	if err := Drivable(); err != nil {
		t.Fatal(err)
	}
	factory := restriction.NewPodsRestrictionFactory(nil, nil, 1, 1, nil, false)
	if err := setClock(factory, clocktesting.NewFakePassiveClock(start)); err != nil {
		t.Fatal(err)
	}
	field := reflect.ValueOf(factory).Elem().FieldByName("clock")
	set := *(*clock.Clock)(unsafe.Pointer(field.UnsafeAddr()))
	if got := set.Since(start.Add(-time.Hour)); !set.Now().Equal(start) || got != time.Hour {
		t.Errorf("upstream's clock says %v, %v after", set.Now(), got)
	}
}

// renamed is a factory of a day on which upstream has changed; by value it cannot even
// be written to.
type renamed struct {
	restriction.PodsRestrictionFactory
	time clock.Clock
}

// narrowed has the field with a type of less methods.
type narrowed struct {
	restriction.PodsRestrictionFactory
	clock clock.PassiveClock
}

func TestUpstreamThatHasChangedIsAnError(t *testing.T) {
	for _, f := range []restriction.PodsRestrictionFactory{&renamed{time: clock.RealClock{}}, &narrowed{clock: clock.RealClock{}}, renamed{}, nil} {
		if err := setClock(f, clock.RealClock{}); !errors.Is(err, ErrUpstreamChanged) {
			t.Errorf("%T: error %v", f, err)
		}
	}
}
