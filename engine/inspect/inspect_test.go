package inspect

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func fixtures(t *testing.T, pattern string, atLeast int) map[string]*Snapshot {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(files) < atLeast {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	all := map[string]*Snapshot{}
	for _, file := range files {
		all[strings.TrimSuffix(filepath.Base(file), ".yaml")] = fixture(t, file)
	}
	return all
}

// rulesOf are the rules that found something, each once.
func rulesOf(found []Finding) []string {
	var ids []string
	for _, f := range found {
		ids = append(ids, f.Rule)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// TestPlantedFaults: the fault in the file's name is found, and nothing else.
func TestPlantedFaults(t *testing.T) {
	covered := map[string]bool{}
	for name, s := range fixtures(t, "faulty/*.yaml", 20) {
		rule, _, _ := strings.Cut(name, ".")
		covered[rule] = true
		found := Inspect(s).Findings
		if got := rulesOf(found); !slices.Equal(got, []string{rule}) {
			t.Errorf("%s: found %v", name, got)
		}
		for _, f := range found {
			if len(f.Evidence) == 0 || f.What == "" || f.Fix == "" || !strings.HasPrefix(f.Command, "kubectl ") || f.Object.Name == "" || f.Ref == "" {
				t.Errorf("%s: advice without evidence, or half of it: %+v", name, f)
			}
			if f.Evidence[0].Mark == Unknown {
				t.Errorf("%s: its first evidence is something that nobody knows", name)
			}
		}
	}
	for _, r := range Rules {
		if !covered[r.ID] {
			t.Errorf("no fault is planted for %s", r.ID)
		}
	}
}

// TestHealthy: no false alarm.
func TestHealthy(t *testing.T) {
	for name, s := range fixtures(t, "healthy/*.yaml", 8) {
		for _, f := range Inspect(s).Findings {
			t.Errorf("%s: %s: %s %+v", name, f.Rule, f.What, f.Evidence)
		}
	}
}

// TestUnreadIsNoFault: where nothing but HPAs may be read, nothing is found that rests on
// the rest, no decision is made up, and the report says what it did not see.
func TestUnreadIsNoFault(t *testing.T) {
	for name, s := range fixtures(t, "*/*.yaml", 28) {
		blind := &Snapshot{Now: s.Now, Namespace: s.Namespace, HPAs: slices.Clone(s.HPAs), Unread: map[Kind]string{}}
		for _, k := range []Kind{KindVPAs, KindPods, KindQuotas, KindPDBs, KindEvents, KindAPIs, KindNodes, KindPlaced, KindNodePools, KindGroups} {
			blind.Unread[k] = "forbidden"
		}
		for i := range blind.HPAs {
			blind.HPAs[i].Metrics = nil
		}
		r := Inspect(blind)
		if len(r.Unread) != 10 {
			t.Errorf("%s: unread %v", name, r.Unread)
		}
		for _, h := range r.HPAs {
			if h.Recomputed != nil || len(h.Facts) > 0 {
				t.Errorf("%s: a decision without pods: %+v", name, h)
			}
		}
		was := rulesOf(Inspect(s).Findings)
		for _, rule := range rulesOf(r.Findings) {
			if !slices.Contains(was, rule) {
				t.Errorf("%s: %s is found blindly only", name, rule)
			}
		}
	}
}

// TestDecisions are recomputed, and explained with marks.
func TestDecisions(t *testing.T) {
	for name, want := range map[string]struct {
		current, desired int32
		line             Line
	}{
		"healthy/walkthrough":         {1, 1, recomputed("결정: 1개 그대로")},
		"healthy/scaling-up":          {2, 4, recomputed("결정: 2개 → 4개")},
		"healthy/scaled-to-zero":      {0, 0, recomputed("결정: 0개 그대로")},
		"faulty/at-max":               {10, 10, recomputed("메트릭이 원하는 것은 19개이고, 안정화와 한도를 거치면 10개입니다")},
		"faulty/window-too-long.down": {8, 8, unknown("결정: 2개나 8개. 컨트롤러가 메모리에 담아 둔 지난 제안과 크기 변경에 달려 있습니다. 지켜보시면 알 수 있습니다: stepscale observe web -n shop")},
		"faulty/stale-status.moved":   {5, 5, recomputed("마지막 결정 2개와 다릅니다. 그 뒤에 바뀐 값을 읽었습니다")},
	} {
		r := Inspect(fixture(t, filepath.Join("testdata", name+".yaml")))
		h := r.HPAs[0]
		if h.Recomputed == nil || *h.CurrentReplicas != want.current || *h.Recomputed != want.desired || !slices.Contains(h.Lines, want.line) {
			t.Errorf("%s: %v %v\n%v", name, h.CurrentReplicas, h.Recomputed, h.Lines)
		}
	}
}

// TestSARIF has what a reader of SARIF 2.1.0 demands: a known rule for each result, a
// level, a message and a place.
func TestSARIF(t *testing.T) {
	for name, s := range fixtures(t, "faulty/*.yaml", 20) {
		raw, err := json.Marshal(Inspect(s).SARIF("v1"))
		if err != nil {
			t.Fatal(err)
		}
		var log struct {
			Version string
			Runs    []struct {
				Tool struct {
					Driver struct {
						Name  string
						Rules []struct{ ID string }
					}
				}
				Results []struct {
					RuleID, Level string
					Message       struct{ Text string }
					Locations     []struct {
						PhysicalLocation struct{ ArtifactLocation struct{ URI string } }
					}
				}
			}
		}
		if err := json.Unmarshal(raw, &log); err != nil || log.Version != "2.1.0" || len(log.Runs) != 1 || len(log.Runs[0].Results) == 0 {
			t.Fatalf("%s: %v %s", name, err, raw)
		}
		for _, r := range log.Runs[0].Results {
			known := false
			for _, rule := range log.Runs[0].Tool.Driver.Rules {
				known = known || rule.ID == r.RuleID
			}
			uri := r.Locations[0].PhysicalLocation.ArtifactLocation.URI
			if !known || !slices.Contains([]string{"error", "warning", "note"}, r.Level) || r.Message.Text == "" || !strings.HasPrefix(uri, "api") || strings.Contains(uri, "//") {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
}

// TestChecklist: what is there is done, what is not is missing, and what cannot be seen is
// neither.
func TestChecklist(t *testing.T) {
	state := func(s *Snapshot, version, title string) State {
		for _, i := range Checklist(s, Inspect(s), version) {
			if strings.Contains(i.Title, title) {
				if len(i.Lines) == 0 || (i.State == Missing) != (i.Next != "") {
					t.Errorf("%s: %+v", title, i)
				}
				return i.State
			}
		}
		t.Fatalf("no item %s", title)
		return ""
	}
	karpenter := fixture(t, "testdata/healthy/karpenter-with-pdb.yaml")
	for title, want := range map[string]State{"EKS": Done, "Metrics Server": Done, "(HPA)": Done, "requests": Done, "(VPA)": Missing, "노드의 수": Done, "자리": Done, "축출": Done, "그 밖": Done} {
		if got := state(karpenter, "v1.37.2-eks-1", title); got != want {
			t.Errorf("karpenter, %s: %s", title, got)
		}
	}
	for file, c := range map[string]struct {
		title string
		want  State
	}{
		"faulty/dead-metrics-api": {"Metrics Server", Missing}, "faulty/no-requests.sidecar": {"requests", Missing}, "faulty/nodepool-not-ready": {"노드의 수", Missing},
		"faulty/no-pdb": {"축출", Missing}, "faulty/hpa-and-vpa": {"되돌리지", Missing}, "faulty/quota-below-max.pods": {"자리", Missing},
		"healthy/vpa-off-beside-hpa": {"(VPA)", Done}, "healthy/walkthrough": {"EKS", Missing}, "faulty/disabled-at-zero": {"(HPA)", Missing},
	} {
		if got := state(fixture(t, "testdata/"+file+".yaml"), "v1.37.2", c.title); got != c.want {
			t.Errorf("%s, %s: %s", file, c.title, got)
		}
	}
	blind := &Snapshot{Unread: map[Kind]string{KindVPAs: "x", KindAPIs: "x", KindNodePools: "x"}}
	for _, title := range []string{"Metrics Server", "(VPA)", "노드의 수"} {
		if got := state(blind, "v1", title); got != Unsure {
			t.Errorf("blind, %s: %s", title, got)
		}
	}
}
