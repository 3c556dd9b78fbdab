package full

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/cmd/stepscale/view/viewtest"
)

// learnerSits makes this test binary the program at whose terminal a learner sits; its
// value is how the play goes.
const learnerSits = "STEPSCALE_TEST_LEARNER_SITS"

const terminalLesson = "hpa-02-control-loop"

func TestMain(m *testing.M) {
	if how := os.Getenv(learnerSits); how != "" {
		if how == "below a shell" {
			signal.Ignore(syscall.SIGTTOU)
			if err := shell(); err != nil {
				fmt.Printf("ended: %v\n", err)
			}
			return
		}
		fmt.Printf("ended: %v\n", playsHere(how))
		return
	}
	os.Exit(m.Run())
}

// overheard tells on the third file what the play asks and what it is sent.
type overheard struct {
	*play.Play
	log io.Writer
	how string
}

func (o overheard) Type(line string) {
	fmt.Fprintf(o.log, "typed %s\n", line)
	switch o.how {
	case "panics":
		panic("the play panics")
	case "waits": // a step that takes its time
		time.Sleep(awaited)
	}
	o.Play.Type(line)
}

// awaited is how long an actor takes of which the screen says that it is waited for.
const awaited = 40 * time.Second

func playsHere(how string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	lesson, err := lessonOf(terminalLesson)
	if err != nil {
		return err
	}
	frames, err := opened(terminalLesson)
	if err != nil {
		return err
	}
	if how == "crowded" {
		return playsCrowded(ctx)
	}
	r := play.Retell(frames, true)
	log, answers := os.NewFile(3, "log"), lesson.Answers
	answer := ""
	f := &Face{In: os.Stdin, Out: os.Stdout, Setting: Setting{Loop: loops()[lesson.Loop], Simulated: true, Color: true}}
	f.Heard = func(e play.Event) {
		switch e := e.(type) {
		case play.Question:
			answer, answers = answers[0].Text, answers[1:]
		case play.Ask:
			if e.Stop != play.ForAnswer {
				answer = ""
			}
			fmt.Fprintf(log, "asks %s\n", answer)
		}
	}
	r.Session().Heard = f.Frame
	p := play.New(play.Options{Lesson: lesson, Loop: loops()[lesson.Loop], Source: r, Save: func(state.Lesson) {}, After: "끝냅니다.", SecondTry: true})
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
			fmt.Printf("ended: %v\n", err)
		}
	}()
	return f.Play(ctx, overheard{p, log, how})
}

// seat is a terminal with a learner's program at it.
type seat struct {
	t     testing.TB
	keys  *os.File
	cmd   *exec.Cmd
	log   chan string
	mu    sync.Mutex
	shown bytes.Buffer
	done  chan struct{}
}

func sit(t testing.TB, how string) *seat {
	t.Helper()
	keys, tty := viewtest.Terminal(t, 80, 24)
	s := &seat{t: t, keys: keys, log: make(chan string, 100), done: make(chan struct{})}
	log, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s.cmd = exec.Command(os.Args[0])
	s.cmd.Env = append(os.Environ(), learnerSits+"="+how, "TERM=xterm-256color")
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr, s.cmd.ExtraFiles = tty, tty, tty, []*os.File{w}
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill(); _ = s.cmd.Wait() })
	_ = w.Close()
	go s.watch()
	go func() {
		defer close(s.log)
		for lines := bufio.NewScanner(log); lines.Scan(); {
			s.log <- lines.Text()
		}
	}()
	return s
}

func (s *seat) watch() {
	defer close(s.done)
	b := make([]byte, 4096)
	for {
		n, err := s.keys.Read(b)
		s.mu.Lock()
		s.shown.Write(b[:n])
		over := bytes.Contains(s.shown.Bytes(), []byte("ended: "))
		s.mu.Unlock()
		if err != nil || over {
			return
		}
	}
}

func (s *seat) resize(columns, rows uint16) { _ = viewtest.Resize(s.keys, columns, rows) }

// ends waits for the program, and tells what it said last. The terminal is as it was.
func (s *seat) ends() string {
	s.t.Helper()
	select {
	case <-s.done:
	case <-time.After(60 * time.Second):
		s.t.Fatal("the program does not end")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	shown := s.shown.String()
	entered, left := strings.LastIndex(shown, "\x1b[?1049h"), strings.LastIndex(shown, "\x1b[?1049l")
	hidden, visible := strings.LastIndex(shown, "\x1b[?25l"), strings.LastIndex(shown, "\x1b[?25h")
	if left < entered || visible < hidden {
		s.t.Errorf("the screen is entered at %d and left at %d, the caret hidden at %d and shown at %d", entered, left, hidden, visible)
	}
	mode, err := unix.IoctlGetTermios(int(s.keys.Fd()), unix.TCGETS)
	if err != nil || mode.Lflag&unix.ICANON == 0 || mode.Lflag&unix.ECHO == 0 {
		s.t.Errorf("the terminal is left raw: %+v, %v", mode, err)
	}
	_, end, _ := strings.Cut(shown, "ended: ")
	end, _, _ = strings.Cut(end, "\n")
	return strings.TrimSpace(end)
}

// next is the next line of the log; empty when none comes in that time.
func (s *seat) next(within time.Duration) string {
	select {
	case line := <-s.log:
		return line
	case <-time.After(within):
		return ""
	}
}

// enters waits for the first frame: who is quicker than it finds the terminal untouched.
func (s *seat) enters() {
	entered := func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return strings.Contains(s.shown.String(), "\x1b[?1049h")
	}
	for until := time.Now().Add(10 * time.Second); !entered(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			s.t.Fatal("the screen is not entered")
		}
	}
}

// goes presses keys until the lesson has taken that many lines; -1 for all.
func (s *seat) goes(lines int) {
	random := rand.New(rand.NewPCG(1, 2))
	for lines != 0 {
		asks := s.next(30 * time.Second)
		answer, ok := strings.CutPrefix(asks, "asks ")
		if !ok {
			return
		}
		for typed := ""; typed == ""; typed = s.next(time.Second) {
			for range 5 {
				s.resize(uint16(10+random.IntN(210)), uint16(3+random.IntN(67)))
			}
			if _, err := s.keys.WriteString(answer + "\r"); err != nil {
				s.t.Fatal(err)
			}
		}
		lines--
	}
}

// TestLessonOnATerminal plays a whole lesson on a pseudo-terminal that changes its size
// before every key.
func TestLessonOnATerminal(t *testing.T) {
	s := sit(t, "to its end")
	s.goes(-1)
	if end := s.ends(); end != "<nil>" {
		t.Errorf("ended: %s", end)
	}
}

// TestIdleTerminal: a screen that nobody touches writes nothing and takes less than half a
// hundredth of a processor, which a program that looks for changes sixty times a second does
// not; one that waits for an actor moves, and takes less than two. Where nothing else runs it
// is 0.1 and 0.9; what others do to the caches is counted, too.
func TestIdleTerminal(t *testing.T) {
	s := sit(t, "to its end")
	s.goes(2)
	s.next(10 * time.Second)
	s.enters()
	if written := s.idles(t, 200); written > 0 {
		t.Errorf("%d bytes while nothing happens", written)
	}
	s = sit(t, "waits")
	s.goes(1)
	s.enters()
	if written := s.idles(t, 50); written == 0 {
		t.Error("nothing moves while an actor is awaited")
	}
	s.stop()
}

// idles is what is written while nobody touches a key, and holds what that costs against
// what it may: in the calmest of three spans, since a busy machine only adds to it.
func (s *seat) idles(t *testing.T, part time.Duration) int {
	t.Helper()
	s.resize(200, 60)
	time.Sleep(500 * time.Millisecond)
	written, least := s.written(), *idleFor
	for range 3 {
		used := s.used()
		time.Sleep(*idleFor)
		if least = min(least, s.used()-used); least <= *idleFor/part {
			break
		}
	}
	if t.Logf("%s of %s while nothing happens", least, *idleFor); least > *idleFor/part {
		t.Errorf("%s of %s while nothing happens", least, *idleFor)
	}
	return s.written() - written
}

var idleFor = flag.Duration("idle", 3*time.Second, "for how long an idle screen is watched")

func (s *seat) stop() { _ = s.cmd.Process.Kill() }

func (s *seat) written() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.Len()
}

// used is the time that the program has had on a processor.
func (s *seat) used() time.Duration {
	s.t.Helper()
	var total, ns time.Duration
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", s.cmd.Process.Pid))
	for _, task := range tasks {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/schedstat", s.cmd.Process.Pid, task.Name()))
		if _, err2 := fmt.Sscan(string(b), &ns); err2 == nil {
			total += ns
		}
	}
	if err != nil || total == 0 {
		s.t.Skip("this kernel does not tell how long a program has run:", err)
	}
	return total
}

// TestSuspended: Ctrl-Z gives the terminal back, and fg brings the screen as it was.
func TestSuspended(t *testing.T) {
	s := sit(t, "below a shell")
	s.goes(1)
	s.next(10 * time.Second)
	s.enters()
	pid, err := strconv.Atoi(strings.TrimPrefix(s.heard("child "), "child "))
	if err != nil {
		t.Fatal(err)
	}
	for stopped := false; !stopped; { // keys are ignored while a step runs
		_, _ = s.keys.WriteString("\x1a")
		stopped = s.stopped(pid, 2*time.Second)
	}
	mode, err := unix.IoctlGetTermios(int(s.keys.Fd()), unix.TCGETS)
	if err != nil || mode.Lflag&unix.ECHO == 0 {
		t.Errorf("the terminal is raw while the program is stopped: %+v, %v", mode, err)
	}
	for until := time.Now().Add(10 * time.Second); !strings.Contains(s.text(), "\x1b[?1049l"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) { // what was written before is read by now
			t.Fatal("the screen is still there while the program is stopped")
		}
	}
	before := strings.Count(s.text(), "\x1b[?1049h")
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(10 * time.Second); strings.Count(s.text(), "\x1b[?1049h") == before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("the screen does not come back")
		}
	}
	_, _ = s.keys.WriteString("\x15q")
	if end := s.ends(); end != "quit" {
		t.Errorf("ended: %s", end)
	}
}

func (s *seat) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.String()
}

// heard waits for a line of that kind on the terminal.
func (s *seat) heard(prefix string) string {
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		for line := range strings.Lines(s.text()) {
			if strings.HasPrefix(line, prefix) {
				return strings.TrimSpace(line)
			}
		}
	}
	s.t.Fatalf("nothing begins with %q", prefix)
	return ""
}

// stopped waits until the kernel says that the program is.
func (s *seat) stopped(pid int, within time.Duration) bool {
	for until := time.Now().Add(within); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if _, state, ok := strings.Cut(string(b), ") "); ok && strings.HasPrefix(state, "T") {
			return true
		}
	}
	return false
}

// shell starts the program in the foreground of the terminal, as a shell does: one that
// leads the session itself is not stopped by the terminal.
func shell() error {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), learnerSits+"=to its end")
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = os.Stdin, os.Stdout, os.Stderr, []*os.File{os.NewFile(3, "log")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Foreground: true, Ctty: 0}
	if err := cmd.Start(); err != nil {
		return err
	}
	fmt.Printf("child %d\n", cmd.Process.Pid)
	return cmd.Wait()
}

// TestTerminalIsGivenBack: whatever ends the screen, the terminal is as it was.
func TestTerminalIsGivenBack(t *testing.T) {
	for name, c := range map[string]struct {
		how  string
		end  func(*seat)
		want string
	}{
		"Ctrl-C":           {"plays", func(s *seat) { _, _ = s.keys.WriteString("\x03") }, "context canceled"},
		"SIGTERM":          {"plays", func(s *seat) { _ = s.cmd.Process.Signal(syscall.SIGTERM) }, "context canceled"},
		"q":                {"plays", func(s *seat) { _, _ = s.keys.WriteString("\x15q") }, "quit"},
		"q with an IME on": {"plays", func(s *seat) { _, _ = s.keys.WriteString("\x15ㅂ") }, "quit"},
		"a panic":          {"panics", func(*seat) {}, "panic: the play panics"},
	} {
		t.Run(name, func(t *testing.T) {
			s := sit(t, c.how)
			s.goes(1)
			s.next(10 * time.Second)
			s.enters()
			for over := false; !over; { // keys are ignored while a step runs
				c.end(s)
				select {
				case <-s.done:
					over = true
				case <-time.After(2 * time.Second):
				}
			}
			if end := s.ends(); end != c.want {
				t.Errorf("ended: %s, want %s", end, c.want)
			}
		})
	}
}
