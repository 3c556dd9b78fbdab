package main

import "strings"

// lessonMD is a lesson that is sound.
const lessonMD = "---\ntitle: x\nloop: hpa\nscenario: web-surge\n---\nhello\n```predict scrapedPods\nwhich?\n```\n```hint\nthat\n```\n```step hpa/1-metrics/scrape\n```\n```continue change 10m\n```\n"

// brokenLessons are what is put in the place of a part of it.
var brokenLessons = []struct{ part, with string }{
	{"---\ntitle", "title"}, {"scenario: web-surge\n---", "scenario: web-surge"}, {"title: x", ""}, {"title: x", "title:"}, {"title: x", "title: \"x"}, {"title: x", "title: [x]"},
	{"title: x", "title: x\ntitle: y"}, {"title: x", "title: x\ncolour: red"}, {"title: x", "title x"}, {"title: x", "title: {osc}"}, {"title: x", "title: {bidi}"}, {"title: x", "title: {nul}"},
	{"title: x", "title: {utf8}"}, {"title: x", "title: {cr}"}, {"title: x", "{osc}: x"}, {"loop: hpa", ""}, {"loop: hpa", "loop: nothing"}, {"loop: hpa", "loop: {osc}"}, {"loop: hpa", "loop: hpa hpa"},
	{"loop: hpa", "loop: vpa"}, {"scenario: web-surge", ""}, {"scenario: web-surge", "scenario: nothing"}, {"scenario: web-surge", "scenario: ../web-surge"}, {"scenario: web-surge", "scenario: {osc}"},
	{"```step hpa/1-metrics/scrape\n```", "```step\n```"}, {"step hpa/1-metrics/scrape", "step hpa/1-metrics/scrap"}, {"step hpa/1-metrics/scrape", "step hpa/1-metrics/scrape 3"},
	{"step hpa/1-metrics/scrape", "step {osc}"}, {"step hpa/1-metrics/scrape", "step {bidi}"}, {"step hpa/1-metrics/scrape", "step hpa/3-scale/update"}, {"step hpa/1-metrics/scrape", "step vpa/1-usage/scrape"},
	{"step hpa/1-metrics/scrape", "Step hpa/1-metrics/scrape"}, {"step hpa/1-metrics/scrape", "setp hpa/1-metrics/scrape"}, {"step hpa/1-metrics/scrape", "run hpa/1-metrics/scrape"},
	{"predict scrapedPods", "predict"}, {"predict scrapedPods", "predict nothing"}, {"predict scrapedPods", "predict {osc}"}, {"predict scrapedPods", "predict scrapedPods scrapedPods"}, {"predict scrapedPods", "predcit scrapedPods"}, {"which?", ""}, {"which?", "{osc}"}, {"which?", "{zero}{bidi}"},
	{"```hint\nthat\n```\n", "```hint\n```\n"}, {"hint\nthat", "hint now\nthat"}, {"hint\nthat", "hnit\nthat"}, {"```predict scrapedPods\nwhich?\n```\n", ""}, {"hello\n```predict", "hello\n```hint\nx\n```\n```predict"},
	{"continue change 10m", "continue"}, {"continue change 10m", "continue nothing"}, {"continue change 10m", "continue change x"}, {"continue change 10m", "continue change 0s"}, {"continue change 10m", "continue change -1m"},
	{"continue change 10m", "continue change 10m 10m"}, {"continue change 10m", "continue change 99999999999h"}, {"continue change 10m", "continue pass 0"}, {"continue change 10m", "continue pass -1"}, {"continue change 10m", "continue pass x"},
	{"continue change 10m", "continue pass 99999999999999999999"}, {"continue change 10m", "continue pass 1.5"}, {"continue change 10m", "continue hpa/1-metrics/scrape"}, {"continue change 10m", "continue hpa/9/x"}, {"continue change 10m", "continue hpa/3-scale/update 3"},
	{"continue change 10m", "continue {osc}"}, {"continue change 10m", "contniue change"}, {"```continue change 10m\n```\n", "```predict scrapedPods\nx\n```\n"}, {"```step hpa/1-metrics/scrape\n```\n```continue change 10m\n```\n", ""},
	{"hello", "{csi}"}, {"hello", "{c1}"}, {"hello", "{nul}"}, {"hello", "{utf8}"}, {"hello", "{bidi}"}, {"hello", "````\nnever closed"}, {"hello", "~~~\nnever closed"}, {"hello", "{cr}"},
}

// places are lessons where none should be.
var places = map[string]map[string]string{
	"a number twice":          {"hpa/01-x/lesson.md": lessonMD, "hpa/01-y/lesson.md": swap(lessonMD, "title: x", "title: y")},
	"a title twice":           {"hpa/01-x/lesson.md": lessonMD, "hpa/02-y/lesson.md": lessonMD},
	"no number":               {"hpa/x/lesson.md": lessonMD},
	"too high":                {"hpa/lesson.md": lessonMD},
	"too deep":                {"hpa/01-x/y/lesson.md": lessonMD},
	"no lesson in the folder": {"hpa/01-x/lesson.txt": lessonMD},
	"capitals":                {"hpa/01-X/lesson.md": lessonMD},
	"escape in the name":      {"hpa/01-a\x1b]52;c;aGk=\x07/lesson.md": lessonMD},
	"bidi in the name":        {"hpa\u202e/01-x/lesson.md": swap(lessonMD, "loop: hpa", "loop: x")},
	"newline in the name":     {"hpa/01-a\nb/lesson.md": lessonMD},
	"invalid UTF-8 in a name": {"hpa/01-a\xff/lesson.md": lessonMD},
}

// badAnswers are what may stand beside a lesson that is sound, and should not.
var badAnswers = []string{"", "{osc}", "{bidi}: 1", "scrapedPods: {csi}", "scrapedPods: {utf8}", "scrapedPods: {nul}", "scrapedPods", "scrapedPods:", ": 2", "nothing: 2", "scrapedPods: 2\nscrapedPods: 2", "{long}", "{long}: 2"}

func lessonRows() (rows []input) {
	check := []string{"check", "--lessons", "l"}
	for _, b := range brokenLessons {
		lesson := swap(lessonMD, b.part, hostile.Replace(b.with))
		rows = append(rows, input{name: b.part + " → " + b.with, argv: check, files: map[string]string{"l/hpa/01-x/lesson.md": lesson}, says: `lesson\.md`})
	}
	for _, a := range badAnswers {
		files := map[string]string{"l/hpa/01-x/lesson.md": lessonMD, "l/hpa/01-x/answers.txt": hostile.Replace(a)}
		rows = append(rows, input{name: "answers: " + a, argv: check, files: files, says: `answers\.txt`})
	}
	for name, files := range places {
		in := input{name: name, argv: check, files: map[string]string{}}
		for file, text := range files {
			in.files["l/"+file] = text
		}
		rows = append(rows, in)
	}
	sound := map[string]string{"l/hpa/01-x/lesson.md": lessonMD}
	answered := map[string]string{"l/hpa/01-x/lesson.md": lessonMD, "l/hpa/01-x/answers.txt": "scrapedPods: 2\n"}
	windows := map[string]string{"l/hpa/01-x/lesson.md": "\ufeff" + strings.ReplaceAll(lessonMD, "\n", "\r\n")}
	return append(rows, input{name: "sound", argv: check, files: sound, fine: "nothing is wrong", says: "문제가 없습니다"},
		input{name: "with answers", argv: check, files: answered, fine: "nothing is wrong", says: "문제가 없습니다"}, input{name: "of Windows", argv: check, files: windows, fine: "a BOM and CRLF are no fault", says: "문제가 없습니다"})
}
