package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/outside"
)

// kubeconfigOf has a context c for a server, with what else its cluster and user have.
func kubeconfigOf(server, cluster, user string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: c}}]
clusters: [{name: c, cluster: {server: %q%s}}]
users: [{name: c, user: {%s}}]
`, server, cluster, user)
}

// TestKubeconfigFaults: what is wrong with a kubeconfig is told with the file, and
// nothing in it makes the program wait.
func TestKubeconfigFaults(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	plugin := func(command, script, hint string) string {
		return fmt.Sprintf("exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: %s, args: [-c, %q], installHint: %q}", command, script, hint)
	}
	const server = "https://127.0.0.1:1"
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"yaml":           {"apiVersion: v1\nkind: [", []string{"kubeconfig를 읽을 수 없습니다: YAML 문법에 맞지 않습니다", "config:2"}},
		"binary":         {"\x7fELF\x00\x01\x1b]0;x\a", []string{"kubeconfig를 읽을 수 없습니다", "config"}},
		"another kind":   {"apiVersion: v1\nkind: Pod\n", []string{"kubeconfig를 읽을 수 없습니다: kind: Config로", "config"}},
		"another shape":  {"apiVersion: v1\nkind: Config\nclusters: 5\n", []string{"kubeconfig를 읽을 수 없습니다: 값의 모양이", "config"}},
		"base64":         {kubeconfigOf(server, ", certificate-authority-data: '%%%'", ""), []string{"kubeconfig를 읽을 수 없습니다: base64", "config"}},
		"no certificate": {kubeconfigOf(server, ", certificate-authority-data: eA==", "token: x"), []string{"kubeconfig를 읽을 수 없습니다: certificate-authority-data"}},
		"no server":      {kubeconfigOf("", "", "token: x"), []string{"kubeconfig를 읽을 수 없습니다: 클러스터에 server가 없습니다"}},
		"pipe as CA":     {kubeconfigOf(server, ", certificate-authority: "+fifo, "token: x"), []string{"일반 파일이 아닙니다", fifo}},
		"device as key":  {kubeconfigOf(server, "", "client-certificate: /dev/zero, client-key: /dev/zero"), []string{"일반 파일이 아닙니다", "/dev/zero"}},
		"pipe as token":  {kubeconfigOf(server, "", "tokenFile: "+fifo), []string{"일반 파일이 아닙니다", fifo}},
		"absent key":     {kubeconfigOf(server, "", "client-certificate: /absent, client-key: /absent"), []string{"kubeconfig를 읽을 수 없습니다: 파일이 없습니다", "/absent"}},
		"no context":     {strings.ReplaceAll(kubeconfigOf(server, "", ""), "name: c, context", "name: d, context"), []string{"그런 컨텍스트가 없습니다"}},
		"empty":          {"", []string{"컨텍스트가 하나도 없습니다"}},
		"plugin fails":   {kubeconfigOf(server, "", plugin("sh", "exit 3", "")), []string{"플러그인이 실패했습니다: sh (종료 코드 3)", "로그인"}},
		"plugin is mute": {kubeconfigOf(server, "", plugin("sh", "echo x", "")), []string{"플러그인이 자격 증명을 내주지 않습니다: decoding stdout: "}},
		"no plugin":      {kubeconfigOf(server, "", plugin("no-such-plugin", "", "brew install it")), []string{"플러그인이 이 컴퓨터에 없습니다: no-such-plugin", "brew install it"}},
		"unreachable":    {kubeconfigOf(server, "", "token: x"), []string{"서버에 닿지 않습니다"}},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(dir, "config")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("KUBECONFIG", file)
			r := runCommand(t, "", "observe", "web", "--context", "c", "-n", "shop")
			told := strings.Join(strings.Fields(r.err), " ")
			for _, want := range append(c.want, "도움:") {
				if !strings.Contains(told, want) {
					t.Errorf("%q is not in %q", want, told)
				}
			}
			if _, bad := outside.Find(r.err); r.code == problem.ExitOK || bad > 0 {
				t.Errorf("exit code %d, told %q", r.code, r.err)
			}
		})
	}
}

// TestNotAFile: what KUBECONFIG or AWS_CONFIG_FILE names may be anything.
func TestNotAFile(t *testing.T) {
	dir := t.TempDir()
	sparse := filepath.Join(dir, "sparse")
	if err := os.WriteFile(sparse, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(sparse, 600<<20); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{dir: "폴더입니다", "/dev/zero": "일반 파일이 아닙니다", sparse: "파일이 너무 큽니다: 600.0 MiB"} {
		t.Setenv("KUBECONFIG", file)
		t.Setenv("AWS_CONFIG_FILE", file)
		for _, flag := range []string{"--context", "--eks"} {
			r := runCommand(t, "", "observe", "web", flag, "c")
			if told := strings.Join(strings.Fields(r.err), " "); r.code == problem.ExitOK || !strings.Contains(told, want) || !strings.Contains(told, file) {
				t.Errorf("%s %s: %d, %s", flag, file, r.code, r.err)
			}
		}
		if r := runCommand(t, "", "doctor"); !strings.Contains(r.out, "kubeconfig를 읽을 수 없습니다") {
			t.Errorf("doctor says of %s\n%s", file, r.out)
		}
	}
}

// TestHostileServer answers with what would take over a terminal: half a megabyte of it,
// of which the beginning is shown, and 30 MB, which are not even read.
func TestHostileServer(t *testing.T) {
	for times, says := range map[int][]string{10_000: {`\x1b]52`, "바이트)"}, 1_200_000: {"너무 커서"}} {
		hostileServer(t, strings.Repeat("\x1b]52;c;eA==\a\u202e\u009b2J\r✔ ", times), says)
	}
}

func hostileServer(t *testing.T, message string, says []string) {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/version" {
			_, _ = w.Write([]byte(`{"gitVersion": "v1.37.0\u001b[2J"}`))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Warning", `299 - "\x1b]0;owned"`)
		w.WriteHeader(http.StatusInternalServerError)
		_ = json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Message: message, Code: 500, Reason: "InternalError"})
	}))
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(kubeconfigOf(server.URL, ", insecure-skip-tls-verify: true", "token: x")), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", file)
	for _, argv := range [][]string{{"observe", "web", "--context", "c"}, {"class", "status", "--context", "c"}, {"class", "remove", "--yes", "--context", "c"}} {
		r := runCommand(t, "", argv...)
		if _, bad := outside.Find(r.out + r.err); bad > 0 || len(r.out+r.err) > 50_000 {
			t.Errorf("%v: %d bytes, %d refused characters: %.300q", argv, len(r.out+r.err), bad, r.err)
		}
		for _, want := range says {
			if !strings.Contains(r.err, want) {
				t.Errorf("%v: %q is not said: %.300q", argv, want, r.err)
			}
		}
	}
}

// TestOwnWords: what is typed comes back in errors.
func TestOwnWords(t *testing.T) {
	const typed = "\x1b]0;x\a\u202e\r\u200b"
	for _, argv := range [][]string{{typed}, {"learn", typed}, {"run", typed}, {"run", "x", "--loop", typed}, {"verify", typed}, {"lessons", "--lessons", typed},
		{"check", "--" + typed}, {"check", "--lessons", typed}, {"help", typed}, {"lessons", "--output", typed}, {"learn", "hpa", "--cluster", typed},
		{"__complete", "learn", "--" + typed, ""}, {"image", "--output", typed + "/x"}, {"image", "--arch", typed, "--output", "x"}} {
		r := runCommand(t, "", argv...)
		if _, bad := outside.Find(strings.ReplaceAll(r.out+r.err, "\t", " ")); bad > 0 {
			t.Errorf("%q: %q", argv, r.out+r.err)
		}
	}
}

// TestImageTargetComesFirst: nothing is compiled for a file that cannot be written.
func TestImageTargetComesFirst(t *testing.T) {
	dir := t.TempDir()
	fifo, device := filepath.Join(dir, "fifo"), filepath.Join(dir, "device")
	// A link: what is broken must not take this machine's device.
	if err := errors.Join(syscall.Mkfifo(fifo, 0o600), os.Symlink(os.DevNull, device)); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"/nope/x", dir, fifo, device} {
		r := runCommand(t, "", "image", "--output", file)
		if r.code == problem.ExitOK || !strings.Contains(r.err, "파일을 쓸 수 없습니다") || strings.Contains(r.err, "이미지를 만듭니다") {
			t.Errorf("%s: %d, %s", file, r.code, r.err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
