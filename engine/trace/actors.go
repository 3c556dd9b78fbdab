package trace

import "time"

// The actors that more than one room knows, named as Kubernetes names its components.
// A loop's own actors are named in its room.
const (
	ActorMetrics     = "metrics-server"
	ActorHPA         = "hpa-controller"
	ActorDeployment  = "deployment-controller"
	ActorReplicaSet  = "replicaset-controller"
	ActorStatefulSet = "statefulset-controller"
	ActorScheduler   = "scheduler"
	ActorKubelet     = "kubelet"
	ActorLearner     = "learner"
	// ActorTaintEviction deletes the pods of a node that has not been Ready for too long.
	ActorTaintEviction = "taint-eviction-controller"
	// ActorNodeLifecycle taints the nodes that are not Ready.
	ActorNodeLifecycle = "node-lifecycle-controller"
	// ActorCloud deletes the Nodes whose machines are gone.
	ActorCloud    = "cloud-controller-manager"
	ActorPipeline = "pipeline" // that deploys: what a scenario's events call 배포
)

// Watch is a watch that an actor holds open on the API server.
type Watch struct {
	Actor string `json:"actor"`
	Path  string `json:"path"`
}

// What an actor was seen to have done to an object (Sighting.What); of a change it is
// the field.
const (
	SeenCreated       = "created"
	SeenBound         = "bound"
	SeenUnschedulable = "unschedulable"
	SeenWaiting       = "waiting"
	SeenReady         = "ready"
	SeenResized       = "resized"
	SeenDeleting      = "deleting"
	SeenGone          = "gone"
)

// Sighting is something that an actor did on its own, as a watch told of it.
type Sighting struct {
	Actor  string        `json:"actor"`
	Object string        `json:"object"` // "pod/web-6d4f-x2x7k"
	What   string        `json:"what"`
	Value  string        `json:"value,omitempty"` // the field's new value, the node, or the reason
	At     time.Time     `json:"-"`               // when the watch told of it, by this machine's clock
	After  time.Duration `json:"after"`           // in a frame: real time since the write that set the actors going
}
