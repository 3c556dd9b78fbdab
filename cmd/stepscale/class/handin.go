package class

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
	"github.com/stepscale/stepscale/engine/outside"
	"github.com/stepscale/stepscale/engine/recording"
)

const (
	// PartRecording is the ConfigMap in a learner's namespace with a recording that the
	// learner has handed in.
	PartRecording = "recording"
	keyPacked     = "packed"
	handInManager = "stepscale-hand-in"
)

// The most that is handed in. The largest recording of the lessons that come with stepscale
// is 8 MB, and 0.1 MB packed; an object may have a mebibyte.
const (
	MostPacked = 256 << 10
	MostPlain  = 64 << 20
)

// HandedIn is a recording that was read.
type HandedIn struct {
	Frames int
	Header recording.Header
	Plain  []byte
	Packed int // bytes
}

// ReadHandIn reads all of a recording as it is to be handed in. The half line that a killed
// program has left at its end is left out.
func ReadHandIn(plain []byte) (HandedIn, error) {
	rec, err := recording.Open(bytes.NewReader(plain), int64(len(plain)))
	if err != nil {
		return HandedIn{}, err
	}
	if rec.Torn != nil {
		plain = plain[:bytes.LastIndexByte(plain, '\n')+1]
	}
	for i := range rec.Len() {
		if _, err := rec.Frame(i); err != nil {
			return HandedIn{}, err
		}
	}
	if rec.Len() == 0 {
		return HandedIn{}, errNoFrames
	}
	return HandedIn{Frames: rec.Len(), Header: rec.Header, Plain: plain}, nil
}

var errNoFrames = errors.New("기록에 단계가 하나도 없습니다")

// HandIn writes a recording into the learner's own namespace, with the learner's rights, in
// the place of one before. An *outside.SizeError tells that it is too large packed.
func HandIn(ctx context.Context, l board.Learner, packed []byte) error {
	if len(packed) > MostPacked {
		return &outside.SizeError{Size: int64(len(packed)), Limit: MostPacked}
	}
	cm := applycorev1.ConfigMap(board.Object(PartRecording), l.Namespace).
		WithLabels(map[string]string{board.LabelClass: l.Class, board.LabelPart: PartRecording}).
		WithBinaryData(map[string][]byte{keyPacked: packed})
	_, err := l.Kube.CoreV1().ConfigMaps(l.Namespace).Apply(ctx, cm, metav1.ApplyOptions{FieldManager: handInManager, Force: true})
	return err
}

// Withdraw takes it back; false where there is none.
func Withdraw(ctx context.Context, l board.Learner) (bool, error) {
	err := l.Kube.CoreV1().ConfigMaps(l.Namespace).Delete(ctx, board.Object(PartRecording), metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// Recordings reads what was handed in, a seat at a time: do is called with each, or with why
// it is no recording. Whose it is follows from its namespace alone.
func (r *Room) Recordings(ctx context.Context, s Spec, do func(Seat, HandedIn, error) error) error {
	for _, seat := range s.Seats {
		cm, err := r.kube.CoreV1().ConfigMaps(seat.Namespace).Get(ctx, board.Object(PartRecording), metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", seat.ID, err)
		}
		got, err := unpack(cm)
		if err := do(seat, got, err); err != nil {
			return err
		}
	}
	return nil
}

// unpack believes nothing: anybody who has the seat's token has written it.
func unpack(cm *corev1.ConfigMap) (HandedIn, error) {
	packed := cm.BinaryData[keyPacked]
	if len(packed) > MostPacked {
		return HandedIn{}, &outside.SizeError{Size: int64(len(packed)), Limit: MostPacked}
	}
	in, err := recording.Unpack(packed)
	if err != nil {
		return HandedIn{}, err
	}
	plain, err := io.ReadAll(outside.AtMost(in, MostPlain, &outside.SizeError{Size: MostPlain + 1, Limit: MostPlain}))
	if err != nil {
		return HandedIn{}, err
	}
	got, err := ReadHandIn(plain)
	got.Packed = len(packed)
	return got, err
}

// Secrets tells whether a text that nobody may read stands in a recording: no credential is
// ever recorded, and this is the last look before it leaves the machine.
func (h HandedIn) Secrets(secrets ...string) bool {
	for _, s := range secrets {
		if s = strings.TrimSpace(s); s != "" && bytes.Contains(h.Plain, []byte(s)) {
			return true
		}
	}
	return false
}
