package scenarios

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// misread finds every value that the API's own type cannot hold: the decoder tells of the
// first only, and of a quantity not even where it is.
func (r *reader) misread(o object, path []string, v any, of reflect.Type) {
	of = pointed(of)
	if unmarshals(of) {
		if err := into(v, of); err != nil {
			r.unreadable(o, path, v, of)
		}
		return
	}
	switch v := v.(type) {
	case map[string]any:
		members := members(of)
		for name, below := range v {
			at := append(slices.Clone(path), name)
			switch member, known := members[name]; {
			case below == nil:
			case of.Kind() == reflect.Map:
				r.misread(o, at, below, of.Elem())
			case known:
				r.misread(o, at, below, member)
			}
		}
		if of.Kind() != reflect.Map && of.Kind() != reflect.Struct {
			r.unreadable(o, path, v, of)
		}
	case []any:
		if of.Kind() != reflect.Slice {
			r.unreadable(o, path, v, of)
			return
		}
		for i, item := range v {
			r.misread(o, append(slices.Clone(path), strconv.Itoa(i)), item, of.Elem())
		}
	case nil:
	default:
		if err := into(v, of); err != nil {
			r.unreadable(o, path, v, of)
		}
	}
}

// unreadable tells what a value should have been.
func (r *reader) unreadable(o object, path []string, v any, of reflect.Type) {
	text, hint := "(목록이나 묶음)", "kubectl explain으로 필드의 형식을 확인해 주십시오."
	switch v := v.(type) {
	case map[string]any, []any:
	case string:
		text = v
	default:
		text = string(must(json.Marshal(v)))
	}
	what := map[reflect.Kind]string{reflect.String: "문자열", reflect.Bool: "true나 false", reflect.Slice: "목록", reflect.Map: "키와 값", reflect.Struct: "키와 값",
		reflect.Int32: "정수", reflect.Int64: "정수"}[of.Kind()]
	switch of {
	case reflect.TypeFor[resource.Quantity]():
		what, hint = "수량", "100m, 0.5, 128Mi처럼 수와 단위를 붙여 적어 주십시오."
	case reflect.TypeFor[intstr.IntOrString]():
		what = "정수나 백분율(25%)"
	}
	if _, is := v.(bool); is && of.Kind() == reflect.String { // YAML 1.1 reads updateMode: Off as false
		hint = "Off와 On은 \"Off\"처럼 따옴표로 묶어 주십시오. 묶지 않으면 참과 거짓으로 읽힙니다."
	}
	r.add(o.line(path...), hint, "%s에 쓸 수 없는 값입니다: %s. %s이어야 합니다.", dotted(path), text, what)
}

func must(b []byte, err error) []byte {
	if err != nil {
		return nil
	}
	return b
}

func into(v any, of reflect.Type) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, reflect.New(of).Interface())
}

func unmarshals(of reflect.Type) bool {
	return reflect.PointerTo(of).Implements(reflect.TypeFor[json.Unmarshaler]())
}

func pointed(of reflect.Type) reflect.Type {
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	return of
}

// members are the fields of a type of the API, as JSON names them.
func members(of reflect.Type) map[string]reflect.Type {
	all := map[string]reflect.Type{}
	if of.Kind() != reflect.Struct {
		return all
	}
	for i := range of.NumField() {
		f := of.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "" && f.Anonymous:
			for n, m := range members(pointed(f.Type)) {
				all[n] = m
			}
		case name != "" && name != "-":
			all[name] = f.Type
		}
	}
	return all
}
