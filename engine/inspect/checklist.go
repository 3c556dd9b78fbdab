package inspect

import (
	"fmt"
	"slices"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	vpautil "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/vpa"
)

// State is how far an item of the checklist is.
type State string

// The states.
const (
	Done    State = "done"
	Missing State = "missing"
	Unsure  State = "unknown"
)

// Item is one item of 아마존 EKS에 오토스케일링 구축하기: the goal of the seed document is
// pods and nodes that are scaled up and down on EKS.
type Item struct {
	Title string `json:"title"`
	State State  `json:"state"`
	Lines []Line `json:"lines"`
	Next  string `json:"next,omitempty"` // what is missing
}

// Checklist goes through the items. Version is the API server's, which EKS marks.
func Checklist(s *Snapshot, r Report, version string) []Item {
	return []Item{onEKS(version), s.metricsItem(), s.scalesPods(), s.ruleItem(r, "모든 컨테이너에 requests가 있다", len(s.HPAs) > 0 || len(s.VPAs) > 0, "no-requests", "container-not-found"),
		s.sizesPods(), s.scalesNodes(r), s.ruleItem(r, "maxReplicas까지 들어갈 자리가 있다", len(s.HPAs) > 0, "quota-below-max", "capacity-below-max", "nodepool-at-limit"),
		s.ruleItem(r, "HPA와 VPA가 서로를 되돌리지 않는다", len(s.HPAs) > 0, "hpa-and-vpa", "two-vpas"),
		s.ruleItem(r, "축소와 통합이 한꺼번에 축출하지 않는다", len(s.HPAs) > 0, "no-pdb"), nothingLeft(r)}
}

func onEKS(version string) Item {
	i := Item{"EKS 클러스터다", Done, []Line{observed("API 서버의 버전 %s", version)}, ""}
	if !strings.Contains(version, "-eks-") {
		i.State, i.Next = Missing, "이 클러스터는 EKS가 아닙니다. 나머지 항목은 그대로 확인하실 수 있습니다."
	}
	return i
}

func (s *Snapshot) metricsItem() Item {
	i := Item{Title: "Metrics Server가 답한다", State: Unsure}
	if why := s.Unread[KindAPIs]; why != "" {
		i.Lines = []Line{unknown("APIService를 읽지 못했습니다: %s", why)}
		return i
	}
	name, why := s.unserved("metrics.k8s.io")
	if why == "" {
		i.State, i.Lines = Done, []Line{observed("APIService %s", name)}
		return i
	}
	i.State, i.Lines, i.Next = Missing, []Line{observed("%s", why)}, "EKS에는 처음부터 들어 있지 않습니다. aws eks create-addon --addon-name metrics-server로 설치하십시오."
	return i
}

// scalesPods asks for one HPA at least that the controller finds working.
func (s *Snapshot) scalesPods() Item {
	i := Item{Title: "파드의 수를 늘리고 줄인다(HPA)", State: Missing}
	if len(s.HPAs) == 0 {
		i.Lines, i.Next = []Line{observed("HPA가 없습니다")}, "kubectl autoscale deployment 이름 --min=2 --max=10 --cpu=50%처럼 HPA를 만드십시오."
		return i
	}
	idle := 0
	for n := range s.HPAs {
		if c := s.HPAs[n].condition(autoscalingv2.ScalingActive); c == nil || c.Status != corev1.ConditionTrue {
			idle++
			i.Lines = append(i.Lines, observed("HPA %s/%s의 ScalingActive가 True가 아닙니다", s.HPAs[n].Namespace, s.HPAs[n].Name))
		}
	}
	if idle == 0 {
		i.State, i.Lines = Done, []Line{observed("HPA %d개가 모두 ScalingActive=True", len(s.HPAs))}
		return i
	}
	i.Next = "위의 HPA마다 적힌 이유를 고치십시오."
	return i
}

// sizesPods asks for one VPA at least that has a recommendation.
func (s *Snapshot) sizesPods() Item {
	i := Item{Title: "파드의 크기를 추천받는다(VPA)", State: Missing}
	if why := s.Unread[KindVPAs]; why != "" {
		i.State, i.Lines = Unsure, []Line{unknown("VPA를 읽지 못했습니다: %s", why)}
		return i
	}
	for n := range s.VPAs {
		if v := &s.VPAs[n]; v.Status.Recommendation != nil {
			i.State, i.Lines = Done, []Line{observed("VPA %s/%s에 추천이 있습니다(updateMode %s)", v.Namespace, v.Name, vpautil.GetUpdateMode(v))}
			return i
		}
	}
	i.Lines, i.Next = []Line{observed("추천이 있는 VPA가 없습니다(VPA %d개)", len(s.VPAs))}, "VPA를 설치하고, updateMode: Off인 VPA부터 두어 추천을 보십시오."
	return i
}

func (s *Snapshot) scalesNodes(r Report) Item {
	i := Item{Title: "노드의 수를 늘리고 줄인다(카펜터나 클러스터 오토스케일러)", State: Missing}
	switch {
	case len(s.NodePools) > 0 || s.Groups != nil:
		i.State, i.Lines = Done, r.Nodes
		if failing(r, "nodepool-not-ready", "ca-unhealthy") {
			i.State, i.Next = Missing, "위에 적힌 이유를 고치십시오."
		}
	case s.Unread[KindNodePools] != "" || s.Unread[KindGroups] != "":
		i.State, i.Lines = Unsure, []Line{unknown("카펜터와 클러스터 오토스케일러의 오브젝트를 모두 읽지는 못했습니다")}
	default:
		i.Lines, i.Next = []Line{observed("카펜터의 NodePool도, kube-system의 ConfigMap %s도 없습니다", statusConfigMap)}, "EKS Auto Mode를 켜시거나, 카펜터나 클러스터 오토스케일러를 설치하십시오."
	}
	return i
}

// ruleItem is done where the rules found nothing, and there was something to look at.
func (s *Snapshot) ruleItem(r Report, title string, any bool, rules ...string) Item {
	i := Item{Title: title, State: Done, Lines: []Line{recomputed("규칙 %s: 찾은 것 없음", strings.Join(rules, ", "))}}
	switch {
	case !any:
		i.State, i.Lines = Unsure, []Line{unknown("살펴볼 오브젝트가 없습니다")}
	case failing(r, rules...):
		i.State, i.Lines, i.Next = Missing, nil, "위에 적힌 대로 고치십시오."
		for _, f := range r.Findings {
			if slices.Contains(rules, f.Rule) {
				i.Lines = append(i.Lines, recomputed("%s: %s", f.Object, f.What))
			}
		}
	}
	return i
}

func failing(r Report, rules ...string) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return slices.Contains(rules, f.Rule) })
}

func nothingLeft(r Report) Item {
	i := Item{Title: "그 밖에 찾은 것이 없다", State: Done, Lines: []Line{recomputed("규칙 %d개, 찾은 것 %d개", len(Rules), len(r.Findings))}}
	if len(r.Findings) > 0 {
		i.State, i.Next = Missing, fmt.Sprintf("찾은 것 %d개를 고치십시오.", len(r.Findings))
	}
	return i
}
