package handout_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/handout"
	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/engine/trace"
)

// recorded is a loop of that many passes, which scales up in the third and fails in the fifth.
func recorded(t *testing.T, passes int) (*recording.Recording, []byte) {
	t.Helper()
	var frames []trace.Frame
	for pass := 1; pass <= passes; pass++ {
		f := trace.Frame{Pass: pass, Step: "hpa/2-replicas/ratio", Actor: "hpa-controller", At: time.Date(2026, 1, 2, 3, 4, 15*pass, 0, time.UTC)}
		f.Add("currentReplicas", "2", "")
		f.Add("currentUtilization", fmt.Sprintf("%d%%", 40+pass), "a < b & \"c\"")
		f.Add("targetUtilization", "50%", "")
		f.Add("desiredReplicas", "2", "")
		switch pass {
		case 3:
			f.Changes = []trace.Change{{Object: "deployment/web", Field: "spec.replicas", From: "2", To: "4"}}
		case 5:
			f.Err = "<실패>"
		}
		frames = append(frames, f)
	}
	return written(t, frames), raw(t, frames)
}

func raw(t *testing.T, frames []trace.Frame) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, f := range frames {
		if err := f.Write(&b); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// written is the recording of frames.
func written(t *testing.T, frames []trace.Frame) *recording.Recording {
	t.Helper()
	b := raw(t, frames)
	r, err := recording.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func made(t *testing.T, passes int) (r *handout.Report, html string) {
	t.Helper()
	rec, raw := recorded(t, passes)
	r, err := handout.Make(t.Context(), rec, "제목 <b>", []string{"한 문장."})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.WriteHTML(&b, bytes.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
	return r, b.String()
}

// TestChartsAreDrawnAndTold: as a picture whose XML is whole, as a table, and as a sentence.
func TestChartsAreDrawnAndTold(t *testing.T) {
	r, html := made(t, 8)
	if len(r.Charts) != 2 || len(r.Table.Rows) != 8 || len(r.Shown) != 3 {
		t.Fatalf("%d charts, %d passes, %d written out", len(r.Charts), len(r.Table.Rows), len(r.Shown))
	}
	for _, c := range r.Charts {
		d := xml.NewDecoder(strings.NewReader(string(c.SVG())))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v in %s", c.Title, err, c.SVG())
			}
		}
	}
	usage := r.Charts[1]
	if rows := usage.Rows(); len(rows) != 7 || strings.Join(rows[6], " ") != "+01:45 48% 50%" {
		t.Errorf("%q", rows)
	}
	if rows := r.Charts[0].Rows(); len(rows) != 2 { // of what does not change, the ends
		t.Errorf("%q", rows)
	}
	if says := usage.Says(); !strings.Contains(says, "41%에서 시작해 가장 낮을 때 41%, 가장 높을 때 48%, 끝에 48%") {
		t.Error(says)
	}
	// In steps, from 41 of 52.
	if svg := string(usage.SVG()); !strings.Contains(svg, `class="row0" d="M88.0 55.0H176.6V51.3`) || !strings.Contains(svg, `class="row1" d="M88.0 `) {
		t.Error(svg)
	}
	if strings.Count(html, `role="img"`) != 2 || strings.Count(html, "표로 보기") != 2 || strings.Count(html, "<h1>") != 1 {
		t.Error(html)
	}
	for _, want := range []string{"제목 &lt;b&gt;", "a &lt; b &amp; ", "&lt;실패&gt;", "바뀐 것: deployment/web spec.replicas: 2 → 4"} {
		if !strings.Contains(html, want) {
			t.Errorf("%q is not in the page", want)
		}
	}
}

// TestRecordingComesOut of the page as it went in, and of nothing else.
func TestRecordingComesOut(t *testing.T) {
	_, html := made(t, 3)
	_, in := recorded(t, 3)
	if !handout.IsPage([]byte(html)) || handout.IsPage([]byte(`{"pass":1}`)) {
		t.Error("a page is not told from a recording")
	}
	inside, err := handout.Recording([]byte(html))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := io.ReadAll(inside); err != nil || !bytes.Equal(out, in) {
		t.Errorf("%v, %d bytes came out of %d", err, len(out), len(in))
	}
	for _, bad := range []string{"", "<!doctype html>", strings.Replace(html, "x-stepscale-recording", "x-other", 1), strings.Replace(html, `x-stepscale-recording">K`, `x-stepscale-recording">*`, 1),
		strings.Replace(html, `x-stepscale-recording">K`, `x-stepscale-recording">L`, 1)} {
		inside, err := handout.Recording([]byte(bad))
		if err == nil {
			_, err = io.ReadAll(inside)
		}
		if !errors.Is(err, handout.ErrNoRecording) {
			t.Errorf("%.40q: %v", bad, err)
		}
	}
}

// TestAPassIsAllThereIs: no chart of a single point, and no panic.
func TestAPassIsAllThereIs(t *testing.T) {
	r, html := made(t, 1)
	if len(r.Charts) != 0 || !strings.Contains(html, "모든 패스") {
		t.Errorf("%d charts", len(r.Charts))
	}
}
