package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
)

// TestReaperEndsWithItsDirectory: nothing can be proven to be ours without the key, and
// a reaper that goes on would make the directory again.
func TestReaperEndsWithItsDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	a := newApp()
	a.state, a.in = state.At(dir), strings.NewReader(`{"Attach":{"Context":"none"}}`+"\n")
	root := newRootCommand(a.deps)
	root.SetArgs([]string{"cluster", "reaper"})
	if err := root.ExecuteContext(t.Context()); !errors.Is(err, lab.ErrStateGone) {
		t.Errorf("the reaper ends with %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is there again: %v", err)
	}
}
