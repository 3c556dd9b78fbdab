package class

import (
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/cmd/stepscale/board"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine/outside"
	"github.com/stepscale/stepscale/engine/vpa"
)

// listener is the Role in Home, and its binding.
const listener = "stepscale-listener"

// spoken are the parts in Home that everybody in the class reads.
var spoken = []string{board.PartPace, board.PartVote, board.PartDemo, board.PartHint}

// marked makes an object the class's: it says of which class it is, and proves who made it.
func (s Spec) marked(signer state.Signer, obj *unstructured.Unstructured, part string) *unstructured.Unstructured {
	labels := obj.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[clusters.LabelManaged], labels[board.LabelClass] = "true", s.Class
	if owner := signer.Owner(); owner != "" {
		labels[clusters.LabelOwner] = owner
	}
	if part != "" {
		labels[board.LabelPart] = part
	}
	obj.SetLabels(labels)
	signer.Sign(obj.GetKind(), obj)
	return obj
}

// plain is an object as it is applied: without what the API server fills in.
func plain(obj runtime.Object) (*unstructured.Unstructured, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	u := &unstructured.Unstructured{Object: content}
	unstructured.RemoveNestedField(content, "status")
	unstructured.RemoveNestedField(content, "spec")
	unstructured.RemoveNestedField(content, "metadata", "creationTimestamp")
	return u, err
}

func typeOf(version, kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: version, Kind: kind}
}

func (s Spec) configMap(part string, text string) *corev1.ConfigMap {
	return &corev1.ConfigMap{TypeMeta: typeOf("v1", "ConfigMap"), ObjectMeta: metav1.ObjectMeta{Name: board.Object(part), Namespace: board.Home(s.Class)}, Data: map[string]string{board.Key: text}}
}

// homeNamespace is Home itself.
func (s Spec) homeNamespace(signer state.Signer) (*unstructured.Unstructured, error) {
	u, err := plain(&corev1.Namespace{TypeMeta: typeOf("v1", "Namespace"), ObjectMeta: metav1.ObjectMeta{Name: board.Home(s.Class)}})
	return s.marked(signer, u, ""), err
}

// record is the object that says what the class is.
func (s Spec) record(signer state.Signer) (*unstructured.Unstructured, error) {
	raw, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	u, err := plain(s.configMap(PartClass, string(raw)))
	return s.marked(signer, u, PartClass), err
}

// parts are the objects in Home that are written while the class runs. They are there from
// the beginning, and empty, so that learners can watch them.
func (s Spec) parts(signer state.Signer) (all []*unstructured.Unstructured, err error) {
	for _, part := range spoken {
		u, err := plain(s.configMap(part, "{}"))
		if err != nil {
			return nil, err
		}
		all = append(all, s.marked(signer, u, part))
	}
	return all, nil
}

// listening lets every learner of the class read those parts, by their names, and nothing
// else: what the class is stays with the instructor.
func (s Spec) listening(signer state.Signer) ([]*unstructured.Unstructured, error) {
	meta := metav1.ObjectMeta{Name: listener, Namespace: board.Home(s.Class)}
	var objects []string
	for _, part := range spoken {
		objects = append(objects, board.Object(part))
	}
	role, err := plain(&rbacv1.Role{TypeMeta: typeOf(rbacv1.SchemeGroupVersion.String(), "Role"), ObjectMeta: meta,
		Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: objects, Verbs: []string{"get", "list", "watch"}}}})
	if err != nil {
		return nil, err
	}
	binding, err := plain(&rbacv1.RoleBinding{TypeMeta: typeOf(rbacv1.SchemeGroupVersion.String(), "RoleBinding"), ObjectMeta: meta,
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: listener}, Subjects: s.members()})
	return []*unstructured.Unstructured{s.marked(signer, role, ""), s.marked(signer, binding, "")}, err
}

// account is whose token a seat has.
func (s Spec) account(signer state.Signer, seat Seat) (*unstructured.Unstructured, error) {
	u, err := plain(&corev1.ServiceAccount{TypeMeta: typeOf("v1", "ServiceAccount"), ObjectMeta: metav1.ObjectMeta{Name: seat.ID, Namespace: board.Home(s.Class)},
		AutomountServiceAccountToken: new(false)})
	return s.marked(signer, u, ""), err
}

// of are a seat's objects in the order of their making: the learner is bound last.
func (s Spec) of(signer state.Signer, seat Seat) (all []*unstructured.Unstructured, err error) {
	if s.Identity == IdentityToken {
		account, err := s.account(signer, seat)
		if err != nil {
			return nil, err
		}
		all = append(all, account)
	}
	fenced, err := s.enrolled(signer, seat).Objects()
	return append(all, fenced...), err
}

// enrolled is a seat's learner, whose objects are the class's.
func (s Spec) enrolled(signer state.Signer, seat Seat) vpa.Student {
	student := s.student(seat)
	student.Mark = func(obj *unstructured.Unstructured) {
		s.marked(signer, obj, "")
		if obj.GetKind() == kindNamespace {
			labels := obj.GetLabels()
			labels[board.LabelSeat] = seat.ID
			obj.SetLabels(labels)
		}
	}
	return student
}

// Objects are all that a class is made of, as `kubectl apply` takes them; tokens are none
// of them.
func (s Spec) Objects(signer state.Signer) ([]*unstructured.Unstructured, error) {
	home, err := s.homeNamespace(signer)
	if err != nil {
		return nil, err
	}
	record, err := s.record(signer)
	if err != nil {
		return nil, err
	}
	parts, err := s.parts(signer)
	if err != nil {
		return nil, err
	}
	roles, err := s.listening(signer)
	if err != nil {
		return nil, err
	}
	all := append([]*unstructured.Unstructured{home, record}, append(parts, roles...)...)
	for _, seat := range s.Seats {
		objects, err := s.of(signer, seat)
		if err != nil {
			return nil, err
		}
		all = append(all, objects...)
	}
	return all, nil
}

// text is what others wrote, on one line and without what moves a terminal.
func text(s string) string { return outside.Text(outside.Brief(s)) }
