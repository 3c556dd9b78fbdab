package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/trace"
)

// recording is a sound one of so many decisions, each of which leaves things as they are.
func recording(t *testing.T, decisions int) []trace.Frame {
	t.Helper()
	start := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	object := &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "ns", UID: "1"}}
	object.Spec = autoscalingv2.HorizontalPodAutoscalerSpec{MinReplicas: new(int32(1)), MaxReplicas: 10,
		ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"},
		Metrics: []autoscalingv2.MetricSpec{{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{
			Name: corev1.ResourceCPU, Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: new(int32(50))}}}}}
	var frames []trace.Frame
	var memory hpa.History
	for i := range decisions {
		now := start.Add(time.Duration(i) * 15 * time.Second)
		in := hpa.Input{Now: now, HPA: object.DeepCopy(), SpecReplicas: 1, StatusReplicas: 1, Selector: "app=web", Pods: []*corev1.Pod{runningPod(start.Add(-time.Hour))},
			Metrics: []hpa.MetricData{{Timestamp: now, Pods: map[string]hpa.PodMetric{"web-1": {Timestamp: now, Window: 15 * time.Second, Value: 50}}}}}
		inputs, err := json.Marshal(hpa.Recorded{Params: hpa.DefaultParams(), Input: in, History: memory})
		if err != nil {
			t.Fatal(err)
		}
		r := hpa.DecideAndWrite(hpa.DefaultParams(), in, &memory, nil)
		object.Status = r.Status
		f := trace.Frame{Pass: i + 1, Step: hpa.UpdateStep, Subject: "ns/web", At: now, Inputs: inputs}
		f.Add("desiredReplicas", fmt.Sprint(r.Desired), "")
		frames = append(frames, f)
	}
	return frames
}

func runningPod(since time.Time) *corev1.Pod {
	at := metav1.NewTime(since)
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web-1", Namespace: "ns", Labels: map[string]string{"app": "web"}, CreationTimestamp: at},
		Spec:   corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m")}}}}},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, StartTime: &at, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: at}}}}
}

func lines(t *testing.T, frames []trace.Frame) []string {
	t.Helper()
	var b bytes.Buffer
	for _, f := range frames {
		if err := f.Write(&b); err != nil {
			t.Fatal(err)
		}
	}
	return strings.SplitAfter(strings.TrimSuffix(b.String(), "\n"), "\n")
}

const (
	resourceMetric = `"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":50}}`
	alike          = "both controllers decide the same from it"
)

// brokenRecordings are the bad values of what is in a line; @ is the value.
var brokenRecordings = []struct{ part, with, values, fine string }{
	{`"HPA":{`, `"HPA":@,"x":{`, "null 1 []", ""}, {`"Pods":[{`, `"Pods":[@,{`, "null 1 [] text", ""}, {`"Metrics":[{`, `"Metrics":[@,{`, "null 1 []", ""}, {`"Metrics":[{`, `"Metrics":@,"x":[{`, "null 1 {}", ""},
	{`"metrics":[{` + resourceMetric + `}]`, `"metrics":[{"type":"@"}]`, "Resource ContainerResource Pods Object External Nothing {osc}", ""},
	{`"metrics":[{` + resourceMetric + `}]`, `"metrics":[@]`, `null {} {"type":"Pods","pods":{}} {"type":"Object","object":{}} {"type":"External","external":{}} {"type":"ContainerResource","containerResource":{}} {"type":"Resource","resource":{}}`, ""},
	{`"target":{"type":"Utilization","averageUtilization":50}`, `"target":@`, `null {} {"type":"Value"} {"type":"Utilization","averageUtilization":0} {"type":"AverageValue","averageValue":"0"} {"type":"AverageValue","averageValue":"x"} {"averageUtilization":-1}`, ""},
	{`"minReplicas":1`, `"minReplicas":@`, "x -1 99999999999 1.5", alike}, {`"maxReplicas":10`, `"maxReplicas":@`, "x -5 0 99999999999", alike}, {`"SpecReplicas":1`, `"SpecReplicas":@`, "x -1 99999999999 2147483647", alike},
	{`"StatusReplicas":1`, `"StatusReplicas":@`, "x 99999999999", alike}, {`"Selector":"app=web"`, `"Selector":@`, `1 "" "{osc}" "a=b=c" "!!"`, alike}, {`"Now":"2026-11-02T09:00:00Z"`, `"Now":@`, `null 1 "" "yesterday" "0001-01-01T00:00:00Z" "9999-12-31T23:59:59Z" "1999-01-01T00:00:00Z"`, ""},
	{`"SyncPeriod":15000000000`, `"SyncPeriod":@`, "x -1 0 1e30", alike}, {`"Tolerance":0.1`, `"Tolerance":@`, "x -1 1e400 NaN", alike}, {`"ScaleUpLimitFactor":2`, `"ScaleUpLimitFactor":@`, "x -1 1e300", alike}, {`"DownscaleStabilization":300000000000`, `"DownscaleStabilization":@`, "x -1 9223372036854775807", alike},
	{`"params":`, `"params":@,"y":`, "null 1 []", ""}, {`"input":`, `"input":@,"y":`, "null 1 [] {}", ""}, {`"history":`, `"history":@,"y":`, `1 [] {"Recommendations":[{"Replicas":5,"Time":"2026-11-02T08:59:00Z"}]}`, ""}, {`"inputs":{`, `"inputs":@,"y":{`, `1 [] "text" {}`, ""},
	{`"Value":50`, `"Value":@`, "x 1e30 9223372036854775808", alike}, {`"cpu":"100m"`, `"cpu":@`, `"x" "-1" [] "99999999999999999999"`, alike}, {`"phase":"Running"`, `"phase":@`, `1 [] "{osc}"`, alike}, {`"scaleTargetRef":{`, `"scaleTargetRef":@,"x":{`, "null 1 []", ""},
	{`"name":"web","namespace"`, `"name":@,"namespace"`, `1 "" "{osc}" null`, alike}, {`"value":"1"`, `"value":@`, `"x" "{osc}" "99"`, ""}, {`{"pass":1`, `{"pass":@`, "x -1 99999999999999999999", alike}, {`"at":"2026-11-02T09:00:00Z"`, `"at":@`, `1 "" "yesterday"`, ""}, {`"step":"`, `"step":@,"y":"`, `1 [] ""`, ""},
}

func recordingRows(t *testing.T) (rows []input) {
	verify := []string{"verify", "web.jsonl"}
	add := func(name, text string) *input {
		rows = append(rows, input{name: name, argv: verify, files: map[string]string{"web.jsonl": text}})
		return &rows[len(rows)-1]
	}
	all := lines(t, recording(t, 4))
	whole := strings.Join(all, "")
	for _, b := range brokenRecordings {
		for value := range strings.FieldsSeq(b.values) {
			with := strings.Replace(b.with, "@", hostile.Replace(value), 1)
			if in := add(b.part+" → "+value, swap(whole, b.part, with)); json.Valid([]byte(value)) {
				in.fine = b.fine
			}
		}
	}
	later := lines(t, recording(t, 8))
	for name, text := range map[string]string{
		"torn": whole[:len(whole)-40], "two recordings": whole + "\n" + whole, "two in a line": strings.Replace(whole, "\n", "", 1), "reversed": all[1] + all[0], "its end only": strings.Join(later[4:], ""),
		"a line twice": all[0] + all[0], "another after it": whole + "\n" + strings.Join(later[:2], ""), "an array": "[" + strings.Join(all, ",") + "]", "no newline at the end": all[0] + "{", "text after it": whole + "\ntrailing", "a recording of the VPA": strings.ReplaceAll(whole, "hpa/", "vpa/"),
		"escape in a fact": strings.ReplaceAll(whole, "desiredReplicas", "desired\\u001b]52;c;aGk=\\u0007"), "null lines": "null\nnull\n" + whole, "a name with an escape": strings.ReplaceAll(whole, `"name":"web"`, `"name":"\u001b[2Jweb"`),
	} {
		add(name, text)
	}
	far := strings.ReplaceAll(later[7], "2026-11-02", "2026-12-31")
	add("a hole", later[0]+strings.Join(later[5:], "")).fine = alike
	for name, in := range map[string]*input{"sound": add("sound", whole), "sixty days between": add("sixty days between", strings.Join(later[:7], "")+far), "twenty years between": add("twenty years between", strings.Join(later[:7], "")+strings.ReplaceAll(far, "2026-12-31", "2046-12-31"))} {
		in.fine = "its decisions are compared: " + name
	}
	return rows
}
