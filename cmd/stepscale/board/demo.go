package board

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/engine/trace"
)

// KeyDemo is where in its ConfigMap's binary data a demo stands.
const KeyDemo = "demo"

// demoManager begins the names of those who write demos, as managed fields have them.
const demoManager = "stepscale-demo-"

// Demo shows an instructor's own steps to the class. Nothing waits for the cluster but its
// beginning and its end.
type Demo struct {
	*newest[reel]
	contact contact
}

// demoStore is where a demo is written. Every demo writes as somebody else: who writes
// first takes the place from whoever had it, whose next write is a conflict then.
type demoStore struct {
	Desk
	manager string
	first   bool
}

// Write is one server-side apply.
func (s *demoStore) Write(ctx context.Context, raw []byte) error {
	home := Home(s.Class)
	cm := applycorev1.ConfigMap(Object(PartDemo), home).
		WithLabels(map[string]string{LabelClass: s.Class, LabelPart: PartDemo}).
		WithBinaryData(map[string][]byte{KeyDemo: raw})
	_, err := s.Kube.CoreV1().ConfigMaps(home).Apply(ctx, cm, metav1.ApplyOptions{FieldManager: s.manager, Force: s.first})
	if apierrors.IsConflict(err) {
		return errTaken
	}
	s.first = s.first && err != nil
	return err
}

// OpenDemo begins a demo, in the place of one that runs already. Close has to be called.
func (r Desk) OpenDemo(ctx context.Context) (*Demo, error) {
	begun := reel{ID: rand.String(10)}
	store := &demoStore{Desk: r, manager: demoManager + begun.ID, first: true}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	if err := store.Write(ctx, begun.encode()); err != nil {
		return nil, err
	}
	d := &Demo{}
	d.newest = keep(store, begun, reel.encode, d.contact.is, retries)
	return d, nil
}

// Begin shows that a lesson begins.
func (d *Demo) Begin(b play.Begun) { d.add(b) }

// Frame shows a frame, when an event shows it.
func (d *Demo) Frame(f trace.Frame) { d.add(play.Public(f)) }

// Tell shows what everybody may see of an event.
func (d *Demo) Tell(e play.Event) {
	if told, ok := play.Mirrored(e); ok {
		d.add(told)
	}
}

func (d *Demo) add(e play.Event) {
	all := encodeParts(e)
	d.change(func(r *reel) {
		for _, part := range all {
			*r = r.with(part)
		}
	})
}

// Told is nobody's business: there is no instructor above.
func (d *Demo) Told(play.Progress) {}

// Now tells, once each, that nothing gets to those who follow, and that it does again.
func (d *Demo) Now(play.Ahead) play.Said {
	return play.Said{Shows: true, News: d.contact.news(func(err error) string {
		if errors.Is(err, errTaken) {
			return "다른 곳에서 이 수업의 시연을 새로 시작했습니다. 여기의 단계는 이제 누구에게도 보이지 않습니다."
		}
		return "지금은 따라오는 분들에게 보내지 못하고 있습니다. 수업은 그대로 되고, 닿는 대로 이어집니다. (" + trouble(err) + ")"
	}, "따라오는 분들에게 다시 닿았고, 그동안의 단계도 보냈습니다.")}
}

// Close says that the demo is over, as long as the context lasts.
func (d *Demo) Close(ctx context.Context) error {
	d.change(func(r *reel) { r.Over = true })
	return d.newest.Close(ctx)
}

var _ play.Class = (*Demo)(nil)
