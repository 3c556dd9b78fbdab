package inspect

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/client-go/util/workqueue"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	karpenter "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/yaml"

	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/world"
)

// statusConfigMap is where Cluster Autoscaler leaves its status (--status-config-map-name).
const statusConfigMap = "cluster-autoscaler-status"

// workers is how many HPAs are read at once.
const workers = 8

// reader reads one snapshot. It only gets and lists.
type reader struct {
	c  world.Clients
	s  *Snapshot
	mu *sync.Mutex // of s.Unread: targets are read side by side
}

// Read looks once at a namespace, at all when it is empty. HPAs have to be readable; what
// else is not, the snapshot says.
func Read(ctx context.Context, c world.Clients, namespace string, now time.Time) (*Snapshot, error) {
	r := reader{c, &Snapshot{Now: now, Namespace: namespace, Unread: map[Kind]string{}}, &sync.Mutex{}}
	listed, err := hpa.List(ctx, c, namespace)
	if err != nil {
		return nil, err
	}
	for _, h := range listed {
		r.s.HPAs = append(r.s.HPAs, HPA{Listed: h})
	}
	for _, read := range []func(context.Context) error{r.objects, r.apis, r.nodes, r.targets} {
		if err := read(ctx); err != nil {
			return nil, err
		}
	}
	return r.s, nil
}

// list reads a list as JSON, which every kind has, and leaves it empty where it may not or
// cannot be read. An API that is not there has no objects.
func (r reader) list(ctx context.Context, kind Kind, path string, into any, query ...string) error {
	request := r.c.Kube.CoreV1().RESTClient().Get().AbsPath(path).SetHeader("Accept", "application/json")
	for i := 0; i+1 < len(query); i += 2 {
		request = request.Param(query[i], query[i+1])
	}
	raw, err := request.DoRaw(ctx)
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case world.IsFault(err):
		return err
	case err == nil:
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.s.Unread[kind] = err.Error()
	}
	return nil
}

// in is the path of a resource in the namespace, or in all.
func (r reader) in(group, resource string) string {
	if r.s.Namespace == "" {
		return group + "/" + resource
	}
	return group + "/namespaces/" + r.s.Namespace + "/" + resource
}

func (r reader) objects(ctx context.Context) error {
	var pods corev1.PodList
	var quotas corev1.ResourceQuotaList
	var budgets policyv1.PodDisruptionBudgetList
	var events corev1.EventList
	var vpas vpav1.VerticalPodAutoscalerList
	for _, l := range []struct {
		kind  Kind
		path  string
		into  any
		query []string
	}{
		{KindPods, r.in("/api/v1", "pods"), &pods, nil},
		{KindQuotas, r.in("/api/v1", "resourcequotas"), &quotas, nil},
		{KindPDBs, r.in("/apis/policy/v1", "poddisruptionbudgets"), &budgets, nil},
		{KindEvents, r.in("/api/v1", "events"), &events, []string{"fieldSelector", "involvedObject.kind=HorizontalPodAutoscaler"}},
		{KindVPAs, r.in("/apis/autoscaling.k8s.io/v1", "verticalpodautoscalers"), &vpas, nil},
	} {
		if err := r.list(ctx, l.kind, l.path, l.into, l.query...); err != nil {
			return err
		}
	}
	r.s.Pods, r.s.Quotas, r.s.PDBs, r.s.Events, r.s.VPAs = pods.Items, quotas.Items, budgets.Items, events.Items, vpas.Items
	return nil
}

func (r reader) apis(ctx context.Context) error {
	var apis apiregistration.APIServiceList
	err := r.list(ctx, KindAPIs, "/apis/apiregistration.k8s.io/v1/apiservices", &apis)
	r.s.APIs = apis.Items
	return err
}

// nodes reads what adds nodes, and what the nodes have.
func (r reader) nodes(ctx context.Context) error {
	var nodes corev1.NodeList
	var placed corev1.PodList
	var pools karpenter.NodePoolList
	var status corev1.ConfigMap
	for _, l := range []struct {
		kind Kind
		path string
		into any
	}{
		{KindNodes, "/api/v1/nodes", &nodes},
		{KindNodePools, "/apis/karpenter.sh/v1/nodepools", &pools},
		{KindGroups, "/api/v1/namespaces/kube-system/configmaps/" + statusConfigMap, &status},
		{KindPlaced, "/api/v1/pods", &placed},
	} {
		if l.kind == KindPlaced && r.s.Namespace == "" {
			placed.Items = r.s.Pods
			continue
		}
		if err := r.list(ctx, l.kind, l.path, l.into); err != nil {
			return err
		}
	}
	r.s.Nodes, r.s.NodePools = nodes.Items, pools.Items
	if r.s.Unread[KindPlaced] == "" && r.s.Unread[KindPods] == "" {
		r.s.Placed = placed.Items
	}
	r.s.Groups = groupsOf(status.Data["status"])
	return nil
}

// groupsOf reads the status of Cluster Autoscaler; nil where there is none.
func groupsOf(status string) *NodeGroups {
	if status == "" {
		return nil
	}
	g := &NodeGroups{}
	if err := yaml.Unmarshal([]byte(status), g); err != nil { // before 1.30 it was prose
		g.Status = "status가 YAML이 아닌 옛 형식이라 읽지 못했습니다"
	}
	return g
}

// targets reads what every HPA scales, and its metrics.
func (r reader) targets(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var once sync.Once
	var failed error
	workqueue.ParallelizeUntil(ctx, workers, len(r.s.HPAs), func(i int) {
		if err := r.target(ctx, &r.s.HPAs[i]); err != nil {
			once.Do(func() { failed = err; stop(err) })
		}
	})
	if failed != nil {
		return failed
	}
	return ctx.Err()
}

func (r reader) target(ctx context.Context, h *HPA) error {
	scale, resource, err := hpa.ScaleOf(ctx, r.c, h.HorizontalPodAutoscaler)
	if world.IsFault(err) {
		return err
	}
	if h.TargetErr = err; err != nil {
		return nil
	}
	h.Target = &Target{Scale: scale, Resource: resource.String()}
	if err := r.object(ctx, h, resource); err != nil {
		return err
	}
	h.Metrics, err = hpa.ReadMetrics(ctx, r.c, h.HorizontalPodAutoscaler, scale)
	return err
}

// object reads the target itself, as far as every workload with a scale has it: who wrote
// which field, and the template of its pods.
func (r reader) object(ctx context.Context, h *HPA, of schema.GroupResource) error {
	gv, err := schema.ParseGroupVersion(h.Spec.ScaleTargetRef.APIVersion)
	if err != nil {
		return nil // the scale was found by another version
	}
	path := fmt.Sprintf("/apis/%s/namespaces/%s/%s/%s", gv, h.Namespace, of.Resource, h.Spec.ScaleTargetRef.Name)
	if gv.Group == "" {
		path = fmt.Sprintf("/api/%s/namespaces/%s/%s/%s", gv, h.Namespace, of.Resource, h.Spec.ScaleTargetRef.Name)
	}
	var object struct {
		Metadata metav1.ObjectMeta `json:"metadata"`
		Spec     struct {
			Template *corev1.PodTemplateSpec `json:"template"`
		} `json:"spec"`
	}
	if err := r.list(ctx, Kind(h.target()), path, &object); err != nil {
		return err
	}
	h.Target.Meta, h.Target.Template = object.Metadata, object.Spec.Template
	return nil
}

// notFound tells that there is no such object, or no such kind of object.
func notFound(err error) bool {
	return apierrors.IsNotFound(err) || meta.IsNoMatchError(err)
}
