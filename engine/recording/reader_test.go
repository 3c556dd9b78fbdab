package recording_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/engine/trace"
)

func TestRecordingRoundTrip(t *testing.T) {
	want := []trace.Frame{
		{
			Pass: 1, Step: "hpa/2-replicas/ratio", Subject: "ns/web", Actor: "hpa-controller", At: time.Unix(100, 0).UTC(),
			Facts:   []trace.Fact{{Name: "usageRatio", Value: "1.9", Expr: "95 / 50"}},
			Changes: []trace.Change{{Object: "deployment/web", Field: "spec.replicas", From: "2", To: "4"}},
			Calls:   []trace.Call{{Actor: "hpa-controller", Verb: "GET", Path: "/x", Status: 200, Latency: time.Millisecond}},
			Waiting: []trace.Waiting{{Actor: "scheduler", Verb: "POST", Path: "/y"}},
			Inputs:  []byte(`{"a":1}`),
		},
		{Pass: 2, Step: "hpa/3-scale/update", Err: "실패"},
	}
	var b bytes.Buffer
	for i := range want {
		if err := want[i].Write(&b); err != nil {
			t.Fatal(err)
		}
	}
	got, err := recording.Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestReadNamesTheBrokenLine(t *testing.T) {
	const good = `{"pass":1,"step":"a/b"}` + "\n"
	for name, c := range map[string]struct {
		recording string
		line      int
		want      error // nil: any
	}{
		"broken":           {good + "{broken\n" + good, 2, nil},
		"blank lines":      {good + "\n \n{broken\n", 4, nil},
		"torn":             {good + good + `{"pass":2,"st`, 3, recording.ErrTorn},
		"torn in a letter": {good + `{"pass":2,"step":"` + "\xec\x95", 2, recording.ErrTorn},
		"not UTF-8":        {good + "{\"pass\":2,\"step\":\"\xff\"}\n", 2, recording.ErrUTF8},
		"no frame":         {good + "{}\n", 2, recording.ErrStep},
		"no frame, torn":   {good + "{}", 2, recording.ErrStep},
	} {
		frames, err := recording.Read(strings.NewReader(c.recording))
		var at *recording.LineError
		if !errors.As(err, &at) || at.Line != c.line || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v; want %v at line %d", name, err, c.want, c.line)
		}
		if len(frames) == 0 || frames[0].Step != "a/b" {
			t.Errorf("%s: the frames before are lost: %v", name, frames)
		}
	}
	if frames, err := recording.Read(strings.NewReader(strings.TrimSuffix(good+good, "\n") + "\n\n")); err != nil || len(frames) != 2 {
		t.Errorf("%d frames, %v", len(frames), err)
	}
	if frames, err := recording.Read(strings.NewReader(strings.TrimSuffix(good, "\n"))); err != nil || len(frames) != 1 {
		t.Errorf("without the last newline: %d frames, %v", len(frames), err)
	}
}
