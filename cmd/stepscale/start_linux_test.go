package main

import (
	"bytes"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/view/viewtest"
)

// BenchmarkLessonStart is the way from a command on a terminal to the first question of a
// lesson, with the cluster that it starts: on the whole screen and line by line, in turn. What
// counts is the median of the ratios, since two runs after each other meet the same machine:
//
//	go test ./cmd/stepscale -run xxx -bench LessonStart -benchtime 15x
func BenchmarkLessonStart(b *testing.B) {
	faces := [2][]string{{"learn", "hpa/02-control-loop"}, {"learn", "hpa/02-control-loop", "--plain"}}
	var all [2][]float64
	var ratios []float64
	for i := 0; b.Loop(); i++ {
		var took [2]float64
		for _, face := range [2]int{i % 2, 1 - i%2} { // neither is always the first
			took[face] = untilAsked(b, faces[face]).Seconds()
			all[face] = append(all[face], took[face])
		}
		ratios = append(ratios, took[0]/took[1])
	}
	b.ReportMetric(median(all[0]), "s/full")
	b.ReportMetric(median(all[1]), "s/lines")
	b.ReportMetric(median(ratios), "full/lines")
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// untilAsked is how long it takes the program to ask something on a terminal.
func untilAsked(b *testing.B, argv []string) time.Duration {
	b.Helper()
	folder, err := os.MkdirTemp("", "start") // short: unix sockets live below it
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(folder)
	typed, seat := viewtest.Terminal(b, 80, 24)
	defer typed.Close()
	cmd := command(folder, []string{"TERM=xterm-256color"}, argv...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = seat, seat, seat
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer time.AfterFunc(patient, func() { _ = cmd.Process.Kill() }).Stop()
	_ = seat.Close()
	var shown []byte
	var took time.Duration
	for chunk := make([]byte, 1<<16); ; { // to its end, lest it wait for somebody to read
		n, err := typed.Read(chunk)
		shown = append(shown, chunk[:n]...)
		if took == 0 && bytes.Contains(shown, []byte("예측>")) {
			took = time.Since(began)
			_ = cmd.Process.Signal(syscall.SIGTERM)
		}
		if err != nil {
			break
		}
	}
	if _ = cmd.Wait(); took == 0 {
		b.Fatalf("nothing is asked:\n%s", shown)
	}
	return took
}
