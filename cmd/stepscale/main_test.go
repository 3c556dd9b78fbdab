package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stepscale/stepscale/cmd/stepscale/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"stepscale": func() { os.Exit(cli.Main()) }})
}

// TestScripts runs the commands as a user does. The scripts that need a cluster
// share the background one that TestMain's first script starts.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/scripts",
		Setup: func(env *testscript.Env) error {
			state, err := os.MkdirTemp("", "step") // short: unix sockets live below it
			if err != nil {
				return err
			}
			env.Defer(func() { _ = os.RemoveAll(state) })
			env.Setenv("STEPSCALE_STATE_DIR", state)
			env.Setenv("NO_COLOR", "1")
			env.Setenv("LANG", "ko_KR.UTF-8")
			return nil
		},
	})
}
