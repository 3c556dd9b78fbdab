package recording_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/engine/trace"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// surge is a small recording: 2, 2, 4, 4, 8 replicas over five passes of two steps.
func surge(t testing.TB, h *recording.Header) ([]trace.Frame, []byte) {
	t.Helper()
	var frames []trace.Frame
	for i, n := range []int{2, 2, 4, 4, 8} {
		at := epoch.Add(time.Duration(i) * 15 * time.Second)
		read := trace.Frame{Pass: i + 1, Step: "hpa/1-metrics/read", Subject: "ns/web", At: at}
		read.Add("currentUtilization", fmt.Sprintf("%d%%", 40+10*i), "")
		read.Add("window", []string{"15s", "1m", "2m", "90s", "1h"}[i], "")
		read.Add("podMetric/web-1", fmt.Sprintf("%dm", 40+10*i), "")
		write := trace.Frame{Pass: i + 1, Step: "hpa/3-scale/update", Subject: "ns/web", At: at}
		write.Add("currentReplicas", fmt.Sprint(n), "")
		write.Add("desiredReplicas", fmt.Sprint([]int{2, 4, 4, 8, 8}[i]), "")
		write.Add("condition/AbleToScale", "True ReadyForNewScale", "")
		if i == 4 {
			write.Add("condition/ScalingLimited", "True ScaleDownStabilized", "") // as the engine tells conditions
		}
		if i%2 == 1 {
			write.Changes = []trace.Change{{Object: "deployment/web", Field: "spec.replicas", From: fmt.Sprint(n), To: fmt.Sprint(2 * n)}}
		} else {
			write.Changes = []trace.Change{{Object: "hpa/web", Field: "status.currentReplicas", From: "1", To: fmt.Sprint(n)}}
		}
		frames = append(frames, read, write)
	}
	var b bytes.Buffer
	if h != nil {
		if err := h.Write(&b); err != nil {
			t.Fatal(err)
		}
	}
	for i := range frames {
		if err := frames[i].Write(&b); err != nil {
			t.Fatal(err)
		}
	}
	return frames, b.Bytes()
}

func open(t testing.TB, b []byte) *recording.Recording {
	t.Helper()
	r, err := recording.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOpen(t *testing.T) {
	for name, h := range map[string]*recording.Header{"with a header": {Loop: "hpa", Scenario: &recording.Scenario{Name: "web", Objects: "a: b\n"}, Virtual: true}, "of old": nil} {
		frames, b := surge(t, h)
		r := open(t, b)
		if r.Len() != len(frames) {
			t.Fatalf("%s: %d frames, want %d", name, r.Len(), len(frames))
		}
		for i, want := range frames {
			got, err := r.Frame(i)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: frame %d: %+v, %v", name, i, got, err)
			}
			row := r.Row(i)
			lines := 1
			if h != nil {
				lines = 2
			}
			if row.Step != want.Step || row.Pass != want.Pass || !row.At.Equal(want.At) || row.Line != i+lines || row.Moved != (i == 3 || i == 7) {
				t.Errorf("%s: row %d: %+v", name, i, row)
			}
		}
		if first, end := r.Pass(3); first != 4 || end != 6 {
			t.Errorf("%s: pass 3 is %d to %d", name, first, end)
		}
		if first, end := r.Pass(6); first != end {
			t.Errorf("%s: there is a pass 6", name)
		}
		if h != nil && (r.Header.Loop != "hpa" || *r.Header.Scenario != *h.Scenario || !r.Header.Virtual || r.Header.Recording != recording.Version) {
			t.Errorf("the header is %+v", r.Header)
		}
	}
}

// TestNewerFormatIsRefused and what it does not know of ours is ignored.
func TestNewerFormatIsRefused(t *testing.T) {
	_, frames := surge(t, nil)
	newer := append([]byte(fmt.Sprintf("{\"recording\":%d}\n", recording.Version+1)), frames...)
	if _, err := recording.Open(bytes.NewReader(newer), int64(len(newer))); !errors.Is(err, recording.ErrNewer) {
		t.Errorf("a newer format: %v", err)
	}
	same := append([]byte(fmt.Sprintf("{\"recording\":%d,\"weather\":{\"a\":1}}\n", recording.Version)), frames...)
	if r := open(t, same); r.Len() != 10 {
		t.Errorf("%d frames", r.Len())
	}
}

// TestCutAnywhere loses the last frame at most, and says which line was cut.
func TestCutAnywhere(t *testing.T) {
	frames, b := surge(t, &recording.Header{Loop: "hpa"})
	begin := bytes.IndexByte(b, '\n') + 1
	for n := begin; n < len(b); n++ {
		whole := bytes.Count(b[begin:n], []byte("\n"))
		r, err := recording.Open(bytes.NewReader(b[:n]), int64(n))
		if err != nil {
			if whole > 0 || n == begin {
				t.Fatalf("cut at %d: %v", n, err)
			}
			continue
		}
		if complete := n+1 < len(b) && b[n] == '\n'; complete && r.Len() == whole+1 { // only its newline is missing
			continue
		}
		if n == len(b)-1 && r.Len() == len(frames) {
			continue
		}
		torn := b[n-1] != '\n'
		if r.Len() != whole || torn != (r.Torn != nil) {
			t.Fatalf("cut at %d: %d frames of %d whole lines, torn: %v", n, r.Len(), whole, r.Torn)
		}
		if torn && r.Torn.Line != whole+2 {
			t.Fatalf("cut at %d: line %d is named, want %d", n, r.Torn.Line, whole+2)
		}
	}
}

func TestConditions(t *testing.T) {
	_, b := surge(t, nil)
	r := open(t, b)
	for text, want := range map[string][]int{
		"replicas>2":                      {5, 7, 9},
		"replicas >= 8":                   {9},
		"currentReplicas<=2":              {1, 3},
		"desired!=current":                {3, 7},
		"desired = current":               {1, 5, 9},
		"reason=ScaleDownStabilized":      {9},
		"reason==ReadyForNewScale":        {1, 3, 5, 7, 9},
		"currentUtilization>55":           {4, 6, 8},
		"currentUtilization > 70%":        {8},
		"podMetric(web-1) >= 0.06":        {4, 6, 8},
		"podMetric(web-1)<60m":            {0, 2},
		"currentReplicas changed":         {5, 9},
		"window>=2m":                      {4, 8},
		"window>60s":                      {4, 6, 8},
		"window=60s":                      {2},
		"replicas 바뀜":                     {5, 9},
		"conditionReason changed":         {9},
		"currentUtilization=nothing":      nil,
		"currentUtilization!=nothing":     {0, 2, 4, 6, 8},
		"podMetric/web-1=currentReplicas": nil,
	} {
		c, err := r.Condition(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got []int
		for from := 0; ; {
			i, ok := r.Find(c, from)
			if !ok {
				break
			}
			got = append(got, i)
			from = i + 1
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	for text, want := range map[string]error{
		"":                  recording.ErrCondition,
		"replicas":          recording.ErrCondition,
		"replicas 5":        recording.ErrCondition,
		"weather>5":         recording.ErrFact,
		"weather changed":   recording.ErrFact,
		"replicas>many":     recording.ErrOrder,
		"replicas >":        recording.ErrCondition,
		">5":                recording.ErrCondition,
		"currentReplicas<=": recording.ErrCondition,
	} {
		if _, err := r.Condition(text); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
}

func TestFrameOfAChangedFile(t *testing.T) {
	_, b := surge(t, nil)
	file := bytes.Clone(b)
	r := open(t, file)
	copy(file, strings.Replace(string(b), `"pass":1`, `"pass":7`, 1))
	if _, err := r.Frame(0); err == nil {
		t.Error("another frame is taken for the one that was there")
	}
}

// TestNothingButATornLine: a file that ends in its first line holds no frame, and is no
// recording of none.
func TestNothingButATornLine(t *testing.T) {
	_, b := surge(t, nil)
	if r, err := recording.Open(bytes.NewReader(b[:40]), 40); !errors.Is(err, recording.ErrTorn) {
		t.Errorf("%v, %v", r, err)
	}
}
