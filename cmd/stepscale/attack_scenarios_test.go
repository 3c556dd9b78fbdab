package main

import "strings"

// scenarioYAML and objectsYAML are a scenario that is sound.
const scenarioYAML = `title: x
hpa: web
target: web
faults: []
pod:
  idle: 5m
  startup: {cpu: 100m, for: 30s}
memory:
  idle: 20Mi
  growth: 5m
  segments:
  - {at: 0s, step: 200Mi}
load:
  unit: cpu
  noise: {percent: 5, seed: 1}
  segments:
  - {at: 0s, step: 100m}
  - {at: 1m, ramp: 200m, for: 2m}
  - {at: 5m, wave: 50m, period: 10m}
  - {at: 6m, spike: 1.5, for: 1m}
`

// The values that nothing takes: of another kind, of another sign, too large, hostile.
const (
	noText     = `[] | {} | null | "" | [x] | {a: b} | *x | {osc} | {bidi} | {nul} | {utf8} | "\e]52;c;aGk=\a" | "a\u202Eb" | "a\u200Bb"`
	noQuantity = `[] | {} | null | "" | -1 | -1m | 1e3 | NaN | .inf | 99999999999999999999 | 1.23456 | 5x | 0x10 | {osc}`
	noTime     = `[] | null | -1s | 1 | x | 1.5s | 1ns | 9999999h | 99999999999999999999s | {osc}`
)

// brokenScenarios are the bad values of each of its lines, and of what is in them.
var brokenScenarios = []struct{ part, with, values string }{
	{"title: x", "title: @", noText}, {"hpa: web", "hpa: @", noText + " | nothing"}, {"target: web", "target: @", noText + " | nothing"},
	{"faults: []", "faults: @", "x | {} | [x] | [[]] | [null] | [missing-target] | [two-vpas] | [missing-requests, missing-requests] | [{osc}]"},
	{"idle: 5m", "idle: @", noQuantity}, {"{cpu: 100m, for: 30s}", "@", "x | [] | {} | {cpu: 1} | {for: 1s} | {cpu: 1, for: 0s} | {cpu: 1, for: 1s, x: 1}"},
	{"idle: 20Mi", "idle: @", noQuantity + " | 2Ti | 1.5 | 20MB"}, {"growth: 5m", "growth: @", noTime}, {"- {at: 0s, step: 200Mi}", "- @", "x | [] | {} | {at: 1s, step: 1Mi} | {at: 0s} | {step: 1Mi} | {at: 0s, step: 200m}"},
	{"unit: cpu", "unit: @", "x | [] | null | rps | CPU | {osc}"}, {"unit: cpu", "unit: rps\n  cost: @", noQuantity + " | 0"}, {"unit: cpu", "cost: @", "2m"},
	{"{percent: 5, seed: 1}", "@", "x | [] | {} | {percent: 5} | {percent: -1, seed: 1} | {percent: 101, seed: 1} | {percent: NaN, seed: 1} | {percent: 5, seed: -1} | {percent: 5, seed: 1.5} | {percent: 5, seed: 99999999999999999999}"},
	{"{at: 0s, step: 100m}", "@", "x | [] | null | {at: 0s} | {step: 1} | {at: 0s, step: 1, ramp: 1} | {at: 0s, step: 1, for: 1s} | {at: 0s, step: 1, period: 1s} | {at: 0s, step: 1, x: 1} | {at: 0s, at: 1s, step: 1} | {at: 0s, step: 2000000000}"},
	{"at: 1m, ramp", "at: @, ramp", noTime + " | 0s"}, {"ramp: 200m, for: 2m", "ramp: 200m@", ", | , for: 0s | , for: 2m, period: 1m | , for: 10000000h"}, {"wave: 50m, period: 10m", "wave: 50m@", ", | , period: 0s | , for: 1m"},
	{"spike: 1.5", "spike: @", noQuantity}, {"load:", "@:", "loads | {osc} | 1 | ? | [x]"}, {"title: x", "title: x\n@", "title: y | colour: red | {osc}: 1 | a: &a [*a] | \tx: 1 | %YAML 9.9 | !!binary x: 1 | <<: {a: b}"},
}

// sections are those that a scenario cannot do without, and what it must not have after it.
var sections = []struct{ part, with string }{
	{"title: x\n", ""}, {"hpa: web\n", ""}, {"target: web\n", ""}, {scenarioYAML[strings.Index(scenarioYAML, "load:"):], ""}, {scenarioYAML, "- a\n- b\n"}, {scenarioYAML, "text\n"}, {scenarioYAML, "---\n---\n"},
	{"title: x\n", "title: x\n---\ntitle: y\n"}, {"title: x\n", "title: 'x\n"}, {"title: x\n", "title: x\n\n...\nmore\n"}, {scenarioYAML[strings.Index(scenarioYAML, "  segments:\n  - {at: 0s, step: 100m}"):], "  segments: []\n"},
}

func scenarioRows() (rows []input) {
	add := func(name, text string) {
		rows = append(rows, checked(name, text, objectsYAML, `scenario\.yaml|objects\.yaml`))
	}
	for _, b := range brokenScenarios {
		for value := range strings.SplitSeq(b.values, " | ") {
			with := strings.Replace(b.with, "@", value, 1)
			add(b.part+" → "+with, swap(scenarioYAML, b.part, hostile.Replace(with)))
		}
	}
	for _, c := range sections {
		add("instead of "+c.part, swap(scenarioYAML, c.part, c.with))
	}
	sound := checked("sound", scenarioYAML, objectsYAML, "시나리오 1개")
	sound.fine = "nothing is wrong"
	return append(rows, sound)
}

// checked is a scenario with a lesson that is sound.
func checked(name, scenario, objects, says string) input {
	return input{name: name, argv: words("check --lessons l --scenarios s"), says: says, files: map[string]string{
		"s/web/scenario.yaml": scenario, "s/web/objects.yaml": objects, "l/hpa/01-x/lesson.md": swap(lessonMD, "web-surge", "web")}}
}
