package cli

import (
	"os"
	"path/filepath"

	"github.com/stepscale/stepscale/cmd/stepscale/state"
)

// findState is the one look at the environment for where stepscale keeps what has to
// survive it. The rooms below get what is found as a value.
func findState() state.Dir {
	if dir := os.Getenv(state.Variable); dir != "" {
		return found(filepath.Abs(dir))
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return state.At(filepath.Join(dir, "stepscale"))
	}
	home, err := os.UserHomeDir()
	return found(filepath.Join(home, ".local", "state", "stepscale"), err)
}

func found(dir string, err error) state.Dir {
	if err != nil {
		return state.Nowhere(err)
	}
	return state.At(dir)
}
