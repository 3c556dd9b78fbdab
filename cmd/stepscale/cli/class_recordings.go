package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/stepscale/stepscale/cmd/stepscale/class"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/outside"
)

// handedIn is a recording that was handed in, as scripts read it.
type handedIn struct {
	Seat    string `json:"seat"`
	File    string `json:"file,omitempty"`
	Lesson  string `json:"lesson,omitempty"`
	Loop    string `json:"loop,omitempty"`
	Frames  int    `json:"frames,omitempty"`
	Bytes   int    `json:"bytes,omitempty"`
	Packed  int    `json:"packedBytes,omitempty"`
	Problem string `json:"problem,omitempty"` // why it was not written
}

// exportRecordings writes what was handed in and can be read, a file a seat. What others
// wrote names no file: the seat does.
func (d deps) exportRecordings(ctx context.Context, r room, s class.Spec, o exportOptions) error {
	rows, refused := []handedIn{}, 0
	unwritable := func(err error) error {
		return &problem.Error{What: "기록을 쓸 수 없습니다: " + outside.Reason(err), Where: o.recordings, Code: problem.ExitUsage, Hint: "쓸 수 있는 폴더를 --recordings로 적어 주십시오."}
	}
	if err := os.MkdirAll(o.recordings, 0o700); err != nil {
		return unwritable(err)
	}
	err := r.Recordings(ctx, s, func(seat class.Seat, got class.HandedIn, err error) error {
		row := handedIn{Seat: seat.ID, Packed: got.Packed}
		if err != nil {
			row.Problem = notHandedIn(err)
			refused++
		} else {
			row.File = filepath.Join(o.recordings, s.Class+"-"+seat.ID+".jsonl")
			row.Lesson, row.Loop, row.Frames, row.Bytes = outside.Text(outside.Brief(got.Header.Lesson)), outside.Text(outside.Brief(got.Header.Loop)), got.Frames, len(got.Plain)
			if err := state.WriteAtomically(row.File, got.Plain); err != nil {
				return unwritable(err)
			}
		}
		rows = append(rows, row)
		return nil
	})
	if err != nil {
		return roomError(err)
	}
	if err := d.tellHandedIn(s, rows, o.output); err != nil {
		return err
	}
	if refused > 0 {
		return &problem.Error{What: fmt.Sprintf("기록으로 읽을 수 없는 것이 %d개 있어 적지 않았습니다", refused), Hint: "그 자리의 학생에게 stepscale class hand-in을 다시 부탁해 주십시오."}
	}
	return nil
}

// notHandedIn says why something is no recording, and nothing of what it says of itself.
func notHandedIn(err error) string {
	if errors.As(err, new(*outside.SizeError)) {
		return "너무 큽니다"
	}
	return "기록이 아니거나 망가졌습니다"
}

func (d deps) tellHandedIn(s class.Spec, rows []handedIn, output string) error {
	if output == "json" {
		return d.writeJSON(map[string]any{"schema": "stepscale.class-recordings/v1", "class": s.Class, "recordings": rows})
	}
	screen := view.New(d.out)
	for _, row := range rows {
		if row.Problem != "" {
			screen.Fault("자리 "+row.Seat+": "+row.Problem+". 적지 않았습니다.", true)
			continue
		}
		screen.Done(fmt.Sprintf("자리 %s: %s (%s, 단계 %d개, %s)", row.Seat, row.File, row.Lesson, row.Frames, size(row.Bytes)))
	}
	if rest := len(s.Seats) - len(rows); rest > 0 {
		screen.Note(fmt.Sprintf("기록을 내지 않은 자리 %d개", rest))
	}
	return screen.Err()
}
