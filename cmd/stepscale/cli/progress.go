package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/tui"
)

// Progress is told what is starting (took is zero) and how long it took. It may
// be called from several goroutines at once.
type Progress interface {
	Phase(name string, took time.Duration)
}

// startup shows what an Opener starts.
type startup struct {
	mu     sync.Mutex
	screen *tui.Screen
	said   bool
}

func (p *startup) Phase(name string, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.said {
		p.said = true
		p.screen.Note("클러스터를 준비합니다. 잠시만 기다려 주십시오.")
	}
	if took == 0 {
		p.screen.Busy(name)
	} else {
		p.screen.Erase()
		p.screen.Done(fmt.Sprintf("%s 준비됨 (%.1f초)", name, took.Seconds()))
	}
}

const (
	progressVersion = 1
	progressFile    = "progress.json"
)

// record is how far a learner came.
type record struct {
	Version int               `json:"version"`
	Last    string            `json:"last,omitempty"` // ID of the lesson played last
	Lessons map[string]lesson `json:"lessons"`
}

// lesson is how far a learner came in one lesson.
type lesson struct {
	Done  bool   `json:"done"`
	Steps int    `json:"steps"` // step and continue blocks executed
	Total int    `json:"total"` // of so many
	Step  string `json:"step,omitempty"`
}

// store keeps the record in a file. With an empty dir nothing is kept.
type store struct {
	dir    string
	record record
}

// stateDir is where stepscale keeps what has to survive it.
func stateDir() (string, error) {
	if dir := os.Getenv("STEPSCALE_STATE_DIR"); dir != "" {
		return filepath.Abs(dir)
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "stepscale"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, ".local", "state", "stepscale"), nil
}

// openStore reads the record. A store that cannot be used is still returned: it
// keeps the record in memory, and the error says why.
func openStore() (*store, error) {
	s := &store{record: record{Version: progressVersion, Lessons: map[string]lesson{}}}
	dir, err := stateDir()
	if err != nil {
		return s, &userError{what: "진도를 저장할 폴더를 알 수 없습니다", cause: err,
			hint: "STEPSCALE_STATE_DIR 환경 변수에 쓸 수 있는 폴더를 적어 주십시오. 수업은 저장 없이 계속됩니다."}
	}
	s.dir = dir
	file := filepath.Join(dir, progressFile)
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		s.dir = ""
		return s, unwritable(file, err)
	}
	r, err := decodeRecord(b)
	if err == nil {
		s.record = r
		return s, nil
	}
	if errors.Is(err, errNewer) {
		s.dir = ""
		return s, &userError{what: "더 새로운 stepscale이 쓴 진도 파일입니다", where: file,
			hint: "파일은 그대로 두었습니다. stepscale을 새 버전으로 바꿔 주십시오. 수업은 저장 없이 계속됩니다."}
	}
	return s, s.setAside(file, err)
}

var errNewer = errors.New("newer version")

func decodeRecord(b []byte) (record, error) {
	var head struct {
		Version int `json:"version"`
	}
	var r record
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
		r.Lessons = map[string]lesson{}
	}
	return r, nil
}

// setAside renames a file that cannot be read, so that nothing is lost.
func (s *store) setAside(file string, cause error) error {
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
			s.dir = ""
			return unwritable(file, err)
		}
		return &userError{what: "진도 파일을 읽을 수 없어 옆으로 옮겨 두었습니다", where: aside, cause: cause,
			hint: "내용은 그대로 있습니다. 진도는 처음부터 새로 저장합니다."}
	}
}

func unwritable(path string, err error) error {
	return &userError{what: "진도를 저장할 수 없습니다", where: path, cause: err,
		hint: "폴더의 권한을 확인하시거나 STEPSCALE_STATE_DIR에 다른 폴더를 적어 주십시오. 수업은 저장 없이 계속됩니다."}
}

// save keeps how far the learner came in one lesson. The file is read again
// first: another terminal may have written its own lesson meanwhile.
func (s *store) save(id string, l lesson) error {
	if s.dir != "" {
		if b, err := os.ReadFile(filepath.Join(s.dir, progressFile)); err == nil {
			if r, err := decodeRecord(b); err == nil {
				s.record = r
			}
		}
	}
	if s.record.Lessons[id].Done {
		l.Done = true
	}
	s.record.Last = id
	s.record.Lessons[id] = l
	if s.dir == "" {
		return nil
	}
	if err := s.write(); err != nil {
		dir := s.dir
		s.dir = ""
		return unwritable(dir, err)
	}
	return nil
}

func (s *store) write() error {
	b, err := json.MarshalIndent(s.record, "", "  ")
	if err != nil {
		return err
	}
	return writeAtomically(filepath.Join(s.dir, progressFile), append(b, '\n'))
}

// writeAtomically replaces the file in one move: a crash leaves the old one or the new.
func writeAtomically(file string, b []byte) error {
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	sweepTemporary(file)
	f, err := os.CreateTemp(dir, filepath.Base(file)+".tmp-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

// temporaryFor is longer than any write of ours takes.
const temporaryFor = time.Minute

// sweepTemporary removes what writers of the file have left who were killed.
func sweepTemporary(file string) {
	files, _ := filepath.Glob(file + ".tmp-*")
	for _, f := range files {
		if info, err := os.Lstat(f); err == nil && time.Since(info.ModTime()) > temporaryFor {
			_ = os.Remove(f)
		}
	}
}
