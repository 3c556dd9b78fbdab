package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/scenarios"
)

// reports are the scenarios that people's public reports were turned into, with what
// Kubernetes does with each. Where the loop is an HPA's, upstream's controller says the
// same of the recording.
var reports = map[string]reported{
	// A sidecar without requests: no utilization, and the HPA says of which container.
	"h01-sidecar-no-requests": {passes: 6, replicas: "2", reason: "FailedGetResourceMetric", facts: []string{"missing request for cpu in container proxy of Pod"}},
	// autoscaling/v1 is served by every API server, and its 50 % are those of v2.
	"h07-v1": {passes: 7, replicas: "2 4 5", facts: []string{"targetUtilization = 50%"}},
	// A StatefulSet scales; its pods come one after the other.
	"h15-statefulset":     {passes: 9, replicas: "2 4 8 9", facts: []string{"condition/AbleToScale"}},
	"h23-window-too-long": {refused: []string{"h23-window-too-long/objects.yaml:43", "behavior.scaleDown.stabilizationWindowSeconds", "3600"}},
	// The pod's own requests are what the usage of all its containers is compared with.
	"h25-pod-level":                  {passes: 6, replicas: "2 4", facts: []string{"totalRequests = 400m = 200m + 200m"}},
	"h26-native-sidecar-no-requests": {refused: []string{"h26-native-sidecar-no-requests/objects.yaml:20", "컨테이너 proxy에 cpu requests가 없습니다"}},
	"h31-util-and-value":             {refused: []string{"h31-util-and-value/objects.yaml:41", "averageUtilization과 averageValue"}},
	"h34-walkthrough-service":        {passes: 9, replicas: "1 4 8"},
	// What a LimitRange puts into the pods counts as if it were written there.
	"h38-limitrange": {passes: 8, replicas: "2 4 8 9", facts: []string{"totalRequests = 200m"}},
	// The HPA gets what it wants, and the pods do not come: three requests of 100m are all.
	"h39-quota-blocks": {passes: 9, replicas: "2 4 8 9", blocked: "FailedCreate", facts: []string{"exceeded quota: q"}},
	// A pod that is young and not Ready is counted as one that uses nothing.
	"h40-readiness-slow":  {passes: 12, replicas: "2 4 8", facts: []string{"unreadyPods = 2", "unreadyPods = 6"}},
	"h45-cpu-and-memory":  {refused: []string{"h45-cpu-and-memory/objects.yaml:14", "컨테이너 web에 memory requests가 없습니다"}},
	"h46-replicas0":       {passes: 6, replicas: "0", reason: "ScalingDisabled"},
	"h49-two-deployments": {passes: 6, replicas: "2 4", facts: []string{"currentUtilization = 95%"}},
	// One of the pods that the selector finds lacks the container: the metric fails as a whole.
	"h50-container-renamed": {passes: 6, replicas: "2", reason: "FailedGetContainerResourceMetric", facts: []string{"container app not found in Pod"}},
	"v14-no-pods":           {loop: "vpa", passes: 3},
	"v24-pod-level":         {loop: "vpa", passes: 6},
}

// reported is what comes of a scenario.
type reported struct {
	refused []string // the words of the checker, which lets it not begin; or
	loop    string   // hpa, if nothing is said
	passes  int

	replicas string   // that the HPA decides for, one after the other
	reason   string   // of the condition that says why it cannot decide, of every pass
	blocked  string   // what the last row names where the pods do not come
	facts    []string // words that some fact has in its value or its arithmetic
}

const reportsDir = "testdata/reports"

// TestPublicReports runs every one of them on the embedded cluster, or is refused.
func TestPublicReports(t *testing.T) {
	t.Parallel()
	names, err := scenarios.List(os.DirFS(reportsDir))
	if err != nil {
		t.Fatal(err)
	}
	for name := range reports {
		if !slices.Contains(names, name) {
			t.Errorf("%s is not there", name)
		}
	}
	a := simulatedApp(t)
	for _, name := range names {
		want, ok := reports[name]
		if !ok {
			t.Errorf("nobody says what comes of %s", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			if want.refused != nil {
				want.isRefused(t, name)
				return
			}
			want.runs(t, a, reportsDir, name)
		})
	}
}

// TestVariantsOfReports are what reports do not show: a ReplicaSet of somebody's own, and a
// native sidecar that has requests, which count.
func TestVariantsOfReports(t *testing.T) {
	t.Parallel()
	a := simulatedApp(t)
	for name, c := range map[string]struct {
		of      string
		replace []string
		want    reported
	}{
		"a ReplicaSet":     {"h15-statefulset", []string{"kind: StatefulSet", "kind: ReplicaSet", "  serviceName: web\n", ""}, reported{passes: 9, replicas: "2 4 8 9", facts: []string{"condition/AbleToScale"}}},
		"a native sidecar": {"h26-native-sidecar-no-requests", []string{"restartPolicy: Always", "restartPolicy: Always\n        resources: {requests: {cpu: 100m}}"}, reported{passes: 5, replicas: "2 4", facts: []string{"totalRequests = 400m"}}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(filepath.Join(dir, "variant"), os.DirFS(filepath.Join(reportsDir, c.of))); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, "variant", "objects.yaml")
			objects, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(strings.NewReplacer(c.replace...).Replace(string(objects))), 0o600); err != nil {
				t.Fatal(err)
			}
			c.want.runs(t, a, dir, "variant")
		})
	}
}

func (r reported) isRefused(t *testing.T, name string) {
	t.Helper()
	_, err := scenarios.Load(os.DirFS(reportsDir), name)
	if err == nil {
		t.Fatal("it is not refused")
	}
	for _, want := range r.refused {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not said: %v", want, err)
		}
	}
}

func (r reported) runs(t *testing.T, a *app, dir, name string) {
	t.Helper()
	loop := r.loop
	if loop == "" {
		loop = "hpa"
	}
	file, rows := record(t, a, name, runOptions{loop: loop, until: "pass=" + strconv.Itoa(r.passes), scenarios: dir})
	var decided, reasons, told []string
	if err := readRecording(t.Context(), file, func(_ int, f trace.Frame) error {
		for _, fact := range f.Facts {
			told = append(told, fact.Name+" = "+fact.Value+" = "+fact.Expr)
			switch {
			case fact.Name == "desiredReplicas" && f.Step == "hpa/3-scale/update":
				decided = append(decided, fact.Value)
			case fact.Name == "conditionReason" && f.Step == "hpa/3-scale/update":
				reasons = append(reasons, fact.Value)
			}
		}
		for _, c := range loops[loop].Trespasses(f) {
			t.Errorf("pass %d, %s: %s did %s %s", f.Pass, f.Step, c.Actor, c.Verb, c.Path)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(slices.Compact(decided), " "); got != r.replicas {
		t.Errorf("it decides for %q, want %q", got, r.replicas)
	}
	if r.reason != "" && (len(reasons) != r.passes || len(slices.Compact(reasons)) != 1 || reasons[0] != r.reason) {
		t.Errorf("the reasons are %v, want %d times %s", reasons, r.passes, r.reason)
	}
	for _, want := range r.facts {
		if !slices.ContainsFunc(told, func(s string) bool { return strings.Contains(s, want) }) {
			t.Errorf("no fact has %q", want)
		}
	}
	t.Log(rows)
	last := strings.TrimSpace(rows[strings.LastIndex(strings.TrimSpace(rows), "\n")+1:])
	if r.blocked != "" && (!strings.HasSuffix(last, r.blocked) || strings.Contains(last, "유지")) {
		t.Errorf("the last row does not name %s: %s", r.blocked, last)
	}
	if loop == "hpa" {
		agrees(t, a, file, r.passes)
	}
}

// record runs a scenario and returns the file with its recording, and the screen.
func record(t *testing.T, a *app, scenario string, o runOptions) (file, screen string) {
	t.Helper()
	var out bytes.Buffer
	a.out, a.errOut = &out, &out
	o.record, o.output = filepath.Join(t.TempDir(), "run.jsonl"), "text"
	if err := a.run(t.Context(), scenario, o); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return o.record, out.String()
}

// agrees lets upstream's controller decide a recording again.
func agrees(t *testing.T, a *app, file string, decisions int) {
	t.Helper()
	var out bytes.Buffer
	a.out, a.errOut = &out, &out
	err := a.verify(context.WithoutCancel(t.Context()), file, "text")
	if said := "결정 " + strconv.Itoa(decisions) + "개가 모두 같습니다"; err != nil || !strings.Contains(strings.Join(strings.Fields(out.String()), " "), said) {
		t.Errorf("upstream does not agree: %v\n%s", err, out.String())
	}
}
