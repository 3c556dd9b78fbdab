package main

import "strings"

const objectsYAML = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web
        resources: {requests: {cpu: 100m}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: web
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  maxReplicas: 10
  metrics:
  - type: Resource
    resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}
`

// brokenObjects are the bad values of the fields of a manifest.
var brokenObjects = []struct{ part, with, values string }{
	{"replicas: 2", "replicas: @", "-1 | x | 1.5 | 99999999999 | 100000 | []"}, {"name: web\nspec:\n  replicas", "name: @\nspec:\n  replicas", "'' | UPPER | a_b | '{osc}' | \"\\e]52;c;aGk=\\a\" | \"{bidi}\" | " + strings.Repeat("a", 300)},
	{"image: web", "image: @", "[] | '{osc}' | \"\\e]52;c;aGk=\\a\""}, {"cpu: 100m}", "cpu: @}", "x | []"}, {"matchLabels: {app: web}", "matchLabels: {app: @}", "'{osc}' | []"},
	{"minReplicas: 2", "minReplicas: @", "0 | -1 | 11 | x"}, {"maxReplicas: 10", "maxReplicas: @", "0 | -1 | 1 | 99999999999"}, {"averageUtilization: 50", "averageUtilization: @", "x | 99999999999"},
	{"type: Resource", "type: @", "[] | '{osc}'"}, {"name: web}\n  minReplicas", "name: @}\n  minReplicas", "other | '' | '{osc}'"}, {"kind: Deployment, name", "kind: @, name", "StatefulSet | '{osc}'"},
	{"kind: Deployment\n", "kind: @\n", "Nothing | DaemonSet | '{osc}' | ''"}, {"apiVersion: apps/v1\nkind", "apiVersion: @\nkind", "apps/v9 | v1 | '' | '{osc}'"},
	{"metadata:\n  name: web\nspec:\n  replicas", "metadata:\n  name: web\n  @\nspec:\n  replicas", "namespace: kube-system | finalizers: [a/b] | ownerReferences: [{apiVersion: v1, kind: Pod, name: x, uid: '1'}] | nothing: 1"},
	// What a manifest of somebody else's may not ask of a cluster of somebody else's.
	{"      containers:", "      @\n      containers:", "hostNetwork: true | hostPID: true | hostIPC: true | nodeName: node-1 | serviceAccountName: admin | priorityClassName: system-node-critical | volumes: [{name: a, hostPath: {path: /}}] | volumes: [{name: a, secret: {secretName: b}}] | tolerations: [{operator: Exists}] | hostAliases: [{ip: 1.1.1.1}] | imagePullSecrets: [{name: a}] | nothing: 1"},
	{"        image: web", "        image: web\n        @", "securityContext: {privileged: true} | securityContext: {runAsUser: 0} | securityContext: {capabilities: {add: [SYS_ADMIN]}} | securityContext: {allowPrivilegeEscalation: true} | ports: [{containerPort: 80, hostPort: 80}] | env: [{name: A, valueFrom: {secretKeyRef: {name: a, key: b}}}]"},
}

// left are those that nobody but the API server knows to be wrong, when it is asked.
var left = []struct{ part, with, values string }{
	{"image: web", "image: @", "''"}, {"cpu: 100m}", "cpu: @}", "-1 | 1e99"}, {"matchLabels: {app: web}", "matchLabels: {app: @}", "other"}, {"averageUtilization: 50", "averageUtilization: @", "0 | -1"},
	{"type: Resource", "type: @", "Resources | Pods | External"}, {"        image: web", "        image: web\n        @", "volumeMounts: [{name: a, mountPath: /}] | lifecycle: {preStop: {exec: {command: [sh]}}}"},
}

// foreign are objects that do not belong into a scenario.
var foreign = []string{
	"{apiVersion: v1, kind: Secret, metadata: {name: a}}", "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, image: a}]}}", "{apiVersion: v1, kind: Namespace, metadata: {name: kube-system}}",
	"{apiVersion: v1, kind: Node, metadata: {name: a}}", "{apiVersion: v1, kind: ServiceAccount, metadata: {name: a}}", "{apiVersion: v1, kind: PersistentVolume, metadata: {name: a}}", "{apiVersion: v1, kind: List, items: []}",
	"{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: a}}", "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: a}, roleRef: {kind: ClusterRole, name: cluster-admin, apiGroup: rbac.authorization.k8s.io}}",
	"{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: a}, roleRef: {kind: ClusterRole, name: cluster-admin, apiGroup: rbac.authorization.k8s.io}}",
	"{apiVersion: batch/v1, kind: CronJob, metadata: {name: a}}", "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: a}}", "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: a.b}}",
	"{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: a}}", "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {type: LoadBalancer}}",
	"{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {externalIPs: [1.1.1.1]}}", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a: 1}}", "[]", "text", "{}", "{kind: Deployment}", "{apiVersion: 1, kind: 2}", "{a: *b}",
}

func objectRows() (rows []input) {
	add := func(name, text string) { rows = append(rows, checked(name, scenarioYAML, text, `objects\.yaml`)) }
	for i, b := range append(left, brokenObjects...) {
		for value := range strings.SplitSeq(b.values, " | ") {
			with := strings.Replace(b.with, "@", value, 1)
			add(b.part+" → "+with, swap(objectsYAML, b.part, hostile.Replace(with)))
			if i < len(left) {
				rows[len(rows)-1].fine, rows[len(rows)-1].says = "the API server tells it", ""
			}
		}
	}
	for _, f := range foreign {
		add(f, objectsYAML+"---\n"+f+"\n")
	}
	deployment, hpa, _ := strings.Cut(objectsYAML, "---\n")
	add("a Deployment alone", deployment)
	add("an HPA alone", hpa)
	add("both twice", objectsYAML+"---\n"+objectsYAML)
	add("a tab", swap(objectsYAML, "  replicas", "\treplicas"))
	return rows
}
