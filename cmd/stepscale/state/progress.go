package state

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/outside"
)

const (
	progressVersion = 1
	progressFile    = "progress.json"
	progressLock    = "progress.lock" // apart: the file itself is replaced by each write
	mostState       = 1 << 20         // bytes of a file of ours

	lockPatience = 5 * time.Second // a write takes milliseconds
)

// Record is how far a learner came.
type Record struct {
	Version int               `json:"version"`
	Last    string            `json:"last,omitempty"` // ID of the lesson played last
	Lessons map[string]Lesson `json:"lessons"`
}

// Lesson is how far a learner came in one lesson.
type Lesson struct {
	Done  bool   `json:"done"`
	Steps int    `json:"steps"` // step and continue blocks executed
	Total int    `json:"total"` // of so many
	Step  string `json:"step,omitempty"`
}

// Progress keeps the record in a file. With an empty dir nothing is kept.
type Progress struct {
	dir    string
	Record Record
}

// Progress reads the record. Progress that cannot be used is still returned: it
// keeps the record in memory, and the error says why.
func (d Dir) Progress(ctx context.Context) (*Progress, error) {
	s := &Progress{Record: Record{Version: progressVersion, Lessons: map[string]Lesson{}}}
	dir, err := d.Path()
	if err != nil {
		return s, &problem.Error{What: "진도를 저장할 폴더를 알 수 없습니다", Cause: err,
			Hint: "STEPSCALE_STATE_DIR 환경 변수에 쓸 수 있는 폴더를 적어 주십시오. 수업은 저장 없이 계속됩니다."}
	}
	s.dir = dir
	sweepTemporary(s.file(), temporaryFor) // who only looks around saves nothing
	// A look needs no lock, since the file is replaced in one move. Only who is about
	// to set it aside makes sure that it is still the broken one.
	if err = s.read(); !errors.Is(err, errBroken) {
		return s, s.problem(err)
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return s, err
	}
	defer unlock()
	return s, s.refresh()
}

func (s *Progress) file() string { return filepath.Join(s.dir, progressFile) }

// read takes over what the file says. Without a file the record stays as it is.
func (s *Progress) read() error {
	b, err := outside.ReadFile(s.file(), mostState)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	r, err := decodeRecord(b)
	if errors.Is(err, errNewer) {
		return err
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	s.Record = r
	return nil
}

// refresh reads the file under its lock. One that is broken is set aside.
func (s *Progress) refresh() error {
	err := s.read()
	if errors.Is(err, errBroken) {
		return s.setAside(err)
	}
	return s.problem(err)
}

// problem words the error of a file that is left as it is, and stops the writing.
func (s *Progress) problem(err error) error {
	if err == nil {
		return nil
	}
	file := s.file()
	s.dir = ""
	if errors.Is(err, errNewer) {
		return &problem.Error{What: "더 새로운 stepscale이 쓴 진도 파일입니다", Where: file,
			Hint: "파일은 그대로 두었습니다. stepscale을 새 버전으로 바꿔 주십시오. 수업은 저장 없이 계속됩니다."}
	}
	return unwritable(file, err)
}

// lock keeps other terminals from reading and writing between our read and our write.
// Even where nobody waits any more it is tried once.
func (s *Progress) lock(ctx context.Context) (unlock func(), err error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, s.problem(err)
	}
	file := filepath.Join(s.dir, progressLock)
	held, err := clusters.TryLock(file)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		patient, cancel := context.WithTimeout(ctx, lockPatience)
		defer cancel()
		held, err = clusters.Lock(patient, file)
	}
	switch {
	case ctx.Err() != nil && err != nil:
		return nil, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return nil, &problem.Error{What: "진도를 저장하지 못했습니다. 다른 stepscale이 저장을 마치지 않습니다", Where: file,
			Hint: "멈추어 있는 stepscale이 있는지 확인해 주십시오. 다음 단계에서 다시 저장합니다."}
	case err != nil:
		return nil, s.problem(err)
	}
	return func() { _ = held.Close() }, nil
}

var (
	errNewer  = errors.New("newer version")
	errBroken = errors.New("broken")
)

func decodeRecord(b []byte) (Record, error) {
	var head struct {
		Version int `json:"version"`
	}
	var r Record
	if err := json.Unmarshal(b, &head); err != nil {
		return r, err
	}
	if head.Version > progressVersion {
		return r, errNewer
	}
	if head.Version != progressVersion {
		return r, fmt.Errorf("version %d", head.Version)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, err
	}
	if r.Lessons == nil {
		r.Lessons = map[string]Lesson{}
	}
	return r, nil
}

// setAside renames a file that cannot be read, so that nothing is lost.
func (s *Progress) setAside(cause error) error {
	file := s.file()
	for n := 1; ; n++ {
		aside := fmt.Sprintf("%s.broken-%d", file, n)
		// Link does not overwrite: a second broken file never replaces the first.
		err := os.Link(file, aside)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err == nil {
			err = os.Remove(file)
		}
		if err != nil {
			return s.problem(err)
		}
		return &problem.Error{What: "진도 파일을 읽을 수 없어 옆으로 옮겨 두었습니다", Where: aside, Cause: cause,
			Hint: "내용은 그대로 있습니다. 진도는 처음부터 새로 저장합니다."}
	}
}

func unwritable(path string, err error) error {
	return &problem.Error{What: "진도를 읽거나 저장할 수 없습니다: " + outside.Reason(err), Where: path,
		Hint: "폴더의 권한을 확인하시거나 STEPSCALE_STATE_DIR에 다른 폴더를 적어 주십시오. 수업은 저장 없이 계속됩니다."}
}

// Save keeps how far the learner came in one lesson. The file is read again first,
// under its lock: another terminal may have written its own lesson meanwhile.
func (s *Progress) Save(ctx context.Context, id string, l Lesson) error {
	if s.dir == "" {
		s.put(id, l)
		return nil
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		s.put(id, l)
		return err
	}
	defer unlock()
	err = s.refresh() // a broken file is told, and the record saved nevertheless
	s.put(id, l)
	if s.dir == "" {
		return err
	}
	return errors.Join(err, s.problem(s.write()))
}

func (s *Progress) put(id string, l Lesson) {
	if s.Record.Lessons[id].Done {
		l.Done = true
	}
	s.Record.Last = id
	s.Record.Lessons[id] = l
}

func (s *Progress) write() error {
	b, err := json.MarshalIndent(s.Record, "", "  ")
	if err != nil {
		return err
	}
	return WriteAtomically(s.file(), append(b, '\n'))
}
