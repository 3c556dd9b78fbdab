package view

import (
	"slices"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/stepscale/stepscale/engine/trace"
)

// vpaLabels are the Korean names of the VPA loops' facts.
var vpaLabels = map[string]string{
	"interval":              "한 패스의 길이",
	"scrapes":               "메트릭 수집 횟수",
	"vpas":                  "VPA 오브젝트",
	"updateMode":            "업데이트 모드",
	"matchedPods":           "모델이 아는 파드",
	"newSamples":            "새로 들어온 표본",
	"samples":               "쌓인 표본",
	"history":               "표본이 쌓인 기간",
	"halfLife":              "무게가 절반이 되는 시간",
	"bucket":                "칸",
	"oomKilled":             "OOMKilled로 재시작한 횟수",
	"oomBump":               "OOM으로 올려 잡은 메모리",
	"lowerBoundPercentile":  "하한의 백분위수",
	"targetPercentile":      "추천의 백분위수",
	"upperBoundPercentile":  "상한의 백분위수",
	"lowerBoundMargin":      "여유를 더한 하한",
	"targetMargin":          "여유를 더한 추천",
	"upperBoundMargin":      "여유를 더한 상한",
	"confidence":            "신뢰도(일수)",
	"lowerBoundConfident":   "신뢰도를 반영한 하한",
	"targetConfident":       "신뢰도와 무관한 추천",
	"upperBoundConfident":   "신뢰도를 반영한 상한",
	"lowerBoundMinimum":     "최솟값과 비교한 하한",
	"targetMinimum":         "최솟값과 비교한 추천",
	"upperBoundMinimum":     "최솟값과 비교한 상한",
	"lowerBoundRounded":     "올림한 하한",
	"targetRounded":         "올림한 추천",
	"upperBoundRounded":     "올림한 상한",
	"lowerBound":            "하한",
	"target":                "추천",
	"upperBound":            "상한",
	"uncappedTarget":        "정책을 적용하기 전의 추천",
	"checkpoints":           "저장한 체크포인트",
	"admissionAlive":        "Admission Controller가 살아 있는가",
	"admissionBy":           "새 파드에 추천을 넣는 것",
	"admissionLeft":         "정책이 이 VPA를 건너뛰는가",
	"dryRunRefused":         "dry-run의 결과",
	"dryRunRequest":         "dry-run 파드의 요청량",
	"dryRunLimit":           "dry-run 파드의 제한",
	"livePods":              "살아 있는 파드",
	"controlledPods":        "이 VPA가 맡은 파드:",
	"inBounds":              "범위 안인가:",
	"resourceDiff":          "추천과의 차이:",
	"podAge":                "파드가 산 시간:",
	"verdict":               "판정:",
	"update":                "바꿀 것인가:",
	"podsToUpdate":          "바꿀 파드",
	"evictedPods":           "축출한 파드",
	"evictionHeld":          "축출을 다음 패스로 미룸:",
	"resizeHeld":            "조정을 다음 패스로 미룸:",
	"evictionRefused":       "축출 거절:",
	"resizedPods":           "재시작 없이 조정한 파드",
	"resizeRefused":         "조정 거절:",
	"resizePending":         "kubelet이 미룬 조정:",
	"restarts":              "컨테이너 재시작 횟수:",
	"absentPods":            "모자란 파드",
	"terminatingPods":       "종료 중인 파드",
	"admissionReviews":      "웹훅에 들어온 요청",
	"admissionReview":       "API 서버의 요청",
	"reviewUser":            "요청한 사용자",
	"requestBefore":         "원래 요청량",
	"limitBefore":           "원래 제한",
	"matchedVPA":            "파드를 맡은 VPA",
	"webhookLate":           "참고",
	"patches":               "JSON 패치",
	"patch":                 "패치",
	"requestAdded":          "더한 양",
	"proportionalLimit":     "비례해서 바뀐 제한",
	"newRequest":            "새 요청량",
	"newLimit":              "새 제한",
	"before":                "이전 요청량",
	"after":                 "이후 요청량",
	"updatedPods":           "추천대로인 파드",
	"usage":                 "파드당 사용량",
	"usageOfRequest":        "요청량 대비 사용량",
	"series":                "기록",
	"servedBefore":          "그전에 있던 VPA 리소스 종류",
	"servedResources":       "이제 있는 VPA 리소스 종류",
	"hasRecommendation":     "추천값이 있는가",
	"runsAs":                "실행 신분",
	"reads":                 "읽는 것",
	"writes":                "쓰는 것",
	"webhook":               "웹훅",
	"webhookURL":            "웹훅 주소",
	"webhookRule":           "웹훅을 부르는 요청:",
	"failurePolicy":         "웹훅이 죽었을 때(failurePolicy)",
	"timeoutSeconds":        "API 서버가 기다리는 시간(초)",
	"lease":                 "살아 있다는 표시(lease)",
	"historyLength":         "지나간 시간",
	"skippedTime":           "빠르게 넘긴 시간",
	"upperOverTarget":       "상한은 추천의 몇 배인가",
	"samplesBefore":         "재시작하기 전의 표본",
	"targetRef":             "VPA의 대상",
	"recommendationChanged": "추천이 달라졌는가",
}

// vpaTick reads what a pass of the VPA loop came to.
func (t *Tick) vpaFact(f trace.Fact) {
	base, of, _ := strings.Cut(f.Name, "/")
	first := func(to *string) {
		if *to == "" {
			*to = f.Value
		}
	}
	switch base {
	case "usage":
		t.PodUsage = f.Value
	case "before", "after":
		if t.of != "" && of != t.of { // the CPU, of a VPA that sizes the memory
			return
		}
		if base == "before" {
			first(&t.RequestBefore)
		} else {
			first(&t.Request)
		}
	case "lowerBound":
		first(&t.Lower)
	case "target":
		first(&t.Recommended)
		if t.of == "" {
			t.of = of
		}
	case "interval":
		t.sizes = true
	default:
		t.vpaBlocked(base, of, f.Value)
	}
}

// vpaBlocked reads what keeps a VPA from sizing pods: a condition of its own, the API
// server's no, a kubelet's, or an updater that waits.
func (t *Tick) vpaBlocked(base, of, value string) {
	switch {
	case base == "evictionRefused":
		t.blocked(value)
	case base == "resizeRefused", base == "resizePending", base == "verdict" && value == "heldBack":
		t.obstacle = value
	case base == "admissionAlive" && value == "false":
		t.obstacle = "AdmissionControllerNotReady"
	case base == "condition" && value == "True" && slices.Contains(vpaObstacles, of):
		t.obstacle = of
	}
}

// vpaObstacles are the conditions in which the recommender says why a VPA has no pods to
// size (recommender/model/vpa.go, UpdateConditions; input/cluster_feeder.go, LoadVPAs).
var vpaObstacles = []string{"NoPodsMatched", "ConfigUnsupported"}

// both tells whether an HPA moved in the same pass.
func (t Tick) both() bool { return t.vpa() && t.Current != "" }

// vpa tells whether the pass is one of the VPA loop.
func (t Tick) vpa() bool { return t.sizes || t.Request != "" || t.Recommended != "" }

var vpaColumns = []column{{"패스", 4}, {"경과", 8}, {"사용량", 8}, {"요청량", 13}, {"하한", 8}, {"추천", 8}, {"결정", 6}}

// bothColumns are for a pass in which an HPA and a VPA moved.
var bothColumns = []column{{"패스", 4}, {"경과", 10}, {"레플리카", 9}, {"사용률", 7}, {"요청량", 13}, {"추천", 8}, {"결정", 12}}

func (t Tick) vpaCells() map[string]string {
	return map[string]string{"사용량": dash(t.PodUsage), "요청량": dash(requestMove(amounts(t.RequestBefore), amounts(t.Request))), "하한": dash(t.Lower), "추천": dash(t.Recommended)}
}

// amounts reads "100m × 1, 300m × 1".
func amounts(tally string) (all []string) {
	for part := range strings.SplitSeq(tally, ", ") {
		value, _, _ := strings.Cut(part, " × ")
		all = append(all, value)
	}
	return all
}

// LargestRequest is the largest that a pod asks for after the pass.
func (t Tick) LargestRequest() (largest string) {
	for _, v := range amounts(t.Request) {
		if quantity(v) > quantity(largest) {
			largest = v
		}
	}
	return largest
}

// requestMove shows what the pods asked for and, where that is something else now, what
// they ask for: of many pods those that a pass has changed.
func requestMove(before, after []string) string {
	if before[0] == "" || slices.Equal(before, after) {
		return strings.Join(after, ",")
	}
	without := func(list, others []string) []string {
		rest := slices.DeleteFunc(slices.Clone(list), func(v string) bool { return slices.Contains(others, v) })
		if len(rest) == 0 {
			return list
		}
		return rest
	}
	return strings.Join(without(before, after), ",") + "→" + strings.Join(without(after, before), ",")
}

// histogram draws the buckets of a step as bars, so that the shape is seen.
func (s *Screen) histogram(facts []trace.Fact) {
	var buckets []trace.Fact
	for _, f := range facts {
		if strings.HasPrefix(f.Name, "bucket/") {
			buckets = append(buckets, f)
		}
	}
	if len(buckets) == 0 {
		return
	}
	s.section("히스토그램 (칸마다 표본의 무게)")
	fullest := 0.0
	for _, b := range buckets {
		share, _ := percent(b.Value)
		fullest = max(fullest, share)
	}
	room := max(min(s.width-40, 50), 8)
	for _, b := range buckets {
		_, name, _ := strings.Cut(b.Name, "/")
		s.print("  " + pad(name, 26) + " " + padLeft(b.Value, 6) + " " + s.drawn(cyan, shareBar(b.Value, fullest, room)) + "\n")
	}
}

// series draws usage against request, pass by pass. The mark is the request.
func (s *Screen) series(facts []trace.Fact) {
	var points []trace.Fact
	top := 0.0
	for _, f := range facts {
		if strings.HasPrefix(f.Name, "series/") {
			points = append(points, f)
			top = max(top, quantity(f.Value), quantity(f.Expr))
		}
	}
	if len(points) == 0 || top == 0 {
		return
	}
	s.section("사용량과 요청량(┃)의 기록")
	widest := 0 // with a date, where it is another day
	for _, p := range points {
		_, at, _ := strings.Cut(p.Name, "/")
		widest = max(widest, ansi.StringWidth(cell(at)))
	}
	room := max(min(s.width-widest-23, 60), 8)
	for _, p := range points {
		_, at, _ := strings.Cut(p.Name, "/")
		full := int(quantity(p.Value) / top * float64(room-1))
		mark := int(quantity(p.Expr) / top * float64(room-1))
		s.print("  " + cell(at) + " " + padLeft(p.Value, 8) + " / " + pad(p.Expr, 8) + " " + s.drawn(cyan, gauge(full, mark)) + "\n")
	}
}

// Amount reads "95%", "246m", "250Mi" or "4" as a number, where there is one; the unit is
// the same in a chart.
func Amount(text string) (float64, bool) {
	v, err := strconv.ParseFloat(strings.TrimRight(text, "%mMi"), 64)
	return v, err == nil
}

// quantity is an Amount, 0 where there is none.
func quantity(text string) float64 {
	v, _ := Amount(text)
	return v
}

// drawn are the facts that a chart shows instead of a list.
func drawn(name string) bool {
	return strings.HasPrefix(name, "bucket/") || strings.HasPrefix(name, "series/")
}
