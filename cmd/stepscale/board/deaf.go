package board

import (
	"fmt"
	"time"

	"github.com/stepscale/stepscale/engine/korean"
)

const (
	// mostDeaf is how long the pace is kept that was heard last. An API server that is
	// started anew is back by then, and a class does not run away from its instructor; who
	// is cut off for longer is not kept from the lesson.
	mostDeaf = 2 * time.Minute
	// blip is how long nothing is said about it: watches break now and then.
	blip = 3 * time.Second
)

// deafness is that the instructor is not heard.
type deafness struct {
	since time.Time // zero where there is none
	cause error
	most  time.Duration // that somebody is held meanwhile
}

// hold is why a step has to wait that the instructor holds, as far as that is known; or why it
// has not to wait any longer.
func (d deafness) hold(why string) (held, freed string) {
	if d.since.IsZero() {
		return why, ""
	}
	switch gone := time.Since(d.since); {
	case gone >= d.most:
		return "", fmt.Sprintf("강사의 말을 %s 넘게 듣지 못해(%s) 더 기다리지 않습니다. 이어지면 다시 강사의 진행을 따릅니다.", korean.Age(d.most), trouble(d.cause))
	case gone >= blip:
		return why + fmt.Sprintf(" 지금은 강사의 말을 듣지 못하고 있어(%s) 풀렸는지 알 수 없습니다. %s 안에 이어지지 않으면 기다리지 않습니다.", trouble(d.cause), korean.Age(d.most)), ""
	}
	return why, ""
}

// up takes in what a request about the pace ended with. Who waits looks again when there is
// something to say.
func (l *Listener) up(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	began := l.deaf.since
	l.deaf.cause = err
	switch {
	case err == nil && began.IsZero():
	case err == nil:
		l.deaf.since = time.Time{}
		l.wake()
	case began.IsZero():
		l.deaf.since = time.Now()
		for _, after := range []time.Duration{blip, l.deaf.most} {
			time.AfterFunc(after, func() {
				l.mu.Lock()
				defer l.mu.Unlock()
				l.wake()
			})
		}
	}
}
