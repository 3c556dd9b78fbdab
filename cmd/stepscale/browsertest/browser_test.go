package browsertest_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stepscale/stepscale/cmd/stepscale/browsertest"
)

// TestFindsWhatIsUnreadable, and what is asked of the network, and what the console says.
func TestFindsWhatIsUnreadable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bad.html")
	const bad = `<!doctype html><body style="background:#fff"><h1></h1><h3 style="color:#aaa">pale</h3><svg></svg><img src="missing.png">
<table><tr><th>x</th></tr></table><i id="a"></i><i id="a"></i><button></button>
<div style="width:100px;overflow-x:auto"><div style="width:500px">x</div></div><p style="width:900px">wide</p>
<script>console.error("told"); missing();</script></body>`
	if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
		t.Fatal(err)
	}
	p := browsertest.Open(t, "file://"+file, browsertest.Options{Width: 360, Height: 640})
	found := p.Unreadable()
	for _, rule := range []string{"html-has-lang", "document-title", "empty-heading", "heading-order", "svg-img-alt", "image-alt", "button-name", "scope", "duplicate-id", "scrollable-region-focusable", "reflow", "color-contrast"} {
		if !slices.ContainsFunc(found, func(f string) bool { return strings.HasPrefix(f, rule) }) {
			t.Errorf("%s is not found: %q", rule, found)
		}
	}
	if requests := p.Requests(); len(requests) != 2 || !strings.HasSuffix(requests[1], "missing.png") {
		t.Errorf("requests: %q", requests)
	}
	if errs := strings.Join(p.Errors(), "\n"); !strings.Contains(errs, "told") || !strings.Contains(errs, "missing is not defined") {
		t.Errorf("errors: %s", errs)
	}
}
