package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// progressRows are the learner's own file after a bad day: the lessons go on, and
// nothing is lost.
func progressRows() (rows []input) {
	for _, text := range []string{
		"{", "[]", "1", `"text"`, `{}`, `{"version":0}`, `{"version":-1}`, `{"version":"1"}`, `{"version":2}`, `{"version":99999999999999999999}`, `{"version":1,"lessons":[]}`, `{"version":1,"lessons":{"a":1}}`,
		`{"version":1,"lessons":{"hpa/02-control-loop":{"steps":-5,"total":-1}}}`, `{"version":1,"lessons":{"hpa/02-control-loop":{"steps":99999999999999999999}}}`, `{"version":1,"last":"\u001b]52;c;aGk=\u0007"}`,
		`{"version":1,"lessons":{"\u001b[2J":{"step":"\u001b[2J"}}}`, `{"version":1,"lessons":{"hpa/02-control-loop":{"step":"\u202ex","steps":3}}}`, `{"version":1,"colour":"red"}`, `{"version":1}{"version":1}`, `{"version":1,"lessons":null}`,
	} {
		rows = append(rows, input{name: text, argv: []string{"lessons"}, files: map[string]string{"state/progress.json": text}, fine: "lessons are listed whatever was kept", says: "hpa/02-control-loop"})
	}
	return rows
}

const kubeconfig = `apiVersion: v1
kind: Config
current-context: class
contexts: [{name: class, context: {cluster: class, user: me, namespace: shop}}]
clusters: [{name: class, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: me, user: {token: hunter2}}]
`

var brokenKubeconfigs = []struct{ part, with, values string }{
	{"current-context: class", "current-context: @", "[] | nothing | '' | \"\\e]52;c;aGk=\\a\""}, {"contexts: [", "contexts: @ #", "[] | {} | x | null | [null]"}, {"clusters: [", "clusters: @ #", "[] | {} | x | [null] | [{name: other}]"}, {"users: [", "users: @ #", "[] | {} | x | [{name: other}]"},
	{`"https://127.0.0.1:1"`, "@", `"" | 1 | [] | "127.0.0.1:1" | "https://127.0.0.1:99999" | "https://nobody.invalid" | "ftp://127.0.0.1" | "https://[::1" | "http://127.0.0.1:1" | "https://127.0.0.1:1/../x" | "unix:///tmp/x" | "\e]52;c;aGk=\a" | "https://u:p@127.0.0.1:1"`},
	{`server: "https://127.0.0.1:1"`, `server: "https://127.0.0.1:1", @`, `certificate-authority: /nope | certificate-authority: /dev/null | certificate-authority-data: x | certificate-authority-data: aGk= | certificate-authority-data: [] | proxy-url: "x y" | proxy-url: "http://127.0.0.1:1" | tls-server-name: "\e" | insecure-skip-tls-verify: x | insecure-skip-tls-verify: true, certificate-authority-data: aGk=`},
	{"token: hunter2", "@", `tokenFile: /nope | token: "a\nb" | token: [] | client-certificate: /nope, client-key: /nope | client-certificate-data: aGk= | client-certificate-data: aGk=, client-key-data: aGk= | auth-provider: {name: oidc} | auth-provider: {name: nothing} | username: a, password: "b\nc" | as: system:masters`},
	{"token: hunter2", "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: @}", `"false" | nothing | "" | /nope/x | /dev/null | "true" | [] | sh, args: ["-c", "exit 3"] | sh, args: ["-c", "echo '{}'"] | /, args: []`},
	{"token: hunter2", "exec: @", "x | {} | {command: x} | {apiVersion: v1, command: x} | {apiVersion: client.authentication.k8s.io/v1, command: x} | {apiVersion: client.authentication.k8s.io/v1alpha1, command: x, interactiveMode: Never}"},
	{"kind: Config", "kind: @", "Pod | [] | ''"}, {"apiVersion: v1\n", "apiVersion: @\n", "v9 | [] | ''"}, {"apiVersion: v1\n", "@", "\t: | *a | : : : | 'x | {osc}: 1"},
}

func kubeconfigRows() (rows []input) {
	for _, b := range brokenKubeconfigs {
		for value := range strings.SplitSeq(b.values, " | ") {
			text := swap(kubeconfig, b.part, hostile.Replace(strings.Replace(b.with, "@", value, 1)))
			rows = append(rows, input{name: b.part + " → " + value, argv: []string{"observe", "web"}, files: map[string]string{"config": text}, env: []string{"KUBECONFIG=config"}})
		}
	}
	for _, line := range []string{"doctor --context class", "class status --context class", "cluster clean --context class", "learn hpa --auto --context class --yes --image x", "run web-surge --context class --yes --image x"} {
		rows = append(rows, input{name: "nobody answers " + line, argv: words(line), files: map[string]string{"config": kubeconfig}, env: []string{"KUBECONFIG=config"}})
	}
	return rows
}

// environments are variables, and a command that they spoil, or should not.
var environments = []struct{ variables, line, fine string }{
	{"STEPSCALE_STATE_DIR=/dev/null/x", "run web-surge", ""}, {"STEPSCALE_STATE_DIR=/proc/x", "run web-surge", ""}, {"STEPSCALE_STATE_DIR=file", "run web-surge", ""}, {"STEPSCALE_STATE_DIR=loop", "run web-surge", ""},
	{"STEPSCALE_STATE_DIR=/{long}", "run web-surge", ""}, {"STEPSCALE_STATE_DIR=/tmp/{osc}/../../proc/x", "run web-surge", ""}, {"STEPSCALE_STATE_DIR=file", "cluster up", ""}, {"STEPSCALE_STATE_DIR=/proc/x", "cluster up", ""},
	{"STEPSCALE_STATE_DIR=" + strings.Repeat("deep/", 40), "run web-surge", ""}, {"STEPSCALE_STATE_DIR=" + strings.Repeat("deep/", 40), "cluster up", ""}, {"STEPSCALE_STATE_DIR=/proc/x", "cluster clean --context x", ""},
	{"STEPSCALE_STATE_DIR=file", "lessons", "progress is not kept"}, {"STEPSCALE_STATE_DIR=/proc/x", "lessons", "progress is not kept"}, {"STEPSCALE_STATE_DIR=relative", "lessons", "below this folder"}, {"STEPSCALE_STATE_DIR=relative", "cluster down", "below this folder"}, {"STEPSCALE_STATE_DIR=", "lessons", "as if it was not set"},
	{"STEPSCALE_STATE_DIR= HOME= XDG_STATE_HOME=relative", "lessons", "progress is not kept"}, {"STEPSCALE_STATE_DIR= HOME=", "run web-surge", ""}, {"STEPSCALE_STATE_DIR= HOME=/proc/x", "run web-surge", ""}, {"STEPSCALE_STATE_DIR={osc}", "cluster status", "there is no cluster"},
	{"STEPSCALE_STATE_DIR=/{long}", "doctor", "it tells that nothing is kept"}, {"STEPSCALE_STATE_DIR=/dev/null/x", "doctor", "it tells that nothing is kept"}, {"STEPSCALE_STATE_DIR=loop", "cluster down", "there is no cluster"},
	{"COLUMNS=0", "lessons", "80 columns"}, {"COLUMNS=-1", "lessons", "80 columns"}, {"COLUMNS=1", "lessons", "40 columns"}, {"COLUMNS=99999999999999999999", "lessons", "80 columns"}, {"COLUMNS={osc}", "lessons", "80 columns"}, {"COLUMNS=999999", "check", "120 columns"},
	{"TERM={osc}", "doctor", "it is no terminal"}, {"TERM=", "lessons", "it is no terminal"}, {"LANG={osc} LC_ALL={csi}", "doctor", "it shows the locale"}, {"LC_ALL=C LANG=C", "doctor", "it shows the locale"}, {"NO_COLOR={osc}", "lessons", "no colors"}, {"PATH=", "doctor", "no programs"}, {"PATH=/proc", "image --output w.tar", ""}, {"PATH=", "cluster up kind", ""},
	{"KUBECONFIG=/nope", "doctor", "no contexts"}, {"KUBECONFIG=/dev/zero", "doctor", "contexts are only told"}, {"KUBECONFIG=.", "doctor", "contexts are only told"}, {"KUBECONFIG=:::", "observe web", ""}, {"KUBECONFIG={osc}", "observe web", ""}, {"KUBECONFIG=fifo", "doctor", "contexts are only told"},
	{"AWS_REGION={osc} AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b", "doctor --eks class", ""}, {"AWS_PROFILE={osc}", "doctor --eks class", ""}, {"AWS_CONFIG_FILE=.", "doctor --eks class", ""}, {"AWS_CONFIG_FILE=file AWS_REGION=x", "doctor --eks class", ""}, {"AWS_ENDPOINT_URL_EKS=http://127.0.0.1:1 AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b AWS_REGION=x", "doctor --eks class", ""}, {"AWS_ENDPOINT_URL=::: AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b AWS_REGION=x", "doctor --eks class", ""},
	{"HTTPS_PROXY=http://127.0.0.1:1 AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b AWS_REGION=x", "doctor --eks class", ""}, {"GODEBUG=nothing=1", "lessons", "Go does not mind"}, {"TMPDIR=/nope", "lessons", "nothing is put there"}, {"TZ=Nowhere/Else", "version", "UTC"},
}

func environmentRows() (rows []input) {
	for _, e := range environments {
		rows = append(rows, input{name: e.line + " with " + e.variables[:min(len(e.variables), 60)], argv: words(e.line), alone: true, env: words(e.variables), fine: e.fine, files: map[string]string{"file": "x"}, make: func(folder string) error {
			return errors.Join(os.Symlink("loop", filepath.Join(folder, "loop")), syscall.Mkfifo(filepath.Join(folder, "fifo"), 0o600))
		}})
	}
	return rows
}
