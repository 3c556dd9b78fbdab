package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine"
)

// TestLoopsDescribeThemselves: what a step says that it tells is declared, with one unit
// in the whole house.
func TestLoopsDescribeThemselves(t *testing.T) {
	units := map[string]engine.Unit{}
	for name, l := range loops {
		if len(l.Needs) == 0 || len(l.Steps) == 0 {
			t.Errorf("loop %s: needs %v, %d steps", name, l.Needs, len(l.Steps))
		}
		for _, s := range l.Steps {
			if len(s.Tells) == 0 {
				t.Errorf("step %s has no facts that a lesson may ask about", s.ID)
			}
			for _, fact := range s.Tells {
				if _, ok := l.Facts.Unit(fact); !ok {
					t.Errorf("step %s tells %s, which loop %s does not declare", s.ID, fact, name)
				}
			}
		}
		for unit, names := range l.Facts {
			for _, fact := range names {
				if other, ok := units[fact]; ok && other != unit {
					t.Errorf("%s is a %s in one loop and a %s in another", fact, other, unit)
				}
				units[fact] = unit
			}
		}
	}
}

// TestEveryFactAndActorHasALabel, and no label is of something that is not there.
func TestEveryFactAndActorHasALabel(t *testing.T) {
	facts, actors := map[string]bool{}, map[string]bool{}
	for _, l := range loops {
		for _, name := range l.Facts.Names() {
			facts[name] = true
		}
		for _, actor := range l.Actors() {
			actors[actor] = true
		}
	}
	for _, name := range play.RecordedFacts() { // of lessons about a recording
		facts[name] = true
	}
	labelled := map[string]bool{}
	for _, table := range view.FactLabels {
		for name := range table {
			if labelled[name] {
				t.Errorf("fact %s has two labels", name)
			}
			if labelled[name] = true; !facts[name] {
				t.Errorf("a label is of fact %s, which no loop declares", name)
			}
		}
	}
	for name := range facts {
		if !labelled[name] {
			t.Errorf("fact %s has no label", name)
		}
	}
	for actor := range actors {
		if view.ActorLabels[actor] == "" {
			t.Errorf("actor %s has no label", actor)
		}
	}
}

// TestEveryFactInTheSourceIsDeclared reads the names that steps give to facts where
// golden traces do not come by: errors, refusals, clusters of others.
func TestEveryFactInTheSourceIsDeclared(t *testing.T) {
	declared := map[string]bool{}
	for _, l := range loops {
		for _, name := range l.Facts.Names() {
			declared[name] = true
		}
	}
	told := 0
	for _, file := range engineSources(t) {
		set := token.NewFileSet()
		tree, err := parser.ParseFile(set, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			name, ok := factIn(n)
			if !ok {
				return true
			}
			if told++; !declared[engine.Base(name)] {
				t.Errorf("%s: fact %s is not declared", set.Position(n.Pos()), name)
			}
			return true
		})
	}
	if told < 100 {
		t.Errorf("only %d facts are told: this test looks for them in the wrong way", told)
	}
}

// factIn is the name in f.Add("name/"+…), d.fact("name"+…) or d.intFact("name", …).
func factIn(n ast.Node) (string, bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) != 3 {
		return "", false
	}
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !slices.Contains([]string{"Add", "fact", "intFact"}, method.Sel.Name) {
		return "", false
	}
	first := call.Args[0]
	for sum, ok := first.(*ast.BinaryExpr); ok; sum, ok = first.(*ast.BinaryExpr) {
		first = sum.X
	}
	text, ok := first.(*ast.BasicLit)
	if !ok { // composed of something else: golden traces have those
		return "", false
	}
	name, err := strconv.Unquote(text.Value)
	return name, err == nil
}

func engineSources(t *testing.T) (files []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join("..", "..", "..", "engine"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestGoldenTracesAreOfTheLoops holds the recorded traces against the definitions,
// without a cluster: whose step each is, and how its facts are written.
func TestGoldenTracesAreOfTheLoops(t *testing.T) {
	files, err := filepath.Glob("testdata/*.trace")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d traces, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var l engine.Definition
		for line := range strings.Lines(string(text)) {
			switch fields := strings.Fields(line); {
			case !strings.HasPrefix(line, " "):
				if l = loopOf(fields[1], fields[2]); l.Name == "" {
					t.Errorf("%s: no loop has step %s with actor %s", file, fields[1], fields[2])
				}
			case strings.Contains(line, " = "):
				parts := strings.Split(strings.TrimSuffix(line, "\n"), " = ")
				name, value := strings.TrimSpace(parts[0]), parts[len(parts)-1]
				if unit, ok := l.Facts.Unit(name); !ok || !unit.Fits(value) {
					t.Errorf("%s: %s = %q is a %q", file, name, value, unit)
				}
			}
		}
	}
}

func loopOf(step, actor string) engine.Definition {
	for _, l := range loops {
		if slices.ContainsFunc(l.Steps, func(s engine.Row) bool { return string(s.ID) == step && s.Actor == actor }) {
			return l
		}
	}
	return engine.Definition{}
}
