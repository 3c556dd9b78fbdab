package trace_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

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
	got, err := trace.Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestReadNamesTheBrokenLine(t *testing.T) {
	got, err := trace.Read(strings.NewReader("{\"pass\":1}\n{broken\n"))
	if err == nil || !strings.HasPrefix(err.Error(), "line 2:") {
		t.Errorf("error %v, want line 2", err)
	}
	if len(got) != 1 {
		t.Errorf("%d frames before the broken line, want 1", len(got))
	}
}
