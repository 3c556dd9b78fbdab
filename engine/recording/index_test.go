package recording_test

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/engine/trace"
)

// sameRecording tells of the first thing that two recordings do not say alike.
func sameRecording(t *testing.T, got, want *recording.Recording) {
	t.Helper()
	if !reflect.DeepEqual(got.Header, want.Header) || got.Len() != want.Len() || !reflect.DeepEqual(got.Names(), want.Names()) {
		t.Fatalf("%d frames, %+v, %v; want %d, %+v, %v", got.Len(), got.Header, got.Names(), want.Len(), want.Header, want.Names())
	}
	for i := range want.Len() {
		a, b := got.Row(i), want.Row(i)
		if !a.At.Equal(b.At) || a.At.Format(time.RFC3339Nano) != b.At.Format(time.RFC3339Nano) {
			t.Fatalf("frame %d is at %s, want %s", i, a.At, b.At)
		}
		if a.At = b.At; a != b {
			t.Fatalf("frame %d: %+v, want %+v", i, a, b)
		}
		f, err := got.Frame(i)
		g, errWant := want.Frame(i)
		if err != nil || errWant != nil || !reflect.DeepEqual(f, g) {
			t.Fatalf("frame %d: %+v, %v; want %+v, %v", i, f, err, g, errWant)
		}
	}
	for _, name := range want.Names() {
		if !reflect.DeepEqual(got.Values(name), want.Values(name)) {
			t.Fatalf("%s: %v, want %v", name, got.Values(name), want.Values(name))
		}
	}
}

// indexed is a recording and its index; in its frames is what makes rows differ.
func indexed(t *testing.T) (file, index []byte) {
	t.Helper()
	_, file = surge(t, &recording.Header{Loop: "hpa", Made: epoch, Scenario: &recording.Scenario{Name: "web"}, Steps: []trace.StepID{"a/b"}})
	var b bytes.Buffer
	for i, f := range []trace.Frame{
		{Pass: 6, Step: "hpa/3-scale/update", Subject: "ns/다른", At: time.Date(9999, 1, 2, 3, 4, 5, 999_999_999, time.FixedZone("", 9*3600+1800))},
		{Pass: 6, Step: "hpa/3-scale/update", Err: "실패", At: epoch},
	} {
		if err := f.Write(&b); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			b.WriteString("\n  \n") // a line that is blank counts
		}
	}
	file = append(file, b.Bytes()...)
	index, err := open(t, file).Index()
	if err != nil || !recording.IsIndex(index) {
		t.Fatalf("%v, %.30q", err, index)
	}
	return file, index
}

func openIndexed(t *testing.T, file, index []byte) (*recording.Recording, bool) {
	t.Helper()
	r, used, err := recording.OpenIndexed(bytes.NewReader(file), int64(len(file)), index)
	if err != nil {
		t.Fatal(err)
	}
	return r, used
}

func TestIndexSaysTheSame(t *testing.T) {
	file, index := indexed(t)
	r, used := openIndexed(t, file, index)
	if !used {
		t.Error("the index is not used")
	}
	sameRecording(t, r, open(t, file))
	if again, err := r.Index(); err != nil || !bytes.Equal(again, index) {
		t.Errorf("its index is another one: %v", err)
	}
}

// TestDamagedIndexIsNotBelieved: whatever is done to it, what is opened is the recording.
func TestDamagedIndexIsNotBelieved(t *testing.T) {
	file, index := indexed(t)
	want := open(t, file)
	rng := rand.New(rand.NewPCG(1, 0))
	for range 2000 {
		broken := bytes.Clone(index)
		switch rng.IntN(3) {
		case 0:
			broken = broken[:rng.IntN(len(broken))]
		case 1:
			broken[rng.IntN(len(broken))] ^= byte(1 + rng.IntN(255))
		default:
			broken = append(broken, byte(rng.IntN(256)))
		}
		r, used := openIndexed(t, file, broken)
		if used {
			t.Fatal("a damaged index is used")
		}
		if r.Len() != want.Len() {
			t.Fatalf("%d frames", r.Len())
		}
	}
}

// TestStaleIndexIsNotBelieved: a recording that was edited and is as long as before, has
// grown or was cut is another one, even where its first and its last line are the same.
func TestStaleIndexIsNotBelieved(t *testing.T) {
	file, index := indexed(t)
	middle := bytes.Replace(file, []byte(`"value":"8"`), []byte(`"value":"9"`), 1)
	grown := append(bytes.Clone(file), []byte(`{"pass":7,"step":"a/b"}`+"\n")...)
	cut := file[:bytes.LastIndexByte(file[:len(file)-1], '\n')+1]
	for name, other := range map[string][]byte{"edited": middle, "grown": grown, "cut": cut} {
		r, used := openIndexed(t, other, index)
		if used || bytes.Equal(other, file) {
			t.Errorf("%s: the old index is used", name)
		}
		sameRecording(t, r, open(t, other))
	}
	if torn, err := open(t, file[:len(file)-10]).Index(); torn != nil || err != nil {
		t.Errorf("a torn recording has an index: %v", err)
	}
}

// heap is what is held after the garbage was taken out.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// long is a recording of that many frames, of a size that an HPA's have.
func long(t testing.TB, n int) []byte {
	t.Helper()
	frames, _ := surge(t, nil)
	var all bytes.Buffer
	pad := bytes.Repeat([]byte("x"), 1000)
	for i := range n {
		f := frames[i%len(frames)]
		f.Pass, f.Inputs = i/2+1, append(append([]byte(`"`), pad...), '"')
		if err := f.Write(&all); err != nil {
			t.Fatal(err)
		}
	}
	return all.Bytes()
}

// BenchmarkOpen holds a recording of 100,000 frames to what somebody waits for: 150 ms to
// open it with its index and 3 s without, 10 ms for a jump, 100 ms to find out that a
// condition is never so, and 150 MB.
func BenchmarkOpen(b *testing.B) {
	file := long(b, 100_000)
	index, err := open(b, file).Index()
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d MB, its index %d KB", len(file)>>20, len(index)>>10)
	r := open(b, file)
	b.Run("scan", func(b *testing.B) {
		for b.Loop() {
			r = open(b, file)
		}
	})
	b.Run("indexed", func(b *testing.B) {
		r = nil
		before := heap()
		for b.Loop() {
			r, _, err = recording.OpenIndexed(bytes.NewReader(file), int64(len(file)), index)
			if err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(int64(heap()-before))/(1<<20), "MB-held")
	})
	b.Run("continue", func(b *testing.B) {
		c, err := r.Condition("replicas>9")
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if i, ok := r.Find(c, 0); ok {
				b.Fatal(i)
			}
		}
	})
	b.Run("jump", func(b *testing.B) {
		for b.Loop() {
			if _, err := r.Frame(r.Len() / 2); err != nil {
				b.Fatal(err)
			}
		}
	})
}
