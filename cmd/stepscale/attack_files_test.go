package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// badFile is something that no reader of a file can use.
type badFile struct {
	name string
	make func(path string) error
}

// text is a file with that text.
func text(name, text string) badFile {
	return badFile{name, func(path string) error { return os.WriteFile(path, []byte(text), 0o600) }}
}

// badFiles are made when they are needed: the program is this binary, too.
func badFiles() []badFile {
	return []badFile{
		{"missing", func(string) error { return nil }},
		{"folder", func(path string) error { return os.Mkdir(path, 0o700) }},
		{"FIFO", func(path string) error { return syscall.Mkfifo(path, 0o600) }},
		{"socket", func(path string) error { // its name may be short only
			fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
			if err != nil {
				return err
			}
			here, err := os.Open(filepath.Dir(path))
			if err != nil {
				return err
			}
			short := fmt.Sprintf("/proc/self/fd/%d/%s", here.Fd(), filepath.Base(path))
			return errors.Join(syscall.Bind(fd, &syscall.SockaddrUnix{Name: short}), syscall.Close(fd), here.Close())
		}},
		{"endless device", func(path string) error { return os.Symlink("/dev/zero", path) }},
		{"link to itself", func(path string) error { return os.Symlink(path, path) }},
		{"link to nothing", func(path string) error { return os.Symlink("nothing", path) }},
		{"600 MB", func(path string) error {
			return errors.Join(os.WriteFile(path, []byte("{}\n"), 0o600), os.Truncate(path, 600<<20))
		}},
		{"gzip", func(path string) error {
			var b bytes.Buffer
			w := gzip.NewWriter(&b)
			_, err := w.Write(make([]byte, 1<<20))
			return errors.Join(err, w.Close(), os.WriteFile(path, b.Bytes(), 0o600))
		}},
		text("empty", ""), text("NULs", strings.Repeat("\x00", 5000)), text("one byte", "{"), text("program", "\x7fELF\x02\x01\x01\x00\xff\xfe\x80"),
		text("invalid UTF-8", "title: \xff\xfe\x80\n"), text("UTF-16", "\xff\xfet\x00i\x00t\x00l\x00e\x00"), text("escape", "\x1b]52;c;aGVsbG8=\x07\x1b[2J: 1\n"),
		text("line of 10 MB", strings.Repeat("a", 10<<20)), text("deep JSON", strings.Repeat("[", 200_000)), text("deep YAML", "a: "+strings.Repeat("{a: ", 20_000)),
		text("aliases", bomb()), text("HTML", "<!DOCTYPE html><html><body>login</body></html>\n"), text("numbers", "1e999999999\n"), text("merge conflict", "<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> x\n"),
	}
}

// bomb is YAML that becomes ten thousand million items when its aliases are followed.
func bomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 9 {
		n, m := string(rune('1'+i)), string(rune('0'+i))
		b.WriteString("a" + n + ": &a" + n + " [" + strings.TrimSuffix(strings.Repeat("*a"+m+", ", 10), ", ") + "]\n")
	}
	return b.String()
}

// readers are the files that the program reads, and the commands that do.
var readers = []struct {
	name, file, line string
	env              []string
	beside           map[string]string // what else the command finds
	fine             string            // why the command may go on without the file
}{
	{name: "recording", file: "web.jsonl", line: "verify web.jsonl"},
	{name: "recording to replay", file: "web.jsonl", line: "replay web.jsonl"},
	{name: "lesson", file: "l/hpa/01-x/lesson.md", line: "check --lessons l"},
	{name: "scenario", file: "s/web/scenario.yaml", line: "check --scenarios s", beside: map[string]string{"s/web/objects.yaml": objectsYAML}},
	{name: "objects", file: "s/web/objects.yaml", line: "check --scenarios s", beside: map[string]string{"s/web/scenario.yaml": scenarioYAML}},
	{name: "kubeconfig", file: "config", line: "doctor --context class", env: []string{"KUBECONFIG=config"}},
	{name: "progress", file: "state/progress.json", line: "lessons", fine: "lessons are listed without progress"},
	{name: "key", file: "state/key", line: "cluster clean --context class", env: []string{"KUBECONFIG=/dev/null"}},
	{name: "run folder", file: "state/embedded", line: "cluster status", fine: "there is no cluster"},
	{name: "control socket", file: "state/embedded/cluster.sock", line: "cluster down", fine: "there is no cluster"},
}

// fileRows are every bad file at the place of every good one.
func fileRows() (rows []input) {
	for _, r := range readers {
		for _, f := range badFiles() {
			in := input{name: r.name + " is " + f.name, argv: words(r.line), env: r.env, files: r.beside, fine: r.fine, make: func(folder string) error {
				path := filepath.Join(folder, r.file)
				return errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), f.make(path))
			}}
			rows = append(rows, in)
		}
	}
	return rows
}
