package board

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/engine/outside"
	"github.com/stepscale/stepscale/engine/trace"
)

// frame is one of a demo; noise is text that nothing packs.
func frame(n, noise int) trace.Frame {
	f := trace.Frame{Pass: n, Step: "hpa/1-metrics/query"}
	f.Add("n", fmt.Sprint(n), "")
	for noise > 0 {
		text := make([]byte, min(noise, 900))
		for i := range text {
			text[i] = byte('!' + rand.IntN(90))
		}
		f.Calls = append(f.Calls, trace.Call{Path: "/" + string(text)})
		noise -= len(text)
	}
	return f
}

func (r *reel) add(e play.Event) {
	for _, part := range encodeParts(e) {
		*r = r.with(part)
	}
}

// TestADemoIsBounded: whatever is shown and however long, what is written is no larger
// than it may be, can be read, and has the newest.
func TestADemoIsBounded(t *testing.T) {
	for name, noise := range map[string]func(int) int{
		"usual":     func(int) int { return 300 },
		"large":     func(int) int { return 20 << 10 },
		"largest":   func(int) int { return 30 << 10 },
		"too large": func(int) int { return 400 << 10 },
		"at last":   func(n int) int { return map[bool]int{true: 400 << 10}[n%7 == 0] },
	} {
		t.Run(name, func(t *testing.T) {
			r := reel{ID: "x"}
			r.add(play.Begun{Title: "hpa/02"})
			for n := range 60 {
				r.add(frame(n, noise(n)))
				r.add(play.Prose{Text: strings.Repeat("글", n*800)}) // the last ones are too large
			}
			packed := r.encode()
			if len(packed) > MaxDemo {
				t.Fatalf("%d bytes", len(packed))
			}
			got, err := decodeReel(packed)
			if err != nil || len(got.Parts) == 0 || got.First+len(got.Parts) != r.First+len(r.Parts) {
				t.Fatalf("%d parts from %d, %v", len(got.Parts), got.First, err)
			}
			if got.First > 0 && len(got.Lesson) != 2 {
				t.Errorf("how the lesson began: %s", got.Lesson)
			}
		})
	}
	r := reel{}
	for n := range 5000 { // a long day
		r.add(frame(n, 600))
		size := 0
		for _, p := range r.Parts {
			size += len(p)
		}
		if size > mostParts {
			t.Fatalf("%d bytes in memory", size)
		}
	}
}

// TestWhatIsTooLargeIsThinned: a step of a thousand pods is shown, with less, and says so.
func TestWhatIsTooLargeIsThinned(t *testing.T) {
	f := trace.Frame{Pass: 3, Step: "hpa/1-metrics/query", Actor: "hpa-controller", At: time.Unix(9, 0).UTC()}
	for i := range 5000 {
		f.Add(fmt.Sprintf("podMetric/web-%d", i), strings.Repeat("가", 400), "")
		f.Changes = append(f.Changes, trace.Change{Object: "pod/x", From: strings.Repeat("나", 400)})
	}
	got := events(encodeParts(f))
	if len(got) != 2 || !reflect.DeepEqual(got[1], play.Missed{}) {
		t.Fatalf("%T", got)
	}
	if x, ok := got[0].(trace.Frame); !ok || x.Pass != 3 || x.Step != f.Step || x.Actor != f.Actor || !x.At.Equal(f.At) || len(x.Facts) != mostThings {
		t.Errorf("%+v", got[0])
	} else {
		for i, c := range x.Changes {
			if i >= mostThings || len(x.Facts[i].Value) > mostValue || len(c.From) > mostValue || !strings.HasPrefix(f.Facts[i].Value, x.Facts[i].Value) || len(c.From) < mostValue-3 {
				t.Errorf("the %dth: %d and %d bytes", i, len(x.Facts[i].Value), len(c.From))
			}
		}
	}
	if len(f.Facts) != 5000 || len(f.Facts[0].Value) != 1200 {
		t.Error("the instructor's own frame was changed")
	}
}

// TestNothingIsLostOrTwice: whenever somebody comes, is away and is back, they hear every
// part once and in order, or are told what they have missed.
func TestNothingIsLostOrTwice(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		f := newFollower()
		r := reel{ID: "x"}
		next, lesson, here, missed := 0, 0, false, 0
		for n := range 60 + rnd.IntN(100) {
			if n%40 == 0 {
				r.add(play.Begun{Title: fmt.Sprint(n)})
			}
			r.add(frame(n, 40))
			if rnd.IntN(25) == 0 { // as when there is too much
				r = r.without(rnd.IntN(len(r.Parts)))
			}
			if rnd.IntN(6) > 0 { // away
				continue
			}
			f.take(r, n == 0)
			f.take(r, false) // once more, as after a break of the connection
			for heard, _ := f.Heard(); len(heard) > 0; heard, _ = f.Heard() {
				for _, e := range heard {
					switch e := e.(type) {
					case play.Begun:
						_, _ = fmt.Sscan(e.Title, &lesson)
						if next = max(next, lesson); here && missed == 0 && next != lesson {
							t.Fatalf("seed %d: lesson %d comes before frame %d", seed, lesson, next)
						}
						next, here = lesson, true
					case play.Missed:
						missed, next = missed+1, -1
					case trace.Frame:
						if next >= 0 && e.Pass != next && e.Pass != lesson {
							t.Fatalf("seed %d: frame %d, not %d", seed, e.Pass, next)
						}
						next = e.Pass + 1
					}
				}
			}
			if next != n+1 {
				t.Fatalf("seed %d: the last frame is %d, not %d", seed, next-1, n)
			}
		}
	}
}

// TestWhoComesLate: only the lesson that is shown now, and how it began; a demo that is
// over is none.
func TestWhoComesLate(t *testing.T) {
	r := reel{ID: "x"}
	r.add(play.Begun{Title: "first"})
	r.add(frame(0, 0))
	r.add(play.Begun{Title: "second"})
	for n := range 5 {
		r.add(frame(n, 0))
	}
	heard := func(r reel) string {
		f := newFollower()
		f.take(r, true)
		first, more := f.Heard()
		if len(first) != 1 || !begins(first[0]) {
			return fmt.Sprint("no lesson: ", first)
		}
		<-more // there is more already
		rest, _ := f.Heard()
		kinds := []any{first[0].(play.Begun).Title}
		for _, e := range rest {
			kinds = append(kinds, reflect.TypeOf(e).Name())
		}
		return fmt.Sprint(kinds...)
	}
	if got := heard(r); got != "secondLateFrameFrameFrameFrameFrame" {
		t.Error(got)
	}
	if got := heard(r.without(6)); got != "secondLateFrameMissedFrameFrame" {
		t.Error(got)
	}
	r.Over = true
	f := newFollower()
	f.take(r, true)
	if got, _ := f.Heard(); !strings.Contains(fmt.Sprint(got), "진행 중인 시연은 없습니다") {
		t.Error(got)
	}
	again := reel{ID: "y"}
	again.add(play.Begun{Title: "third"})
	f.take(again, false)
	if got, _ := f.Heard(); len(got) != 1 {
		t.Error(got)
	}
	again.Over = true
	f.take(again, false)
	if got, _ := f.Heard(); fmt.Sprint(got) != "[{}]" {
		t.Error(got)
	}
}

// TestSilenceIsTold: an instructor who is gone without a word, once; before we came, too.
func TestSilenceIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFollower()
		defer f.quiet.Stop()
		r := reel{ID: "x"}
		see := func(written time.Time) string {
			obj := &corev1.ConfigMap{BinaryData: map[string][]byte{KeyDemo: r.encode()}}
			obj.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: demoManager + "x", Time: &metav1.Time{Time: written}}, {Manager: classManager, Time: &metav1.Time{Time: time.Now()}}}
			f.see(obj, time.Now())
			heard, _ := f.Heard()
			return fmt.Sprint(heard)
		}
		r.add(frame(1, 0))
		if got := see(time.Now().Add(-quietAfter)); !strings.Contains(got, "새로 온 단계가 없습니다") {
			t.Error("an old demo:", got)
		}
		r.add(frame(2, 0))
		if got := see(time.Now()); strings.Contains(got, "없습니다") {
			t.Error(got)
		}
		see(time.Now()) // nothing new, as after a break
		_, changed := f.Heard()
		time.Sleep(quietAfter + time.Second)
		<-changed
		if got, _ := f.Heard(); !strings.Contains(fmt.Sprint(got), "새로 온 단계가 없습니다") {
			t.Error(got)
		}
		time.Sleep(3 * quietAfter)
		if got, _ := f.Heard(); len(got) > 0 {
			t.Error("told again:", got)
		}
		r.Over = true
		see(time.Now())
		time.Sleep(3 * quietAfter)
		if got, _ := f.Heard(); len(got) > 0 {
			t.Error("after the end:", got)
		}
	})
}

// FuzzReel: what is no demo is an error, and nothing else.
func FuzzReel(f *testing.F) {
	r := reel{ID: "x", Lesson: []json.RawMessage{json.RawMessage(`{"Begun":{}}`)}}
	r.add(frame(1, 100))
	f.Add(r.encode(), true)
	f.Add([]byte(`{"id":"x","first":-4,"parts":[{"Prose":1},null,7]}`), false)
	f.Add([]byte(`{"id":"x","first":9007199254740993,"parts":[]}`), false)
	f.Fuzz(func(t *testing.T, raw []byte, packed bool) {
		if !packed {
			var r reel
			_ = json.Unmarshal(raw, &r)
			raw = pack(r)
		}
		got, err := decodeReel(raw)
		if err != nil {
			return
		}
		fl := newFollower()
		fl.take(reel{ID: got.ID, Parts: []json.RawMessage{json.RawMessage(`{"Over":{}}`)}}, true)
		fl.take(got, false)
		fl.take(got, false)
		if heard, _ := fl.Heard(); len(heard) > 2*(len(got.Parts)+len(got.Lesson))+3 {
			t.Errorf("%d events of %d parts", len(heard), len(got.Parts))
		}
	})
}

// TestAReelThatIsTooLarge is not unpacked.
func TestAReelThatIsTooLarge(t *testing.T) {
	bomb := reel{ID: "x", Parts: []json.RawMessage{json.RawMessage(`"` + strings.Repeat("0", mostReel+1) + `"`)}}
	if packed := pack(bomb); len(packed) > MaxDemo {
		t.Fatal(len(packed))
	} else if _, err := decodeReel(packed); err == nil {
		t.Error("unpacked")
	}
	if _, err := decodeReel(make([]byte, MaxDemo+1)); err == nil {
		t.Error("read")
	}
	if _, err := decodeReel([]byte("x")); err == nil {
		t.Error("no archive")
	}
	if _, err := decodeReel(pack(reel{ID: "x", First: -1})); err == nil {
		t.Error("parts before the first")
	}
	noise := make([]byte, 2*MaxDemo)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	noisy := reel{ID: "x", Parts: []json.RawMessage{json.RawMessage(strconv.Quote(hex.EncodeToString(noise)))}}
	if _, err := decodeReel(pack(noisy)); !errors.As(err, new(*outside.SizeError)) {
		t.Errorf("more than may be written: %v", err)
	}
}

// TestConnectionIsTold: that nothing comes, and that it does again, once each; the silence
// of who is gone meanwhile is told then.
func TestConnectionIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFollower()
		defer f.quiet.Stop()
		r := reel{ID: "x"}
		r.add(frame(1, 0))
		f.take(r, true)
		heard := func() string {
			all, _ := f.Heard()
			return fmt.Sprint(all)
		}
		heard()
		for range 3 {
			f.heardOf(errCut)
		}
		if got := heard(); strings.Count(got, "오지 않고 있습니다: 연결이 끊겼습니다") != 1 {
			t.Error(got)
		}
		time.Sleep(2 * quietAfter)
		if got := heard(); got != "[]" {
			t.Error(got)
		}
		f.heardOf(nil)
		f.heardOf(nil)
		if got := heard(); got != "[{다시 연결되었습니다.}]" {
			t.Error(got)
		}
		time.Sleep(quietAfter + time.Second)
		if got := heard(); !strings.Contains(got, "새로 온 단계가 없습니다") {
			t.Error(got)
		}
	})
}

// TestWhoLooksAgain: an object that is older than what was heard tells nothing, one that begins
// where we are has left nothing out, and who hears nothing is not told that nobody steps.
func TestWhoLooksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFollower()
		defer f.quiet.Stop()
		heard := func() (kinds string) {
			for all, _ := f.Heard(); len(all) > 0; all, _ = f.Heard() {
				for _, e := range all {
					kinds += reflect.TypeOf(e).Name() + " "
				}
			}
			return kinds
		}
		old := reel{ID: "x"}
		old.add(play.Begun{Title: "first"})
		old.add(frame(0, 0))
		r := old
		for n := range 3 {
			r.add(frame(n+1, 0))
		}
		see := func(r reel) string {
			obj := &corev1.ConfigMap{BinaryData: map[string][]byte{KeyDemo: r.encode()}}
			obj.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: demoManager + "x", Time: &metav1.Time{Time: time.Now()}}}
			f.see(obj, time.Now())
			return heard()
		}
		if got := see(r); strings.Contains(got, "Note") {
			t.Errorf("a demo that runs is told to be still: %s", got)
		}
		if f.take(old, false) || heard() != "" {
			t.Error("an object of before is told")
		}
		next := r
		next.add(frame(4, 0))
		if next = next.without(len(next.Parts) - 1); next.First != f.next {
			t.Fatal(next.First, f.next)
		}
		if got := see(next); got != "Frame " {
			t.Errorf("nothing is missing, and told is %s", got)
		}
		time.Sleep(quietAfter / 2)
		see(next) // nothing new, as after a break
		time.Sleep(quietAfter/2 + time.Second)
		if got := heard(); got != "Note " {
			t.Errorf("five minutes without a step, and told is %s", got)
		}
		see(r)
		next.add(frame(5, 0))
		see(next)
		f.heardOf(errCut)
		heard()
		time.Sleep(2 * quietAfter)
		if got := heard(); got != "" {
			t.Errorf("who hears nothing is told %s", got)
		}
	})
}

// TestWhoMissesTheBeginning: who was away while a lesson began, of which the beginning does not
// fit any more, is told how it began; and who has heard it is not.
func TestWhoMissesTheBeginning(t *testing.T) {
	r := reel{ID: "x"}
	r.add(play.Begun{Title: "first"})
	r.add(frame(0, 0))
	before := r
	r.add(frame(1, 0))
	r.add(play.Begun{Title: "second"})
	r.add(frame(2, 0))
	begun := r
	for n := range 3 {
		r.add(frame(n+3, 0))
	}
	r = r.without(6)
	for _, c := range []struct {
		has  reel
		want string
	}{{before, "Begun Frame Missed Frame Frame "}, {begun, "Missed Frame Frame "}} {
		f := newFollower()
		f.take(c.has, true)
		for all, _ := f.Heard(); len(all) > 0; all, _ = f.Heard() {
		}
		f.take(r, false)
		got := ""
		for all, _ := f.Heard(); len(all) > 0; all, _ = f.Heard() {
			for _, e := range all {
				got += reflect.TypeOf(e).Name() + " "
			}
		}
		if got != c.want {
			t.Errorf("told is %s, not %s", got, c.want)
		}
	}
}
