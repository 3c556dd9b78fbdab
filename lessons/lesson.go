// Package lessons holds the lessons as data: a folder is a lesson, the folder
// is the list. A lesson is Korean markdown with fenced directives that move the
// cluster.
package lessons

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/stepscale/stepscale/engine/outside"
)

// FS holds the lessons that come with stepscale, their answers, and the recordings that
// some of them are about.
//
//go:embed */*/lesson.md */*/answers.txt */*/recording.jsonl.gz
var FS embed.FS

const fileName = "lesson.md"

// order is how the folders follow each other; folders that are not named here
// come after them, by name.
var order = []string{"intro", "hpa", "replay", "vpa", "karpenter"}

// Lesson is one lesson.md.
type Lesson struct {
	ID       string // "hpa/02-control-loop": its folder
	Title    string
	Loop     string // the table of steps that it executes
	Scenario string
	// Recording is the file beside it whose frames it is about: nothing is executed, and
	// there is no cluster. Empty for a lesson of a cluster.
	Recording string
	File      string
	Blocks    []Block
	Answers   []Answer // to its questions, in their order; nil where nobody wrote them down

	lines map[string]int // where the keys of the front matter are
}

// line is where a key of the front matter is; 1 when it is not there.
func (l Lesson) line(key string) int { return max(l.lines[key], 1) }

// The kinds of a Block.
const (
	Prose    = "prose"
	Step     = "step"
	Predict  = "predict"
	Hint     = "hint"
	Continue = "continue"
	Replay   = "replay"   // a command of the recording that the lesson is about
	When     = "when"     // prose for clusters of one kind
	Remember = "remember" // what to keep of the lesson, when it is over: three things
)

// What a When may say.
const (
	Real      = "real"      // time, nodes and load are
	Simulated = "simulated" // they are not
	Policy    = "policy"    // the API server's own policy gives new pods what a VPA recommends
	Webhook   = "webhook"   // VPA's admission controller does
)

// Conditions are all of them.
func Conditions() []string { return []string{Real, Simulated, Policy, Webhook} }

// Block is a piece of a lesson: prose, or a directive with its argument.
type Block struct {
	Kind string
	Text string // markdown, or the directive's body
	Arg  string // the step, the fact, what continue waits for, the command, or when
	Max  string // of a continue: its limit, a Go duration, or how many passes; may be empty
	Line int    // counted from 1
}

// Executes tells a block that moves the loop, or over a recording of it.
func (b Block) Executes() bool { return b.Kind == Step || b.Kind == Continue || b.Kind == Replay }

// ToStep tells a continue that names the step it ends with: what comes before it
// in the pass is executed on the way.
func (b Block) ToStep() bool { return b.Kind == Continue && strings.Contains(b.Arg, "/") }

// Told are the blocks as they are told where these conditions hold: a When of one of them
// is prose there, and no other is told.
func (l Lesson) Told(hold ...string) []Block {
	var told []Block
	for _, b := range l.Blocks {
		if b.Kind == When {
			if !slices.Contains(hold, b.Arg) {
				continue
			}
			b.Kind, b.Arg = Prose, ""
		}
		told = append(told, b)
	}
	return told
}

// things is how many there are in a Remember: more is not kept.
const things = 3

// Things are the lines of a Remember.
func (b Block) Things() (all []string) {
	for line := range strings.Lines(b.Text) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "- "); ok {
			all = append(all, strings.TrimSpace(text))
		}
	}
	return all
}

// Remember are the things to keep of the lesson; none where nobody wrote them down.
func (l Lesson) Remember() []string {
	i := slices.IndexFunc(l.Blocks, func(b Block) bool { return b.Kind == Remember })
	if i < 0 {
		return nil
	}
	return l.Blocks[i].Things()
}

// Passes is how many passes a continue pass runs.
func (b Block) Passes() int {
	n, err := strconv.Atoi(b.Max)
	if err != nil {
		return 1
	}
	return n
}

// Problem is one thing that is wrong with a lesson, as its author reads it.
type Problem struct {
	File string
	Line int // counted from 1; 0 when the file as a whole is meant
	Msg  string
	Hint string
}

// Error is the problem on one line.
func (p Problem) Error() string {
	where := p.File
	if p.Line > 0 {
		where = fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	if p.Hint == "" {
		return where + ": " + p.Msg
	}
	return fmt.Sprintf("%s: %s (도움: %s)", where, p.Msg, p.Hint)
}

// Load reads every lesson in fsys, in the order in which they are learned. The
// error joins all Problems; the lessons that could be read come back with it.
func Load(fsys fs.FS) ([]Lesson, error) {
	files, err := fs.Glob(fsys, "*/*/"+fileName)
	if err != nil {
		return nil, err
	}
	files = slices.DeleteFunc(files, aside)
	if len(files) == 0 {
		return nil, Problem{File: ".", Msg: "수업이 하나도 없습니다.", Hint: "<루프>/NN-이름/lesson.md 모양으로 파일을 두어 주십시오."}
	}
	var all []Lesson
	errs := layout(fsys)
	for _, file := range files {
		raw, err := fs.ReadFile(fsys, file)
		if err != nil {
			errs = append(errs, Problem{File: file, Msg: "파일을 읽을 수 없습니다: " + outside.Reason(err), Hint: "수업을 적은 일반 파일을 두고 권한을 확인해 주십시오."})
			continue
		}
		lesson, problems := Parse(file, string(raw))
		answers, more := readAnswers(fsys, file)
		lesson.Answers = answers
		for _, p := range append(problems, more...) {
			errs = append(errs, p)
		}
		all = append(all, lesson)
	}
	slices.SortFunc(all, func(a, b Lesson) int {
		return cmp.Or(cmp.Compare(rank(a.ID), rank(b.ID)), strings.Compare(a.ID, b.ID))
	})
	return all, errors.Join(errs...)
}

var folderName = regexp.MustCompile(`^\d\d-[a-z0-9]+(-[a-z0-9]+)*$`)

// aside tells what is no part of the lessons: hidden files, and those of tests.
func aside(name string) bool {
	return strings.HasPrefix(name, ".") || strings.Contains(name, "/.") || strings.HasPrefix(name, "testdata/")
}

// layout finds folders that are no lesson although they stand where one should.
func layout(fsys fs.FS) (errs []error) {
	folders, err := fs.Glob(fsys, "*/*")
	if err != nil {
		return []error{err}
	}
	numbers := map[string]string{}
	for _, name := range folders {
		loop, base := path.Split(name)
		if aside(name) {
			continue
		}
		info, err := fs.Stat(fsys, name)
		_, missing := fs.Stat(fsys, path.Join(name, fileName))
		switch {
		case err != nil:
			errs = append(errs, Problem{File: name, Msg: "읽을 수 없습니다: " + outside.Reason(err), Hint: "파일의 권한을 확인해 주십시오."})
		case !info.IsDir() && base == fileName:
			errs = append(errs, Problem{File: name, Msg: "수업의 자리가 아닙니다.", Hint: loop + "NN-이름/lesson.md로 옮겨 주십시오."})
		case !info.IsDir():
		case missing != nil:
			errs = append(errs, Problem{File: name, Msg: "lesson.md가 없습니다.", Hint: "lesson.md를 적거나 폴더를 지워 주십시오."})
		case !folderName.MatchString(base):
			errs = append(errs, Problem{File: name, Msg: "수업 폴더의 이름이 맞지 않습니다: " + base, Hint: "01-control-loop처럼 두 자리 번호와 영문 소문자 이름을 적어 주십시오."})
		case numbers[loop+base[:2]] != "":
			errs = append(errs, Problem{File: name, Msg: "번호가 같은 수업이 있습니다: " + numbers[loop+base[:2]], Hint: "수업마다 다른 번호를 적어 주십시오."})
		default:
			numbers[loop+base[:2]] = name
		}
	}
	return errs
}

func rank(id string) int {
	folder, _, _ := strings.Cut(id, "/")
	if i := slices.Index(order, folder); i >= 0 {
		return i
	}
	return len(order)
}

// Parse reads one lesson. It returns what it could read with all problems.
func Parse(file, text string) (Lesson, []Problem) {
	p := &parser{file: file, lines: strings.Split(strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\r\n", "\n"), "\n")}
	p.lesson = Lesson{ID: path.Dir(file), File: file, lines: map[string]int{}}
	p.refused(file, text)
	p.frontMatter()
	p.body()
	return p.lesson, p.problems
}
