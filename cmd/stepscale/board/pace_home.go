package board

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/engine/outside"
)

var (
	// ErrNoVote tells that no vote is open.
	ErrNoVote = errors.New("no vote is open")
	// ErrNoSeat tells that nobody of that name is in the class.
	ErrNoSeat = errors.New("no such seat")
	// ErrNoChoice tells of an answer that the vote does not offer.
	ErrNoChoice = errors.New("no such choice")
	// ErrNoClass tells that there is no class of that name.
	ErrNoClass = errors.New("no such class")
)

// Desk is a class that runs, as its instructor has it in hand.
type Desk struct {
	Class string
	Kube  kubernetes.Interface // with the instructor's rights
}

// FindDesk is the class of that name, or ErrNoClass.
func FindDesk(ctx context.Context, kube kubernetes.Interface, class string) (Desk, error) {
	_, err := kube.CoreV1().Namespaces().Get(ctx, Home(class), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return Desk{}, ErrNoClass
	}
	return Desk{class, kube}, err
}

func (r Desk) put(ctx context.Context, namespace, part string, v any) error {
	return r.putAs(ctx, classManager, namespace, part, Key, v)
}

func (r Desk) putAs(ctx context.Context, manager, namespace, part, key string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if len(raw) > MaxHome {
		return fmt.Errorf("%s: %w", Object(part), &outside.SizeError{Size: int64(len(raw)), Limit: MaxHome})
	}
	return object{r.Kube, r.Class, namespace, part, manager, key}.Insist(ctx, raw)
}

func read(ctx context.Context, kube kubernetes.Interface, namespace, part string, to any) error {
	cm, err := kube.CoreV1().ConfigMaps(namespace).Get(ctx, Object(part), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return decode(cm, Key, MaxHome, to)
}

// Pace is where the class is held.
func (r Desk) Pace(ctx context.Context) (p Pace, err error) {
	return p, read(ctx, r.Kube, Home(r.Class), PartPace, &p)
}

// SetPace holds the class, or lets it go with the zero value.
func (r Desk) SetPace(ctx context.Context, p Pace) error {
	return r.put(ctx, Home(r.Class), PartPace, p)
}

// Vote is the one that was opened last; its ID is empty before the first.
func (r Desk) Vote(ctx context.Context) (v Vote, err error) {
	err = read(ctx, r.Kube, Home(r.Class), PartVote, &v)
	return v.shown(), err // as the learners see it, and answer
}

// SetVote puts a vote before everybody.
func (r Desk) SetVote(ctx context.Context, v Vote) error {
	return r.put(ctx, Home(r.Class), PartVote, v)
}

// SetHint says something to everybody, or to one seat. The error is ErrNoSeat where nobody
// has it.
func (r Desk) SetHint(ctx context.Context, seat string, h Hint) error {
	if seat == "" {
		return r.put(ctx, Home(r.Class), PartHint, h)
	}
	roster, err := r.roster(ctx)
	if err != nil {
		return err
	}
	for namespace, name := range roster {
		if name == seat || namespace == seat {
			return r.put(ctx, namespace, PartHint, h)
		}
	}
	return ErrNoSeat
}

// roster is who is in the class: seats by namespace.
func (r Desk) roster(ctx context.Context) (map[string]string, error) {
	list, err := r.Kube.CoreV1().Namespaces().List(ctx, metav1.ListOptions{LabelSelector: labels.Set{LabelClass: r.Class}.String()})
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, ns := range list.Items {
		if ns.Name != Home(r.Class) {
			all[ns.Name] = seatIn(r.Class, &ns)
		}
	}
	return all, nil
}

// Reports are the newest of everybody in the class that can be read.
func (r Desk) Reports(ctx context.Context) (all []Report, err error) {
	roster, err := r.roster(ctx)
	if err != nil {
		return nil, err
	}
	list, err := r.Parts(ctx, PartReport)
	if err != nil {
		return nil, err
	}
	for _, cm := range list {
		if _, ok := roster[cm.Namespace]; !ok {
			continue
		}
		if report, err := ReadReport(&cm); err == nil {
			all = append(all, report)
		}
	}
	return all, nil
}

// Parts are the objects of a part in all namespaces, with one list, by their name only: a
// learner can label any number of others. Whose one is follows from its namespace.
func (r Desk) Parts(ctx context.Context, part string) ([]corev1.ConfigMap, error) {
	list, err := r.Kube.CoreV1().ConfigMaps(metav1.NamespaceAll).List(ctx, metav1.ListOptions{
		LabelSelector: labels.Set{LabelClass: r.Class, LabelPart: part}.String(),
		FieldSelector: fields.Set{metav1.ObjectNameField: Object(part)}.String()})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

// Answer votes beside a lesson, as a learner. The errors are ErrNoVote and ErrNoChoice.
func (l Learner) Answer(ctx context.Context, answer string) (Vote, error) {
	var v Vote
	if err := read(ctx, l.Kube, Home(l.Class), PartVote, &v); err != nil {
		return v, err
	}
	if v = v.shown(); !v.Open {
		return v, ErrNoVote
	}
	choice, ok := v.ballot().Choice(answer)
	if !ok {
		return v, ErrNoChoice
	}
	cm, err := l.Kube.CoreV1().ConfigMaps(l.Namespace).Get(ctx, Object(PartReport), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		cm, err = &corev1.ConfigMap{}, nil
	}
	if err != nil {
		return v, err
	}
	votes := map[string]string{}
	if decode(cm, KeyVotes, MaxReport, &votes) != nil || votes == nil {
		votes = map[string]string{} // of somebody else's making
	}
	votes[v.Current()] = choice
	raw, err := json.Marshal(newestVotes(votes, v.Current(), MaxReport))
	if err != nil {
		return v, err
	}
	return v, object{l.Kube, l.Class, l.Namespace, PartReport, voteManager, KeyVotes}.Insist(ctx, raw)
}

// Check tells whether a vote can be asked; the text says in Korean why not.
func (v Vote) Check() (string, bool) {
	switch {
	case len(v.Choices) < 2 || len(v.Choices) > mostChoices:
		return "보기는 2개부터 8개까지 적어 주십시오.", false
	case len(v.Question) > mostQuestion:
		return "질문이 너무 깁니다. 200자 안팎으로 적어 주십시오.", false
	case slices.ContainsFunc(v.Choices, func(c string) bool { return c == "" || len(c) > mostWord }):
		return "보기에는 빈 것도, 아주 긴 것도 쓸 수 없습니다.", false
	}
	for i, c := range v.Choices { // 넷 and 4개 are the same answer
		if slices.ContainsFunc(v.Choices[:i], func(o string) bool {
			return strings.EqualFold(o, c) || play.Canonical(o) == play.Canonical(c)
		}) {
			return "같은 보기가 두 번 있습니다: " + c, false
		}
	}
	return "", true
}
