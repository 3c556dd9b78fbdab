package scenarios

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// Who acts on what a scenario may say. On the embedded cluster a container has no
// process, so what only a process would notice waits for a real kubelet.
const (
	apiServer = "kube-apiserver"
	engineHPA = "HPA engine"
	theVPA    = "VPA components"
	scheduler = "kube-scheduler"
	kubelet   = "simulated kubelet"
	process   = "real kubelet: a simulated container has no process"
)

// actors names for every field of every kind, template and pod spec apart, what acts on it.
var actors = map[string]map[string]string{
	"HorizontalPodAutoscaler": {"scaleTargetRef": engineHPA, "minReplicas": engineHPA, "maxReplicas": engineHPA, "metrics": engineHPA, "behavior": engineHPA, "targetCPUUtilizationPercentage": apiServer},
	"VerticalPodAutoscaler":   {"targetRef": theVPA, "updatePolicy": theVPA, "resourcePolicy": theVPA, "recommenders": theVPA, "startupBoost": "refused by vpa()"},
	"Deployment":              all("deployment controller", "replicas", "selector", "strategy", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds", "paused", "template"),
	"StatefulSet": all("statefulset controller, on demand", "replicas", "selector", "serviceName", "podManagementPolicy", "updateStrategy", "minReadySeconds",
		"revisionHistoryLimit", "ordinals", "template"),
	"DaemonSet":           all("daemonset controller, on demand", "selector", "updateStrategy", "minReadySeconds", "revisionHistoryLimit", "template"),
	"ReplicaSet":          all("replicaset controller", "replicas", "selector", "minReadySeconds", "template"),
	"Job":                 all("job controller, on demand", "parallelism", "completions", "completionMode", "backoffLimit", "template"),
	"PodDisruptionBudget": all("disruption controller and the API server's eviction", "minAvailable", "maxUnavailable", "selector", "unhealthyPodEvictionPolicy"),
	"Service": {"type": apiServer, "clusterIP": apiServer, "ports": "endpointslice controller, on demand", "selector": "endpointslice controller, on demand",
		"publishNotReadyAddresses": "endpointslice controller, on demand", "sessionAffinity": process},
	"ConfigMap":     {"data": process, "immutable": apiServer},
	"ResourceQuota": all("resourcequota controller and the API server's admission", "hard", "scopes", "scopeSelector"),
	"LimitRange":    {"limits": "the API server's admission (LimitRanger)"},
	"NodePool":      all("Karpenter's scheduler, and its disruption", "template", "limits", "weight", "disruption"),
	"PodSpec": {"containers": kubelet, "initContainers": kubelet, "resources": scheduler, "restartPolicy": "job controller", "terminationGracePeriodSeconds": process,
		"enableServiceLinks": process, "automountServiceAccountToken": apiServer, "affinity": scheduler, "nodeSelector": scheduler, "topologySpreadConstraints": scheduler,
		"securityContext": process, "volumes": process},
	"Container": {"name": kubelet, "image": process, "imagePullPolicy": process, "command": process, "args": process, "workingDir": process, "ports": "endpointslice controller (names)",
		"env": process, "envFrom": process, "volumeMounts": process, "resources": kubelet, "resizePolicy": kubelet, "restartPolicy": kubelet,
		"readinessProbe": kubelet, "startupProbe": kubelet, "livenessProbe": process, "lifecycle": process, "securityContext": process},
}

func all(actor string, fields ...string) map[string]string {
	rows := map[string]string{}
	for _, f := range fields {
		rows[f] = actor
	}
	return rows
}

// TestEveryFieldHasAnActor: nothing that is accepted is ignored in silence, and the table
// speaks of nothing that is refused.
func TestEveryFieldHasAnActor(t *testing.T) {
	accept := map[string][]string{"PodSpec": slices.Collect(maps.Keys(podSpec)), "Container": slices.Collect(maps.Keys(container))}
	for _, k := range slices.Concat(accepted, older, wide) {
		below, ok := k.spec["spec"].(fields)
		if !ok { // a ConfigMap has no spec
			below = maps.Clone(k.spec)
			for _, common := range []string{"apiVersion", "kind", "metadata"} {
				delete(below, common)
			}
		}
		accept[k.Kind] = append(accept[k.Kind], slices.Collect(maps.Keys(below))...)
	}
	for kind, fields := range accept {
		for _, f := range fields {
			if strings.TrimSpace(actors[kind][f]) == "" {
				t.Errorf("%s.%s is accepted, and nobody acts on it", kind, f)
			}
		}
		for f := range actors[kind] {
			if !slices.Contains(fields, f) {
				t.Errorf("%s.%s has an actor and is refused", kind, f)
			}
		}
	}
	for kind := range actors {
		if accept[kind] == nil {
			t.Errorf("%s is not accepted", kind)
		}
	}
}
