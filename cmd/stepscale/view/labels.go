package view

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// FactLabels are the Korean names of the facts that loops declare, a table for each
// room of theirs; the identifier stands beside them.
var FactLabels = []map[string]string{labels, vpaLabels, karpenterLabels, nodeGroupLabels, comparisonLabels}

var labels = map[string]string{
	"currentReplicas":              "현재 레플리카 수",
	"podsListed":                   "찾은 파드 수",
	"podMetric":                    "파드 사용량",
	"readyPods":                    "준비된 파드",
	"unreadyPods":                  "준비되지 않은 파드",
	"missingPods":                  "메트릭이 없는 파드",
	"ignoredPods":                  "계산에서 뺀 파드",
	"totalUsage":                   "사용량 합계",
	"totalRequests":                "요청량(requests) 합계",
	"currentUtilization":           "현재 사용률",
	"averageValue":                 "파드당 평균",
	"targetUtilization":            "목표 사용률",
	"targetAverageValue":           "목표 평균",
	"metricName":                   "메트릭의 이름",
	"metricValue":                  "메트릭 값",
	"statusAverage":                "status에 적히는 평균",
	"targetValue":                  "목표 값",
	"usageRatio":                   "사용 비율",
	"toleranceLow":                 "허용 오차 하한",
	"toleranceHigh":                "허용 오차 상한",
	"withinTolerance":              "허용 오차 안인가",
	"proposal":                     "제안 레플리카 수",
	"metricDesiredReplicas":        "메트릭이 원하는 레플리카 수",
	"stabilizedReplicas":           "안정화 후 레플리카 수",
	"stabilizationWindow":          "안정화 구간",
	"recommendationMax":            "구간 안 최댓값",
	"recommendationMin":            "구간 안 최솟값",
	"scaleUpLimit":                 "늘릴 수 있는 한도",
	"scaleDownLimit":               "줄일 수 있는 한도",
	"minReplicas":                  "최소 레플리카 수",
	"maxReplicas":                  "최대 레플리카 수",
	"desiredReplicas":              "원하는 레플리카 수",
	"scalingLimited":               "한도에 걸렸는가",
	"action":                       "결정",
	"deploymentReplicas":           "디플로이먼트의 레플리카 수",
	"replicaSetReplicas":           "레플리카셋의 레플리카 수",
	"createdPods":                  "만든 파드",
	"deletedPods":                  "지운 파드",
	"podsTotal":                    "전체 파드",
	"boundPods":                    "노드에 배정한 파드",
	"usagePerReadyPod":             "앞서 읽은 사용량을 지금 준비된 파드로 나누면",
	"skipped":                      "건너뛴 이유",
	"podTimestamp":                 "측정 시각",
	"podWindow":                    "측정 구간",
	"syncPeriod":                   "동기화 주기",
	"scrapedPods":                  "메트릭을 수집한 파드",
	"unschedulablePods":            "배정하지 못한 파드",
	"condition":                    "컨디션",
	"conditionReason":              "컨디션 이유",
	"conditionMessage":             "컨디션 메시지",
	"event":                        "이벤트",
	"cause":                        "원인",
	"hpaMode":                      "HPA 방식",
	"desiredStatus":                "기억만 하고 쓰지 않은 status",
	"eventKept":                    "기억만 하고 쓰지 않은 이벤트",
	"replicaFailure":               "파드를 만들지 못한 이유",
	"metricError":                  "메트릭 오류",
	"rescaleReason":                "크기를 바꾼 이유",
	"rescaleError":                 "쓰기 오류",
	"statusError":                  "status 쓰기 오류",
	"keptPods":                     "그대로 남은 파드",
	"requestsPerPod":               "파드 하나의 요청량",
	"currentRequest":               "이전 요청량",
	"desiredRequest":               "새 요청량",
	"served":                       "이 클러스터에 있는가:",
	"acts":                         "바꾸는 것:",
	"servedAutoscalers":            "이 클러스터에 있는 오토스케일러",
	"owner":                        "주인:",
	"scaleTarget":                  "HPA가 가리키는 대상",
	"scalePath":                    "scale 하위 리소스의 주소",
	"scaleReplicas":                "scale의 레플리카 수",
	"scaleSelector":                "파드를 고르는 셀렉터",
	"revision":                     "디플로이먼트의 리비전",
	"replicaSets":                  "레플리카셋의 수",
	"podTemplateHash":              "파드 템플릿의 해시",
	"pod":                          "따라갈 파드",
	"node":                         "파드가 있는 노드",
	"request":                      "파드의 요청량",
	"utilization":                  "파드의 사용률",
	"watch":                        "열어 둔 watch:",
	"watches":                      "열려 있는 watch의 수",
	"watchEvent":                   "watch로 받은 이벤트",
	"kubelet1Line":                 "kubelet의 첫 번째 응답",
	"kubelet2Line":                 "kubelet의 두 번째 응답",
	"kubelet1CPUSeconds":           "첫 번째 누적 CPU 시간",
	"kubelet2CPUSeconds":           "두 번째 누적 CPU 시간",
	"kubelet1Time":                 "첫 번째로 읽은 시각",
	"kubelet2Time":                 "두 번째로 읽은 시각",
	"kubeletError":                 "kubelet 읽기 오류",
	"window":                       "두 번 읽은 간격",
	"metricsServerRate":            "Metrics Server가 계산한 사용량",
	"metricsAPI":                   "metrics.k8s.io의 답",
	"metricsAPITimestamp":          "metrics.k8s.io의 측정 시각",
	"metricsAPIWindow":             "metrics.k8s.io의 측정 구간",
	"assumed":                      "가정한 사용량",
	"recommendationAge":            "가장 큰 제안이 마지막으로 나온 지",
	"totalUsageRebalanced":         "다시 계산한 사용량 합계",
	"totalRequestsRebalanced":      "다시 계산한 요청량 합계",
	"currentUtilizationRebalanced": "다시 계산한 사용률",
	"usageRatioRebalanced":         "다시 계산한 비율",
	"averageValueRebalanced":       "다시 계산한 평균",
	"ourReplicas":                  "예측: stepscale의 결정",
	"upstreamReplicas":             "실제: 업스트림의 결정",
	"actualReplicas":               "실제: 클러스터의 레플리카 수",
	"upstreamCondition":            "업스트림이 쓴 컨디션",
	"upstreamEvent":                "업스트림이 남긴 이벤트",
	"comparedDecisions":            "지금까지 비교한 결정",
	"comparedConditions":           "지금까지 비교한 컨디션",
	"difference":                   "다른 것",
	"agrees":                       "둘이 같은가",
	"whyMore":                      "레플리카가 더 많아졌을 값:",
	"whyLess":                      "레플리카가 더 적어졌을 값:",
	"forkMost":                     "갈래에서 가장 많은 것",
	"forkLast":                     "갈래의 마지막",
	"forkFirstPass":                "갈래가 처음 달라진 패스",
	"forkParts":                    "갈래가 달라지는가",
}

// FactLabel is the Korean name of a fact; the name itself where there is none.
// "podMetric/web-1" names its pod and "proposal#2" its metric.
func FactLabel(name string) string {
	base, metric, many := strings.Cut(name, "#")
	base, object, of := strings.Cut(base, "/")
	label := ""
	for _, table := range FactLabels {
		label = cmp.Or(label, table[base])
	}
	if label == "" {
		return name
	}
	if of {
		label += " " + object
	}
	if many {
		label += fmt.Sprintf(" [메트릭 %s]", metric)
	}
	return label
}

var values = map[string]string{
	"scaleUp": "확장(scaleUp)", "scaleDown": "축소(scaleDown)", "keep": "유지(keep)",
	"addNode": "노드 추가(addNode)", "replaceNode": "노드 교체(replaceNode)", "removeNode": "노드 제거(removeNode)",
	"replace": "교체(replace)", "delete": "삭제(delete)", "no-op": "그대로(no-op)",
	"evict": "재생성(evict)", "resize": "재시작 없는 조정(resize)",
	"outsideBounds": "범위 밖(outsideBounds)", "tooYoung": "범위 안이고 젊음(tooYoung)", "tooClose": "차이가 작음(tooClose)",
	"longLived": "오래 살았고 차이가 큼(longLived)", "quickOOM": "시작하자마자 OOM(quickOOM)", "heldBack": "차례를 기다림(heldBack)",
	"noRecommendation": "추천값 없음(noRecommendation)", "sameResources": "바꿀 값 없음(sameResources)", "evictionRequirements": "VPA의 조건이 막음(evictionRequirements)",
	"admissionPolicy": "API 서버 자신(MutatingAdmissionPolicy)", "admissionInCluster": "클러스터 안의 업스트림 Admission Controller",
	"admissionBoth": "정책과 Admission Controller 둘 다", "admissionNone": "없음", "admissionUnknown": "볼 권한이 없어 알 수 없음",
	"Needed": "늘려야 함(Needed)", "NotNeeded": "늘릴 필요 없음(NotNeeded)", "InCooldown": "한 바퀴 기다림(InCooldown)", "LimitedByMaxNodesTotal": "전체 한도에 걸림(LimitedByMaxNodesTotal)",
	"true": "예(true)", "false": "아니요(false)",
}

// FactValue is a value as a learner reads it.
func FactValue(v string) string {
	if k, ok := values[v]; ok {
		return k
	}
	return v
}

// ActorLabels are the Korean names of the actors that have a step.
var ActorLabels = map[string]string{
	"metrics-server":        "Metrics Server",
	"hpa-controller":        "HPA 컨트롤러",
	"deployment-controller": "디플로이먼트 컨트롤러",
	"replicaset-controller": "레플리카셋 컨트롤러",
	"scheduler":             "스케줄러",
	"kubelet":               "kubelet",
	"learner":               "학습자(직접)",
	"pipeline":              "배포",

	"horizontal-pod-autoscaler-controller": "업스트림 HPA 컨트롤러",

	"vpa-recommender":          "VPA Recommender",
	"vpa-updater":              "VPA Updater",
	"vpa-admission-controller": "VPA Admission Controller",
	"kube-apiserver":           "API 서버",

	"karpenter":          "카펜터",
	"cluster-autoscaler": "클러스터 오토스케일러",
}

// ActorLabel is the Korean name of an actor.
func ActorLabel(actor string) string {
	if k, ok := ActorLabels[actor]; ok {
		return k
	}
	return actor
}

// sightingLabels say in Korean what an actor was seen to have done.
var sightingLabels = map[string]string{
	"created": "만들어짐", "bound": "노드가 정해짐:", "unschedulable": "놓을 노드가 없음:", "waiting": "컨테이너가 기다림:",
	"ready": "Ready", "deleting": "삭제 시작", "gone": "사라짐",
	"resized": "재시작 없이 조정됨:",
}

// SightingLabel is the Korean name; a field has none.
func SightingLabel(what string) string {
	if label, ok := sightingLabels[what]; ok {
		return label
	}
	return what
}

// Duration is d in Korean, without the units that are zero: "5분 30초".
func Duration(d time.Duration) string {
	if d < 0 {
		return "-" + Duration(-d)
	}
	if d == 0 {
		return "0초"
	}
	if d < time.Second {
		return fmt.Sprintf("%d밀리초", d.Milliseconds())
	}
	d = d.Round(time.Second)
	var parts []string
	for _, u := range []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "일"}, {time.Hour, "시간"}, {time.Minute, "분"}, {time.Second, "초"}} {
		if n := d / u.size; n > 0 {
			parts = append(parts, fmt.Sprintf("%d%s", n, u.name))
			d -= n * u.size
		}
	}
	return strings.Join(parts, " ")
}

// Elapsed is d as "+05:30" or "+1:05:30", and "-00:05" before the beginning.
func Elapsed(d time.Duration) string {
	sign, t := "+", int(d.Round(time.Second).Seconds())
	if t < 0 {
		sign, t = "-", -t
	}
	if t >= 3600 {
		return fmt.Sprintf("%s%d:%02d:%02d", sign, t/3600, t/60%60, t%60)
	}
	return fmt.Sprintf("%s%02d:%02d", sign, t/60, t%60)
}

func latency(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case ms >= 1000:
		return fmt.Sprintf("%.1fs", ms/1000)
	case ms >= 10:
		return fmt.Sprintf("%.0fms", ms)
	}
	return fmt.Sprintf("%.1fms", ms)
}
