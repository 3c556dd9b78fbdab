package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/clusters/workload"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/outside"
)

// archs are those that EKS has nodes of.
var archs = []string{"amd64", "arm64"}

func newImageCommand(d deps) *cobra.Command {
	var file, arch string
	cmd := &cobra.Command{
		Use: "image", Short: "실제 클러스터에서 CPU를 쓸 워크로드의 이미지를 만듭니다", Args: cobra.NoArgs,
		Long: `수업의 파드가 실제 클러스터에서 돌릴 이미지를 파일로 만듭니다. 요청을 받으면 그만큼 CPU를 쓰는 서버와, 시나리오대로 요청을 보내는 부하 생성기가 들어 있습니다.
kind에서는 저절로 노드에 넣으므로 쓰실 일이 없습니다. EKS에서는 강사가 한 번 만들어 레지스트리에 올려 두고, 학생은 그 이름을 --image에 적습니다.`,
		Example: `  stepscale image --output workload.tar
  docker load -i workload.tar
  docker tag ` + workload.Image + ` 111122223333.dkr.ecr.ap-northeast-2.amazonaws.com/workload:1
  docker push 111122223333.dkr.ecr.ap-northeast-2.amazonaws.com/workload:1
  stepscale image --arch arm64 --output workload-arm64.tar`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return problem.Usage("--output에 만들 파일의 이름을 적어 주십시오.", "예: stepscale image --output workload.tar")
			}
			if !slices.Contains(archs, arch) {
				return problem.Usage("모르는 아키텍처입니다: "+arch, "--arch에는 amd64 또는 arm64를 적어 주십시오.")
			}
			if err := creatable(file); err != nil {
				return unwritableFile(file, err)
			}
			screen := view.New(d.errOut)
			screen.Note("이미지를 만듭니다. 처음에는 1분까지 걸릴 수 있습니다.")
			image, err := workloadImage(cmd.Context(), arch)
			if err != nil {
				return imageError(err)
			}
			if err := state.WriteAtomically(file, image); err != nil {
				return unwritableFile(file, err)
			}
			screen.Done("만들었습니다: " + file + " (docker load -i " + korean.By(file) + " 읽으면 이름은 " + workload.Image + "입니다)")
			return nil
		},
	}
	cmd.Flags().StringVarP(&file, "output", "o", "", "만들 `파일`")
	cmd.Flags().StringVar(&arch, "arch", runtime.GOARCH, "노드의 `아키텍처`: amd64 또는 arm64")
	return cmd
}

func unwritableFile(file string, err error) error {
	return &problem.Error{What: "파일을 쓸 수 없습니다", Where: file, Cause: err, Hint: "쓸 수 있는 폴더의 파일 이름을 적어 주십시오."}
}

// creatable tells beforehand why a file could not be replaced after long work.
func creatable(file string) error {
	info, err := os.Stat(file)
	switch {
	case err == nil && info.IsDir():
		return outside.ErrFolder
	case err == nil && !info.Mode().IsRegular():
		return errors.New("파이프, 소켓, 장치에는 쓰지 않습니다")
	}
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".tmp-*")
	if err != nil {
		return errors.New(outside.Reason(err))
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// workloadImage is the archive of the workload's image.
func workloadImage(ctx context.Context, arch string) ([]byte, error) {
	binary, args, err := workload.Binary(ctx, arch)
	if err != nil {
		return nil, err
	}
	return workload.Archive(binary, args, arch)
}

func imageError(err error) error {
	if errors.Is(err, workload.ErrNoBinary) {
		return &problem.Error{What: "워크로드의 이미지를 만들 수 없습니다", Cause: err,
			Hint: "Go를 설치하시거나(https://go.dev/dl), 다른 컴퓨터에서 stepscale image로 만든 이미지를 --image로 적어 주십시오."}
	}
	return problem.OfCluster(err)
}

// newWorkloadCommand is the workload itself, for images that hold this program because
// there was no Go to compile the workload with.
func newWorkloadCommand(d deps) *cobra.Command {
	return &cobra.Command{
		Use: "workload", Short: "파드 안에서 CPU를 쓰거나 부하를 보냅니다", Hidden: true, DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, given []string) error {
			if slices.Contains(given, "--help") {
				return cmd.Help()
			}
			if workload.Main(given, outside.Writer(d.errOut)) != 0 {
				return errReported
			}
			return nil
		},
	}
}
