package view

import (
	"reflect"

	"github.com/stepscale/stepscale/engine/outside"
)

// seen is text as a screen may show it: nothing in it moves the terminal, and it is
// not so long that the rest is lost. Our own text comes through as it is.
func seen(text string) string { return outside.Text(outside.Brief(text)) }

// seenIn is v with all text in it as a screen may show it. What v refers to stays as
// it is: frames are data, too.
func seenIn[T any](v T) T {
	copied := reflect.New(reflect.TypeFor[T]()).Elem()
	copied.Set(reflect.ValueOf(v))
	filter(copied)
	return copied.Interface().(T)
}

func filter(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(seen(v.String()))
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() { // not those of a time
				filter(f)
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 { // the inputs of a frame, which no screen shows
			return
		}
		own := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(own, v)
		v.Set(own)
		filterAll(v)
	case reflect.Array:
		filterAll(v)
	}
}

func filterAll(v reflect.Value) {
	for i := range v.Len() {
		filter(v.Index(i))
	}
}
