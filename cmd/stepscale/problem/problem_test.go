package problem

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/clusters/attached"
	"github.com/stepscale/stepscale/clusters/eks"
	"github.com/stepscale/stepscale/clusters/kind"
)

// TestEveryReasonHasWords ranges over what the providers say that they may say.
func TestEveryReasonHasWords(t *testing.T) {
	declared(t, "../../../clusters/kind", len(kind.Reasons))
	for _, r := range kind.Reasons {
		worded(t, string(r), &kind.Error{Reason: r, Err: errors.New("cause")})
	}
	declared(t, "../../../clusters/attached", len(attached.Reasons))
	declared(t, "../../../clusters/eks", len(eks.Reasons))
	for _, r := range slices.Concat(attached.Reasons, eks.Reasons) {
		worded(t, string(r), &attached.Error{Reason: r, Err: errors.New("cause")})
	}
}

func worded(t *testing.T, reason string, err error) {
	t.Helper()
	var e *Error
	if !errors.As(OfCluster(err), &e) || e.What == "" || e.Hint == "" {
		t.Errorf("no words for %q: %+v", reason, e)
	}
}

// declared holds the list of a provider's reasons to its constants.
func declared(t *testing.T, dir string, listed int) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), dir+"/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	constants := 0
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			if typ, ok := v.Type.(*ast.Ident); ok && typ.Name == "Reason" && len(v.Values) == 1 {
				constants++
			}
		}
		return true
	})
	if constants != listed {
		t.Errorf("%s declares %d reasons and lists %d", dir, constants, listed)
	}
}

// TestUnknownReasonSpeaksForItself: an error without words is not an empty sentence.
func TestUnknownReasonSpeaksForItself(t *testing.T) {
	for _, err := range []error{&kind.Error{Reason: "new", Err: errors.New("cause")}, &attached.Error{Reason: "new", Err: errors.New("cause")}} {
		if got := Sentence(OfCluster(err)); !strings.Contains(got, "new: cause") {
			t.Errorf("%v is told as %q", err, got)
		}
	}
}

// TestAContextIsToldOnce: in Korean, and not in English beside it.
func TestAContextIsToldOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	for text, want := range map[string]string{
		"": "kubeconfig가 없거나 컨텍스트가 하나도 없습니다",
		"contexts: [{name: other, context: {cluster: c}}]": `kubeconfig에 그런 컨텍스트가 없습니다: "class"`,
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := attached.New(attached.Options{Context: "class", Kubeconfig: file}).Up(t.Context())
		if got := Sentence(OfCluster(err)); got != want {
			t.Errorf("%q is told as %q, want %q", text, got, want)
		}
	}
}

// TestTheClusterInTheBackgroundIsGone: one sentence, and nothing of what came of it.
func TestTheClusterInTheBackgroundIsGone(t *testing.T) {
	gone := fmt.Errorf("%w: dial unix /x: connect: no such file", clusters.ErrNotRunning)
	step := OfStep(t.Context(), "hpa/1-metrics/scrape", gone)
	for name, errs := range map[string][]error{"a step": {step, gone, errors.New("connection refused")}, "the closing": {gone, errors.New("connection refused")}} {
		root := Root(errs)
		if len(root) != 1 || !strings.Contains(Sentence(root[0]), "백그라운드 클러스터가 꺼졌습니다") || strings.Contains(Sentence(root[0]), "dial") {
			t.Errorf("%s: %v", name, root)
		}
	}
	if others := []error{step, errors.New("x")}; len(Root(others)) != 2 {
		t.Errorf("others are left: %v", Root(others))
	}
}
