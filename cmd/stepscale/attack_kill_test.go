package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

var (
	kills = flag.Int("kills", 20, "how many processes are killed; all of the attack are 60")
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
	for lane := range lanes {
		t.Run(fmt.Sprintf("lane %d", lane+1), func(t *testing.T) {
			t.Parallel()
			folder := shortDir(t)
			defer endAll(folder)
			random := rand.New(rand.NewPCG(start, uint64(lane)))
			var order []int
			n := 0
			for tries := 0; n < *kills/lanes && tries < *kills; tries++ {
				if len(order) == 0 {
					order = random.Perm(len(victims))
				}
				v := victims[order[0]]
				order = order[1:]
				hit := v.attack(t, folder, random)
				settle(t, folder, v.name)
				if !hit { // it had ended by itself
					continue
				}
				if n++; n%4 == 0 {
					works(t, folder, v.name)
				}
			}
			lives(t, folder)
			if n < *kills/lanes {
				t.Errorf("only %d were killed", n)
			}
		})
	}
	t.Cleanup(func() { t.Logf("%d kills, -seed %d", *kills/lanes*lanes, start) })
}

// attack starts the victim and kills it, or its daemon, at a random moment. It reports
// whether there was still something to kill.
func (v victim) attack(t *testing.T, folder string, random *rand.Rand) (hit bool) {
	if v.up {
		must(t, folder, "cluster up")
	}
	lines, while := random.IntN(v.lines+1), time.Duration(random.Int64N(int64(v.while)))
	cmd := command(t.Context(), folder, nil, words(v.line)...)
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
		pid = v.daemonOf(folder, pid)
	}
	hit = pid != 0 && syscall.Kill(pid, syscall.SIGKILL) == nil
	deadline := time.AfterFunc(time.Minute, func() {
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
	whole(t, folder, v.name)
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
func settle(t *testing.T, folder, after string) {
	must(t, folder, "cluster down")
	for deadline := time.Now().Add(30 * time.Second); len(processes(folder)) > 0 && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	for _, fault := range append(endAll(folder), leftovers(folder)...) {
		t.Errorf("after %s: %s", after, fault)
	}
}

// works starts a cluster, runs a pass and takes it down.
func works(t *testing.T, folder, after string) {
	must(t, folder, "run web-surge --until pass=1")
	for _, fault := range leftovers(folder) {
		t.Errorf("a run after %s: %s", after, fault)
	}
}

// lives is a learner's next evening: what writers have left who were killed is old by
// then, and goes.
func lives(t *testing.T, folder string) {
	yesterday := time.Now().AddDate(0, 0, -1)
	files, _ := filepath.Glob(filepath.Join(folder, "state", "*.tmp-*"))
	for _, f := range files {
		if err := os.Chtimes(f, yesterday, yesterday); err != nil {
			t.Error(err)
		}
	}
	must(t, folder, "learn intro --restart")
	if files, _ = filepath.Glob(filepath.Join(folder, "state", "*.tmp-*")); len(files) > 0 {
		t.Errorf("left: %q", files)
	}
}

func must(t *testing.T, folder, line string) {
	t.Helper()
	got := call(t, 2*time.Minute, folder, nil, words(line)...)
	faults := got.faults()
	if got.code != 0 {
		faults = append(faults, fmt.Sprintf("exit code %d", got.code))
	}
	if len(faults) > 0 {
		t.Errorf("stepscale %s: %s\n%s", line, strings.Join(faults, "; "), head(got.screen))
	}
}

// kept is what may stay in the state folder: progress, logs, locks and their folders;
// and, until the next write, the half of a write that was killed.
var kept = regexp.MustCompile(`^(\.|embedded|seats|progress\.json|progress\.json\.tmp-\d+|(.*/)?[a-z-.]*(lock|log))$`)

func leftovers(folder string) (faults []string) {
	state := filepath.Join(folder, "state")
	_ = filepath.WalkDir(state, func(path string, entry fs.DirEntry, err error) error {
		name, e := filepath.Rel(state, path)
		if err != nil || e != nil || kept.MatchString(name) {
			return nil
		}
		faults = append(faults, "left: "+name)
		if entry.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
	return faults
}

// whole tells of files that were half written.
func whole(t *testing.T, folder, after string) {
	recorded, err := os.ReadFile(filepath.Join(folder, "web.jsonl"))
	if err == nil && len(recorded) > 0 && !bytes.HasSuffix(recorded, []byte("\n")) {
		t.Errorf("after %s: the recording ends in the middle of a line", after)
	}
	for line := range bytes.Lines(recorded) {
		if !json.Valid(line) {
			t.Errorf("after %s: the recording has half a line: %.100q", after, line)
		}
	}
	progress, err := os.ReadFile(filepath.Join(folder, "state", "progress.json"))
	if err == nil && !json.Valid(progress) {
		t.Errorf("after %s: the progress is half written: %.100q", after, progress)
	}
}
