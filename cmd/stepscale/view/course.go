package view

import (
	"strconv"
	"strings"
	"time"
)

// Course draws where passes of an HPA and a VPA have led: a row for every number of pods
// and every size that was asked for, each as a bar of its own scale.
func (s *Screen) Course(ticks []Tick, start time.Time) {
	rows := turns(ticks)
	if len(rows) < 2 {
		return
	}
	mostPods, mostSize := 0.0, 0.0
	for _, t := range rows {
		mostPods, mostSize = max(mostPods, quantity(t.Pods())), max(mostSize, quantity(t.Recommended))
	}
	const numbers = 2 + 10 + 2 + 4 + 1 + 2 + 8 + 1 // columns beside the bars
	room := min((s.width-numbers)/2, 40)
	bar := func(text string, most float64) string {
		if s.plain {
			return ""
		}
		return strings.Repeat("█", max(int(quantity(text)/max(most, 1)*float64(room)+0.5), 1))
	}
	s.section("파드의 수와 추천의 흐름 (바뀐 때만)")
	s.print(s.style(faint, "  "+padLeft("경과", 10)+"  "+pad("레플리카", 5+room)+"  "+padLeft("추천", 8)) + "\n")
	for _, t := range rows {
		s.print("  " + padLeft(Elapsed(t.At.Sub(start)), 10) + "  " + padLeft(t.Pods(), 4) + " " + s.style(cyan, pad(bar(t.Pods(), mostPods), room)) +
			"  " + padLeft(t.Recommended, 8) + " " + s.style(green, bar(t.Recommended, mostSize)) + "\n")
	}
}

// turns are the passes in which both moved and after which something was different.
func turns(ticks []Tick) (rows []Tick) {
	for _, t := range ticks {
		if !t.both() {
			continue
		}
		if n := len(rows); n == 0 || rows[n-1].Pods() != t.Pods() || rows[n-1].Recommended != t.Recommended {
			rows = append(rows, t)
		}
	}
	return rows
}

// Pods are as many as the pass came to.
func (t Tick) Pods() string {
	if n, err := strconv.Atoi(t.Desired); err == nil {
		return strconv.Itoa(n)
	}
	return dash(t.Current)
}
