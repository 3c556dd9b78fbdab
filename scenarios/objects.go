package scenarios

import (
	"bytes"
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/client-go/kubernetes/scheme"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	kyaml "sigs.k8s.io/yaml"
)

// object is one document of objects.yaml.
type object struct {
	offset  int // number of lines before the document
	node    *yaml.Node
	value   runtime.Object
	content *unstructured.Unstructured // what is applied
}

// line is where the deepest part of the path that exists is written.
func (o object) line(path ...string) int {
	n, line := o.node, o.node.Line
	for _, p := range path {
		key, child := child(n, p)
		if child == nil {
			break
		}
		n, line = child, key.Line
	}
	return line + o.offset
}

// text is the value of a field at the top, as it is written.
func (o object) text(name string) string {
	if _, value := child(o.node, name); value != nil {
		return value.Value
	}
	return ""
}

// child returns the key and the value of a mapping's field, or an item of a
// sequence for both.
func child(n *yaml.Node, name string) (key, value *yaml.Node) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if i, err := strconv.Atoi(name); err == nil && n.Kind == yaml.SequenceNode && i >= 0 && i < len(n.Content) {
		return n.Content[i], n.Content[i]
	}
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == name {
				return n.Content[i], n.Content[i+1]
			}
		}
	}
	return nil, nil
}

// checkObjects decodes objects.yaml strictly. With known, the objects have to
// be those that scenario.yaml speaks of. Those that are checked are kept, so that
// no other reading of the same text is ever applied.
func checkObjects(file string, text []byte, s *Scenario, known bool) Problems {
	r := &reader{file: file}
	if r.refused(text) {
		return r.problems
	}
	objects := r.objects(text)
	if len(objects) == 0 {
		if len(r.problems) == 0 {
			r.add(1, "디플로이먼트와 HPA 또는 VPA의 매니페스트를 적어 주십시오.", "파일에 오브젝트가 없습니다.")
		}
		return r.problems
	}
	seen := map[string]bool{}
	for i := range objects {
		o := &objects[i]
		r.metadata(*o, seen)
		if err := current(o); err != nil {
			r.add(o.line("apiVersion"), "kubectl convert로 새 버전으로 바꾸어 주십시오.", "이 버전을 새 버전으로 바꿀 수 없습니다: %s", err)
			continue
		}
		s.parts = append(s.parts, o.content)
		r.upstream(o)
		r.vpa(*o)
		r.nodePool(*o)
	}
	r.crowd(objects)
	if known {
		r.crossCheck(objects, s, len(r.problems) > 0)
	}
	return r.problems
}

// kinds are those of the client, the VPA's and Karpenter's NodePool. Its own scheme: client-go's is
// shared by the whole program.
var kinds = sync.OnceValue(func() *runtime.Scheme {
	s := runtime.NewScheme()
	utilruntime.Must(scheme.AddToScheme(s))
	utilruntime.Must(vpav1.AddToScheme(s))
	s.AddKnownTypes(karpenterGroup, &karpv1.NodePool{})
	return s
})

// objects decodes every document. Those that cannot be decoded are left out.
func (r *reader) objects(text []byte) []object {
	var list []object
	for _, d := range split(text) {
		var doc yaml.Node
		if err := yaml.Unmarshal(d.text, &doc); err != nil {
			r.syntax(err, d.offset)
			continue
		}
		if len(doc.Content) == 0 || doc.Content[0].Tag == "!!null" {
			continue
		}
		r.escaped(&doc, d.offset)
		if o, ok := r.decode(object{offset: d.offset, node: doc.Content[0]}, d.text); ok {
			list = append(list, o)
		}
	}
	return list
}

// decode reads the text of an object, which is its node's. It reports what is wrong, and
// false where nothing of it can be used.
func (r *reader) decode(o object, text []byte) (object, bool) {
	if o.node.Kind != yaml.MappingNode {
		r.add(o.line(), "apiVersion과 kind로 시작하는 매니페스트를 적어 주십시오.", "매니페스트가 아닙니다: %s", show(o.node))
		return o, false
	}
	known := kinds()
	codec := json.NewSerializerWithOptions(json.DefaultMetaFactory, known, known, json.SerializerOptions{Yaml: true, Strict: true})
	var err, unread error
	o.value, _, err = codec.Decode(text, nil, nil)
	o.content, unread = content(text)
	if err != nil {
		r.strict(o, err)
	}
	if o.value != nil && unread != nil {
		r.decoding(o, unread)
	}
	return o, o.value != nil && unread == nil
}

// typeOf is the type of the API that an object is of.
func typeOf(u *unstructured.Unstructured) (reflect.Type, bool) {
	if u == nil {
		return nil, false
	}
	v, err := kinds().New(u.GroupVersionKind())
	if err != nil {
		return nil, false
	}
	return reflect.TypeOf(v), true
}

// content reads a document for the API server: with the same steps as the decoder,
// and without the fields that a Go type adds.
func content(text []byte) (*unstructured.Unstructured, error) {
	raw, err := kyaml.YAMLToJSON(text)
	if err != nil {
		return nil, err
	}
	u := &unstructured.Unstructured{}
	return u, u.UnmarshalJSON(raw)
}

// unknownField is how the message about a field begins that the API does not have.
const unknownField = "모르는 필드입니다: "

type document struct {
	offset int
	text   []byte
}

// split takes the documents of a YAML stream apart, as kubectl does.
func split(text []byte) []document {
	list := []document{{}}
	for i, line := range bytes.SplitAfter(text, []byte("\n")) {
		if bytes.HasPrefix(line, []byte("---")) {
			list = append(list, document{offset: i + 1})
			continue
		}
		last := &list[len(list)-1]
		last.text = append(last.text, line...)
	}
	return list
}

var (
	quotedField = regexp.MustCompile(`^(unknown|duplicate) field "([^"]+)"`)
	repeatedKey = regexp.MustCompile(`line (\d+): key "([^"]+)" already set`)
)

// strict reports what the decoder says, with the line where the field is.
func (r *reader) strict(o object, err error) {
	var list []error
	if _, ok := runtime.AsStrictDecodingError(err); ok {
		var all interface{ Errors() []error }
		if errors.As(err, &all) {
			list = all.Errors()
		}
	}
	if list == nil {
		list = []error{err}
	}
	for _, e := range list {
		r.decoding(o, e)
	}
}

func (r *reader) decoding(o object, err error) {
	text := err.Error()
	if m := quotedField.FindStringSubmatch(text); m != nil {
		what := map[string]string{"unknown": unknownField, "duplicate": "같은 필드가 두 번 있습니다: "}[m[1]]
		r.add(o.line(fieldPath(m[2])...), "kubectl explain으로 필드의 이름과 위치를 확인해 주십시오.", "%s%s", what, m[2])
		return
	}
	if all := repeatedKey.FindAllStringSubmatch(text, -1); all != nil {
		for _, m := range all {
			line, _ := strconv.Atoi(m[1])
			r.add(line+o.offset, "하나만 남겨 주십시오.", "같은 필드가 두 번 있습니다: %s", m[2])
		}
		return
	}
	switch {
	case strings.Contains(text, "couldn't get version/kind"): // apimachinery: json.SimpleMetaFactory
		r.add(o.line("apiVersion"), "예: apiVersion: apps/v1, kind: Deployment", "apiVersion과 kind는 글자로 적어야 합니다: %s %s", o.text("apiVersion"), o.text("kind"))
	case runtime.IsMissingKind(err):
		r.add(o.line("apiVersion"), "모든 오브젝트의 맨 위에 kind를 적어 주십시오.", "kind가 없습니다.")
	case runtime.IsMissingVersion(err):
		r.add(o.line("kind"), "모든 오브젝트의 맨 위에 apiVersion을 적어 주십시오.", "apiVersion이 없습니다.")
	case runtime.IsNotRegisteredError(err):
		r.add(o.line("kind"), "apiVersion과 kind의 철자를 확인해 주십시오. 예: apps/v1 Deployment, autoscaling/v2 HorizontalPodAutoscaler, autoscaling.k8s.io/v1 VerticalPodAutoscaler",
			"쿠버네티스에 없는 apiVersion과 kind입니다: %s %s", o.text("apiVersion"), o.text("kind"))
	default:
		told := len(r.problems)
		if of, known := typeOf(o.content); known {
			r.misread(o, nil, o.content.Object, of)
		}
		if len(r.problems) == told {
			r.add(o.line(), "kubectl apply --dry-run=server로 확인해 주십시오.", "매니페스트를 읽을 수 없습니다: %s", strings.TrimPrefix(text, "yaml: "))
		}
	}
}

// metadata checks what every object has to have.
func (r *reader) metadata(o object, seen map[string]bool) {
	m, err := meta.Accessor(o.value)
	if err != nil {
		r.add(o.line("kind"), "오브젝트를 하나씩 ---로 나누어 적어 주십시오.", "이름을 가진 오브젝트가 아닙니다.")
		return
	}
	r.accept(o)
	if m.GetName() == "" {
		r.add(o.line("metadata"), "metadata.name을 적어 주십시오.", "오브젝트의 이름이 없습니다.")
		return
	}
	kind := o.value.GetObjectKind().GroupVersionKind()
	key := kind.GroupKind().String() + "/" + m.GetName()
	if seen[key] {
		r.add(o.line("metadata", "name"), "하나만 남기거나 이름을 바꾸어 주십시오.", "같은 오브젝트가 두 번 있습니다: %s %s", kind.Kind, m.GetName())
	}
	seen[key] = true
}

// find is the object of a type by its name.
func find[T metav1.Object](objects []object, name string) (T, object, bool) {
	i := slices.IndexFunc(objects, func(o object) bool {
		v, ok := o.value.(T)
		return ok && v.GetName() == name
	})
	if i < 0 {
		var none T
		return none, object{}, false
	}
	return objects[i].value.(T), objects[i], true
}
