// Command stepscale teaches Kubernetes autoscaling by running the real control
// loops one numbered step at a time.
package main

import (
	"os"

	"github.com/stepscale/stepscale/cmd/stepscale/cli"
)

func main() { os.Exit(cli.Main()) }
