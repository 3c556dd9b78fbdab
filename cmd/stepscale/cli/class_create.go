package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
	"github.com/stepscale/stepscale/cmd/stepscale/class"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/outside"
	"github.com/stepscale/stepscale/engine/vpa"
)

type createOptions struct {
	attach           lab.Attachment
	students, prices string // files
	count            int
	ends, identity   string
	image            string
	budget           float64
	output           string
	hand             handOptions
	dryRun, yes      bool
	changed          func(flag string) bool
}

const (
	defaultEnds = "3h"
	mostBudget  = 1e9 // USD
)

func newClassCreateCommand(d deps) *cobra.Command {
	var o createOptions
	cmd := &cobra.Command{
		Use: "create NAME", Short: "수업을 만듭니다: 학생마다 울타리 친 네임스페이스와 신원",
		Long: `학생마다 네임스페이스(파드 보안, 할당량, 한도, 네트워크 정책), 서비스 어카운트와 끝나는 시각이 있는 토큰을 만들고, 모두가 읽는 수업의 네임스페이스 stepscale-class-NAME을 만듭니다. 클러스터마다 한 번 class install을 먼저 실행합니다.
토큰은 화면에도 클러스터의 오브젝트에도 남지 않습니다. 자리마다 코드(예: K7QF-2M9D-XH3P)로 잠가 NAME.class 파일 하나에 담으므로, 파일은 모두에게 나누어 주고 코드는 한 사람에게 하나씩 주십시오. 코드는 한 번만 나옵니다.
여러 번 실행해도 되고, 도중에 끊겨도 다시 실행하시면 나머지를 만듭니다. 이미 나눠 드린 코드는 그대로입니다.
--identity eks는 명단의 principal 열(IAM ARN)에 액세스 항목을, group은 group 열의 그룹에 권한을 줍니다.
명단의 첫 줄에 name, display, principal, group 열의 이름을 적을 수 있습니다. name은 이 컴퓨터의 목록에만 남고, display는 클러스터에 적혀 게시판에 보입니다.`,
		Example: `  stepscale class create k8s --count 30 --ends 2h --context my-context
  stepscale class create k8s --students roster.csv --ends 2026-12-01T18:00 --seats seats.txt --eks my-cluster --region ap-northeast-2
  stepscale class create k8s --codes --count 30 --context my-context --yes
  stepscale class create k8s --count 2 --dry-run`,
		RunE: func(cmd *cobra.Command, given []string) error {
			o.changed = cmd.Flags().Changed
			return d.classCreate(cmd.Context(), given[0], o)
		},
	}
	d.classArg(cmd, &o.attach, 0)
	f := cmd.Flags()
	d.attachFlags(f, &o.attach)
	f.StringVar(&o.students, "students", "", "명단의 CSV `파일`")
	f.IntVar(&o.count, "count", 0, "명단 없이 만들 자리의 `수`")
	f.StringVar(&o.ends, "ends", defaultEnds, "수업이 끝나는 `때`: 지금부터의 시간(2h)이나 시각(2026-12-01T18:00). 지나면 토큰이 듣지 않습니다")
	f.StringVar(&o.identity, "identity", class.IdentityToken, "학생의 `신원`: token, eks(액세스 항목) 또는 group")
	f.StringVar(&o.image, "image", "", "수업의 워크로드 `이미지` (stepscale image로 만들어 올린 것). 학생은 --image를 적지 않아도 됩니다")
	f.Float64Var(&o.budget, "budget", 0, "수업 하나에 쓸 `USD`. class cost가 넘을지 알려 드립니다")
	f.StringVar(&o.prices, "prices", "", "인스턴스 타입의 시간당 USD를 적은 CSV `파일` (타입,USD)")
	f.BoolVar(&o.dryRun, "dry-run", false, "만들 것을 YAML로 출력만 합니다. 클러스터는 필요 없습니다")
	o.hand.flags(f)
	outputFlag(cmd, &o.output)
	yesFlag(cmd, &o.yes)
	knows(cmd, "identity", class.IdentityToken, class.IdentityEKS, class.IdentityGroup)
	return cmd
}

func (o createOptions) check() error {
	switch {
	case o.students != "" && o.count != 0:
		return problem.Usage("--students와 --count는 하나만 쓸 수 있습니다.", "명단이 있으면 --students, 없으면 --count를 적어 주십시오.")
	case o.count < 0 || o.count > class.Most || o.changed("count") && o.count == 0:
		return problem.Usage(fmt.Sprintf("자리는 1개에서 %d개까지입니다.", class.Most), "예: --count 30")
	case o.identity != class.IdentityToken && o.identity != class.IdentityEKS && o.identity != class.IdentityGroup:
		return problem.Usage("모르는 신원입니다: "+o.identity, "--identity에는 token, eks 또는 group을 적어 주십시오.")
	case o.identity == class.IdentityEKS && o.students == "":
		return problem.Usage("--identity eks에는 학생의 IAM ARN이 있는 명단이 필요합니다.", "명단의 principal 열에 ARN을 적고 --students로 주십시오.")
	case o.identity == class.IdentityEKS && o.attach.Name == "" && !o.dryRun:
		return problem.Usage("--identity eks는 --eks와 함께 씁니다.", "액세스 항목은 EKS 클러스터에만 있습니다.")
	case !(o.budget >= 0 && o.budget <= mostBudget):
		return problem.Usage("--budget에는 0보다 큰 USD를 적어 주십시오.", "예: --budget 20")
	case o.output == "json" && o.hand.seats == "" && !o.dryRun && o.identity != class.IdentityGroup:
		return problem.Usage("--output json에는 코드가 들어가지 않습니다.", "코드를 적을 파일을 --seats로 주십시오. 예: --seats seats.txt")
	}
	return checkOutput(o.output)
}

// spec is the class that the command line asks for.
func (o createOptions) spec(name string, now time.Time) (s class.Spec, err error) {
	s = class.Spec{Class: name, Identity: o.identity, Image: o.image, Budget: o.budget, Region: o.attach.Region, Seats: class.Anonymous(name, o.count)}
	if o.identity == class.IdentityEKS {
		s.Cluster = o.attach.Name
	}
	if s.Ends, err = readEnds(o.ends, now); err != nil {
		return s, err
	}
	if o.prices != "" {
		if s.Prices, err = readPrices(o.prices); err != nil {
			return s, err
		}
	}
	if o.students != "" {
		if s.Seats, err = readRoster(name, o.students); err != nil {
			return s, err
		}
	}
	if line, lacks := s.Lacks(); lacks != "" {
		return s, &problem.Error{What: fmt.Sprintf("명단의 %d번째 학생: %s", line, lacks), Where: o.students, Code: problem.ExitUsage, Hint: "명단을 고치고 다시 실행해 주십시오. 아무것도 쓰지 않았습니다."}
	}
	return s, nil
}

func readRoster(name, file string) ([]class.Seat, error) {
	raw, err := outside.ReadFile(file, class.MostRoster)
	if err != nil {
		return nil, unreadableFile("명단", file, err)
	}
	seats, err := class.ReadRoster(name, raw)
	if e, ok := errors.AsType[*class.RosterError](err); ok {
		return nil, &problem.Error{What: "명단을 읽을 수 없습니다: " + e.What, Where: fmt.Sprintf("%s:%d", file, e.Line), Code: problem.ExitUsage, Hint: "한 줄에 한 사람씩, 첫 줄에 열의 이름(name, display, principal, group)을 적은 CSV여야 합니다."}
	}
	if err == nil && len(seats) == 0 {
		return nil, &problem.Error{What: "명단에 아무도 없습니다", Where: file, Code: problem.ExitUsage, Hint: "한 줄에 한 사람씩 적어 주십시오."}
	}
	return seats, err
}

func readPrices(file string) (map[string]float64, error) {
	raw, err := outside.ReadFile(file, class.MostRoster)
	if err != nil {
		return nil, unreadableFile("가격표", file, err)
	}
	prices, err := class.ReadPrices(raw)
	if e, ok := errors.AsType[*class.PriceError](err); ok {
		return nil, &problem.Error{What: "가격표를 읽을 수 없습니다", Where: fmt.Sprintf("%s:%d", file, e.Line), Code: problem.ExitUsage, Hint: "한 줄에 인스턴스 타입과 시간당 USD를 적어 주십시오. 예: m5.large,0.096"}
	}
	return prices, err
}

func unreadableFile(what, file string, err error) error {
	return &problem.Error{What: korean.Object(what) + " 읽을 수 없습니다: " + outside.Reason(err), Where: file, Code: problem.ExitUsage, Hint: "파일의 경로가 맞는지 확인해 주십시오."}
}

func (d deps) classCreate(ctx context.Context, name string, o createOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	now := time.Now()
	s, err := o.spec(name, now)
	if err != nil {
		return err
	}
	if o.dryRun {
		return d.printClass(s)
	}
	r, err := d.openRoom(ctx, o.attach, name, "create "+name+" --count 30")
	if err != nil {
		return err
	}
	if err := r.Ready(ctx); err != nil {
		return roomError(err)
	}
	s, stay, err := o.resumed(ctx, r, s)
	if err != nil {
		return err
	}
	there, err := r.Survey(ctx, s)
	if err != nil {
		return surveyError(name, err)
	}
	file, err := d.classFileFor(name, o.hand, s, there > 0)
	if err != nil {
		return err
	}
	if err := d.asker(o.yes).Ask(ctx, o.announce(r, s, there, stay)); err != nil {
		return err
	}
	return d.makeClass(ctx, r, s, o, file)
}

// resumed is the class as it is asked for, with what is known of it already: a second call
// goes on with the first one.
func (o createOptions) resumed(ctx context.Context, r room, s class.Spec) (class.Spec, int, error) {
	old, err := r.Load(ctx, s.Class)
	switch {
	case errors.Is(err, board.ErrNoClass) && len(s.Seats) == 0:
		return s, 0, problem.Usage("자리를 몇 개 만들지 알 수 없습니다.", "--students 명단이나 --count 수를 적어 주십시오.")
	case errors.Is(err, board.ErrNoClass):
		return s, 0, nil
	case err != nil:
		return s, 0, roomError(err)
	case old.Identity != s.Identity:
		return s, 0, problem.Usage("이 수업의 신원은 "+old.Identity+"입니다.", "신원을 바꾸시려면 class delete로 지운 뒤에 다시 만들어 주십시오.")
	}
	if !o.changed("ends") {
		s.Ends = old.Ends
	}
	if s.Ends.Before(time.Now().Add(leastClass)) {
		return s, 0, classOver(s.Ends)
	}
	if s.Image == "" {
		s.Image = old.Image
	}
	if s.Budget == 0 {
		s.Budget = old.Budget
	}
	if s.Prices == nil {
		s.Prices = old.Prices
	}
	s, stay := s.Join(old)
	return s, stay, nil
}

// surveyError says how to go on with a class that another computer has made.
func surveyError(name string, err error) error {
	told := roomError(err)
	if e, ok := errors.AsType[*problem.Error](told); ok && errors.As(err, new(*vpa.ForeignError)) {
		e.Hint += " " + keyHint(name)
	}
	return told
}

// announce is what is told before anything is written.
func (o createOptions) announce(r room, s class.Spec, there, stay int) []string {
	told := []string{
		fmt.Sprintf("클러스터 %s에 수업 %s, 자리 %d개를 만듭니다. 네임스페이스는 %s, 그리고 %s부터 %s까지입니다.", r.cluster.Info().Name, korean.Object(s.Class), len(s.Seats),
			board.Home(s.Class), s.Seats[0].Namespace, s.Seats[len(s.Seats)-1].Namespace),
		"저마다 파드 보안(restricted), ResourceQuota, LimitRange, NetworkPolicy를 두고 학생을 ClusterRole stepscale-student에 묶습니다.",
		"끝나는 때: " + clockTime(s.Ends),
	}
	if there > 0 {
		told = append(told, fmt.Sprintf("네임스페이스 %d개는 이미 있고, 이 버전에 맞춥니다.", there))
	}
	if stay > 0 {
		told = append(told, fmt.Sprintf("이번에 적지 않으신 자리 %d개도 그대로 둡니다.", stay))
	}
	if slices.ContainsFunc(s.Seats, func(seat class.Seat) bool { return seat.Display != "" }) {
		return append(told, "명단의 display 열에 있는 이름이 클러스터에 적히고 게시판에 보입니다.")
	}
	return append(told, "학생의 이름은 클러스터에 적지 않습니다. 자리는 s01, s02처럼 부릅니다.")
}

func (d deps) makeClass(ctx context.Context, r room, s class.Spec, o createOptions, file *class.File) error {
	progress := newSeatProgress(d.errOut, fmt.Sprintf("자리 %d개를 만듭니다", len(s.Seats)))
	made, err := r.Create(ctx, s, func(m class.Made) { progress.at("자리", m.Seats, m.Of) })
	progress.end()
	if err != nil {
		return d.unfinished(ctx, s.Class, err)
	}
	if s.Identity == class.IdentityEKS {
		entries, _ := r.entries()
		if err := r.Grant(ctx, s, entries); err != nil {
			return d.unfinished(ctx, s.Class, err)
		}
	}
	screen := view.New(d.errOut)
	screen.Done(fmt.Sprintf("수업 %s: 자리 %d개", s.Class, made.Seats))
	if made.Uncounted {
		screen.Note("할당량이 아직 세어지지 않았습니다. 그동안은 학생이 아무것도 만들지 못합니다. kubectl describe resourcequota -n " + korean.By(s.Seats[0].Namespace) + " 확인해 주십시오.")
	}
	if made.Unfenced {
		screen.Note("API 서버가 정책 stepscale-student를 아직 따르지 않습니다. stepscale doctor에 같은 --eks나 --context와 -n을 적어 확인해 주십시오.")
	}
	handed, err := d.handOut(ctx, r, s, unsealed(s, file), file, o.hand)
	if err != nil {
		return err
	}
	if o.output == "json" {
		return d.writeJSON(class.Describe(s, handed))
	}
	return nil
}

// printClass writes what would be made, as kubectl apply takes it.
func (d deps) printClass(s class.Spec) error {
	signers, err := d.classSigners(s.Class)
	if err != nil {
		return err
	}
	objects, err := s.Objects(signers[0])
	if err != nil {
		return err
	}
	return d.writeManifests(objects)
}
