package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/otherwise"
)

// verdictTexts are what was decided about nodes, as the end of a sentence in the past.
var verdictTexts = map[string]string{
	// Cluster Autoscaler, more nodes
	"NotNeeded":              "새 노드가 필요한 파드가 없어 늘리지 않았습니다",
	"LimitedByMaxNodesTotal": "노드가 이미 --max-nodes-total만큼 있어 늘리지 않았습니다",
	"InCooldown":             "파드가 모두 생긴 지 2초가 안 되어 한 바퀴 기다렸습니다",
	"NotTriggerScaleUp":      "파드를 받을 수 있는 노드 그룹이 없어 늘리지 않았습니다",
	"ClusterUnhealthy":       "준비되지 않은 노드가 너무 많아 아무것도 하지 않았습니다",
	// Cluster Autoscaler, fewer nodes
	"ScaleDown":                    "지우기로 했습니다",
	"ScaleDownBudget":              "한 번에 지우거나 비우는 수에 걸려 다음으로 미루어졌습니다",
	"NotUnderutilized":             "요청량의 이용률이 기준보다 높아 남았습니다",
	"RecentlyUnremovable":          "조금 전에 지울 수 없다고 보아 한동안 다시 보지 않아 남았습니다",
	"NoPlaceToMovePods":            "파드가 옮겨 갈 자리가 없어 남았습니다",
	"NotUnneededLongEnough":        "없어도 되는 노드로 센 시간이 모자라 남았습니다",
	"NotUnreadyLongEnough":         "준비되지 않은 시간이 모자라 남았습니다",
	"NodeGroupMinSizeReached":      "노드 그룹이 최소 크기라 남았습니다",
	"MinimalResourceLimitExceeded": "클러스터 전체의 최소 자원에 걸려 남았습니다",
	"BlockedByOnCompletionPod":     "끝나기를 기다려야 하는 파드가 있어 남았습니다",
	"NotAutoscaled":                "늘리고 줄이는 노드 그룹에 속하지 않아 남았습니다",
	"ScaleDownDisabledAnnotation":  "scale-down-disabled 주석이 있어 남았습니다",
	"ScaleDownUnreadyDisabled":     "준비되지 않은 노드는 지우지 않게 되어 있어 남았습니다",
	"CurrentlyBeingDeleted":        "이미 지워지는 중입니다",
	"ScaleDownInCooldown":          "축소를 쉬는 시간이라 미루어졌습니다",
	// Karpenter
	"Nominated":         "파드가 지금 있는 노드에 모두 들어가 아무것도 빌리지 않았습니다",
	"NoPendingPods":     "자리를 찾아 줄 파드가 없어 아무것도 빌리지 않았습니다",
	"NoReadyNodePools":  "준비된(Ready) NodePool이 없어 아무것도 빌리지 않았습니다",
	"delete":            "지우기로 했습니다",
	"NoOp":              "남았습니다",
	"NotConsolidatable": "파드가 조용한 시간(consolidateAfter)이 모자라 남았습니다",
}

func verdictText(o otherwise.Outcome) string {
	switch o.Verdict {
	case "ScaledUpGroup":
		return korean.Object(strings.Join(pairs(o.About), ", ")) + " 늘리기로 했습니다"
	case "ScaleUpCapped":
		return "한도(" + strings.Join(o.About, ", ") + ")에 걸려 늘리지 않았습니다"
	case "BlockedByPod":
		return "파드가 막아 남았습니다(" + strings.Join(o.About, ", ") + ")"
	case "CreateNodeClaims":
		return rented(o.About)
	case "FailedScheduling":
		return "파드 " + strings.Join(o.About, "") + "개가 자리를 찾지 못했고 아무것도 빌리지 않았습니다"
	case "replace":
		return strings.Join(o.About, ", ") + " 노드로 바꾸기로 했습니다"
	}
	if text, ok := verdictTexts[o.Verdict]; ok {
		return text
	}
	return "남았습니다(" + o.Verdict + ")"
}

// pairs are names with how many: "general 2대".
func pairs(about []string) (list []string) {
	for i := 0; i+1 < len(about); i += 2 {
		list = append(list, about[i]+" "+about[i+1]+"대")
	}
	return list
}

// rented are the types that Karpenter wants, each with how many, and for how many pods there
// is no place.
func rented(types []string) string {
	var list []string
	end := "빌리기로 했습니다"
	for i := 0; i < len(types); {
		if n, ok := strings.CutPrefix(types[i], "no place: "); ok {
			end = "빌리기로 했고, 파드 " + n + "개는 자리를 찾지 못했습니다"
			i++
			continue
		}
		n := 1
		for i+n < len(types) && types[i+n] == types[i] {
			n++
		}
		list = append(list, fmt.Sprintf("%s %d대", types[i], n))
		i += n
	}
	return korean.Object(strings.Join(list, ", ")) + " " + end
}

// noteText is what else upstream says of an outcome; empty where it says nothing.
func noteText(o otherwise.Outcome) string {
	if o.Note == "" {
		return ""
	}
	switch o.Verdict {
	case "NotUnneededLongEnough", "NotUnreadyLongEnough", "ScaleDownInCooldown":
		left, err := time.ParseDuration(o.Note)
		if err == nil && left == 0 {
			return "기준 시간을 막 채웠습니다. 그보다 길어야 합니다."
		}
		return "남은 시간: " + Duration(left)
	case "NotUnderutilized":
		return "이 노드의 이용률: " + o.Note
	case "BlockedByPod":
		return "막은 파드: " + o.Note
	case "NoPlaceToMovePods":
		return "갈 곳이 없는 파드: " + o.Note
	case "NodeGroupMinSizeReached":
		size, least, _ := strings.Cut(o.Note, " ")
		return fmt.Sprintf("노드 그룹의 크기 %s, 최소 %s", size, least)
	case "ScaledUpGroup":
		return "고른 expander: " + o.Note
	case "delete", "replace":
		return "업스트림이 말하는 이유: " + o.Note
	}
	return "업스트림이 하는 말: " + o.Note
}
