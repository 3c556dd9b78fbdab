package state

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
)

func TestProgressRoundTrip(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "dir")
	state := At(dir)
	s, err := state.Progress(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Save(t.Context(), "hpa/01-a", Lesson{Steps: 2, Total: 5, Step: "hpa/1-metrics/query"}); err != nil {
		t.Fatal(err)
	}
	other, _ := state.Progress(t.Context()) // another terminal
	if err := other.Save(t.Context(), "hpa/02-b", Lesson{Steps: 5, Total: 5, Done: true}); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(t.Context(), "hpa/01-a", Lesson{Steps: 3, Total: 5}); err != nil {
		t.Fatal(err)
	}
	got, err := state.Progress(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := got.Record
	if r.Last != "hpa/01-a" || r.Lessons["hpa/01-a"].Steps != 3 || !r.Lessons["hpa/02-b"].Done {
		t.Errorf("got %+v", r)
	}
	if err := got.Save(t.Context(), "hpa/02-b", Lesson{Steps: 1, Total: 5}); err != nil || !got.Record.Lessons["hpa/02-b"].Done {
		t.Error("a finished lesson is not finished any more after it was played again")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(files) != 2 || filepath.Base(files[0]) != progressFile || filepath.Base(files[1]) != progressLock {
		t.Errorf("left behind: %v", files)
	}
}

func TestBrokenProgressIsSetAside(t *testing.T) {
	for name, content := range map[string]string{
		"garbage": "{not json", "empty": "", "unknown field": `{"version":1,"lessons":{},"x":1}`, "no version": `{"lessons":{}}`,
		"wrong type": `{"version":1,"lessons":[]}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			state := At(dir)
			file := filepath.Join(dir, progressFile)
			for n, want := range []string{".broken-1", ".broken-2"} {
				if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
				s, err := state.Progress(t.Context())
				var u *problem.Error
				if !errors.As(err, &u) || u.Where != file+want {
					t.Fatalf("%d: got %#v", n, err)
				}
				if b, _ := os.ReadFile(file + want); string(b) != content {
					t.Errorf("set aside: %q, want %q", b, content)
				}
				if err := s.Save(t.Context(), "hpa/01-a", Lesson{Steps: 1}); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestNewerProgressIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	state := At(dir)
	file := filepath.Join(dir, progressFile)
	const content = `{"version":2,"lessons":{}}`
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := state.Progress(t.Context())
	if err == nil {
		t.Error("a newer file was read")
	}
	if err := s.Save(t.Context(), "hpa/01-a", Lesson{}); err != nil {
		t.Error(err)
	}
	if b, _ := os.ReadFile(file); string(b) != content {
		t.Errorf("the newer file was changed: %s", b)
	}
}

func TestUnwritableStateDir(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	state := At(filepath.Join(file, "state"))
	s, _ := state.Progress(t.Context())
	err := s.Save(t.Context(), "hpa/01-a", Lesson{Steps: 1})
	if err != nil && !strings.Contains(err.Error(), "진도를 읽거나 저장할 수 없습니다") {
		t.Errorf("got %v", err)
	}
	if s.Record.Lessons["hpa/01-a"].Steps != 1 {
		t.Error("the record in memory was lost")
	}
	if err := s.Save(t.Context(), "hpa/01-a", Lesson{Steps: 2}); err != nil {
		t.Errorf("told twice: %v", err)
	}
}

// TestNoProgressIsLost lets fifty terminals, in this process and in others, finish
// their own lessons at the same time.
func TestNoProgressIsLost(t *testing.T) {
	dir := t.TempDir()
	state := At(dir)
	const writers, each = 25, 4
	var start, ended sync.WaitGroup
	start.Add(1)
	var others []io.Closer
	for n := range writers {
		ended.Go(func() {
			start.Wait()
			for i := range each {
				finish(t, state, fmt.Sprintf("goroutine-%d/%d", n, i))
			}
		})
		child := exec.Command(os.Args[0], "-test.run=^TestFinishLessons$", "-test.count=1")
		child.Env = append(os.Environ(), fmt.Sprintf("%s=process-%d", finishLessons, n), finishIn+"="+dir)
		in, err := child.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 1)); err != nil { // it is ready
			t.Fatal(err)
		}
		others = append(others, in)
		ended.Go(func() {
			said, _ := io.ReadAll(out)
			if err := child.Wait(); err != nil {
				t.Errorf("%v: %s", err, said)
			}
		})
	}
	for _, in := range others {
		_ = in.Close() // which it waits for
	}
	start.Done()
	ended.Wait()
	s, err := state.Progress(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	done := 0
	for _, l := range s.Record.Lessons {
		if l.Done {
			done++
		}
	}
	if want := 2 * writers * each; done != want {
		t.Errorf("%d lessons are finished, want %d", done, want)
	}
}

func finish(t *testing.T, state Dir, id string) {
	t.Helper()
	s, err := state.Progress(t.Context())
	if err == nil {
		err = s.Save(t.Context(), id, Lesson{Done: true})
	}
	if err != nil {
		t.Errorf("%s: %v", id, err)
	}
}

// finishLessons makes this binary one of the processes of TestNoProgressIsLost.
const (
	finishLessons = "STEPSCALE_TEST_FINISH"
	finishIn      = "STEPSCALE_TEST_FINISH_IN"
)

func TestFinishLessons(t *testing.T) {
	who := os.Getenv(finishLessons)
	if who == "" {
		t.Skip("is run by TestNoProgressIsLost")
	}
	fmt.Print(".")
	if _, err := io.ReadAll(os.Stdin); err != nil { // until all are ready
		t.Fatal(err)
	}
	for i := range 4 {
		finish(t, At(os.Getenv(finishIn)), fmt.Sprintf("%s/%d", who, i))
	}
}

// TestSaveWaitsForTheLock no longer than somebody waits for it.
func TestSaveWaitsForTheLock(t *testing.T) {
	dir := t.TempDir()
	state := At(dir)
	s, err := state.Progress(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	held, err := clusters.TryLock(filepath.Join(dir, progressLock))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	saved := make(chan error)
	go func() { saved <- s.Save(ctx, "hpa/01-a", Lesson{Steps: 1}) }()
	cancel()
	if err := <-saved; !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, progressFile)); err == nil {
		t.Error("the record was written past the lock")
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(ctx, "hpa/01-a", Lesson{Steps: 1}); err != nil { // the last step of who leaves is kept
		t.Errorf("after the interruption: %v", err)
	}
}

// TestSaveFindsAnotherFile than the one that was opened.
func TestSaveFindsAnotherFile(t *testing.T) {
	for name, c := range map[string]struct{ content, kept, says string }{
		"broken": {"{torn", progressFile + ".broken-1", "옆으로 옮겨"},
		"newer":  {`{"version":2,"lessons":{}}`, progressFile, "더 새로운"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			state := At(dir)
			s, err := state.Progress(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, progressFile), []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := s.Save(t.Context(), "hpa/01-a", Lesson{Steps: 1}); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want %s", err, c.says)
			}
			if b, _ := os.ReadFile(filepath.Join(dir, c.kept)); string(b) != c.content {
				t.Errorf("%s has %q", c.kept, b)
			}
		})
	}
}

// FuzzProgress: whatever the file holds, it is read or kept aside, and the lesson goes on.
func FuzzProgress(f *testing.F) {
	f.Add([]byte(`{"version":1,"last":"hpa/01-a","lessons":{"hpa/01-a":{"done":true,"steps":2,"total":5,"step":"x"}}}`))
	f.Add([]byte(`{"version":1,"lessons":{"":{"steps":-1}}}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		state := At(dir)
		if err := os.WriteFile(filepath.Join(dir, progressFile), content, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := state.Progress(t.Context())
		var u *problem.Error
		if err != nil && !errors.As(err, &u) {
			t.Errorf("%v is not said in Korean", err)
		}
		if err := s.Save(t.Context(), "hpa/02-b", Lesson{Done: true}); err != nil || !s.Record.Lessons["hpa/02-b"].Done {
			t.Errorf("save: %v", err)
		}
		kept, _ := os.ReadFile(filepath.Join(dir, progressFile+".broken-1"))
		left, _ := os.ReadFile(filepath.Join(dir, progressFile))
		if err != nil && string(kept) != string(content) && string(left) != string(content) {
			t.Errorf("%q is lost", content)
		}
	})
}
