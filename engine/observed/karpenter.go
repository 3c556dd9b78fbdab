package observed

import (
	"context"
	"fmt"
	"time"

	opstatus "github.com/awslabs/operatorpkg/status"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"
)

// Karpenter's resources, in the version that upstream serves since 1.0.
var karpenterVersion = schema.GroupVersion{Group: "karpenter.sh", Version: "v1"}

// readKarpenter tells of NodePools and NodeClaims.
func (x *reading) readKarpenter(ctx context.Context) error {
	if _, err := x.Kube.Discovery().ServerResourcesForGroupVersion(karpenterVersion.String()); apierrors.IsNotFound(err) {
		return nil
	} else if err != nil {
		return err
	}
	x.Karpenter.Installed = true
	pools := map[string]*karpv1.NodePool{}
	err := x.each(ctx, "nodepools", func(object map[string]any) error {
		p := &karpv1.NodePool{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object, p); err != nil {
			return err
		}
		pools[p.Name] = p
		x.tellPool(p)
		return nil
	})
	if err != nil {
		return err
	}
	return x.each(ctx, "nodeclaims", func(object map[string]any) error {
		c := &karpv1.NodeClaim{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object, c); err != nil {
			return err
		}
		x.tellClaim(c, pools[c.Labels[karpv1.NodePoolLabelKey]])
		return nil
	})
}

// each reads all objects of one of Karpenter's resources. One that this program does not
// understand is told as unknown.
func (x *reading) each(ctx context.Context, resource string, tell func(map[string]any) error) error {
	list, err := x.Dynamic.Resource(karpenterVersion.WithResource(resource)).List(ctx, metav1.ListOptions{})
	ok, err := x.may(resource+".karpenter.sh", err)
	if !ok {
		return err
	}
	for _, object := range list.Items {
		if err := tell(object.Object); err != nil {
			x.Karpenter.say(Unknown, resource+"/"+object.GetName(), "", "이 프로그램이 아는 형식(karpenter.sh/v1)과 다릅니다: "+err.Error(), time.Time{})
		}
	}
	return nil
}

func (x *reading) tellPool(p *karpv1.NodePool) {
	a, about := &x.Karpenter, "nodepool/"+p.Name
	d := p.Spec.Disruption
	text := fmt.Sprintf("통합: %s", d.ConsolidationPolicy)
	if d.ConsolidateAfter.Duration != nil {
		text += fmt.Sprintf(", 조용한 시간 %s", *d.ConsolidateAfter.Duration)
	}
	for _, b := range d.Budgets {
		text += ", 예산 " + b.Nodes
	}
	a.say(Seen, about, "", text, time.Time{})
	if c := p.StatusConditions().Get(opstatus.ConditionReady); c != nil && !c.IsTrue() {
		a.say(Seen, about, "Ready="+string(c.Status), "준비되지 않은 NodePool에서는 노드가 생기지 않습니다: "+c.Reason+" "+c.Message, c.LastTransitionTime.Time)
	}
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		limit, ok := p.Spec.Limits[name]
		if !ok {
			continue
		}
		used, left := p.Status.Resources[name], limit.DeepCopy()
		left.Sub(used)
		a.say(Recalculated, about, "", fmt.Sprintf("%s의 한도 %s − 지금 %s = 남은 한도 %s (controllers/provisioning/scheduling/scheduler.go: subtractMax)", name, limit.String(), used.String(), left.String()), time.Time{})
	}
}

func (x *reading) tellClaim(c *karpv1.NodeClaim, pool *karpv1.NodePool) {
	a, about := &x.Karpenter, "nodeclaim/"+c.Name
	stage, at := "Created", c.CreationTimestamp.Time
	for _, condition := range []string{karpv1.ConditionTypeLaunched, karpv1.ConditionTypeRegistered, karpv1.ConditionTypeInitialized} {
		got := c.StatusConditions().Get(condition)
		if got == nil || !got.IsTrue() {
			if got != nil && got.Message != "" {
				a.say(Seen, about, condition+"="+string(got.Status), got.Reason+" "+got.Message, got.LastTransitionTime.Time)
			}
			break
		}
		stage, at = condition, got.LastTransitionTime.Time
	}
	text := fmt.Sprintf("NodePool %s, 타입 %s, 노드 %s", c.Labels[karpv1.NodePoolLabelKey], c.Labels[corev1.LabelInstanceTypeStable], c.Status.NodeName)
	if c.DeletionTimestamp != nil {
		stage, at = "Terminating", c.DeletionTimestamp.Time
	}
	a.say(Seen, about, stage, text, at)
	if got := c.StatusConditions().Get(karpv1.ConditionTypeConsolidatable); got != nil && got.IsTrue() {
		a.say(Seen, about, "Consolidatable", "조용한 시간이 지나 통합을 살펴봅니다", got.LastTransitionTime.Time)
	}
	if pool == nil || pool.Spec.Disruption.ConsolidateAfter.Duration == nil || c.Status.LastPodEventTime.IsZero() || c.DeletionTimestamp != nil {
		return
	}
	left := pool.Spec.Disruption.ConsolidateAfter.Duration.Round(time.Second) - x.At.Sub(c.Status.LastPodEventTime.Time)
	if left > 0 {
		a.say(Recalculated, about, "", fmt.Sprintf("마지막 파드의 일(lastPodEventTime)에서 조용한 시간이 지나기까지 %s 남았습니다 (controllers/nodeclaim/disruption/consolidation.go: Reconcile).", left.Round(time.Second)), time.Time{})
	}
}
