package cli

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/engine/trace"
)

const (
	// passesSeen is how many passes the whole screen knows of before the moment that it
	// shows: as many as its charts have room for.
	passesSeen = 40
	// mostRetold is how long a recording may be that is held against its lesson; a lesson
	// has some hundred steps.
	mostRetold = 5000
)

const noCluster = "클러스터는 없습니다. 여기서 움직여도 실행되거나 되돌려지는 것은 없습니다."

// replayScreen plays a recording on the whole terminal.
func (d deps) replayScreen(ctx context.Context, file string, r *play.Replay) error {
	rec := r.Recording
	s := d.screen(r.Loop)
	s.Replay, s.Simulated, s.Title = true, rec.Header.Virtual, "기록 되감기: "+filepath.Base(file)
	s.Notes = append(aboutRecording(rec), noCluster)
	r.Before = passesSeen
	err := s.Play(ctx, r)
	if errors.Is(err, play.ErrQuit) {
		return nil
	}
	return err
}

// retold is what the lesson said that was recorded; nothing where it is none, or not one of
// ours.
func (d deps) retold(ctx context.Context, rec *recording.Recording) []play.Chapter {
	all, err := d.loadLessons("")
	if err != nil || rec.Len() > mostRetold {
		return nil
	}
	for _, l := range all {
		if l.ID != rec.Header.Lesson {
			continue
		}
		frames := make([]trace.Frame, rec.Len())
		for i := range frames {
			if frames[i], err = rec.Frame(i); err != nil {
				return nil // moving there tells
			}
			frames[i].Inputs = nil
		}
		return play.Chapters(ctx, l, d.loops[l.Loop], frames, rec.Header.Virtual)
	}
	return nil
}
