package cli

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/outside"
	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/engine/trace"
)

// What is kept of itself in the learner's directory: the last sessions, and of each no
// more than a long day of one loop takes.
const (
	keptFolder = "recordings"
	keptFiles  = 20
	keptBytes  = 64 << 20
	keptAll    = 256 << 20
)

// recorder writes the frames of a session: into the file that was named, and into one of
// the learner's directory, so that what was just played can be looked at again.
type recorder struct {
	name  string
	named io.WriteCloser // nil where none was
	kept  *os.File       // likewise; made with the first frame
	left  int            // bytes that may be kept
	begin func() *os.File
}

// noRecordFlag is --no-record.
func noRecordFlag(f *pflag.FlagSet, off *bool) {
	f.BoolVar(off, "no-record", false, "replay로 다시 볼 수 있는 기록을 남기지 않습니다")
}

// recorder begins a recording. A file that was named must be written to; what is kept of
// itself need not be.
func (d deps) recorder(named string, off bool, what string, h recording.Header) (*recorder, error) {
	r := &recorder{name: named, left: keptBytes}
	v := readVersion()
	h.Made, h.Stepscale, h.Kubernetes, h.VPA = time.Now().UTC().Truncate(time.Second), v.Version, v.Kubernetes, v.VPA
	if named != "" {
		file, err := outside.Create(named)
		if err != nil {
			return nil, &problem.Error{What: "기록 파일을 쓸 수 없습니다", Where: named, Code: problem.ExitUsage, Cause: err,
				Hint: "쓸 수 있는 폴더의 파일 이름을 적어 주십시오."}
		}
		r.named = file
		if strings.HasSuffix(named, ".gz") {
			r.named = packing{gzip.NewWriter(file), file}
		}
		if err := h.Write(outside.JSONWriter(r.named)); err != nil {
			return nil, errors.Join(r.unwritten(err), r.named.Close())
		}
	}
	if !off {
		r.begin = func() *os.File { return d.keep(what, h) }
	}
	return r, nil
}

// packing is a file that gzip packs. What was written is in the file, so that a run that is
// killed loses no frame before its last.
type packing struct {
	*gzip.Writer
	file io.Closer
}

func (p packing) Write(b []byte) (int, error) {
	n, err := p.Writer.Write(b)
	return n, errors.Join(err, p.Flush())
}

func (p packing) Close() error { return errors.Join(p.Writer.Close(), p.file.Close()) }

// keep makes a file for a session in the learner's directory; nil where none can be made.
// Two sessions may begin in the same second.
func (d deps) keep(what string, h recording.Header) *os.File {
	dir, err := d.state.Path(keptFolder)
	if err != nil || os.MkdirAll(dir, 0o700) != nil {
		return nil
	}
	d.forget()
	name := fmt.Sprintf("%s-%s-%d.jsonl", h.Made.Format("20060102-150405"), strings.ReplaceAll(what, "/", "-"), os.Getpid())
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil
	}
	if h.Write(outside.JSONWriter(f)) != nil {
		_ = f.Close()
		return nil
	}
	return f
}

// forget removes the oldest files where there are too many, or too large ones, to keep one more.
func (d deps) forget() {
	var size int64
	for i, file := range d.kept() {
		if info, err := os.Stat(file); err == nil {
			size += info.Size()
		}
		if i >= keptFiles-1 || size > keptAll-keptBytes {
			_ = os.Remove(file)
			_ = os.Remove(file + indexSuffix)
		}
	}
}

// frame records one. Only the file that was named may fail.
func (r *recorder) frame(f trace.Frame) error {
	if r.begin != nil { // a session that never got so far leaves nothing
		r.kept, r.begin = r.begin(), nil
	}
	if r.kept == nil && r.named == nil {
		return nil
	}
	var line bytes.Buffer
	if err := f.Write(outside.JSONWriter(&line)); err != nil {
		return r.unwritten(err)
	}
	if r.kept != nil {
		if _, err := r.kept.Write(line.Bytes()); err != nil || line.Len() > r.left {
			_ = r.kept.Close()
			r.kept = nil
		}
		r.left -= line.Len()
	}
	if r.named == nil {
		return nil
	}
	_, err := r.named.Write(line.Bytes())
	return r.unwritten(err)
}

func (r *recorder) unwritten(err error) error {
	if err == nil {
		return nil
	}
	return &problem.Error{What: "기록 파일을 쓸 수 없습니다", Where: r.name, Cause: err}
}

func (r *recorder) close() error {
	if r.kept != nil {
		_ = r.kept.Close()
	}
	if r.named == nil {
		return nil
	}
	return r.named.Close()
}

// kept are the files of sessions that were kept, the newest first.
func (d deps) kept() []string {
	dir, err := d.state.Path(keptFolder)
	if err != nil {
		return nil
	}
	entries, _ := os.ReadDir(dir)
	var files []string
	for _, e := range entries {
		if e.Type().IsRegular() && strings.HasSuffix(e.Name(), ".jsonl") {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	slices.Sort(files)
	slices.Reverse(files)
	return files
}

// lastKept is the newest of them.
func (d deps) lastKept() (string, error) {
	files := d.kept()
	if len(files) == 0 {
		return "", problem.Usage("아직 남은 기록이 없습니다.", "stepscale learn이나 stepscale run을 하시면 저절로 남습니다. 파일이 있으시면 stepscale replay 파일로 여실 수 있습니다.")
	}
	return files[0], nil
}

// keptRow is a kept recording in the list.
type keptRow struct {
	File     string    `json:"file"`
	Made     time.Time `json:"made"`
	Lesson   string    `json:"lesson,omitempty"`
	Scenario string    `json:"scenario,omitempty"`
	Loop     string    `json:"loop,omitempty"`
	Cluster  string    `json:"cluster,omitempty"`
	Bytes    int64     `json:"bytes"`
}

func (d deps) showKept(output string) error {
	rows := []keptRow{}
	for _, file := range d.kept() {
		if row, err := describeKept(file); err == nil && !row.Made.IsZero() {
			rows = append(rows, row)
		}
	}
	if output == "json" {
		return d.writeJSON(rows)
	}
	s := view.New(d.out)
	if len(rows) == 0 {
		s.Note("아직 남은 기록이 없습니다. learn이나 run을 하시면 저절로 남습니다.")
		return s.Err()
	}
	var pairs [][2]string
	for _, r := range rows {
		pairs = append(pairs, [2]string{filepath.Base(r.File), r.what()})
	}
	s.Section("저절로 남은 기록 (새것부터)")
	s.Pairs(pairs)
	s.Note("폴더: " + filepath.Dir(rows[0].File))
	s.Note("가장 새것은 stepscale replay로, 다른 것은 stepscale replay 파일로 여십시오.")
	return s.Err()
}

// what says what was recorded.
func (r keptRow) what() string {
	where := clusterWord(r.Cluster)
	switch {
	case r.Lesson != "":
		return r.Lesson + ", " + where
	case r.Scenario != "":
		return "run " + r.Scenario + ", " + where
	}
	return "observe, " + where
}

func clusterWord(kind string) string {
	if word := clusterWords[kind]; word != "" {
		return word
	}
	return kind + " 클러스터"
}

// clusterWords are the kinds of cluster in recordings.
var clusterWords = map[string]string{"embedded": "임베디드 클러스터", "kind": "kind 클러스터", "context": "실제 클러스터"}

func describeKept(file string) (keptRow, error) {
	f, err := os.Open(file)
	if err != nil {
		return keptRow{}, err
	}
	defer f.Close()
	in := recording.NewReader(f)
	if _, err := in.Next(); err != nil && !errors.Is(err, io.EOF) {
		return keptRow{}, err
	}
	h := in.Header()
	row := keptRow{File: file, Made: h.Made, Lesson: h.Lesson, Loop: h.Loop, Cluster: h.Cluster}
	if h.Scenario != nil {
		row.Scenario = h.Scenario.Name
	}
	info, err := f.Stat()
	if err == nil {
		row.Bytes = info.Size()
	}
	return row, err
}

// recordedScenario is a scenario whole, as a recording has it.
func recordedScenario(all fs.FS, name string) *recording.Scenario {
	if name == "" {
		return nil
	}
	text := func(file string) string {
		b, _ := fs.ReadFile(all, name+"/"+file)
		return string(b)
	}
	return &recording.Scenario{Name: name, Objects: text("objects.yaml"), Timeline: text("scenario.yaml")}
}
