package cli

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/handout"
	"github.com/stepscale/stepscale/cmd/stepscale/lines"
	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/outside"
	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/engine/trace"
)

type replayOptions struct {
	at, until, output, node  string
	list, verify, why, plain bool
}

func newReplayCommand(d deps) *cobra.Command {
	var o replayOptions
	cmd := &cobra.Command{
		Use:   "replay [기록]",
		Short: "지나간 제어 루프를 클러스터 없이 앞뒤로 살펴봅니다",
		Long: `run --record나 observe --record로 남긴 기록을 열어 한 단계씩 앞으로, 뒤로, 조건이 맞는 곳까지 움직입니다. 클러스터는 시작하지 않고, 아무것도 실행하지 않습니다.
기록을 적지 않으시면 가장 최근에 하신 수업이나 실행을 엽니다. 최근 것은 모두 저절로 남고(--list), --no-record로 끌 수 있습니다.
--until과 --output json을 함께 쓰시면 스크립트에서 읽을 수 있습니다. 조건이 맞는 곳이 없으면 종료 코드는 1입니다.`,
		Example: `  stepscale replay
  stepscale replay --list
  stepscale replay web.jsonl
  stepscale replay web.jsonl --at 12.5
  stepscale replay web.jsonl --until 'desired!=current' --output json
  stepscale replay web.jsonl --at 12 --why
  stepscale replay nodes.jsonl --at 12 --why --node general-2
  stepscale replay web.jsonl --verify`,
		Args: args(0, 1, "기록"),
		RunE: func(cmd *cobra.Command, given []string) error {
			if len(given) == 0 {
				given = []string{""}
			}
			return d.replay(cmd.Context(), given[0], o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.at, "at", "", "이 `자리`에서 시작합니다: 패스(12), 패스의 단계(12.5), 시작부터의 시간(+5m), 시각(14:03:20), 끝")
	f.StringVar(&o.until, "until", "", "시작한 자리부터 이 `조건`이 맞는 곳까지 갑니다. 예: replicas>5, desired!=current, reason=ScaleDownStabilized")
	f.BoolVar(&o.list, "list", false, "저절로 남은 기록의 목록을 보여 드립니다")
	f.BoolVar(&o.verify, "verify", false, "결정을 업스트림의 코드로 다시 계산해 비교합니다(verify와 같습니다)")
	f.BoolVar(&o.why, "why", false, "그 자리의 결정이 달라지려면 값 하나가 얼마나 달라야 했는지 알려 드립니다(HPA, VPA, 카펜터, 클러스터 오토스케일러)")
	f.StringVar(&o.node, "node", "", "--why로 물을 `노드`나 노드 그룹 (적지 않으시면 결정이 있는 것부터)")
	plainFlag(f, &o.plain)
	outputFlag(cmd, &o.output)
	return cmd
}

func (d deps) replay(ctx context.Context, file string, o replayOptions) error {
	d = d.plainly(o.plain)
	if err := checkOutput(o.output); err != nil {
		return err
	}
	if o.node != "" && !o.why {
		return problem.Usage("--node는 --why와 함께 씁니다.", "예: --at 12 --why --node "+o.node)
	}
	if o.list {
		return d.showKept(o.output)
	}
	if file == "" {
		var err error
		if file, err = d.lastKept(); err != nil {
			return err
		}
	}
	if o.verify {
		return d.verify(ctx, file, o.output)
	}
	rec, opened, err := openReplay(ctx, file)
	if err != nil {
		return err
	}
	defer opened.Close()
	r := play.NewReplay(play.ReplayOptions{Recording: rec, Loop: d.loops[rec.Header.Loop], Fork: d.forks(ctx, file)})
	found := true
	if o.at != "" {
		if err := r.Begin(o.at); err != nil {
			return &problem.Error{What: err.Error(), Where: file, Code: problem.ExitUsage, Hint: "예: --at 3, --at 3.5, --at +5m, --at 끝"}
		}
	}
	if o.until != "" {
		if found, err = r.Until(o.until); err != nil {
			return &problem.Error{What: play.Misunderstood(err, rec), Where: file, Code: problem.ExitUsage, Hint: "조건의 예는 stepscale replay --help에 있습니다."}
		}
	}
	switch {
	case o.why && found:
		err = d.replayWhy(ctx, file, r, o)
	case o.output == "json":
		err = d.replayJSON(r, rec, found)
	default:
		r.Chapters = d.retold(ctx, rec)
		if found && d.fullScreen(o.plain) {
			err = d.replayScreen(ctx, file, r)
		} else {
			err = d.replayLines(ctx, file, r, rec, o.until, found)
		}
	}
	if err == nil && !found {
		err = errReported
	}
	return err
}

// replayLines plays it on the terminal, or through a pipe.
func (d deps) replayLines(ctx context.Context, file string, r *play.Replay, rec *recording.Recording, until string, found bool) error {
	s := view.New(d.out)
	s.Title("기록 되감기: " + file)
	for _, text := range aboutRecording(rec) {
		s.Note(text)
	}
	s.Note(noCluster + " 명령 목록은 ?, 끝내시려면 q를 적어 주십시오.")
	if !found {
		s.Note("조건이 맞는 곳이 없습니다: " + until)
		return s.Err()
	}
	face := &lines.Face{Screen: s, Heard: d.heard, In: d.typed}
	if err := face.Play(ctx, r); err != nil && !errors.Is(err, play.ErrQuit) {
		return err
	}
	return nil
}

// aboutRecording is what a recording says of itself.
func aboutRecording(rec *recording.Recording) (notes []string) {
	h, first, last := rec.Header, rec.Row(0), rec.Row(rec.Len()-1)
	what := ""
	if h.Scenario != nil {
		what = "시나리오 " + h.Scenario.Name + ", "
	}
	if h.Lesson != "" {
		what = "수업 " + h.Lesson + ", " + what
	}
	if h.Loop != "" {
		what += "루프 " + h.Loop + ", "
	}
	word := "시간"
	if h.Virtual {
		word = "가상 시간"
	}
	notes = append(notes, fmt.Sprintf("%s패스 %d개, 하위 단계 %d개, %s %s", what, last.Pass, rec.Len(), word, view.Duration(last.At.Sub(first.At).Round(time.Second))))
	if !h.Made.IsZero() {
		notes = append(notes, fmt.Sprintf("%s에 %s에서 기록했습니다(stepscale %s, 쿠버네티스 %s).", h.Made.Local().Format(time.DateTime), clusterWord(h.Cluster), h.Stepscale, h.Kubernetes))
	}
	if rec.Torn != nil {
		notes = append(notes, fmt.Sprintf("%d번째 줄이 중간에서 잘려 있어 그 앞까지만 보여 드립니다.", rec.Torn.Line))
	}
	return notes
}

// replayFrame is what --output json writes of a replay.
type replayFrame struct {
	SchemaVersion int              `json:"schemaVersion"`
	Recording     recording.Header `json:"recording"`
	Frames        int              `json:"frames"`
	Passes        int              `json:"passes"`
	Found         bool             `json:"found"`           // what --until asks for
	Place         string           `json:"place,omitempty"` // as --at takes it
	Frame         *trace.Frame     `json:"frame,omitempty"`
}

func (d deps) replayJSON(r *play.Replay, rec *recording.Recording, found bool) error {
	out := replayFrame{SchemaVersion: 1, Recording: rec.Header, Frames: rec.Len(), Passes: rec.Row(rec.Len() - 1).Pass, Found: found}
	out.Recording.Scenario = nil // its whole text is in the file
	if found {
		f, err := r.Here()
		if err != nil {
			return err
		}
		out.Place, out.Frame = r.Place().String(), &f
	}
	return d.writeJSON(out)
}

// openReplay opens a recording of one run, which has a frame at least. The file stays open
// with it.
func openReplay(ctx context.Context, file string) (*recording.Recording, io.Closer, error) {
	in, err := openRecording(file)
	if err != nil {
		return nil, nil, err
	}
	rec, err := indexed(ctx, file, in)
	if err != nil {
		return nil, nil, errors.Join(err, in.Close())
	}
	return rec, in, nil
}

func indexed(ctx context.Context, file string, in io.Reader) (*recording.Recording, error) {
	src, size, err := seekable(ctx, in)
	if err != nil {
		return nil, badLine(file, err)
	}
	head := make([]byte, min(size, 512))
	if _, err := src.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, badLine(file, err)
	}
	if err := notRecording(file, head); err != nil {
		return nil, err
	}
	rec, err := openIndexed(file, readerAtUntilDone{ctx, src}, size)
	if err != nil {
		return nil, badLine(file, err)
	}
	if rec.Len() == 0 {
		return nil, &problem.Error{What: "기록에 실행한 단계가 없습니다", Where: file, Code: problem.ExitUsage, Hint: recordAgain}
	}
	return rec, oneRun(file, rec)
}

// seekable is a file at any place of which can be read; one that was packed is unpacked
// into memory.
func seekable(ctx context.Context, in io.Reader) (io.ReaderAt, int64, error) {
	if f, ok := in.(interface {
		io.ReaderAt
		Stat() (fs.FileInfo, error)
	}); ok {
		info, err := f.Stat()
		if err != nil {
			return nil, 0, err
		}
		if info.Mode().IsRegular() {
			return f, info.Size(), nil
		}
	}
	b, err := io.ReadAll(untilDone{ctx, in})
	return bytes.NewReader(b), int64(len(b)), err
}

// readerAtUntilDone ends with the context.
type readerAtUntilDone struct {
	ctx context.Context
	io.ReaderAt
}

func (r readerAtUntilDone) ReadAt(b []byte, off int64) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.ReaderAt.ReadAt(b, off)
}

// What is held in memory, in bytes: a recording that was packed, and the page that it is in.
const (
	mostUnpacked = 128 << 20
	mostPage     = 64 << 20
)

// unpacked is a file that gzip has packed, or that a report has in it, as it was before;
// anything else as it is.
func unpacked(in fs.File) (io.ReadCloser, error) {
	at, ok := in.(io.ReaderAt)
	if !ok {
		return in, nil
	}
	head := make([]byte, 16)
	n, err := at.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return in, nil // a device, a pipe: reading it tells
	}
	var plain io.Reader
	switch head = head[:n]; {
	case handout.IsPage(head):
		html, err := io.ReadAll(outside.AtMost(in, mostPage, &outside.SizeError{Size: mostPage + 1, Limit: mostPage}))
		if err != nil {
			return nil, err
		}
		if plain, err = handout.Recording(html); err != nil {
			return nil, err
		}
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, err
		}
		plain = cutOff{z}
	default:
		return in, nil
	}
	return readCloser{outside.AtMost(plain, mostUnpacked, &outside.SizeError{Size: mostUnpacked + 1, Limit: mostUnpacked}), in}, nil
}

// cutOff is what gzip has packed, up to where the file was cut off, as a file that is not packed
// ends there.
type cutOff struct{ io.Reader }

func (c cutOff) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

type readCloser struct {
	io.Reader
	io.Closer
}
