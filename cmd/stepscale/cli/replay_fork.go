package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/cmd/stepscale/whatif"
)

// simulatedFork says what of a fork was never so.
const simulatedFork = "[시뮬레이션] 갈라진 뒤의 파드와 메트릭은 모델이 계산한 것입니다. 결정은 같은 엔진이 합니다."

// forks plays a recording on from a pass with something set otherwise. The recording is
// read when it is asked for.
func (d deps) forks(ctx context.Context, file string) func(int, []string) (play.Forked, error) {
	return func(pass int, sets []string) (play.Forked, error) {
		f, err := d.fork(ctx, file, pass, sets)
		var told *problem.Error
		if errors.As(err, &told) {
			err = errors.New(told.What + " " + told.Hint)
		}
		return f, err
	}
}

func (d deps) fork(ctx context.Context, file string, pass int, sets []string) (play.Forked, error) {
	study, ofVPA, err := d.study(ctx, file)
	if err != nil {
		return play.Forked{}, err
	}
	edit, err := whatif.ParseEdit(sets)
	if err != nil {
		return play.Forked{}, unset(file, err)
	}
	if ofVPA != nil && (study == nil || edit.OfVPA()) {
		return forkVPA(file, ofVPA, edit, pass)
	}
	if pass > 0 && !study.Has(pass) {
		return play.Forked{}, noSuchPass(pass)
	}
	course, err := study.Fork(edit, pass)
	if err != nil {
		return play.Forked{}, unset(file, err)
	}
	recorded := study.Recorded()
	f := play.Forked{From: pass, Sets: sets, What: "레플리카", Notes: []string{simulatedFork}, Recorded: replicasOf(recorded), Other: replicasOf(course), Passes: replicasParted(recorded, course), Sums: sideBySide(whatif.Sum(recorded), whatif.Sum(course))}
	if p := course.First; p != nil {
		f.First = fmt.Sprintf("패스 %d의 2-replicas/%s. %s: 기록 %s, 갈래 %s", p.Pass, p.Stage, view.FactLabel(p.Fact), orNone(p.Was), orNone(p.Is))
	}
	if f.First != "" && course.Parted < 0 {
		f.Notes = append(f.Notes, "계산은 갈라지지만 결정은 끝까지 기록과 같습니다.")
	}
	return f, nil
}

func forkVPA(file string, study *whatif.VPAStudy, edit *whatif.Edit, pass int) (play.Forked, error) {
	if pass > 0 && !study.Has(pass) {
		return play.Forked{}, noSuchPass(pass)
	}
	course, err := study.Fork(edit, pass)
	if err != nil {
		return play.Forked{}, unset(file, err)
	}
	recorded := study.Recorded()
	f := play.Forked{From: pass, Sets: edit.Texts(), What: "파드 하나의 CPU 요청량(m)", Notes: []string{simulatedFork}, Recorded: requestsOf(recorded), Other: requestsOf(course), Passes: sizesParted(recorded, course), Sums: vpaSideBySide(whatif.SumVPA(recorded), whatif.SumVPA(course))}
	if course.Parted >= 0 {
		step := "2-recommend"
		if a, b := targets(recorded.Points[course.Parted].Told), targets(course.Points[course.Parted].Told); a == b {
			step = "3-compare"
		}
		f.First = fmt.Sprintf("패스 %d의 %s", course.Points[course.Parted].Pass, step)
	}
	return f, nil
}
