package outside

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Why a file is not read.
var (
	ErrIrregular = errors.New("일반 파일이 아닙니다(파이프, 소켓, 장치는 읽지 않습니다)")
	ErrFolder    = errors.New("파일이 아니라 폴더입니다")
)

// SizeError tells of a file that is too large.
type SizeError struct{ Size, Limit int64 }

func (e *SizeError) Error() string {
	return fmt.Sprintf("파일이 너무 큽니다: %s (%s까지 읽습니다)", size(e.Size), size(e.Limit))
}

func size(n int64) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
}

// Open opens a regular file of limit bytes at most, or the null device, which people
// name for a file that is empty. A pipe does not make it wait, and
// what is read ends with a *SizeError where the file grows beyond the limit.
func Open(name string, limit int64) (fs.File, error) {
	info, err := os.Stat(name) // first: a device may do something when it is opened
	if err == nil {
		err = readable(info, limit)
	}
	if err != nil {
		return nil, problem(name, err)
	}
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err = f.Stat() // again: another file may have taken the name
	if err == nil {
		err = readable(info, limit)
	}
	if err != nil {
		return nil, errors.Join(problem(name, err), f.Close())
	}
	return &file{File: f, short: AtMost(f, limit, problem(name, &SizeError{limit + 1, limit})), name: name, limit: limit}, nil
}

func readable(info fs.FileInfo, limit int64) error {
	null, err := os.Stat(os.DevNull)
	switch {
	case info.IsDir():
		return ErrFolder
	case err == nil && os.SameFile(info, null):
		return nil
	case !info.Mode().IsRegular():
		return ErrIrregular
	case info.Size() > limit:
		return &SizeError{info.Size(), limit}
	}
	return nil
}

// problem names the file, as the errors of the operating system do.
func problem(name string, err error) error {
	var named *fs.PathError
	if errors.As(err, &named) {
		return err
	}
	return &fs.PathError{Op: "open", Path: name, Err: err}
}

// Reason is why a file could not be opened or read, without its name.
func Reason(err error) string {
	var named *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "파일이 없습니다"
	case errors.Is(err, fs.ErrPermission):
		return "읽을 권한이 없습니다"
	case errors.As(err, &named):
		return named.Err.Error()
	}
	return err.Error()
}

// file reads limit bytes at most. It has no other way to read: not the WriteTo of
// os.File, which knows no limit.
type file struct {
	fs.File
	short io.Reader
	name  string
	limit int64
}

func (f *file) Read(p []byte) (int, error) { return f.short.Read(p) }

// AtMost reads limit bytes at most from r, and fails with tooMuch where more come:
// io.LimitReader would say that they were all.
func AtMost(r io.Reader, limit int64, tooMuch error) io.Reader { return &atMost{r, limit, tooMuch} }

type atMost struct {
	io.Reader
	left    int64
	tooMuch error
}

func (a *atMost) Read(p []byte) (int, error) {
	if int64(len(p)) > a.left+1 {
		p = p[:a.left+1]
	}
	n, err := a.Reader.Read(p)
	if a.left -= int64(n); a.left < 0 {
		return 0, a.tooMuch
	}
	return n, err
}

// ReadAt reads at any place of a file that knows how to.
func (f *file) ReadAt(p []byte, off int64) (int, error) {
	at, ok := f.File.(io.ReaderAt)
	if !ok {
		return 0, problem(f.name, errors.ErrUnsupported)
	}
	if off > f.limit-int64(len(p)) {
		return 0, problem(f.name, &SizeError{off + int64(len(p)), f.limit})
	}
	return at.ReadAt(p, off)
}

// ReadFile reads what Open opens.
func ReadFile(name string, limit int64) ([]byte, error) {
	f, err := Open(name, limit)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// Check tells why Open would not open the file.
func Check(name string, limit int64) error {
	f, err := Open(name, limit)
	if err != nil {
		return err
	}
	return f.Close()
}

// Create makes or empties a file to write to. A pipe that nobody reads is an error,
// where os.Create would wait for a reader.
func Create(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|syscall.O_NONBLOCK, 0o666)
}

// Dir is the folder at root with the regular files in it of limit bytes at most. Links
// may lead out of it.
func Dir(root string, limit int64) fs.FS { return dir{os.DirFS(root), root, limit} }

type dir struct {
	fs.FS
	root  string
	limit int64
}

// Open opens a folder, or a file as the function Open does.
func (d dir) Open(name string) (fs.File, error) {
	if info, err := fs.Stat(d.FS, name); err != nil || info.IsDir() {
		return d.FS.Open(name)
	}
	return Open(filepath.Join(d.root, filepath.FromSlash(name)), d.limit)
}

// Stat opens nothing.
func (d dir) Stat(name string) (fs.FileInfo, error) { return fs.Stat(d.FS, name) }
