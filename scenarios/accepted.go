package scenarios

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/registry/rest"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/kubernetes/pkg/registry/apps/daemonset"
	"k8s.io/kubernetes/pkg/registry/apps/deployment"
	"k8s.io/kubernetes/pkg/registry/apps/replicaset"
	"k8s.io/kubernetes/pkg/registry/apps/statefulset"
	"k8s.io/kubernetes/pkg/registry/autoscaling/horizontalpodautoscaler"
	"k8s.io/kubernetes/pkg/registry/batch/job"
	"k8s.io/kubernetes/pkg/registry/core/configmap"
	"k8s.io/kubernetes/pkg/registry/core/limitrange"
	"k8s.io/kubernetes/pkg/registry/core/resourcequota"
	"k8s.io/kubernetes/pkg/registry/core/service"
	"k8s.io/kubernetes/pkg/registry/policy/poddisruptionbudget"
)

// Kind is a kind of object that a scenario may have.
type Kind struct {
	schema.GroupVersionKind
	Resource schema.GroupVersionResource
	spec     fields                  // with apiVersion, kind and metadata
	create   rest.RESTCreateStrategy // of the API server; nil where the object is a custom resource
}

// accepted is what a scenario may ask of a cluster, whoever wrote the scenario and
// whoever owns the cluster: what autoscalers and their pods need, and nothing that
// reaches the node, another namespace, the API server's credentials or the outside
// world. What is not written here is refused. The autoscalers come first: in this
// order a clean-up takes them away before what they scale.
var accepted = []Kind{
	kind(autoscalingv2.SchemeGroupVersion, "HorizontalPodAutoscaler", "horizontalpodautoscalers", horizontalpodautoscaler.Strategy, fields{"spec": fields{
		"scaleTargetRef": free, "minReplicas": free, "maxReplicas": free, "metrics": free, "behavior": free,
	}, "status": empty}),
	kind(vpav1.SchemeGroupVersion, "VerticalPodAutoscaler", "verticalpodautoscalers", nil, fields{"spec": fields{
		"targetRef": free, "updatePolicy": free, "resourcePolicy": free, "recommenders": free, "startupBoost": free,
	}, "status": empty}),
	kind(appsv1.SchemeGroupVersion, "Deployment", "deployments", deployment.Strategy, fields{"spec": fields{
		"replicas": free, "selector": free, "strategy": free, "minReadySeconds": free, "revisionHistoryLimit": free,
		"progressDeadlineSeconds": free,
		"paused":                  only{false, "지워 주십시오. 멈춰 있는(paused) 디플로이먼트의 파드는 디플로이먼트 컨트롤러가 만들지 않습니다."},
		"template":                template,
	}, "status": empty}),
	kind(appsv1.SchemeGroupVersion, "StatefulSet", "statefulsets", statefulset.Strategy, fields{"spec": fields{
		"replicas": free, "selector": free, "serviceName": free, "podManagementPolicy": free, "updateStrategy": free, "minReadySeconds": free,
		"revisionHistoryLimit": free, "ordinals": free, "template": template,
	}, "status": empty}),
	kind(appsv1.SchemeGroupVersion, "DaemonSet", "daemonsets", daemonset.Strategy, fields{"spec": fields{
		"selector": free, "updateStrategy": free, "minReadySeconds": free, "revisionHistoryLimit": free, "template": template,
	}, "status": empty}),
	kind(appsv1.SchemeGroupVersion, "ReplicaSet", "replicasets", replicaset.Strategy, fields{"spec": fields{
		"replicas": free, "selector": free, "minReadySeconds": free, "template": template,
	}, "status": empty}),
	kind(batchv1.SchemeGroupVersion, "Job", "jobs", job.Strategy, fields{"spec": fields{
		"parallelism": free, "completions": free, "completionMode": free, "backoffLimit": free, "template": template,
	}, "status": empty}),
	kind(policyv1.SchemeGroupVersion, "PodDisruptionBudget", "poddisruptionbudgets", poddisruptionbudget.Strategy, fields{"spec": fields{
		"minAvailable": free, "maxUnavailable": free, "selector": free, "unhealthyPodEvictionPolicy": free,
	}, "status": empty}),
	kind(corev1.SchemeGroupVersion, "Service", "services", service.Strategy, fields{"spec": fields{
		"type":      only{"ClusterIP", "ClusterIP로 적거나 지워 주십시오. 클러스터 밖으로 여는 서비스는 쓸 수 없습니다."},
		"clusterIP": only{"None", "None으로 적거나 지워 주십시오. 주소는 API 서버가 정합니다."},
		"ports":     each{fields{"name": free, "port": free, "targetPort": free, "protocol": free, "appProtocol": free}},
		"selector":  free, "sessionAffinity": free, "publishNotReadyAddresses": free,
	}, "status": empty}),
	kind(corev1.SchemeGroupVersion, "ConfigMap", "configmaps", configmap.Strategy, fields{"data": free, "immutable": free}),
	kind(corev1.SchemeGroupVersion, "ResourceQuota", "resourcequotas", resourcequota.Strategy, fields{"spec": fields{"hard": free, "scopes": free, "scopeSelector": free}, "status": empty}),
	kind(corev1.SchemeGroupVersion, "LimitRange", "limitranges", limitrange.Strategy, fields{"spec": fields{"limits": free}}),
}

// older are versions that every API server still serves of those kinds. They are read,
// and applied as the version above.
var older = []Kind{
	kind(autoscalingv1.SchemeGroupVersion, "HorizontalPodAutoscaler", "horizontalpodautoscalers", horizontalpodautoscaler.Strategy, fields{"spec": fields{
		"scaleTargetRef": free, "minReplicas": free, "maxReplicas": free, "targetCPUUtilizationPercentage": free,
	}, "status": empty}),
}

// kindOf is the accepted kind of an object, in the version in which it is applied.
func kindOf(gvk schema.GroupVersionKind) (Kind, bool) {
	for _, k := range slices.Concat(accepted, wide) {
		if k.GroupKind() == gvk.GroupKind() {
			return k, true
		}
	}
	return Kind{}, false
}

// empty is what kubectl create --dry-run writes where it has nothing to say.
var empty = fields{}

// metadata has no annotations: other people's controllers obey them (roles of a
// cloud, networks, profiles of the kernel).
var metadata = fields{"name": free, "labels": free, "creationTimestamp": empty}

var template = fields{"metadata": metadata, "spec": podSpec}

var podSpec = fields{
	"containers":     each{container},
	"initContainers": each{container},
	"resources":      resources, "restartPolicy": free, "terminationGracePeriodSeconds": free, "enableServiceLinks": free,
	"automountServiceAccountToken": only{false, "false로 적거나 지워 주십시오. 시나리오의 파드는 API 서버의 토큰을 쓰지 않습니다."},
	"affinity":                     free, "nodeSelector": free, "topologySpreadConstraints": free,
	"securityContext": fields{
		"runAsNonRoot": free, "runAsUser": notRoot, "runAsGroup": free, "fsGroup": free, "seccompProfile": seccomp,
	},
	"volumes": each{fields{"name": free, "emptyDir": fields{"sizeLimit": free}, "configMap": configMap}},
}

var container = fields{
	"name": free, "image": free, "imagePullPolicy": free, "command": free, "args": free, "workingDir": free,
	"ports": each{fields{"name": free, "containerPort": free, "protocol": free}},
	"env": each{fields{"name": free, "value": free, "valueFrom": fields{
		"fieldRef": free, "resourceFieldRef": free, "configMapKeyRef": free,
	}}},
	"envFrom":      each{fields{"prefix": free, "configMapRef": free}},
	"volumeMounts": each{fields{"name": free, "mountPath": free, "subPath": free, "readOnly": free}},
	"resources":    resources, "resizePolicy": free, "restartPolicy": free,
	"readinessProbe": probe, "livenessProbe": probe, "startupProbe": probe,
	"lifecycle": fields{"preStop": fields{"sleep": free, "exec": free}},
	"securityContext": fields{
		"runAsNonRoot": free, "runAsUser": notRoot, "runAsGroup": free, "readOnlyRootFilesystem": free, "seccompProfile": seccomp,
		"privileged":               only{false, hardened},
		"allowPrivilegeEscalation": only{false, hardened},
		"capabilities":             fields{"drop": free},
	},
}

// notRoot is the user that the restricted Pod Security Standard refuses.
var notRoot = except{int64(0), "1000처럼 0이 아닌 값을 적거나 지워 주십시오. 시나리오의 파드는 root로 돌지 않습니다."}

const hardened = "false로 적거나 지워 주십시오. 시나리오의 파드는 노드의 권한을 얻을 수 없습니다."

var (
	quantities = fields{"cpu": free, "memory": free, "ephemeral-storage": free}
	resources  = fields{"requests": quantities, "limits": quantities}
	seccomp    = fields{"type": only{"RuntimeDefault", "RuntimeDefault로 적거나 지워 주십시오."}}
	configMap  = fields{"name": free, "items": free, "optional": free, "defaultMode": free}

	// A probe with a host would let the kubelet call anybody.
	probe = fields{
		"httpGet": fields{"path": free, "port": free, "scheme": free}, "tcpSocket": fields{"port": free}, "grpc": free, "exec": free,
		"initialDelaySeconds": free, "periodSeconds": free, "timeoutSeconds": free, "successThreshold": free, "failureThreshold": free,
		"terminationGracePeriodSeconds": free,
	}
)

func kind(gv schema.GroupVersion, name, resource string, create rest.RESTCreateStrategy, spec fields) Kind {
	all := fields{"apiVersion": free, "kind": free, "metadata": metadata}
	for field, s := range spec {
		all[field] = s
	}
	return Kind{GroupVersionKind: gv.WithKind(name), Resource: gv.WithResource(resource), create: create, spec: all}
}

// Kinds are all kinds of which a scenario may have objects, in the order in which
// a clean-up removes them.
func Kinds() []Kind { return accepted }
