package scenarios

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/stepscale/stepscale/engine/korean"
)

// shape is what may stand at a place of a manifest.
type shape interface {
	check(r *reader, o object, path []string, v any)
}

type (
	anything struct{}         // whatever the API's own type allows
	fields   map[string]shape // a mapping with these keys and no others
	each     struct{ of shape }
	only     struct { // this value
		value any
		hint  string
	}
	except struct { // any other value
		value any
		hint  string
	}
)

var free = anything{}

func (anything) check(*reader, object, []string, any) {}

func (f fields) check(r *reader, o object, path []string, v any) {
	m, ok := v.(map[string]any)
	if !ok { // a null, or told by the decoder
		return
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		at := append(slices.Clone(path), name)
		s, known := f[name]
		switch {
		case m[name] == nil: // says nothing
		case known:
			s.check(r, o, at, m[name])
		default:
			r.refuse(o, at, f)
		}
	}
}

func (e each) check(r *reader, o object, path []string, v any) {
	list, _ := v.([]any)
	for i, item := range list {
		e.of.check(r, o, append(slices.Clone(path), strconv.Itoa(i)), item)
	}
}

func (x only) check(r *reader, o object, path []string, v any) {
	if v != x.value {
		r.refuseValue(o, path, v, x.hint)
	}
}

func (x except) check(r *reader, o object, path []string, v any) {
	if v == x.value {
		r.refuseValue(o, path, v, x.hint)
	}
}

func (r *reader) refuseValue(o object, path []string, v any, hint string) {
	r.add(o.line(path...), hint, "시나리오에 쓸 수 없는 값입니다: %s: %v", dotted(path), v)
}

// refuse tells of a field that is not in the table, unless it is not one of the API either.
func (r *reader) refuse(o object, path []string, others fields) {
	where := dotted(path)
	if slices.ContainsFunc(r.problems, func(p Problem) bool { return strings.HasSuffix(p.Msg, unknownField+where) }) {
		return
	}
	hint := "지워 주십시오."
	if len(others) > 0 {
		hint += " 이 자리에 쓸 수 있는 것: " + strings.Join(slices.Sorted(maps.Keys(others)), ", ")
	}
	if path[len(path)-1] == "namespace" && len(path) == 2 {
		hint = "지워 주십시오. 네임스페이스는 stepscale이 정합니다."
	}
	r.add(o.line(path...), hint, "시나리오에 쓸 수 없는 필드입니다: %s", where)
}

// dotted writes a path as the API server does: "spec.containers[0].image".
func dotted(path []string) string {
	var b strings.Builder
	for i, p := range path {
		switch _, err := strconv.Atoi(p); {
		case err == nil:
			b.WriteString("[" + p + "]")
		case i > 0:
			b.WriteString("." + p)
		default:
			b.WriteString(p)
		}
	}
	return b.String()
}

// accept refuses an object of a kind, or with a field, that is not in the table.
func (r *reader) accept(o object) {
	gvk := o.value.GetObjectKind().GroupVersionKind()
	for _, k := range slices.Concat(older, accepted, wide) {
		switch {
		case k.GroupVersionKind == gvk:
			k.spec.check(r, o, nil, o.content.Object)
			return
		case k.Kind == gvk.Kind && slices.ContainsFunc(accepted, func(a Kind) bool { return a.GroupVersionKind == k.GroupVersionKind }):
			r.add(o.line("apiVersion"), korean.By("apiVersion: "+k.GroupVersion().String())+" 적어 주십시오.", "%s %s만 쓸 수 있습니다.", korean.Topic(shortKind(gvk.Kind)), k.GroupVersion())
			return
		}
	}
	r.add(o.line("kind"), "쓸 수 있는 종류: "+acceptedNames(), "시나리오에 쓸 수 없는 종류입니다: %s", kindName(gvk))
}

func shortKind(kind string) string {
	short := map[string]string{"HorizontalPodAutoscaler": "HPA", "VerticalPodAutoscaler": "VPA"}[kind]
	if short == "" {
		return kind
	}
	return short
}

func kindName(gvk schema.GroupVersionKind) string {
	return gvk.GroupVersion().String() + " " + gvk.Kind
}

func acceptedNames() string {
	names := make([]string, len(accepted))
	for i, k := range accepted {
		names[i] = kindName(k.GroupVersionKind)
	}
	return strings.Join(names, ", ")
}
