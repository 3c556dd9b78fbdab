package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/stepscale/stepscale/clusters/eks"
	"github.com/stepscale/stepscale/clusters/kind"
	"github.com/stepscale/stepscale/clusters/workload"
	"github.com/stepscale/stepscale/cmd/stepscale/tui"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/vpa"
)

// connect starts or finds the cluster that the learner named.
func (a *app) connect(ctx context.Context, progress func(phase string, took time.Duration)) (*connection, error) {
	switch {
	case a.place.attached():
		return attachTo(ctx, a.place)
	case a.place.cluster == clusterKind:
		return a.connectKind(ctx, a.place, progress)
	}
	return connectEmbedded(ctx, progress)
}

// connectKind makes the cluster or finds it, with the Metrics Server in it and the
// workload on its nodes. It stays when the lesson is over.
func (a *app) connectKind(ctx context.Context, p place, progress func(phase string, took time.Duration)) (*connection, error) {
	cluster, err := kindCluster(p.name, progress)
	if err != nil {
		return nil, err
	}
	cfg, err := cluster.Up(ctx)
	if err != nil {
		return nil, clusterError(err)
	}
	a.kept = kindCommand("stepscale cluster down kind", p.name)
	c := &connection{config: cfg, info: cluster.Info(), close: func() error { return nil }, mode: hpa.ModeAlone, image: p.image,
		down: a.kept, listen: cluster.Listen, reach: cluster.Reach}
	if c.image == "" {
		c.image = workload.Image
		err := phase(progress, "워크로드 이미지", func() error {
			return cluster.LoadImage(ctx, c.image, func() ([]byte, error) { return workloadImage(ctx, runtime.GOARCH) })
		})
		if err != nil {
			return nil, imageError(err)
		}
	}
	err = phase(progress, "메트릭 서버", func() error { return cluster.InstallMetrics(ctx, cfg, liveTimeout) })
	return c, clusterError(err)
}

// phase reports something that takes a while.
func phase(progress func(string, time.Duration), name string, do func() error) error {
	begin := time.Now()
	progress(name, 0)
	if err := do(); err != nil {
		return err
	}
	progress(name, time.Since(begin))
	return nil
}

// kindCluster is the kind cluster of that name, which need not exist.
func kindCluster(name string, progress func(phase string, took time.Duration)) (*kind.Cluster, error) {
	dir, err := stateDir()
	if err != nil {
		return nil, err
	}
	return kind.New(kind.Options{Name: name, Dir: filepath.Join(dir, "kind"), Progress: func(phase string, took time.Duration) {
		progress(kindPhase(phase), took)
	}}), nil
}

// attachTo finds a cluster that somebody else runs. Its HPA controller is taken to
// be on: nobody can look at the flags of a managed control plane.
func attachTo(ctx context.Context, p place) (*connection, error) {
	id, err := owner()
	if err != nil {
		return nil, err
	}
	cluster := eks.New(p.attach)
	cfg, err := cluster.Up(ctx)
	if err != nil {
		return nil, eksError(err)
	}
	cfg.QPS, cfg.Burst = 50, 100 // others use it too
	if p.attach.Name != "" {
		if err := kubectlFor(cluster); err != nil {
			return nil, err
		}
	}
	if p.image == "" {
		return nil, usageError("CPU를 쓸 워크로드의 이미지를 알 수 없습니다.",
			"stepscale image로 만들어 클러스터가 닿는 레지스트리(예: ECR)에 올리고 --image로 적어 주십시오. 한 번만 하면 됩니다.")
	}
	return &connection{
		config: cfg, info: cluster.Info(), close: func() error { return cluster.Down(ctx) },
		owner: id, namespace: p.namespace, mode: hpa.Mode(p.mode), image: p.image,
		inPlace: p.vpaUpdate != updateRecreate, deniedVPA: cluster.DeniedVPA,
	}, nil
}

// kubectlFor writes a kubeconfig for the learner's second terminal.
func kubectlFor(cluster *eks.Cluster) error {
	dir, err := stateDir()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return cluster.WriteKubeconfig(filepath.Join(dir, "eks", cluster.Info().Name), self)
}

// notes say what is in force on this cluster and why.
func (s *clusterStage) notes() []string {
	if !s.conn.live() {
		return nil
	}
	pass := hpa.DefaultParams().SyncPeriod
	if s.vpa != nil {
		pass = s.vpa.Params.Interval
	}
	notes := []string{fmt.Sprintf("실제 클러스터입니다. 시간과 노드와 부하가 모두 실제이므로, 한 패스에 %s씩 걸리고 숫자가 수업의 설명과 조금씩 다를 수 있습니다.", tui.Duration(pass)),
		"디플로이먼트 컨트롤러부터 kubelet까지의 액터는 멈춰 세울 수 없습니다. 실제로 움직인 것을 지켜본 기록을 그때의 시각과 함께 하나씩 보여 드립니다."}
	if s.vpa != nil {
		return append(notes, s.vpaNotes()...)
	}
	switch {
	case s.watched:
		return append(notes, "이번에는 HPA를 그대로 만들어, 클러스터의 HPA 컨트롤러가 움직이게 합니다. stepscale의 엔진은 읽고 예측할 뿐 레플리카 수를 쓰지 않습니다.")
	}
	notes = append(notes, fmt.Sprintf("부하가 바뀐 직후의 패스는 메트릭 서버가 새 부하를 온전히 잴 때까지 %s쯤 더 기다립니다.", tui.Duration(settling)))
	switch {
	case s.mode == hpa.ModeAlone:
		return append(notes, "이 클러스터의 HPA 컨트롤러는 꺼 두었으므로 HPA는 이 엔진만 움직입니다. 수업이 끝나도 클러스터는 남습니다. 지우시려면: "+s.conn.down)
	case s.mode == hpa.ModeDrive:
		return append(notes, "이 클러스터의 HPA 컨트롤러는 끌 수 없습니다. 두 엔진이 같은 레플리카 수를 쓰지 않도록 HPA 오브젝트를 만들지 않고, 엔진이 시나리오의 HPA를 읽습니다(drive). kubectl get hpa에는 아무것도 없습니다.")
	}
	return append(notes, "이 클러스터의 HPA 컨트롤러는 끌 수 없습니다. HPA 오브젝트는 있지만 selectPolicy를 Disabled로, 범위를 1~1000000으로 바꾸어 컨트롤러가 레플리카 수를 쓰지 않게 했습니다(disarmed). 진짜 spec은 "+hpa.AnnotationArmed+" 주석에 있고, HPA의 status는 클러스터의 컨트롤러가 쓴 것이므로 믿지 마십시오.")
}

// vpaNotes say who gives new pods their size, and how pods are changed.
func (s *clusterStage) vpaNotes() []string {
	var notes []string
	switch s.vpa.Admission {
	case vpa.AdmissionWebhook:
		notes = append(notes, "새 파드에 추천을 넣는 것은 이 프로세스 안의 업스트림 Admission Controller입니다. 클러스터의 API 서버가 이 컴퓨터의 웹훅을 부릅니다.")
	case vpa.AdmissionPolicy:
		notes = append(notes, "새 파드에 추천을 넣는 것은 API 서버 자신입니다(MutatingAdmissionPolicy). 업스트림의 Admission Controller와 길은 다르지만 요청량은 같게 적고, 제한은 바꾸지 않습니다.")
	case vpa.AdmissionCluster:
		notes = append(notes, "새 파드에 추천을 넣는 것은 클러스터 안에 설치된 업스트림의 Admission Controller입니다. stepscale은 지켜보기만 합니다.")
	case vpa.AdmissionNone:
		notes = append(notes, "이 클러스터에는 새 파드에 추천을 넣어 줄 것이 없습니다. 클러스터의 API 서버가 이 컴퓨터의 웹훅에 닿을 수 없기 때문입니다. 쿠버네티스 1.36부터는 강사가 stepscale class install로 정책을 설치하면 됩니다.")
	case vpa.AdmissionUnknown:
		notes = append(notes, "새 파드에 추천을 넣는 것이 무엇인지 볼 권한이 없습니다. 추천이 생기면 3단계에서 파드를 dry-run으로 만들어 확인합니다.")
	}
	if why := s.vpa.Unreachable; why != nil {
		notes = append(notes, "API 서버가 이 컴퓨터의 웹훅에 닿지 못했습니다(방화벽이나 rootless Docker가 막는 일이 많습니다): "+why.Error())
	}
	switch {
	case !s.vpa.Shared:
		return append(notes, "수업이 끝나도 클러스터는 남습니다. 지우시려면: "+s.conn.down)
	case s.vpa.InPlaceFirst:
		return append(notes, "VPA는 파드를 그 자리에서 먼저 조정하고(pods/resize), 안 되면 축출합니다. 원문의 4)~7)처럼 처음부터 축출하게 하시려면 --vpa-update recreate를 적어 주십시오.")
	}
	return append(notes, "VPA는 시나리오에 적힌 대로 파드를 축출합니다. 추천을 넣어 줄 것이 확인되지 않으면 축출하지 않습니다.")
}
