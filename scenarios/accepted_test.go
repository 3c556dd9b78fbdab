package scenarios_test

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/stepscale/stepscale/scenarios"
)

// every has an object of every accepted kind with most fields that may be used.
const every = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app.kubernetes.io/name: web}, creationTimestamp: null}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  strategy: {}
  template:
    metadata: {labels: {app: web}, creationTimestamp: null}
    spec:
      automountServiceAccountToken: false
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      initContainers:
      - {name: proxy, image: web, restartPolicy: Always, resources: {requests: {cpu: 10m}}}
      containers:
      - name: web
        image: registry.k8s.io/pause:3.10
        ports: [{containerPort: 80, name: http}]
        env:
        - {name: A, value: b}
        - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
        - {name: TITLE, valueFrom: {configMapKeyRef: {name: web, key: title}}}
        resources: {requests: {cpu: 100m, memory: 32Mi}, limits: {cpu: 500m}}
        readinessProbe: {httpGet: {path: /, port: http}, initialDelaySeconds: 1}
        livenessProbe: {tcpSocket: {port: 80}}
        securityContext: {allowPrivilegeEscalation: false, privileged: false, capabilities: {drop: [ALL]}, readOnlyRootFilesystem: true}
        volumeMounts: [{name: tmp, mountPath: /tmp}]
      volumes: [{name: tmp, emptyDir: {}}, {name: text, configMap: {name: web}}]
      affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: web}}}}]}}
status: {}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  maxReplicas: 10
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]
  behavior: {scaleUp: {stabilizationWindowSeconds: 0}}
---
apiVersion: autoscaling.k8s.io/v1
kind: VerticalPodAutoscaler
metadata: {name: web}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  updatePolicy: {updateMode: Initial}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: ClusterIP, selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {title: hostPath}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: web}
spec: {hard: {requests.cpu: "2"}}
---
apiVersion: v1
kind: LimitRange
metadata: {name: web}
spec: {limits: [{type: Container, default: {memory: 64Mi}}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec: {replicas: 1, serviceName: db, selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: db, image: db}]}}}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: old}
spec: {replicas: 1, selector: {matchLabels: {app: old}}, template: {metadata: {labels: {app: old}}, spec: {containers: [{name: old, image: old}]}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec: {selector: {matchLabels: {app: agent}}, template: {metadata: {labels: {app: agent}}, spec: {containers: [{name: agent, image: agent}]}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec: {parallelism: 1, completions: 2, template: {spec: {restartPolicy: Never, containers: [{name: once, image: once}]}}}
`

const someScenario = head + "load: {segments: [{at: 0s, step: 1m}]}\n"

func TestEveryAcceptedKind(t *testing.T) {
	s, err := scenarios.Load(files(someScenario, every), "x")
	if err != nil {
		t.Fatal(err)
	}
	harmless(t, s)
	seen := map[schema.GroupVersionKind]bool{}
	for _, o := range s.Parts() {
		seen[o.GroupVersionKind()] = true
	}
	for _, k := range scenarios.Kinds() {
		if !seen[k.GroupVersionKind] {
			t.Errorf("the test has no %s", k.Kind)
		}
	}
	if parts := s.Parts(); parts[0].GetKind() != "LimitRange" || parts[len(parts)-1].GetKind() != "HorizontalPodAutoscaler" {
		t.Error("pods are made before what limits them, or after what scales them")
	}
	s.Parts()[0].SetName("changed")
	if s.Parts()[0].GetName() != "web" {
		t.Error("who changes a part changes the scenario")
	}
}

func TestRefused(t *testing.T) {
	pod := func(field string) [2]string {
		return [2]string{"      automountServiceAccountToken: false\n", "      " + field + "\n"}
	}
	inContainer := func(field string) [2]string {
		return [2]string{"        ports: [{containerPort: 80, name: http}]\n", "        " + field + "\n"}
	}
	for want, c := range map[string]struct {
		change [2]string
		line   int
	}{
		"spec.template.spec.hostNetwork":                                        {pod("hostNetwork: true"), 11},
		"spec.template.spec.hostPID":                                            {pod("hostPID: true"), 11},
		"spec.template.spec.nodeName":                                           {pod("nodeName: master"), 11},
		"spec.template.spec.tolerations":                                        {pod("tolerations: [{operator: Exists}]"), 11},
		"spec.template.spec.serviceAccountName":                                 {pod("serviceAccountName: admin"), 11},
		"spec.template.spec.automountServiceAccountToken: true":                 {pod("automountServiceAccountToken: true"), 11},
		"spec.template.spec.priorityClassName":                                  {pod("priorityClassName: system-node-critical"), 11},
		"spec.template.spec.volumes[0].hostPath":                                {[2]string{"emptyDir: {}", "hostPath: {path: /}"}, 28},
		"spec.template.spec.volumes[1].secret":                                  {[2]string{"configMap: {name: web}}]", "secret: {secretName: x}}]"}, 28},
		"spec.template.spec.volumes[1].projected":                               {[2]string{"configMap: {name: web}}]", "projected: {sources: [{serviceAccountToken: {path: t}}]}}]"}, 28},
		"spec.template.spec.containers[0].ports[0].hostPort":                    {inContainer("ports: [{containerPort: 80, name: http, hostPort: 80}]"), 18},
		"spec.template.spec.containers[0].envFrom[0].secretRef":                 {inContainer("envFrom: [{secretRef: {name: x}}]"), 18},
		"spec.template.spec.containers[0].lifecycle.postStart":                  {inContainer("lifecycle: {postStart: {exec: {command: [a]}}}"), 18},
		"spec.template.spec.containers[0].securityContext.privileged: true":     {[2]string{"privileged: false", "privileged: true"}, 26},
		"spec.template.spec.containers[0].securityContext.capabilities.add":     {[2]string{"{drop: [ALL]}", "{add: [SYS_ADMIN]}"}, 26},
		"spec.template.spec.containers[0].readinessProbe.httpGet.host":          {[2]string{"{path: /, port: http}", "{path: /, port: http, host: 169.254.169.254}"}, 24},
		"spec.template.spec.containers[0].livenessProbe.tcpSocket.host":         {[2]string{"{tcpSocket: {port: 80}}", "{tcpSocket: {port: 80, host: a}}"}, 25},
		"spec.template.spec.containers[0].resources.limits.nvidia.com/gpu":      {[2]string{"limits: {cpu: 500m}", "limits: {nvidia.com/gpu: 8}"}, 23},
		"spec.template.spec.initContainers[0].securityContext.privileged: true": {[2]string{"restartPolicy: Always,", "restartPolicy: Always, securityContext: {privileged: true},"}, 14},
		"spec.template.spec.securityContext.seccompProfile.type: Unconfined":    {[2]string{"RuntimeDefault", "Unconfined"}, 12},
		"spec.template.spec.securityContext.runAsUser: 0":                       {[2]string{"runAsNonRoot: true, s", "runAsUser: 0, s"}, 12},
		"spec.template.spec.securityContext.sysctls":                            {[2]string{"runAsNonRoot: true, s", "sysctls: [], s"}, 12},
		"spec.template.metadata.annotations":                                    {[2]string{"{labels: {app: web}, creationTimestamp: null}", "{labels: {app: web}, annotations: {iam.amazonaws.com/role: admin}}"}, 9},
		"metadata.finalizers":                                                   {[2]string{"metadata: {name: web, labels", "metadata: {name: web, finalizers: [a.b/c], labels"}, 3},
		"metadata.ownerReferences":                                              {[2]string{"metadata: {name: web, labels", "metadata: {name: web, ownerReferences: [], labels"}, 3},
		"spec.paused: true":                                                     {[2]string{"  replicas: 2\n", "  paused: true\n"}, 5},
		"spec.type: LoadBalancer":                                               {[2]string{"type: ClusterIP", "type: LoadBalancer"}, 57},
		"spec.externalIPs":                                                      {[2]string{"type: ClusterIP", "externalIPs: [1.1.1.1]"}, 57},
		"spec.ports[0].nodePort":                                                {[2]string{"{port: 80, targetPort", "{port: 80, nodePort: 30000, targetPort"}, 57},
		"status.replicas":                                                       {[2]string{"status: {}", "status: {replicas: 9}"}, 30},
		"v1 Secret":                                                             {[2]string{"kind: ConfigMap", "kind: Secret"}, 60},
		"v1 ServiceAccount":                                                     {[2]string{"kind: ConfigMap\nmetadata: {name: web}\ndata: {title: hostPath}\n", "kind: ServiceAccount\nmetadata: {name: web}\n"}, 60},
		"v1 Namespace":                                                          {[2]string{"kind: ConfigMap\nmetadata: {name: web}\ndata: {title: hostPath}\n", "kind: Namespace\nmetadata: {name: web}\n"}, 60},
		"v1 Pod":                                                                {[2]string{"kind: ConfigMap\nmetadata: {name: web}\ndata: {title: hostPath}\n", "kind: Pod\nmetadata: {name: web}\n"}, 60},
		"rbac.authorization.k8s.io/v1 ClusterRoleBinding":                       {[2]string{"v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {title: hostPath}\n", "rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: web}\n"}, 60},
		"batch/v1 CronJob":                                                      {[2]string{"v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {title: hostPath}\n", "batch/v1\nkind: CronJob\nmetadata: {name: web}\n"}, 60},
	} {
		t.Run(want, func(t *testing.T) {
			text := strings.Replace(every, c.change[0], c.change[1], 1)
			if text == every {
				t.Fatal("nothing was replaced")
			}
			_, err := scenarios.Load(files(someScenario, text), "x")
			expect(t, err, "x/objects.yaml", c.line, want)
		})
	}
}

// TestRefusedBehindAnAlias: what stands in another place is seen at its own.
func TestRefusedBehindAnAlias(t *testing.T) {
	text := strings.Replace(every, "      automountServiceAccountToken: false\n", "      <<: {hostPID: true}\n", 1)
	text = strings.Replace(text, "emptyDir: {}}", "emptyDir: &v {}}", 1)
	text = strings.Replace(text, "configMap: {name: web}}]", "hostPath: *v}]", 1)
	_, err := scenarios.Load(files(someScenario, text), "x")
	expect(t, err, "x/objects.yaml", 0, "spec.template.spec.hostPID")
	expect(t, err, "x/objects.yaml", 28, "spec.template.spec.volumes[1].hostPath")
}

// TestUnknownFieldIsToldOnce: the API does not have it, so the table need not say it.
func TestUnknownFieldIsToldOnce(t *testing.T) {
	_, err := scenarios.Load(files(someScenario, strings.Replace(every, "  replicas: 2\n", "  replicaz: 2\n", 1)), "x")
	var list scenarios.Problems
	if !errors.As(err, &list) || len(list) != 1 || !strings.Contains(list[0].Msg, "모르는 필드입니다: spec.replicaz") {
		t.Error(err)
	}
}

func TestCrowd(t *testing.T) {
	second := "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec: {replicas: 5984, selector: {matchLabels: {app: api}}, template: {metadata: {labels: {app: api}}, spec: {containers: [{name: api, image: api}]}}}\n"
	for name, c := range map[string]struct {
		old, new string
		line     int
		want     string
	}{
		"replicas":      {"  replicas: 2\n", "  replicas: 6001\n", 5, "replicas(6001)"},
		"most replicas": {"  replicas: 2\n", "  replicas: 2147483647\n", 5, "replicas(2147483647)"},
		"less than 0":   {"  replicas: 2\n", "  replicas: -1\n", 5, "spec.replicas: -1"},
		"maxReplicas":   {"maxReplicas: 10", "maxReplicas: 2147483647", 38, "maxReplicas(2147483647)"},
		"together":      {"spec: {limits: [{type: Container, default: {memory: 64Mi}}]}\n", "spec: {limits: []}\n" + strings.Replace(second, "5984", "5985", 1), 97, "모두 6001개"},
		"all fit":       {"spec: {limits: [{type: Container, default: {memory: 64Mi}}]}\n", "spec: {limits: []}\n" + second, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(every, c.old, c.new, 1)
			if text == every {
				t.Fatal("nothing was replaced")
			}
			_, err := scenarios.Load(files(someScenario, text), "x")
			if c.want != "" {
				expect(t, err, "x/objects.yaml", c.line, c.want)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}
