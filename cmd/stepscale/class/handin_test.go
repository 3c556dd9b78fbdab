package class

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
	"github.com/stepscale/stepscale/engine/outside"
	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/engine/trace"
)

// recorded is a recording of so many frames.
func recorded(t *testing.T, frames int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := (recording.Header{Lesson: "hpa/02", Loop: "hpa"}).Write(&b); err != nil {
		t.Fatal(err)
	}
	for i := range frames {
		if err := (&trace.Frame{Pass: i + 1, Step: "hpa/1-metrics/query", At: time.Unix(int64(i), 0)}).Write(&b); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func packed(t *testing.T, plain []byte) []byte {
	t.Helper()
	b, err := recording.Pack(bytes.NewReader(plain))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestHandIn: what a learner hands in is read by the instructor and by no other student, and
// is gone when it is taken back.
func TestHandIn(t *testing.T) {
	t.Parallel()
	c := newClassroom(t, "handsin", 5)
	c.create(t)
	_, tickets := c.hand(t)
	seat := func(i int) board.Learner {
		return board.Learner{Class: c.spec.Class, Namespace: tickets[i].Namespace, Kube: tickets[i].kube(t)}
	}
	whole := recorded(t, 3)
	within(t, patience, "a ConfigMap is taken", func() bool { return HandIn(t.Context(), seat(0), packed(t, whole)) == nil })
	torn := append(bytes.Clone(whole), []byte(`{"pass":4,"st`)...)
	within(t, patience, "a ConfigMap is taken", func() bool { return HandIn(t.Context(), seat(1), packed(t, torn)) == nil })
	within(t, patience, "a ConfigMap is taken", func() bool { return HandIn(t.Context(), seat(2), []byte("nonsense")) == nil })
	bomb := packed(t, make([]byte, MostPlain+1))
	within(t, patience, "a ConfigMap is taken", func() bool { return HandIn(t.Context(), seat(3), bomb) == nil })
	var tooLarge *outside.SizeError
	if err := HandIn(t.Context(), seat(4), make([]byte, MostPacked+1)); !errors.As(err, &tooLarge) {
		t.Errorf("too large: %v", err)
	}
	forged := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: board.Object(PartRecording), Labels: map[string]string{board.LabelSeat: "s01"}}, BinaryData: map[string][]byte{keyPacked: make([]byte, MostPacked+1)}}
	within(t, patience, "a ConfigMap is taken", func() bool {
		_, err := seat(4).Kube.CoreV1().ConfigMaps(tickets[4].Namespace).Create(t.Context(), forged, metav1.CreateOptions{})
		return err == nil || apierrors.IsAlreadyExists(err)
	})
	got := map[string]string{}
	read := func() {
		t.Helper()
		clear(got)
		err := c.Recordings(t.Context(), c.spec, func(s Seat, h HandedIn, err error) error {
			switch {
			case errors.As(err, &tooLarge):
				got[s.ID] = "too large"
			case err != nil:
				got[s.ID] = "refused"
			case bytes.Equal(h.Plain, whole) && h.Frames == 3 && h.Header.Lesson == "hpa/02":
				got[s.ID] = "whole"
			default:
				got[s.ID] = string(h.Plain)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	read()
	if len(got) != 5 || got["s01"] != "whole" || got["s02"] != "whole" || got["s03"] != "refused" || got["s04"] != "too large" || got["s05"] != "too large" {
		t.Errorf("read %v", got)
	}
	other := tickets[1].kube(t).CoreV1().ConfigMaps(tickets[0].Namespace)
	if _, err := other.Get(t.Context(), board.Object(PartRecording), metav1.GetOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("another student reads it: %v", err)
	}
	if err := HandIn(t.Context(), board.Learner{Class: c.spec.Class, Namespace: tickets[0].Namespace, Kube: tickets[1].kube(t)}, packed(t, whole)); !apierrors.IsForbidden(err) {
		t.Errorf("another student writes it: %v", err)
	}
	for _, was := range []bool{true, false} {
		if is, err := Withdraw(t.Context(), seat(0)); err != nil || is != was {
			t.Errorf("taken back: %t, %v", is, err)
		}
	}
	if read(); got["s01"] != "" {
		t.Errorf("it is still there: %s", got["s01"])
	}
}

// TestReadHandIn refuses what is no recording, and knows a secret.
func TestReadHandIn(t *testing.T) {
	for name, text := range map[string]string{"nothing": "", "a text": "hello\n", "a header only": string(recorded(t, 0)), "no step": "{\"pass\":1}\n", "two headers": string(recorded(t, 1)) + string(recorded(t, 1)), "an array": "[]\n", "deep": strings.Repeat("[", 100000)} {
		if got, err := ReadHandIn([]byte(text)); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
	got, err := ReadHandIn(append(recorded(t, 1), []byte(`{"pass":2,"step":"x","facts":[{"name":"a","value":"eyJhbGciOi.x"}]}`+"\n")...))
	if err != nil || got.Frames != 2 || !got.Secrets("", " eyJhbGciOi.x\n") || got.Secrets("", "eyJother") {
		t.Errorf("%d frames, %v", got.Frames, err)
	}
}

// TestEveryLessonFits: what a learner's program records of a lesson that comes with stepscale
// is handed in whole, with room to spare.
func TestEveryLessonFits(t *testing.T) {
	files, err := filepath.Glob("../full/testdata/*.jsonl.gz")
	if err != nil || len(files) < 20 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		plain, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadHandIn(plain)
		small := packed(t, plain)
		if err != nil || len(small) > MostPacked/2 || len(plain) > MostPlain/2 {
			t.Errorf("%s: %d bytes, %d packed, %v", file, len(plain), len(small), err)
		}
		t.Logf("%s: %d frames, %d bytes, %d packed", filepath.Base(file), got.Frames, len(plain), len(small))
	}
}
