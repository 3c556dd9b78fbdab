package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/vpa"
)

// vpaVerdict is a recorded step of the VPA beside what upstream's code makes of its inputs.
type vpaVerdict struct {
	Pass        int             `json:"pass"`
	Line        int             `json:"line"` // of the recording
	At          time.Time       `json:"at"`
	Step        trace.StepID    `json:"step"`
	What        string          `json:"what"`               // recommendation, or update
	Upstream    string          `json:"upstream,omitempty"` // the targets, or the pods that are updated
	Equal       bool            `json:"equal"`
	Differences []vpaDifference `json:"differences,omitempty"`
}

// vpaDifference is a value that upstream's code does not come to.
type vpaDifference struct {
	What     string `json:"what"`
	Recorded string `json:"recorded"`
	Upstream string `json:"upstream"`
}

// What a verdict is about.
const (
	ofRecommendation = "recommendation"
	ofUpdate         = "update"
)

// vpaVerifier feeds upstream's recommender with a recording, and lets it decide.
type vpaVerifier struct {
	verdicts []vpaVerdict

	again    vpa.Again
	fed      *vpav1.RecommendedPodResources // what it came to
	fedPass  int
	fedTold  bool // the frame that tells it has come
	updates  []string
	computed bool
}

// frame takes the recording's next.
func (v *vpaVerifier) frame(line int, f trace.Frame) error {
	if f.Err != "" {
		return nil
	}
	switch f.Step {
	case vpa.DecideStep, vpa.SeenDecideStep:
		return v.decide(line, f)
	case vpa.UpdateStep:
		v.evicted(line, f)
	case vpa.RecommendStep:
		if v.computed && v.fedPass == f.Pass {
			v.recommended(line, f)
		}
	}
	if len(f.Inputs) == 0 || f.Step != vpa.CollectStep && !strings.HasPrefix(string(f.Step), "vpa-history/") {
		return nil
	}
	return v.feed(line, f)
}

func (v *vpaVerifier) feed(line int, f trace.Frame) error {
	fed, err := vpa.ReadFed(f.Inputs)
	if err != nil {
		return err
	}
	v.fed, err = v.again.Recommend(fed)
	if err != nil {
		return err
	}
	v.computed, v.fedPass, v.fedTold = true, f.Pass, false
	if f.Step != vpa.CollectStep {
		v.recommended(line, f)
	}
	return nil
}

// recommended holds what was told against what upstream comes to.
func (v *vpaVerifier) recommended(line int, f trace.Frame) {
	told, upstream := vpa.Recommended(f), vpa.Told(v.fed)
	if f.Step != vpa.RecommendStep { // which tells all of it
		maps.DeleteFunc(upstream, func(name, _ string) bool { return told[name] == "" })
	}
	v.fedTold = true
	v.add(vpaVerdict{Pass: f.Pass, Line: line, At: f.At, Step: f.Step, What: ofRecommendation, Upstream: targets(vpa.Told(v.fed)), Differences: differing(told, upstream)})
}

func (v *vpaVerifier) add(one vpaVerdict) {
	one.Equal = len(one.Differences) == 0
	v.verdicts = append(v.verdicts, one)
}

// decide lets upstream decide which pods are updated. Where the recommendation was computed
// in the same pass, the one in the VPA's status has to be that, to the byte.
func (v *vpaVerifier) decide(line int, f trace.Frame) error {
	v.updates = nil
	if len(f.Inputs) == 0 {
		return nil
	}
	j, err := vpa.ReadJudged(f.Inputs)
	if err != nil {
		return err
	}
	order, err := j.Again()
	if err != nil {
		return err
	}
	told, upstream := map[string]string{}, map[string]string{}
	for _, p := range j.Pods {
		name := "update/" + p.Name
		told[name], _ = f.Fact(name)
		upstream[name] = strconv.FormatBool(slices.Contains(order, p.Name))
	}
	one := vpaVerdict{Pass: f.Pass, Line: line, At: f.At, Step: f.Step, What: ofUpdate, Upstream: strings.Join(order, ", "), Differences: differing(told, upstream)}
	if v.computed && v.fedPass == f.Pass && v.fedTold && v.fed != nil {
		one.Differences = append(one.Differences, differing(vpa.Exactly(j.VPA.Status.Recommendation), vpa.Exactly(v.fed))...)
	}
	v.updates = order
	v.add(one)
	return nil
}

// evicted are pods that upstream would have updated in this pass; any other should have
// stayed.
func (v *vpaVerifier) evicted(line int, f trace.Frame) {
	one := vpaVerdict{Pass: f.Pass, Line: line, At: f.At, Step: f.Step, What: ofUpdate, Upstream: strings.Join(v.updates, ", ")}
	for _, c := range f.Changes {
		name, pod := strings.CutPrefix(c.Object, "pod/")
		if pod && c.Field == "metadata.deletionTimestamp" && !slices.Contains(v.updates, name) {
			one.Differences = append(one.Differences, vpaDifference{What: "evicted/" + name, Recorded: "true", Upstream: "false"})
		}
	}
	if len(one.Differences) > 0 {
		v.add(one)
	}
}

func differing(recorded, upstream map[string]string) (all []vpaDifference) {
	for _, name := range slices.Sorted(maps.Keys(union(recorded, upstream))) {
		if recorded[name] != upstream[name] {
			all = append(all, vpaDifference{What: name, Recorded: recorded[name], Upstream: upstream[name]})
		}
	}
	return all
}

// union has the keys of both.
func union(a, b map[string]string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, a)
	maps.Copy(all, b)
	return all
}

// targets are the targets of a recommendation: "web.cpu 300m, web.memory 250Mi".
func targets(told map[string]string) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(told)) {
		if of, ok := strings.CutPrefix(name, "target/"); ok {
			list = append(list, of+" "+told[name])
		}
	}
	return strings.Join(list, ", ")
}

// vpaStopped words why a recording of the VPA cannot be computed again.
func vpaStopped(err error) (what, hint string) {
	switch {
	case errors.Is(err, vpa.ErrNoBeginning):
		return "이 기록은 Recommender의 처음부터 시작하지 않습니다", "Recommender는 지나간 표본을 히스토그램에 담아 둡니다. 그 앞이 없으면 같은 추천을 기대할 수 없습니다. 첫 줄부터 온전한 기록을 주십시오."
	case errors.Is(err, vpa.ErrStopped):
		return "이 입력에서 업스트림의 코드가 멈췄습니다", "기록을 고치지 않으셨다면 stepscale의 잘못이니 기록과 함께 알려 주십시오."
	case errors.Is(err, vpa.ErrUnknownFields):
		return "이 stepscale이 모르는 필드가 기록에 있습니다", "더 새로운 stepscale로 만든 기록이면 그 버전으로 확인해 주십시오. 필드를 빼고 계산하면 다른 결정이 되므로 비교하지 않았습니다."
	case errors.Is(err, vpa.ErrIncomplete):
		return "기록의 입력이 온전하지 않습니다", "손으로 고쳐진 것 같습니다. " + recordAgain
	}
	return "", ""
}

func (d deps) showVPAVerdicts(file string, verdicts []vpaVerdict) error {
	s := view.New(d.out)
	s.Line(fmt.Sprintf("업스트림의 VPA(%s)에게 %s의 입력을 그대로 주었습니다: Recommender의 모델과 Updater의 우선순위 계산기입니다.", readVersion().VPA, file))
	s.Note("클러스터는 없습니다. API 서버와 Metrics Server의 자리에서 기록이 대답합니다.")
	s.Blank()
	var rows [][2]string
	recommendations, updates, differ, before := 0, 0, 0, map[string]string{}
	for _, v := range verdicts {
		switch v.What {
		case ofRecommendation:
			recommendations++
		default:
			updates++
		}
		if !v.Equal {
			differ++
		}
		if v.Equal && v.Upstream == before[v.What] {
			continue
		}
		before[v.What] = v.Upstream
		rows = append(rows, [2]string{fmt.Sprintf("패스 %d %s", v.Pass, v.about()), orNone(v.Upstream) + ": " + sameWord(v.Equal)})
	}
	s.Pairs(rows)
	s.Note("앞의 것과 같은 줄은 적지 않았습니다.")
	s.Blank()
	if differ > 0 {
		showVPADifferences(s, file, verdicts)
		s.Note(fmt.Sprintf("추천 %d개와 판정 %d개 가운데 %d개가 다릅니다. 기록을 고치지 않으셨다면 stepscale의 잘못이니 기록과 함께 알려 주십시오.", recommendations, updates, differ))
		return s.Err()
	}
	s.Done(fmt.Sprintf("VPA의 추천 %d개와 파드의 판정 %d개가 모두 같습니다. 판정할 때의 추천은 한 바이트까지 비교했습니다.", recommendations, updates))
	return s.Err()
}

func showVPADifferences(s *view.Screen, file string, verdicts []vpaVerdict) {
	shown := 0
	for _, v := range verdicts {
		for _, d := range v.Differences {
			if shown++; shown <= shownDifferences {
				s.Note(fmt.Sprintf("%s:%d 패스 %d, %s: 기록 %s, 업스트림 %s", file, v.Line, v.Pass, d.What, orNone(d.Recorded), orNone(d.Upstream)))
			}
		}
	}
}

// about is what the verdict is about, in Korean.
func (v vpaVerdict) about() string {
	if v.What == ofRecommendation {
		return "추천(target)"
	}
	return "바꿀 파드"
}

func orNone(text string) string {
	if text == "" {
		return "없음"
	}
	return text
}

func sameWord(equal bool) string {
	if equal {
		return "같음"
	}
	return "다름"
}
