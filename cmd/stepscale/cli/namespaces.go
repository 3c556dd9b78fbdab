package cli

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/korean"
)

// checkNamespace refuses a name that cannot be a namespace's, and the namespaces of the
// cluster itself: nothing of ours belongs there.
func checkNamespace(name string) error {
	const hint = "수업에 쓸 네임스페이스를 따로 만들어 주십시오. 강사라면 stepscale class namespace로 만드실 수 있습니다."
	switch {
	case len(validation.IsDNS1123Label(name)) > 0:
		return problem.Usage("네임스페이스의 이름이 될 수 없습니다: "+name, "영문 소문자, 숫자, -만 쓸 수 있고 63자까지입니다. 예: s01")
	case strings.HasPrefix(name, "kube-") || strings.HasPrefix(name, "amazon-") || strings.HasSuffix(name, "-system"):
		return problem.Usage(korean.Topic(name)+" 클러스터의 시스템 네임스페이스입니다. 아무것도 쓰지 않았습니다.", hint)
	case name == corev1.NamespaceDefault:
		return problem.Usage("default 네임스페이스에서는 수업을 하지 않습니다. 아무것도 쓰지 않았습니다.", hint)
	}
	return nil
}
