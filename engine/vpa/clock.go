package vpa

import (
	"errors"
	"fmt"
	"reflect"
	"time"
	"unsafe"

	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/updater/restriction"
	"k8s.io/utils/clock"
)

// ErrUpstreamChanged tells that stepscale was built with a VPA module that it cannot drive.
var ErrUpstreamChanged = errors.New("upstream's VPA updater is not the one that stepscale knows")

// Drivable tells, before a loop begins, whether the VPA module that is linked can be
// given the loop's time.
func Drivable() error {
	_, err := clockField(reflect.TypeFor[restriction.PodsRestrictionFactoryImpl]())
	return err
}

// clockField is where upstream's restriction factory keeps its clock for the timeouts of
// in-place resizes. The field is not exported and has no constructor.
func clockField(factory reflect.Type) (reflect.StructField, error) {
	field, ok := factory.FieldByName("clock")
	if !ok || field.Type != reflect.TypeFor[clock.Clock]() {
		return field, fmt.Errorf("업스트림 VPA Updater에 루프의 시간을 줄 수 없습니다. %s에 clock.Clock 형의 clock 필드가 없습니다. go.mod에 적힌 버전으로 다시 빌드해 주십시오: %w", factory, ErrUpstreamChanged)
	}
	return field, nil
}

// setClock gives a restriction factory the loop's time.
func setClock(f restriction.PodsRestrictionFactory, c clock.PassiveClock) error {
	factory := reflect.ValueOf(f)
	if factory.Kind() != reflect.Pointer || factory.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("%T: %w", f, ErrUpstreamChanged)
	}
	field, err := clockField(factory.Elem().Type())
	if err != nil {
		return err
	}
	*(*clock.Clock)(unsafe.Pointer(factory.Elem().FieldByIndex(field.Index).UnsafeAddr())) = loopClock{PassiveClock: c}
	return nil
}

// loopClock is the loop's time as a clock.Clock; the restrictions only read it.
type loopClock struct {
	clock.RealClock
	clock.PassiveClock
}

func (c loopClock) Now() time.Time                  { return c.PassiveClock.Now() }
func (c loopClock) Since(t time.Time) time.Duration { return c.PassiveClock.Since(t) }
