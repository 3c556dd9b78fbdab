package problem

import "strings"

// OverQuota is what the API says of pods that a quota has no room for.
const OverQuota = "exceeded quota"

// podFaults are the known reasons for which pods do not come, by what the API says.
var podFaults = []struct {
	sign string
	words
}{
	{OverQuota, words{"할당량(ResourceQuota)이 모자라 파드를 만들 수 없습니다", "replicas나 requests를 줄이거나 할당량을 늘려 주십시오. 강사가 준 네임스페이스라면 강사에게 위의 메시지를 보여 주십시오."}},
	{"must specify", words{"할당량(ResourceQuota)이 요구하는 값이 파드에 없어 만들 수 없습니다", "위의 메시지가 말하는 requests나 limits를 objects.yaml에 적어 주십시오."}},
	{"status unknown for quota", words{"할당량(ResourceQuota)을 아직 세지 않아 파드를 만들 수 없습니다", "잠시 뒤에 다시 실행해 주십시오."}},
	{"violates PodSecurity", words{"네임스페이스의 파드 보안 표준이 파드를 막았습니다", "위의 메시지가 말하는 필드를 objects.yaml에서 고쳐 주십시오."}},
	{"per Container is", words{"네임스페이스의 LimitRange가 파드를 막았습니다", "objects.yaml의 requests와 limits를 LimitRange에 맞게 고쳐 주십시오."}},
	{"Too many pods", words{"노드에 파드를 더 놓을 자리가 없습니다", "노드마다 놓을 수 있는 파드의 수(allocatable.pods)가 찼습니다. replicas를 줄여 주십시오."}},
	{"Insufficient", words{"파드의 requests를 채울 노드가 없습니다", "kubectl describe nodes로 노드에 남은 양을 보시고, objects.yaml의 requests나 replicas를 줄여 주십시오."}},
	{"didn't match", words{"파드의 조건(nodeSelector, affinity 등)에 맞는 노드가 없습니다", "objects.yaml의 nodeSelector, affinity, topologySpreadConstraints를 고쳐 주십시오."}},
}

// OfPods words a reason that the API gives for pods that do not come.
func OfPods(reason string) (what, hint string, known bool) {
	for _, f := range podFaults {
		if strings.Contains(reason, f.sign) {
			return f.what, f.hint, true
		}
	}
	return "", "", false
}
