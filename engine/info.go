package engine

import "time"

// Info describes where the frames of a loop come from to whoever follows them. Rooms that
// do not know each other, who gives frames and who plays them, meet here.
type Info struct {
	Kubectl   []string // what the second terminal needs: kubeconfig, namespace
	Simulated bool     // time, nodes and load are
	Policy    bool     // the API server's own policy, no webhook, gives new pods what a VPA recommends
	Notes     []string // what is in force here and why
	Flags     string   // of the controllers, that are not as upstream has them; empty where all are

	Period time.Duration // of a pass, where it takes real time
}
