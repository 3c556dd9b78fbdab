package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/outside"
	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/lessons"
)

// besideLesson opens the recording that a lesson is about, for a replay. The files are those
// of the lessons.
func (d deps) besideLesson(ctx context.Context, files fs.FS, l lessons.Lesson) (*play.ReplayOptions, func() error, error) {
	file, remove, err := unfolded(files, l)
	if err != nil {
		return nil, nil, err
	}
	rec, opened, err := openReplay(ctx, file)
	if err != nil {
		return nil, nil, errors.Join(besides(l, err), remove())
	}
	closed := func() error { return errors.Join(opened.Close(), remove()) }
	if err := fits(l, rec.Header); err != nil {
		return nil, nil, errors.Join(err, closed())
	}
	return &play.ReplayOptions{Recording: rec, Loop: d.loops[rec.Header.Loop], Fork: d.forks(ctx, file)}, closed, nil
}

// unfolded is the recording of a lesson as a file of its own, which a fork reads once more:
// those that come with stepscale are in the program.
func unfolded(files fs.FS, l lessons.Lesson) (file string, remove func() error, err error) {
	name := path.Join(l.ID, l.Recording)
	unreadable := func(err error) (string, func() error, error) {
		return "", nil, &problem.Error{What: "수업의 기록을 읽을 수 없습니다: " + outside.Reason(err), Where: name, Code: problem.ExitUsage, Hint: "머리말의 recording에는 lesson.md와 같은 폴더에 있는 기록의 이름을 적어 주십시오."}
	}
	b, err := fs.ReadFile(files, name)
	if err != nil {
		return unreadable(err)
	}
	dir, err := os.MkdirTemp("", "stepscale-lesson-")
	if err != nil {
		return unreadable(err)
	}
	file = filepath.Join(dir, path.Base(name))
	if err := os.WriteFile(file, b, 0o600); err != nil {
		_ = os.RemoveAll(dir)
		return unreadable(err)
	}
	return file, func() error { return os.RemoveAll(dir) }, nil
}

// besides says where the recording is that the error is of: not where it was put.
func besides(l lessons.Lesson, err error) error {
	var told *problem.Error
	if errors.As(err, &told) {
		told.Where = path.Join(l.ID, l.Recording)
	}
	return err
}

// fits fails for a recording that is not of the lesson's loop and scenario.
func fits(l lessons.Lesson, h recording.Header) error {
	scenario := ""
	if h.Scenario != nil {
		scenario = h.Scenario.Name
	}
	if h.Loop == l.Loop && scenario == l.Scenario {
		return nil
	}
	return &problem.Error{What: fmt.Sprintf("수업의 기록은 루프 %q, 시나리오 %q의 것이고, 머리말에는 %q, %q라고 적혀 있습니다", h.Loop, scenario, l.Loop, l.Scenario), Where: l.File, Code: problem.ExitUsage,
		Hint: "머리말의 loop와 scenario를 기록에 맞추거나, 기록을 다시 만들어 주십시오."}
}

// rehearsed are the problems of a lesson about a recording that are found by playing it.
func (d deps) rehearsed(ctx context.Context, files fs.FS, l lessons.Lesson) (problems []lessons.Problem) {
	o, closed, err := d.besideLesson(ctx, files, l)
	if err != nil {
		p := lessons.Problem{File: l.File, Line: 1, Msg: err.Error()}
		var told *problem.Error
		if errors.As(err, &told) {
			p.File, p.Msg, p.Hint = told.Where, told.What, told.Hint
		}
		return []lessons.Problem{p}
	}
	for _, m := range play.Rehearse(ctx, play.Options{Lesson: l, Loop: o.Loop, Recorded: o}) {
		problems = append(problems, lessons.Problem{File: l.File, Line: m.Line, Msg: m.Text, Hint: "stepscale replay로 그 기록을 열어 같은 명령을 해 보십시오."})
	}
	if err := closed(); err != nil {
		problems = append(problems, lessons.Problem{File: l.File, Line: 1, Msg: err.Error()})
	}
	return problems
}
