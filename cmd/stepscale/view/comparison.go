package view

// comparisonLabels are the Korean names of the facts of the loop that compares two node
// autoscalers.
var comparisonLabels = map[string]string{
	"sideNodes":   "노드:",
	"sideTypes":   "노드의 타입:",
	"sidePrice":   "시간당 가격(USD):",
	"sideSpent":   "지금까지의 값(USD):",
	"sideWaited":  "파드가 노드를 기다린 시간:",
	"sideEvicted": "지금까지 축출한 파드:",
}
