package main

import "strings"

// spoken is every command, with what it needs to get past its arguments; most is how
// many arguments it takes. None of them is let through to a cluster.
var spoken = []struct {
	line string
	most int
}{
	{"", 0}, {"learn", 1}, {"lessons", 0}, {"run web-surge", 0}, {"verify web.jsonl", 0}, {"replay web.jsonl", 0}, {"observe web", 0}, {"inspect", 0}, {"check", 0}, {"doctor", 0},
	{"image", 0}, {"class", 0}, {"class install", 0}, {"class status", 0}, {"class remove", 0}, {"class create", 1}, {"class list", 0}, {"class show", 1}, {"class renew", 1}, {"class cost", 1}, {"class export --csv", 1}, {"class delete", 1}, {"class join", 2}, {"class leave", 0}, {"class demo", 2}, {"class follow", 0}, {"eks-token", 0}, {"version", 0},
	{"completion bash", 0}, {"cluster", 0}, {"cluster up", 1}, {"cluster status", 0}, {"cluster down", 1}, {"cluster kubeconfig", 0}, {"cluster clean", 0},
}

// misspoken is what every one of them is given besides.
var misspoken = []struct{ name, more, says string }{
	{"unknown flag", "--nothing", "알 수 없는 플래그입니다: --nothing"},
	{"unknown letter", "-Z", "알 수 없는 플래그입니다: -Z"},
	{"flag with an escape", "--{osc}", "알 수 없는 플래그"},
	{"flag without a name", "--=x", ""},
	{"argument with an escape", "{osc} {csi} {cr}", ""},
	{"argument without width", "{bidi} {zero} {c1} {utf8}", ""},
	{"argument of 90 KB", "{long} {long}", ""},
}

// wordRows are the words of the command line in every wrong way.
func wordRows() (rows []input) {
	for _, c := range spoken {
		for _, m := range misspoken {
			rows = append(rows, input{name: strings.TrimSpace(c.line + " " + m.name), argv: words(c.line + " " + m.more), says: m.says})
		}
	}
	for name, line := range map[string]string{
		"mistyped command": "laern", "mistyped subcommand": "cluster upp", "help of nothing": "help nothing", "help with an escape": "help {osc}",
		"no scenario": "run", "no recording": "verify", "no HPA": "observe", "no shell": "completion", "unknown shell": "completion tcsh",
		"two scenarios": "run web-surge wave", "two lessons": "learn hpa vpa", "two recordings": "verify a b", "two replays": "replay a b", "no token cluster": "eks-token",
		"unknown lesson": "learn nothing", "unknown lesson below": "learn hpa/99-nothing", "lesson as a path": "learn ../../etc", "lesson without a name": "learn /",
		"unknown scenario": "run nothing", "scenario as a path": "run ../scenarios/web-surge", "absolute scenario": "run /etc/passwd", "empty scenario": "run .",
		"scenario with an escape": "run {osc}", "scenario with backticks": "run {tick}", "up what": "cluster up swarm", "down what": "cluster down swarm",
		"up twice": "cluster up embedded kind", "up with an escape": "cluster up {osc}",
	} {
		rows = append(rows, input{name: name, argv: words(line)})
	}
	return rows
}

// values are those of the flags, by the command that has them.
var values = []struct {
	line, flag string
	bad        string // values
}{
	{"run web-surge", "--for", "x 1 -1s 5 1e9s NaN Inf 999999999999h 9223372036854775808ns {osc}"},
	{"run web-surge", "--until", "x scale2 pass pass= pass=0 pass=-1 pass=x pass=1.5 pass=99999999999999999999 {osc}"},
	{"run web-surge", "--loop", "x HPA hpa/ ../hpa {osc} {bidi}"},
	{"run web-surge", "--output", "x JSON yaml {osc}"},
	{"run web-surge", "--record", ". /nope/x/y /proc/x web-surge/ /dev/null/x"},
	{"run web-surge", "--scenarios", "/nope /dev/null /dev/zero {osc} {utf8}"},
	{"run web-surge", "--cluster", "x eks KIND {osc}"},
	{"run web-surge", "--name", "two {osc}"},
	{"run web-surge", "--namespace", "shop {osc}"},
	{"run web-surge", "--hpa-mode", "x DRIVE {osc}"},
	{"run web-surge", "--vpa-update", "x {osc}"},
	{"run web-surge --eks a", "--context", "b"},
	{"run web-surge --cluster kind", "--context", "b"},
	{"learn hpa", "--from", "nothing hpa/9-nothing/x {osc} {bidi}"},
	{"learn hpa --auto", "--lessons", "/nope /dev/null {osc}"},
	{"learn hpa --auto", "--scenarios", "/nope /dev/null"},
	{"learn hpa --auto", "--cluster", "x {osc}"},
	{"learn hpa --auto", "--hpa-mode", "x"},
	{"lessons", "--output", "x {osc}"},
	{"lessons", "--lessons", "/nope /dev/null /proc"},
	{"check", "--lessons", "/nope /dev/null {osc}"},
	{"check", "--scenarios", "/nope /dev/null {osc}"},
	{"verify /dev/null", "--output", "x {osc}"},
	{"observe web", "--for", "x 0s -1s 999999999999h {osc}"},
	{"observe web", "--output", "x"},
	{"inspect", "--output", "x"},
	{"observe web --context a", "--eks", "b"},
	{"observe web", "--region", "nowhere"},
	{"doctor", "--output", "x {osc}"},
	{"doctor", "--e2e", "x swarm {osc}"},
	{"doctor", "--context", "nothing {osc} {bidi} {utf8}"},
	{"doctor", "--namespace", "shop"},
	{"doctor", "--region", "nowhere"},
	{"doctor", "--profile", "nobody"},
	{"doctor --region x --eks a", "--profile", "nobody {osc}"},
	{"doctor --context a", "--eks", "b"},
	{"image --output w.tar", "--arch", "x riscv64 {osc}"},
	{"image", "--output", "/proc/x/y . /dev/null/x"},
	{"class install --yes", "--context", "nothing {osc}"},
	{"class status", "--context", "nothing {osc}"},
	{"class status --context a", "--eks", "b"},
	{"class remove --yes", "--context", "nothing"},
	{"class create k8s --dry-run", "--count", "0 -1 201 x 1e3 {osc}"},
	{"class create k8s --count 1 --dry-run", "--ends", "x 1s -2h 99999h 2001-01-01T00:00 9999-12-31T00:00 {osc}"},
	{"class create k8s --count 1 --dry-run", "--identity", "x eks {osc}"},
	{"class create k8s --count 1 --dry-run", "--budget", "x -1 NaN Inf {osc}"},
	{"class create k8s --count 1 --dry-run", "--prices", "/nope /dev/zero /proc {osc}"},
	{"class create k8s --dry-run", "--students", "/nope /dev/null /dev/zero /proc {osc}"},
	{"class create k8s --count 1 --yes", "--context", "nothing {osc}"},
	{"class renew k8s", "--ends", "x 1s {osc}"},
	{"class delete k8s --yes", "--context", "nothing {osc}"},
	{"class export k8s --csv", "--context", "nothing {osc}"},
	{"class cost k8s", "--prices", "/nope /dev/zero {osc}"},
	{"cluster clean", "--context", "nothing {osc}"},
	{"cluster clean --context a", "--eks", "b"},
	{"cluster status", "--output", "x {osc}"},
	{"cluster up kind", "--name", "{osc} UPPER a/b ../x {long}"},
	{"cluster up", "--name", "two"},
	{"cluster down", "--name", "two"},
	{"eks-token --region x", "--cluster", "{osc}"},
}

// valueRows give every flag what it cannot take: nothing, and each of the bad ones.
func valueRows() (rows []input) {
	seen := map[string]bool{}
	for _, v := range values {
		if key := v.line + v.flag; !seen[key] {
			seen[key] = true
			rows = append(rows, input{name: v.line + " " + v.flag + " nothing", argv: words(v.line + " " + v.flag), says: "플래그에는 값이 필요합니다"})
		}
		for bad := range strings.FieldsSeq(v.bad) {
			rows = append(rows, input{name: v.line + " " + v.flag + " " + bad, argv: append(words(v.line), v.flag+"="+hostile.Replace(bad))})
		}
	}
	return rows
}
