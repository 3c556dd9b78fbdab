package trace

import "time"

// What an event of a scenario does (Event.What).
const (
	EventApply    = "apply"
	EventPatch    = "patch"
	EventDelete   = "delete"
	EventEvict    = "evict"
	EventCrash    = "crash"       // of a container, which starts again
	EventNotReady = "notReady"    // of a node, as its kubelet reports it
	EventReady    = "ready"       // of that node again
	EventAway     = "metricsAway" // of the Metrics Server
	EventBack     = "metricsBack" // of the Metrics Server again
	EventFreeze   = "freeze"      // of what the kubelet reports of a pod's use
	EventThaw     = "thaw"        // of that again
)

// Event is something on a scenario's timeline that happened while a step let time pass:
// nobody's step, but its actor's doing.
type Event struct {
	At     time.Time `json:"at"` // loop time
	Actor  string    `json:"actor"`
	What   string    `json:"what"`
	Object string    `json:"object"`           // "deployment/web"; empty where there is none to do it to
	Detail string    `json:"detail,omitempty"` // the patch, the container
	Err    string    `json:"err,omitempty"`    // why it did not come to pass
}
