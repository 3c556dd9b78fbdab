package scenarios

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	kyaml "sigs.k8s.io/yaml"

	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/trace"
)

// written are the objects of a scenario at a moment, as far as its files say.
type written map[string]object // by kind and name

func keyOf(kind, name string) string { return kind + "/" + name }

// workload is the one of that name; false where there is none.
func (w written) workload(name string) (workload, bool) {
	for _, key := range slices.Sorted(maps.Keys(w)) {
		if of, ok := workloadOf(w[key]); ok && of.name == name {
			return of, true
		}
	}
	return workload{}, false
}

// names are those of a kind, for a hint.
func (w written) names(kind string) string {
	var names []string
	for _, o := range w {
		if o.content.GetKind() == kind {
			names = append(names, o.content.GetName())
		}
	}
	if slices.Sort(names); len(names) == 0 {
		return kind + "가 objects.yaml에 없습니다."
	}
	return "쓸 수 있는 이름: " + strings.Join(names, ", ")
}

// checkEvents checks every event against the objects that there are when it happens, and
// keeps what it will write. It returns all that there ever are.
func (r *reader) checkEvents(objects []object, s *Scenario) []object {
	told := &reader{file: path.Join(path.Dir(r.file), scenarioFile)}
	now, ever := written{}, slices.Clone(objects)
	for _, o := range objects {
		now[keyOf(o.content.GetKind(), o.content.GetName())] = o
	}
	for i := range s.events {
		e := &s.events[i]
		switch {
		case e.What == "" || e.Actor == "": // told by event
		case e.What == trace.EventApply:
			ever = append(ever, told.checkApply(e, now)...)
		case e.What == trace.EventPatch:
			ever = append(ever, told.checkPatch(e, now)...)
		case e.Object != nil:
			told.checkDelete(e, now)
		case e.What == trace.EventNotReady:
			told.checkNode(e, s)
		case e.What != trace.EventAway:
			told.checkPods(e, now)
		}
	}
	if len(told.problems) == 0 {
		told.crowd(ever)
	}
	r.problems = append(r.problems, told.problems...)
	return ever
}

// checkApply reads the manifest as one of objects.yaml.
func (r *reader) checkApply(e *Event, now written) []object {
	before := len(r.problems)
	text, ok := r.plain(e.source)
	if !ok {
		return nil
	}
	o, ok := r.decode(object{node: e.source}, text)
	if !ok {
		return nil
	}
	r.metadata(o, map[string]bool{})
	if err := current(&o); err != nil {
		r.add(o.line("apiVersion"), "kubectl convert로 새 버전으로 바꾸어 주십시오.", "이 버전을 새 버전으로 바꿀 수 없습니다: %s", err)
		return nil
	}
	e.Object = o.content
	return r.becomes(o, now, before)
}

// checkPatch applies the patch to the object that there is then.
func (r *reader) checkPatch(e *Event, now written) []object {
	before := len(r.problems)
	old, ok := r.existing(e, now)
	if !ok {
		return nil
	}
	text, ok := r.plain(e.source)
	if !ok {
		return nil
	}
	patch, err := kyaml.YAMLToJSON(text)
	if err == nil {
		e.Patch = patch
		text, err = patched(old.content, patch)
	}
	if err != nil {
		r.add(e.source.Line, "kubectl patch에 쓸 내용을 적어 주십시오.", "패치를 적용할 수 없습니다: %s", err)
		return nil
	}
	o, ok := r.decode(object{node: e.source}, text)
	if !ok {
		return nil
	}
	r.accept(o)
	return r.becomes(o, now, before)
}

// becomes lets an object take the place of the one of its name, if the API server would;
// before is how many problems there were without it.
func (r *reader) becomes(o object, now written, before int) []object {
	key := keyOf(o.content.GetKind(), o.content.GetName())
	r.upstream(&o)
	r.vpa(o)
	r.nodePool(o)
	if old, ok := now[key]; ok && len(r.problems) == before {
		r.upstreamUpdate(o, old)
	}
	if len(r.problems) > before {
		return nil
	}
	now[key] = o
	return []object{o}
}

// patched is what a patch makes of an object. The API server knows how to merge the lists
// of its own kinds; of a VPA, whose kind it has from a CRD, it replaces them.
func patched(old *unstructured.Unstructured, patch []byte) ([]byte, error) {
	original, err := json.Marshal(old.Object)
	if err != nil {
		return nil, err
	}
	k, ok := kindOf(old.GroupVersionKind())
	if !ok {
		return nil, fmt.Errorf("%s", kindName(old.GroupVersionKind()))
	}
	if k.create == nil {
		return jsonpatch.MergePatch(original, patch)
	}
	of, err := kinds().New(old.GroupVersionKind())
	if err != nil {
		return nil, err
	}
	return strategicpatch.StrategicMergePatch(original, patch, of)
}

// existing is the object that an event names.
func (r *reader) existing(e *Event, now written) (object, bool) {
	kind, name := e.Object.GetKind(), e.Object.GetName()
	known := slices.Concat(accepted, wide)
	i := slices.IndexFunc(known, func(k Kind) bool { return k.Kind == kind })
	if i < 0 || name == "" {
		if kind != "" && name != "" {
			r.add(e.line, "쓸 수 있는 종류: "+acceptedNames(), "%s에 쓸 수 없는 종류입니다: %s", e.What, kind)
		}
		return object{}, false
	}
	e.Object.SetGroupVersionKind(known[i].GroupVersionKind)
	o, ok := now[keyOf(kind, name)]
	if !ok {
		r.add(e.line, now.names(kind), "그때 %s %s 없습니다.", kind, korean.Topic(name))
	}
	return o, ok
}

func (r *reader) checkDelete(e *Event, now written) {
	if _, ok := r.existing(e, now); ok {
		delete(now, keyOf(e.Object.GetKind(), e.Object.GetName()))
	}
}

// checkNode knows the nodes that are there from the beginning.
func (r *reader) checkNode(e *Event, s *Scenario) {
	var names []string
	for _, n := range s.Nodes() {
		names = append(names, n.Name)
	}
	if len(names) == 0 {
		for i := range simulatedNodes {
			names = append(names, fmt.Sprintf("sim-node-%d", i+1))
		}
	}
	if e.Node != "" && !slices.Contains(names, e.Node) {
		r.add(e.line, "쓸 수 있는 이름: "+strings.Join(names, ", "), "그런 노드는 없습니다: %s", e.Node)
	}
}

func (r *reader) checkPods(e *Event, now written) {
	if e.Pods.Of == "" { // told by picked
		return
	}
	w, ok := now.workload(e.Pods.Of)
	if !ok {
		r.add(e.line, "objects.yaml에 있는 디플로이먼트나 스테이트풀셋의 이름을 적어 주십시오.", "그때 파드를 만드는 %s 없습니다.", korean.Topic(e.Pods.Of))
		return
	}
	if names := w.containers(); e.Pods.Container != "" && !slices.Contains(names, e.Pods.Container) {
		r.add(e.line, "쓸 수 있는 이름: "+strings.Join(names, ", "), "%s의 파드에 그런 컨테이너가 없습니다: %s", e.Pods.Of, e.Pods.Container)
	}
}

// plain is the text of a node without aliases and repeated keys, whose lines no later
// reader would know.
func (r *reader) plain(n *yaml.Node) ([]byte, bool) {
	before := len(r.problems)
	if n.Kind != yaml.MappingNode {
		r.add(n.Line, "키와 값을 적어 주십시오.", "매니페스트가 아닙니다: %s", show(n))
	}
	r.checkPlain(n)
	if len(r.problems) > before {
		return nil, false
	}
	text, err := yaml.Marshal(n)
	if err != nil {
		r.syntax(err, n.Line)
	}
	return text, err == nil
}

func (r *reader) checkPlain(n *yaml.Node) {
	if n.Kind == yaml.AliasNode {
		r.add(n.Line, "내용을 그대로 적어 주십시오.", "별칭은 쓸 수 없습니다: %s", show(n))
		return
	}
	seen := map[string]bool{}
	for i, c := range n.Content {
		if key := n.Kind == yaml.MappingNode && i%2 == 0; key {
			if seen[c.Value] {
				r.add(c.Line, "하나만 남겨 주십시오.", "같은 필드가 두 번 있습니다: %s", c.Value)
			}
			seen[c.Value] = true
		}
		r.checkPlain(c)
	}
}
