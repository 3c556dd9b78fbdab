package scenarios_test

import (
	"fmt"
	"testing"

	"github.com/stepscale/stepscale/scenarios"
)

const beforeNodes = "title: t\ntarget: web\nload: {segments: [{at: 0s, step: 1m}]}\n"

func TestNodes(t *testing.T) {
	s, err := scenarios.Parse("x/scenario.yaml", []byte(beforeNodes+`nodes:
- {type: t3.medium, count: 2}
- {type: m5.large, zone: us-east-1b}
groups:
- {name: general, type: m5.large, min: 0, max: 4, desired: 2}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := "[{node-1 t3.medium us-east-1a } {node-2 t3.medium us-east-1a } {node-3 m5.large us-east-1b } {general-1 m5.large us-east-1a general} {general-2 m5.large us-east-1a general}]"
	if got := fmt.Sprint(s.Nodes()); got != want {
		t.Errorf("nodes %s, want %s", got, want)
	}
	if s, err := scenarios.Parse("x/scenario.yaml", []byte(beforeNodes+"hpa: web\n")); err != nil || len(s.Nodes()) != 0 {
		t.Errorf("a scenario without nodes has %v, %v", s.Nodes(), err)
	}
}

func TestNodeProblems(t *testing.T) {
	for want, text := range map[string]string{
		"nodes에는 항목을 하나 이상":              "nodes: {}",
		"모르는 인스턴스 타입입니다: m5.huge":        "nodes: [{type: m5.huge}]",
		"nodes의 항목에 type 키가 없습니다":        "nodes: [{count: 1}]",
		"count에 쓸 수 없는 값입니다: 0":          "nodes: [{type: m5.large, count: 0}]",
		"모르는 가용 영역입니다: mars":             "nodes: [{type: m5.large, zone: mars}]",
		"groups에는 항목을 하나 이상":             "groups: []",
		"노드 그룹의 이름으로 쓸 수 없습니다: node-a":   "groups: [{name: node-a, type: m5.large, min: 1, max: 2, desired: 1}]",
		"min(2)과 max(3) 사이에 있지 않습니다":     "groups: [{name: a, type: m5.large, min: 2, max: 3, desired: 1}]",
		"이름이 같은 항목이 두 번 있습니다: a":         "groups: [{name: a, type: m5.large, min: 1, max: 2, desired: 1}, {name: a, type: m5.large, min: 1, max: 2, desired: 1}]",
		"노드가 모두 201개까지 늘어날 수 있습니다":       "groups: [{name: a, type: m5.large, min: 1, max: 200, desired: 1}]\nnodes: [{type: m5.large}]",
		"groups의 항목에 모르는 키가 있습니다: \"x\"": "groups: [{name: a, type: m5.large, min: 1, max: 2, desired: 1, x: 1}]",
	} {
		_, err := scenarios.Parse("x/scenario.yaml", []byte(beforeNodes+"hpa: web\n"+text+"\n"))
		if err == nil {
			t.Errorf("%s is taken", text)
			continue
		}
		expect(t, err, "x/scenario.yaml", 5, want)
	}
}
