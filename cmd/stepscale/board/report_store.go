package board

import (
	"context"
	"encoding/json"
	"maps"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/stepscale/stepscale/engine/outside"
)

// Who writes which part of a ConfigMap, as its managed fields have it. A vote that is given
// beside a lesson is a key of its own, so that the lesson's report does not undo it.
const (
	reportManager = "stepscale-report"
	voteManager   = "stepscale-vote"
	classManager  = "stepscale-class"

	// KeyVotes is where in a learner's ConfigMap the votes stand that were given beside a
	// lesson: a JSON object of the rounds.
	KeyVotes = "votes"
)

// object is a ConfigMap of a class, in a namespace of it.
type object struct {
	kube             kubernetes.Interface
	class, namespace string
	part, manager    string
	key              string
}

// Write tries once: who writes again and again knows better what is the newest by then, and
// is to say why nothing gets there.
func (o object) Write(ctx context.Context, raw []byte) error { return o.apply(ctx, raw, 0) }

// Insist writes also where the API server is too busy at first.
func (o object) Insist(ctx context.Context, raw []byte) error { return o.apply(ctx, raw, mostRetries) }

// mostRetries is what client-go does by itself.
const mostRetries = 10

// apply is one server-side apply of the part and the key.
func (o object) apply(ctx context.Context, raw []byte, retries int) error {
	cm := applycorev1.ConfigMap(Object(o.part), o.namespace).
		WithLabels(map[string]string{LabelClass: o.class, LabelPart: o.part}).
		WithData(map[string]string{o.key: string(raw)})
	body, err := json.Marshal(cm)
	if err != nil {
		return err
	}
	options := metav1.PatchOptions{FieldManager: o.manager, Force: new(true)}
	return o.kube.CoreV1().RESTClient().Patch(types.ApplyPatchType).Namespace(o.namespace).Resource("configmaps").Name(Object(o.part)).
		VersionedParams(&options, scheme.ParameterCodec).Body(body).MaxRetries(retries).Do(ctx).Error()
}

// reportOf is where a learner's report is written.
func (l Learner) reportOf() object {
	return object{l.Kube, l.Class, l.Namespace, PartReport, reportManager, Key}
}

// readReport is what stands in a learner's namespace; nothing where there is none yet.
func (l Learner) readReport(ctx context.Context) (Report, error) {
	cm, err := l.Kube.CoreV1().ConfigMaps(l.Namespace).Get(ctx, Object(PartReport), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return Report{}, nil
	}
	if err != nil {
		return Report{}, err
	}
	return ReadReport(cm)
}

// ReadReport is a learner's report as a screen may show it, with the votes that were given
// beside a lesson. A text that is too long is an error, as is what is no report.
func ReadReport(cm *corev1.ConfigMap) (Report, error) {
	var r Report
	if err := decode(cm, Key, MaxReport, &r); err != nil {
		return Report{}, err
	}
	beside := map[string]string{}
	if err := decode(cm, KeyVotes, MaxReport, &beside); err != nil {
		return Report{}, err
	}
	if len(beside) > 0 && !r.Silent {
		if r.Votes = maps.Clone(r.Votes); r.Votes == nil {
			r.Votes = map[string]string{}
		}
		maps.Copy(r.Votes, beside)
	}
	return r.shown(), nil
}

// decode reads a key of bounded length; a key that is not there is nothing.
func decode(cm *corev1.ConfigMap, key string, most int, to any) error {
	text := cm.Data[key]
	switch {
	case text == "":
		return nil
	case len(text) > most:
		return &outside.SizeError{Size: int64(len(text)), Limit: int64(most)}
	}
	return json.Unmarshal([]byte(text), to)
}

// shown is the report with every text as a screen may show it, on one line.
func (r Report) shown() Report {
	for _, text := range []*string{&r.Lesson, &r.Step, &r.Question, &r.Answer, &r.Kept} {
		*text = shown(*text)
	}
	r.Steps, r.Total = max(min(r.Steps, r.Total), 0), max(r.Total, 0)
	if r.Replicas != nil && *r.Replicas < 0 {
		r.Replicas = nil
	}
	votes := map[string]string{}
	for round, choice := range r.Votes {
		if _, ok := numbersOf(round); ok {
			votes[round] = shown(choice)
		}
	}
	if r.Votes = votes; len(votes) == 0 {
		r.Votes = nil
	}
	return r
}
