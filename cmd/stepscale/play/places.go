package play

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/recording"
)

var (
	passAt  = regexp.MustCompile(`^(\d+)(?:\.(\d+))?$`)
	clockAt = regexp.MustCompile(`^\d{1,2}:\d{2}(:\d{2})?$`)
)

// PlaceError is a place that a recording does not have, in Korean.
type PlaceError struct{ Text string }

func (e *PlaceError) Error() string { return e.Text }

func noPlace(format string, a ...any) (int, error) { return 0, &PlaceError{fmt.Sprintf(format, a...)} }

// Find is the index of the frame at a place: a pass, a step of one, a time after or
// before the cursor, a time of the day, the beginning, the end, or a mark. The error is a
// *PlaceError.
func (r *Replay) Find(place string) (int, error) {
	switch what, ok := reserved(place); {
	case ok && what == "처음":
		return 0, nil
	case ok && what == "끝":
		return r.Recording.Len() - 1, nil
	case passAt.MatchString(place):
		return r.findPass(passAt.FindStringSubmatch(place))
	case clockAt.MatchString(place):
		return r.findClock(place)
	case ok:
		return r.findAfter(place)
	}
	if at, ok := r.marks[place]; ok {
		return at, nil
	}
	return noPlace("이동할 자리를 읽을 수 없습니다: %s. 패스(12), 패스의 단계(12.5), 시간(+5m, 14:03:20), 처음, 끝, 표시한 이름을 적어 주십시오.", place)
}

// reserved tells of a word that means a place of itself, which a mark cannot.
func reserved(place string) (string, bool) {
	switch place {
	case "처음", "start":
		return "처음", true
	case "끝", "end":
		return "끝", true
	}
	return "", passAt.MatchString(place) || clockAt.MatchString(place) || strings.HasPrefix(place, "+") || strings.HasPrefix(place, "-")
}

func (r *Replay) findPass(m []string) (int, error) {
	all := r.place(0).Passes
	pass, err := strconv.Atoi(m[1])
	first, end := r.Recording.Pass(pass)
	if err != nil || first == end {
		return noPlace("패스 %s 이 기록에 없습니다. %d부터 %d까지 있습니다.", korean.Topic(m[1]), r.Recording.Row(0).Pass, all)
	}
	if m[2] == "" {
		return first, nil
	}
	step, err := strconv.Atoi(m[2])
	if err != nil || step < 1 || step > end-first {
		return noPlace("패스 %d에는 하위 단계가 %d개 있습니다: %d.1부터 %d.%d까지입니다.", pass, end-first, pass, pass, end-first)
	}
	return first + step - 1, nil
}

func (r *Replay) findAfter(text string) (int, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return noPlace("시간을 읽을 수 없습니다: %s. +5m, -30s처럼 적어 주십시오.", text)
	}
	return r.at(r.Recording.Row(r.cursor).At.Add(d))
}

// findClock is a time of the day of the recording, as the screen shows it; of a day after
// the first where that one is over.
func (r *Replay) findClock(text string) (int, error) {
	layout := "15:04:05"[:5+3*(strings.Count(text, ":")-1)]
	clock, err := time.Parse(layout, text)
	if err != nil {
		return noPlace("시각을 읽을 수 없습니다: %s. 14:03:20처럼 적어 주십시오.", text)
	}
	first := r.Recording.Row(0).At
	at := time.Date(first.Year(), first.Month(), first.Day(), clock.Hour(), clock.Minute(), clock.Second(), 0, first.Location())
	if at.Before(first.Truncate(time.Second)) {
		at = at.AddDate(0, 0, 1)
	}
	if at.Before(first) { // within its second
		at = first
	}
	return r.at(at)
}

// at is the first frame that is not before a time.
func (r *Replay) at(t time.Time) (int, error) {
	first, last := r.Recording.Row(0).At, r.Recording.Row(r.Recording.Len()-1).At
	if t.Before(first) || t.After(last) {
		return noPlace("%s 이 기록의 시간이 아닙니다. %s부터 %s까지입니다.", korean.Topic(t.Format(time.DateTime)), first.Format(time.DateTime), last.Format(time.DateTime))
	}
	i := 0
	for r.Recording.Row(i).At.Before(t) {
		i++
	}
	return i, nil
}

// marked are the marks, a line each.
func (r *Replay) marked() (lines []string) {
	for _, name := range slices.Sorted(maps.Keys(r.marks)) {
		lines = append(lines, fmt.Sprintf("%s: %s (%s)", name, r.place(r.marks[name]), r.Recording.Row(r.marks[name]).Step))
	}
	return lines
}

// Misunderstood says in Korean why a condition is none.
func Misunderstood(err error, rec *recording.Recording) string {
	var fact *recording.FactError
	switch {
	case errors.As(err, &fact):
		return fmt.Sprintf("이 기록에는 %s 값도, 그런 단계도 없습니다.", fact.Name) + perhaps(fact.Name, rec.Names())
	case errors.Is(err, recording.ErrOrder):
		return "크기를 비교하려면 오른쪽에 수를 적어 주십시오. 예: replicas>5, currentUtilization>=80%"
	}
	return "조건을 읽을 수 없습니다. 예: replicas>5, desired!=current, reason=ScaleDownStabilized, target(web).cpu 바뀜, 또는 단계의 이름"
}
