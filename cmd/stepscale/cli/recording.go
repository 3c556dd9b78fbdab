package cli

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/stepscale/stepscale/cmd/stepscale/handout"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/outside"
	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/engine/trace"
)

const (
	mostRecorded = 512 << 20   // bytes of a recording: days of a loop
	clockSlack   = time.Second // that a machine's clock may be set back while it records

	recordAgain = "stepscale run 시나리오 --record 파일로 다시 기록해 주십시오."
)

// readRecording calls each with the frames of a recording of one run, in order, and
// the lines on which they are.
func readRecording(ctx context.Context, file string, each func(line int, f trace.Frame) error) error {
	in, err := openRecording(file)
	if err != nil {
		return err
	}
	defer in.Close()
	text := bufio.NewReaderSize(in, 4096)
	head, err := text.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return badRecording(file, 1, err)
	}
	if err := notRecording(file, head); err != nil {
		return err
	}
	var run oneRunOnly
	for frames := recording.NewReader(untilDone{ctx, text}); ; {
		f, err := frames.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return badLine(file, err)
		}
		if err := run.follows(file, recording.Row{Line: frames.Line(), Pass: f.Pass, Step: f.Step, Subject: f.Subject, At: f.At, Failed: f.Err != ""}); err != nil {
			return err
		}
		if err := each(frames.Line(), f); err != nil {
			return badRecording(file, frames.Line(), err)
		}
	}
}

// oneRunOnly refuses frames that cannot follow each other in one run.
type oneRunOnly struct {
	before recording.Row
	done   map[trace.StepID]bool // steps of the pass that were executed
}

// oneRun tells why a recording is not that of one run.
func oneRun(file string, rec *recording.Recording) error {
	var run oneRunOnly
	for i := range rec.Len() {
		if err := run.follows(file, rec.Row(i)); err != nil {
			return err
		}
	}
	return nil
}

func (o *oneRunOnly) follows(file string, row recording.Row) error {
	if o.done != nil {
		if why := o.breaks(row); why != "" {
			return &problem.Error{What: "한 번의 실행으로 만든 기록이 아닙니다: " + why, Where: fmt.Sprintf("%s:%d", file, row.Line), Code: problem.ExitUsage,
				Hint: "기록 둘이 이어 붙었거나 줄이 빠진 것 같습니다. 실행마다 파일을 따로 두고 하나씩 확인해 주십시오."}
		}
	}
	if o.done == nil || row.Pass != o.before.Pass {
		o.done = map[trace.StepID]bool{}
	}
	o.done[row.Step], o.before = !row.Failed, row
	return nil
}

// breaks tells why a frame cannot follow the one before it in one run.
func (o *oneRunOnly) breaks(f recording.Row) string {
	before := o.before
	switch {
	case f.Subject != before.Subject:
		return fmt.Sprintf("대상이 바뀝니다(%s → %s)", before.Subject, f.Subject)
	case f.Pass < before.Pass:
		return fmt.Sprintf("패스 번호가 돌아갑니다(%d → %d)", before.Pass, f.Pass)
	case f.Pass > before.Pass+1:
		return fmt.Sprintf("패스 번호를 건너뜁니다(%d → %d)", before.Pass, f.Pass)
	case f.At.Before(before.At.Add(-clockSlack)):
		return fmt.Sprintf("시각이 돌아갑니다(%s → %s)", before.At.Format(time.RFC3339), f.At.Format(time.RFC3339))
	case f.Pass == before.Pass && o.done[f.Step]:
		return fmt.Sprintf("패스 %d에 같은 단계가 두 번 있습니다(%s)", f.Pass, f.Step)
	}
	return ""
}

// openRecording opens a file of a size that a recording can have.
func openRecording(file string) (io.ReadCloser, error) {
	in, err := outside.Open(file, mostRecorded)
	if err == nil {
		plain, err := unpacked(in)
		if err == nil {
			return plain, nil
		}
		return nil, errors.Join(badPacking(file, err), in.Close())
	}
	unreadable := &problem.Error{What: "기록을 읽을 수 없습니다: " + outside.Reason(err), Where: file, Code: problem.ExitUsage,
		Hint: "stepscale run 시나리오 --record 파일로 기록을 만들 수 있습니다."}
	var large *outside.SizeError
	if errors.As(err, &large) {
		unreadable.Hint = "--for나 --until로 더 짧게 기록해 주십시오."
	}
	return nil, unreadable
}

// badPacking words what is wrong with what a recording is packed in.
func badPacking(file string, err error) error {
	var large *outside.SizeError
	switch {
	case errors.Is(err, handout.ErrNoRecording):
		return &problem.Error{What: "이 HTML에는 stepscale의 기록이 들어 있지 않습니다", Where: file, Code: problem.ExitUsage, Hint: "stepscale report가 만든 파일을 고치지 않은 채로 주십시오."}
	case errors.As(err, &large):
		return badLine(file, err)
	}
	return badGzip(file)
}

func badGzip(file string) error {
	return &problem.Error{What: "gzip으로 압축된 기록을 풀 수 없습니다", Where: file, Code: problem.ExitUsage, Hint: "파일이 중간에 잘렸거나 바뀐 것 같습니다. " + recordAgain}
}

// notRecording says what a file is that cannot be a recording.
func notRecording(file string, head []byte) error {
	e := &problem.Error{Where: file, Code: problem.ExitUsage, Hint: "stepscale run 시나리오 --record 파일로 만든 파일(한 줄에 JSON 하나)을 주십시오."}
	kind := http.DetectContentType(head)
	switch {
	case len(head) == 0:
		e.What = "빈 파일입니다"
	case kind == "application/zip" || kind == "application/x-rar-compressed":
		e.What, e.Hint = "압축된 파일입니다("+strings.TrimPrefix(kind, "application/")+")", "압축을 먼저 풀어 주십시오."
	case strings.Contains(kind, "utf-16"):
		e.What, e.Hint = "UTF-16으로 저장된 파일입니다", "UTF-8로 바꾸어 저장하시거나 "+recordAgain
	case !strings.HasPrefix(kind, "text/"):
		e.What = "텍스트가 아니라 이진 파일입니다(" + kind + ")"
	case !strings.HasPrefix(strings.TrimSpace(strings.TrimPrefix(string(head), "\ufeff")), "{"):
		e.What = "JSON 줄로 된 기록이 아닙니다"
	default:
		return nil
	}
	return e
}

// badLine words what is wrong with a line of a recording.
func badLine(file string, err error) error {
	var at *recording.LineError
	var large *outside.SizeError
	switch {
	case errors.As(err, &large):
		return &problem.Error{What: "기록을 읽을 수 없습니다: " + large.Error(), Where: file, Code: problem.ExitUsage, Hint: "--for나 --until로 더 짧게 기록해 주십시오."}
	case errors.Is(err, handout.ErrNoRecording):
		return badPacking(file, err)
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader), errors.As(err, new(flate.CorruptInputError)), errors.Is(err, io.ErrUnexpectedEOF):
		return badGzip(file)
	case !errors.As(err, &at):
		return err // of the disk, or interrupted
	}
	e := &problem.Error{What: "기록을 읽을 수 없습니다", Where: fmt.Sprintf("%s:%d", file, at.Line), Code: problem.ExitUsage,
		Hint: "손으로 고쳐진 것 같습니다. " + recordAgain}
	switch {
	case errors.Is(err, recording.ErrTorn):
		e.What, e.Hint = "기록이 줄 중간에서 끝납니다", "파일이 중간에 잘렸습니다. 이 줄을 지우면 그 앞까지 확인할 수 있습니다. 아니면 "+recordAgain
	case errors.Is(err, recording.ErrUTF8):
		e.What = "UTF-8이 아닌 글자가 기록에 있습니다"
	case errors.Is(err, recording.ErrStep):
		e.What, e.Hint = "기록의 줄이 아닙니다: 단계(step)가 없습니다", "stepscale run 시나리오 --record 파일로 만든 파일을 주십시오."
	case errors.Is(err, recording.ErrNewer):
		e.What, e.Hint = "더 새로운 stepscale로 만든 기록입니다", "이 stepscale을 새 버전으로 바꾸어 여십시오."
	case errors.Is(err, recording.ErrHeader):
		e.What, e.Hint = "한 번의 실행으로 만든 기록이 아닙니다: 머리줄이 두 번 있습니다", "기록 둘이 이어 붙은 것 같습니다. 실행마다 파일을 따로 두고 하나씩 확인해 주십시오."
	default:
		e.Cause = at.Err
	}
	return e
}

// badRecording words what is wrong with the inputs of a recorded decision.
func badRecording(file string, line int, err error) error {
	e := &problem.Error{What: "기록을 읽을 수 없습니다", Where: fmt.Sprintf("%s:%d", file, line), Code: problem.ExitUsage, Cause: err,
		Hint: "손으로 고쳐진 것 같습니다. " + recordAgain}
	if what, hint := vpaStopped(err); what != "" {
		e.What, e.Hint = what, hint
		return e
	}
	var unknown *hpa.UnknownFieldsError
	var invalid *hpa.InvalidError
	switch {
	case errors.Is(err, hpa.ErrHugeNumber):
		e.What = "기록에 읽을 수 없을 만큼 긴 수가 있습니다"
	case errors.As(err, &unknown):
		e.What = "이 stepscale이 모르는 필드가 기록에 있습니다"
		e.Hint = "더 새로운 stepscale로 만든 기록이면 그 버전으로 확인해 주십시오. 필드를 빼고 계산하면 다른 결정이 되므로 비교하지 않았습니다."
	case errors.As(err, &invalid):
		first := invalid.Fields[0]
		e.What, e.Cause = fmt.Sprintf("기록의 입력이 올바르지 않습니다: %s: %s", first.Field, fieldReason(first)), nil
		if n := len(invalid.Fields); n > 1 {
			e.What += fmt.Sprintf(" (그 밖에 %d곳)", n-1)
		}
		e.Hint = "API 서버가 받지 않을 값이라 어떤 HPA 컨트롤러도 이렇게 결정한 적이 없습니다. " + recordAgain
	}
	return e
}

// fieldReason is what is wrong with a field. Upstream's details are English and name
// what is allowed.
func fieldReason(e *field.Error) string {
	reason := map[field.ErrorType]string{
		field.ErrorTypeRequired: "값이 없습니다", field.ErrorTypeDuplicate: "같은 값이 두 번 있습니다",
		field.ErrorTypeNotSupported: "모르는 값입니다", field.ErrorTypeForbidden: "있으면 안 되는 값입니다",
		field.ErrorTypeTooMany: "너무 많습니다", field.ErrorTypeTooLong: "너무 깁니다",
	}[e.Type]
	if reason == "" {
		reason = "올바르지 않은 값입니다"
	}
	if e.Detail != "" {
		reason += " (" + e.Detail + ")"
	}
	return reason
}

// untilDone ends with the context.
type untilDone struct {
	ctx context.Context
	io.Reader
}

func (r untilDone) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(b)
}
