package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

var (
	kills = flag.Int("kills", 8, "how many processes are killed, every kind of victim in its turn; all of the attack are 60")
	seed  = flag.Uint64("seed", 0, "of the moments at which they are killed; 0: another every time")
)

// victim is a process that is killed at some moment: after so many lines of what it
// writes, and a while.
type victim struct {
	name, line string
	lines      int           // that it writes at most before it is killed
	while      time.Duration // after that, at most
	up         bool          // a cluster runs in the background
	daemon     bool          // it is not the process that is killed, but the cluster's
	answers    string        // what is typed
}

var victims = []victim{
	{name: "a lesson by itself", line: "learn hpa/02-control-loop --auto", lines: 120, while: 300 * time.Millisecond},
	{name: "a lesson with a learner", line: "learn hpa/02-control-loop --restart", lines: 120, while: 100 * time.Millisecond, answers: strings.Repeat("\n", 200)},
	{name: "a recorded run", line: "run web-surge --for 20m --record web.jsonl", lines: 40, while: 300 * time.Millisecond},
	{name: "a recorded run in the background cluster", line: "run web-surge --for 20m --record web.jsonl", lines: 25, while: 200 * time.Millisecond, up: true},
	{name: "cluster up", line: "cluster up", lines: 12, while: 500 * time.Millisecond},
	{name: "cluster down", line: "cluster down", while: 1200 * time.Millisecond, up: true},
	{name: "the daemon while it starts", line: "cluster up", lines: 12, while: 500 * time.Millisecond, daemon: true},
	{name: "the daemon under a run", line: "run web-surge --for 20m --record web.jsonl", lines: 25, while: 200 * time.Millisecond, up: true, daemon: true},
}

// TestKills kills the program at random moments, again and again above the same
// folder. Whatever was killed: cluster down leaves nothing behind, what was written is
// whole, and the next start knows nothing of it.
func TestKills(t *testing.T) {
	start := *seed
	if start == 0 {
		start = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed %d", start)
	const lanes = 2
	all := rand.New(rand.NewPCG(start, lanes)).Perm(len(victims)) // half of them for each lane, then the other half
	for lane := range lanes {
		t.Run(fmt.Sprintf("lane %d", lane+1), func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, "state")
			random := rand.New(rand.NewPCG(start, uint64(lane)))
			n := 0
			for tries := 0; n < *kills/lanes && tries < *kills; tries++ {
				v := victims[all[(lane*len(all)/lanes+tries)%len(all)]]
				hit := v.attack(m, random)
				m.settle(v.name)
				if !hit { // it had ended by itself
					continue
				}
				if n++; n%4 == 0 {
					m.works(v.name)
				}
			}
			m.lives()
			if n < *kills/lanes {
				t.Errorf("only %d were killed", n)
			}
		})
	}
	t.Cleanup(func() { t.Logf("%d kills, -seed %d", *kills/lanes*lanes, start) })
}

// attack starts the victim and kills it, or its daemon, at a random moment. It reports
// whether there was still something to kill.
func (v victim) attack(m *machine, random *rand.Rand) (hit bool) {
	t := m.t
	if v.up {
		m.ok("cluster", "up")
	}
	lines, while := random.IntN(v.lines+1), time.Duration(random.Int64N(int64(v.while)))
	cmd := m.command(words(v.line)...)
	cmd.Stdin = strings.NewReader(v.answers)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	cmd.Stdout, cmd.Stderr = write, write
	if err := errors.Join(cmd.Start(), write.Close()); err != nil {
		t.Fatal(err)
	}
	var screen bytes.Buffer
	out := bufio.NewScanner(read)
	for n := 0; n < lines && out.Scan(); n++ {
		fmt.Fprintln(&screen, out.Text())
	}
	time.Sleep(while) // the moment is random, there is nothing to wait for
	pid := cmd.Process.Pid
	if v.daemon {
		pid = v.daemonOf(m.folder, pid)
	}
	hit = pid != 0 && syscall.Kill(pid, syscall.SIGKILL) == nil
	deadline := time.AfterFunc(patient, func() {
		t.Errorf("%s: it does not end after %d lines and %s", v.name, lines, while)
		_ = cmd.Process.Kill()
	})
	for out.Scan() {
		fmt.Fprintln(&screen, out.Text())
	}
	err = cmd.Wait()
	deadline.Stop()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && !v.daemon {
		hit = status.Signaled()
	}
	t.Logf("%s, after %d lines and %s: %v", v.name, lines, while.Round(time.Millisecond), err)
	o := outcome{screen: screen.String()}
	if faults := o.faults(); len(faults) > 0 {
		t.Errorf("%s: %s\n%s", v.name, strings.Join(faults, "; "), head(o.screen))
	}
	m.whole(v.name)
	return hit
}

// daemonOf is the process of the cluster: another one than that which talks to it. 0
// where none has been started yet, or it has ended.
func (v victim) daemonOf(folder string, self int) int {
	for _, pid := range processes(folder) {
		if pid != self {
			return pid
		}
	}
	return 0
}

// settle is what a user does after a bad day: cluster down. Then nothing is left.
func (m *machine) settle(after string) {
	m.ok("cluster", "down")
	for deadline := time.Now().Add(patient); len(processes(m.folder)) > 0 && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	m.t.Logf("after %s", after)
	m.clean()
}

// works starts a cluster, runs a pass and takes it down.
func (m *machine) works(after string) {
	m.t.Logf("a run after %s", after)
	m.ok("run", "web-surge", "--until", "pass=1")
	m.clean()
}

// lives is a learner's next evening: what writers have left who were killed is old by
// then, and goes.
func (m *machine) lives() {
	yesterday := time.Now().AddDate(0, 0, -1)
	files, _ := filepath.Glob(filepath.Join(m.state, "*.tmp-*"))
	for _, f := range files {
		if err := os.Chtimes(f, yesterday, yesterday); err != nil {
			m.t.Error(err)
		}
	}
	m.ok("learn", "intro", "--restart")
	if files, _ = filepath.Glob(filepath.Join(m.state, "*.tmp-*")); len(files) > 0 {
		m.t.Errorf("left: %q", files)
	}
}

// whole tells of files that were half written.
func (m *machine) whole(after string) {
	t := m.t
	recorded, err := os.ReadFile(filepath.Join(m.folder, "web.jsonl"))
	if err == nil && len(recorded) > 0 && !bytes.HasSuffix(recorded, []byte("\n")) {
		t.Errorf("after %s: the recording ends in the middle of a line", after)
	}
	for line := range bytes.Lines(recorded) {
		if !json.Valid(line) {
			t.Errorf("after %s: the recording has half a line: %.100q", after, line)
		}
	}
	progress, err := os.ReadFile(filepath.Join(m.state, "progress.json"))
	if err == nil && !json.Valid(progress) {
		t.Errorf("after %s: the progress is half written: %.100q", after, progress)
	}
}
