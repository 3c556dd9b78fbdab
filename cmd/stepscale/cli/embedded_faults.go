package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/stepscale/stepscale/clusters/embedded"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
)

const hintStateDir = "쓰기 권한이 있고 자리가 넉넉한 디렉터리를 STEPSCALE_STATE_DIR 환경 변수로 지정해 주십시오."

// startError says why the embedded cluster whose directory is dir did not start.
func startError(dir string, err error) error {
	var lacks *embedded.Requirement
	var path *fs.PathError
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled // what has not stopped in its time ends with this process
	case errors.As(err, &lacks):
		return requirementError(lacks)
	case errors.As(err, &path) && strings.HasPrefix(path.Path, filepath.Dir(dir)):
		return &problem.Error{What: "상태 디렉터리에 쓸 수 없습니다", Where: dir, Cause: err, Hint: hintStateDir}
	}
	where, there := keepLog(filepath.Dir(dir))
	return &problem.Error{What: "임베디드 클러스터를 시작하지 못했습니다", Where: where, Cause: err,
		Hint: "stepscale doctor로 이 컴퓨터의 상태를 확인해 주십시오." + there}
}

// endedError says why the embedded cluster ended in the middle of what it did.
func endedError(stateDir string, err error) error {
	where, there := keepLog(stateDir)
	return &problem.Error{What: "임베디드 클러스터가 도중에 멈췄습니다", Where: where, Cause: err,
		Hint: "시작한 것은 정리했습니다. 다시 실행해 주십시오. stepscale doctor가 디스크와 한도를 확인해 드립니다." + there}
}

// downError says what has not stopped in its time.
func downError(err error) error {
	if !errors.Is(err, embedded.ErrLate) {
		return err
	}
	return &problem.Error{What: "클러스터의 일부가 제때 멈추지 않았습니다", Cause: err, Hint: "이 프로세스와 함께 사라지므로 따로 하실 일은 없습니다."}
}

// keepLog writes what upstream logged last to where the standard error goes. It returns
// the file, where that is one of ours, and a sentence that speaks of it.
func keepLog(stateDir string) (file, sentence string) {
	if words := embedded.LastWords(); len(words) > 0 {
		fmt.Fprintln(os.Stderr, strings.Join(words, "\n"))
	}
	here, err := os.Stderr.Stat()
	if err != nil {
		return "", ""
	}
	for _, file := range []string{filepath.Join(stateDir, upstreamLog), filepath.Join(stateDir, embeddedDir, clusterLog)} {
		if kept, err := os.Stat(file); err == nil && os.SameFile(here, kept) {
			return file, " 위 파일에 업스트림의 마지막 로그가 있습니다."
		}
	}
	return "", ""
}

// requirementError says what this machine lacks and what to do about it.
func requirementError(r *embedded.Requirement) error {
	f := requirementFinding(r)
	return &problem.Error{What: "임베디드 클러스터를 시작할 수 없습니다. " + f.Detail, Where: r.Path, Hint: f.Hint, Cause: r.Err}
}

// requirementFinding is the same for doctor, also of what is not lacking.
func requirementFinding(r *embedded.Requirement) finding {
	var f finding
	switch r.Name {
	case embedded.OpenFiles:
		f = finding{Name: "열린 파일 한도", Detail: fmt.Sprintf("파일을 한 번에 %d개까지 열 수 있습니다 (임베디드 클러스터에는 %d개 이상이 필요합니다)", r.Have, r.Need),
			Hint: "ulimit -n 1024를 먼저 실행해 주십시오. 그만큼 올릴 수 없으면 관리자에게 하드 한도(ulimit -Hn)를 올려 달라고 하셔야 합니다."}
	case embedded.FreeSpace:
		f = finding{Name: "디스크", Detail: fmt.Sprintf("상태 디렉터리의 빈자리가 %s입니다 (임베디드 클러스터에는 %s 이상이 필요합니다)", humanize.IBytes(r.Have), humanize.IBytes(r.Need)),
			Hint: "자리를 비우시거나, " + hintStateDir}
	case embedded.SocketPath:
		f = finding{Name: "소켓 경로", Detail: fmt.Sprintf("가장 긴 소켓의 경로가 %d바이트입니다 (%d바이트까지 됩니다)", r.Have, r.Need),
			Hint: "STEPSCALE_STATE_DIR 환경 변수에 더 짧은 경로를 지정해 주십시오. 예: STEPSCALE_STATE_DIR=/tmp/stepscale"}
	case embedded.Writable:
		f = finding{Name: "상태 디렉터리", Detail: "파일을 만들 수 있습니다", Hint: hintStateDir}
		if !r.Met() {
			f.Detail = "상태 디렉터리에 쓸 수 없습니다"
		}
	}
	f.Status = statusFail
	if r.Met() {
		f.Status, f.Hint = statusOK, ""
	}
	return f
}

// embeddedFindings is what the embedded cluster needs of this machine.
func (d deps) embeddedFindings() []finding {
	dir, err := d.clusterDir()
	if err != nil {
		return nil // stateFolder tells it
	}
	var found []finding
	for _, r := range embedded.Requirements(dir) {
		f := requirementFinding(r)
		if r.Err != nil {
			f.Detail += ": " + r.Err.Error()
		}
		found = append(found, f)
	}
	return found
}
