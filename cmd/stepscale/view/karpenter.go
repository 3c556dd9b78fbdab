package view

import (
	"cmp"
	"strings"

	"github.com/stepscale/stepscale/engine/trace"
)

// karpenterLabels are the Korean names of the facts of Karpenter's loop.
var karpenterLabels = map[string]string{
	"markedPods":          "Unschedulable로 표시된 파드",
	"unschedulableReason": "스케줄러가 말하는 이유",
	"pendingPods":         "카펜터가 자리를 찾아 줄 파드",
	"batchIdle":           "새 파드가 없으면 기다리는 시간",
	"batchMax":            "길어도 여기까지 기다리는 시간",
	"podOrder":            "파드를 놓아 보는 순서",
	"podRequest":          "파드의 CPU 요청량:",
	"existingNodes":       "먼저 살펴보는 노드",
	"placedPods":          "지금 있는 노드에 들어가는 파드",
	"nodeFree":            "노드에 남은 CPU:",
	"whyNot":              "이 노드가 안 되는 이유:",
	"plannedNodes":        "새로 계획한 노드",
	"plannedPods":         "계획한 노드가 받는 파드:",
	"plannedRequest":      "계획한 노드의 CPU 요청량 합계:",
	"typesOffered":        "처음의 인스턴스 타입:",
	"typesLeft":           "남은 인스턴스 타입:",
	"typeOut":             "빠진 타입:",
	"noPlace":             "자리를 찾지 못한 이유",
	"noPlacePods":         "자리를 찾지 못한 파드",
	"limit":               "NodePool의 CPU 한도:",
	"limitLeft":           "계획한 뒤에 남은 한도:",
	"price":               "시간당 가격(USD):",
	"cheapestType":        "가장 싼 타입",
	"cheapestPrice":       "가장 싼 타입의 시간당 가격(USD)",
	"createdClaims":       "만든 NodeClaim",
	"claim":               "NodeClaim",
	"claimRequirement":    "NodeClaim의 조건",
	"launchedNodes":       "빌린 인스턴스",
	"instanceType":        "빌린 타입",
	"zone":                "가용 영역:",
	"bootTime":            "부팅에 걸린 시간",
	"joinedNodes":         "등록된 노드",
	"taints":              "노드의 테인트:",
	"podsMayBind":         "파드가 배정될 수 있는가",
	"registeredNodes":     "카펜터가 알아본 노드",
	"networkTime":         "네트워크가 준비된 시간",
	"readyNodes":          "Ready가 된 노드",
	"initializedNodes":    "초기화를 마친 노드",
	"podsOnNode":          "이 노드에 배정된 파드:",
	"consolidateAfter":    "파드가 조용해야 하는 시간",
	"sincePodEvent":       "마지막 파드의 일에서 지난 시간:",
	"consolidatableNodes": "통합할 수 있는 노드",
	"candidates":          "후보 노드",
	"candidatePrice":      "후보의 시간당 가격(USD):",
	"candidateUsed":       "후보에서 요청된 CPU:",
	"budget":              "한 번에 없앨 수 있는 노드:",
	"simulatedWithout":    "없다고 치는 노드",
	"movedPods":           "있는 노드로 옮길 수 있는 파드",
	"movedTo":             "옮겨 갈 파드:",
	"simulatedNodes":      "새로 필요한 노드",
	"decision":            "카펜터의 결정",
	"priceNow":            "지금의 시간당 가격(USD)",
	"savings":             "아끼는 시간당 가격(USD)",
	"validationDelay":     "다시 보기까지 기다린 시간",
	"stillValid":          "결정이 아직 맞는가",
	"invalid":             "결정을 버린 이유",
	"deletedClaims":       "지운 NodeClaim",
	"goneNodes":           "사라진 노드",
	"drainTime":           "비워진 노드가 사라지기까지",
}

// nodeColumns are for a pass of a loop that is about nodes.
var nodeColumns = []column{{"패스", 4}, {"경과", 8}, {"대기·후보", 9}, {"새 노드", 7}, {"타입·그룹", 12}, {"결정", 9}}

// nodeFact takes what a row of such a pass shows.
func (t *Tick) nodeFact(fact trace.Fact) {
	switch fact.Name {
	case "pendingPods", "candidates", "waitingPods", "candidateNodes":
		t.Pending = fact.Value
	case "createdClaims", "orderedNodes":
		t.NewNodes = fact.Value
	case "instanceType", "bestGroup":
		t.NodeType = fact.Value
	}
}

// nodes tells a pass of a loop that is about nodes alone: one with an HPA has its columns.
func (t Tick) nodes() bool { return t.Pending != "" && t.Current == "" }

// nodesApart takes what was done with nodes out of a pass that an HPA has decided in, too.
func (t *Tick) nodesApart() {
	if t.Current == "" || !strings.HasSuffix(t.Action, "Node") {
		return
	}
	t.NodeAction, t.Action, t.Also = t.Action, cmp.Or(t.Also, "keep"), ""
}

func (t Tick) nodeCells() map[string]string {
	return map[string]string{"대기·후보": dash(t.Pending), "새 노드": dash(t.NewNodes), "타입·그룹": dash(t.NodeType)}
}
