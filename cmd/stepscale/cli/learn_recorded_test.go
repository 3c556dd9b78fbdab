package cli

import (
	"path"
	"testing"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/lessons"
)

// TestRecordingsOfLessons: what the lessons show is what the engine and upstream's controller
// decide today, and it is the scenario's.
func TestRecordingsOfLessons(t *testing.T) {
	all, err := lessons.Load(lessons.FS)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, l := range all {
		if l.Recording == "" {
			continue
		}
		found++
		file, remove, err := unfolded(lessons.FS, l)
		if err != nil {
			t.Fatal(err)
		}
		if code, out, errOut := executed(t, "verify", file); code != problem.ExitOK {
			t.Errorf("%s: exit code %d\n%s%s", path.Join(l.ID, l.Recording), code, out, errOut)
		}
		a := testApp(t)
		for _, p := range a.rehearsed(t.Context(), lessons.FS, l) {
			t.Error(p)
		}
		rec, opened, err := openReplay(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		if now := recordedScenario(a.scenarios, l.Scenario); rec.Header.Scenario == nil || *rec.Header.Scenario != *now {
			t.Errorf("%s: the scenario %s is another one now: record it anew", l.ID, l.Scenario)
		}
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
		if err := remove(); err != nil {
			t.Error(err)
		}
	}
	if found < 3 {
		t.Errorf("%d lessons about a recording", found)
	}
}
