package observed

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// status is what Cluster Autoscaler writes into its ConfigMap since 1.30, as far as it is
// told here (clusterstate/api/types.go ClusterAutoscalerStatus).
type status struct {
	Time             string        `json:"time"`
	AutoscalerStatus string        `json:"autoscalerStatus"`
	Message          string        `json:"message"`
	ClusterWide      conditions    `json:"clusterWide"`
	NodeGroups       []groupStatus `json:"nodeGroups"`
}

type groupStatus struct {
	Name string `json:"name"`
	conditions
}

// conditions are of the whole cluster or of one node group.
type conditions struct {
	Health struct {
		Status     string `json:"status"`
		NodeCounts struct {
			Registered struct {
				Total      int `json:"total"`
				Ready      int `json:"ready"`
				NotStarted int `json:"notStarted"`
			} `json:"registered"`
		} `json:"nodeCounts"`
		Target             int         `json:"cloudProviderTarget"`
		Min                int         `json:"minSize"`
		Max                int         `json:"maxSize"`
		LastTransitionTime metav1.Time `json:"lastTransitionTime"`
	} `json:"health"`
	ScaleUp struct {
		Status      string `json:"status"`
		BackoffInfo struct {
			ErrorCode    string `json:"errorCode"`
			ErrorMessage string `json:"errorMessage"`
		} `json:"backoffInfo"`
		LastTransitionTime metav1.Time `json:"lastTransitionTime"`
	} `json:"scaleUp"`
	ScaleDown struct {
		Status             string      `json:"status"`
		Candidates         int         `json:"candidates"`
		LastTransitionTime metav1.Time `json:"lastTransitionTime"`
	} `json:"scaleDown"`
}

// statusTime is how Go writes a time, which is how the status has it.
const statusTime = "2006-01-02 15:04:05.999999999 -0700 MST"

// staleAfter is when a status is one of an autoscaler that runs no more: it writes one in
// every loop, of ten seconds as a rule.
const staleAfter = 5 * time.Minute

// readStatus tells what Cluster Autoscaler's ConfigMap says.
func (x *reading) readStatus(ctx context.Context) error {
	m, err := x.Kube.CoreV1().ConfigMaps(x.StatusNamespace).Get(ctx, x.StatusName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	ok, err := x.may("configmaps", err)
	if !ok {
		return err
	}
	a := &x.ClusterAutoscaler
	a.Installed = true
	about := "configmap/" + x.StatusName
	var s status
	if err := yaml.Unmarshal([]byte(m.Data["status"]), &s); err != nil || s.AutoscalerStatus == "" {
		a.say(Unknown, about, "", "1.30 전의 형식이거나 모르는 형식이라 풀어 드리지 못합니다. kubectl get configmap "+x.StatusName+" -n "+x.StatusNamespace+" -o yaml로 읽어 주십시오.", time.Time{})
		return nil
	}
	at, err := time.Parse(statusTime, s.Time)
	if err != nil {
		at = time.Time{}
	}
	a.say(Seen, about, s.AutoscalerStatus, s.Message, at)
	if !at.IsZero() && x.At.Sub(at) > staleAfter {
		a.say(Recalculated, about, "", fmt.Sprintf("%s 동안 바뀌지 않았습니다. 지금은 돌고 있지 않은 것 같습니다.", x.At.Sub(at).Round(time.Second)), time.Time{})
	}
	x.tellConditions("", s.ClusterWide)
	for _, g := range s.NodeGroups {
		x.tellConditions("nodegroup/"+g.Name, g.conditions)
	}
	return nil
}

func (x *reading) tellConditions(about string, c conditions) {
	a, n := &x.ClusterAutoscaler, c.Health.NodeCounts.Registered
	text := fmt.Sprintf("노드 %d개, 준비된 노드 %d개", n.Total, n.Ready)
	if about != "" {
		text += fmt.Sprintf(", 목표 %d, 최소 %d, 최대 %d", c.Health.Target, c.Health.Min, c.Health.Max)
	}
	a.say(Seen, about, c.Health.Status, text, c.Health.LastTransitionTime.Time)
	if c.ScaleUp.Status != "" {
		a.say(Seen, about, "scaleUp: "+c.ScaleUp.Status, strings.TrimSpace(c.ScaleUp.BackoffInfo.ErrorCode+" "+c.ScaleUp.BackoffInfo.ErrorMessage), c.ScaleUp.LastTransitionTime.Time)
	}
	if c.ScaleDown.Status != "" {
		a.say(Seen, about, "scaleDown: "+c.ScaleDown.Status, fmt.Sprintf("후보 %d개", c.ScaleDown.Candidates), c.ScaleDown.LastTransitionTime.Time)
	}
	if about == "" {
		return
	}
	switch h := c.Health; {
	case h.Target >= h.Max:
		a.say(Recalculated, about, "max node group size reached", "목표가 최대에 닿아 더 늘어나지 않습니다 (core/scaleup/orchestrator/orchestrator.go: filterValidScaleUpNodeGroups).", time.Time{})
	case h.Target <= h.Min:
		a.say(Recalculated, about, "NodeGroupMinSizeReached", "목표가 최소에 닿아 더 줄어들지 않습니다 (processors/nodes/pre_filtering_processor.go: GetScaleDownCandidates).", time.Time{})
	}
}
