package problem

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"github.com/stepscale/stepscale/engine/outside"
)

// notYAML and the others are what client-go says about a kubeconfig.
var notYAML = regexp.MustCompile(`yaml: (?:line (\d+): )?(.*)`)

var kubeconfigFaults = []struct{ sign, korean string }{
	{"illegal base64 data", "base64로 적어야 할 값이 base64가 아닙니다"},
	{"unable to load root certificates", "certificate-authority-data가 인증서가 아닙니다"},
	{"failed to find any PEM data", "인증서나 키가 PEM이 아닙니다"},
	{"json: cannot unmarshal", "값의 모양이 kubeconfig와 다릅니다"},
	{"no kind", "kind: Config로 된 파일이 아닙니다"},
	{"no server found for cluster", "클러스터에 server가 없습니다"},
	{"invalid configuration", "컨텍스트의 내용이 맞지 않습니다"},
}

// unreadable says in Korean why a file of settings cannot be used. What upstream says
// beside it is kept: it has the field.
func unreadable(u *Error) {
	var path *fs.PathError
	if errors.As(u.Cause, &path) {
		if u.Where == "" {
			u.Where = path.Path
		}
		u.What, u.Cause = u.What+": "+outside.Reason(u.Cause), nil
		return
	}
	text := u.Cause.Error()
	if m := notYAML.FindStringSubmatch(text); m != nil {
		u.What, u.Cause = u.What+": YAML 문법에 맞지 않습니다", errors.New(m[2])
		if m[1] != "" && u.Where != "" {
			u.Where += ":" + m[1]
		}
		return
	}
	for _, f := range kubeconfigFaults {
		if strings.Contains(text, f.sign) {
			u.What += ": " + f.korean
			return
		}
	}
}

var (
	pluginExit    = regexp.MustCompile(`executable (.+?) failed with exit code (-?\d+)`)
	pluginMissing = regexp.MustCompile(`executable (.+?) not found`)
)

// installHelp is what client-go says before the kubeconfig's own hint.
const installHelp = "consult the documentation available at:"

// pluginFailed tells which credential plugin of the kubeconfig has failed and how. What
// it has written itself is on the screen above: client-go lets it write there.
func pluginFailed(u *Error) {
	text := u.Cause.Error()
	if m := pluginExit.FindStringSubmatch(text); m != nil {
		u.What, u.Cause = fmt.Sprintf("kubeconfig의 자격 증명 플러그인이 실패했습니다: %s (종료 코드 %s)", m[1], m[2]), nil
		u.Hint = "플러그인이 남긴 말이 위에 있으면 따라 주십시오. " + u.Hint
		return
	}
	if m := pluginMissing.FindStringSubmatch(text); m != nil {
		u.What, u.Cause = "kubeconfig의 자격 증명 플러그인이 이 컴퓨터에 없습니다: "+m[1], nil
		u.Hint = "플러그인을 설치하시고 PATH에 있는지 확인해 주십시오."
		if _, help, ok := strings.Cut(text, installHelp); ok {
			if _, own, ok := strings.Cut(strings.TrimSpace(help), "\n\n"); ok {
				u.Hint += " kubeconfig에는 이렇게 적혀 있습니다: " + own
			}
		}
		return
	}
	if _, why, ok := strings.Cut(text, "getting credentials: "); ok {
		u.Cause = errors.New(why)
	}
}
