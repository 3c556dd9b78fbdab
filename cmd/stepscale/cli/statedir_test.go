package cli

import (
	"testing"
)

func TestStateDir(t *testing.T) {
	t.Setenv("STEPSCALE_STATE_DIR", "")
	t.Setenv("XDG_STATE_HOME", "/x")
	if dir, _ := findState().Path(); dir != "/x/stepscale" {
		t.Error(dir)
	}
	t.Setenv("XDG_STATE_HOME", "relative") // the XDG specification: ignore it
	t.Setenv("HOME", "/home/k")
	if dir, _ := findState().Path(); dir != "/home/k/.local/state/stepscale" {
		t.Error(dir)
	}
}
