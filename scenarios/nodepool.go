package scenarios

import (
	"context"
	"sync"

	"go.uber.org/multierr"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"
	karpenter "sigs.k8s.io/karpenter/pkg/apis"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"

	"github.com/stepscale/stepscale/engine/korean"
)

var karpenterGroup = schema.GroupVersion{Group: karpenter.Group, Version: "v1"}

// wide are the kinds of objects of the whole cluster that a scenario may have, where the
// cluster is simulated: from NodePools nodes come.
var wide = []Kind{
	kind(karpenterGroup, "NodePool", "nodepools", nil, fields{"spec": fields{
		"template": fields{
			"metadata": fields{"labels": free},
			"spec": fields{
				"requirements": free,
				"nodeClassRef": fields{"group": only{"karpenter.kwok.sh", classHint}, "kind": only{"KWOKNodeClass", classHint}, "name": only{"default", classHint}},
			},
		},
		"limits": free, "weight": free, "disruption": free,
	}, "status": empty}),
}

const classHint = "{group: karpenter.kwok.sh, kind: KWOKNodeClass, name: default}로 적어 주십시오. 시뮬레이션에서 EC2NodeClass의 자리에 있는 것입니다."

// poolSchema is what the CRD of Karpenter's module says of a NodePool.
var poolSchema = sync.OnceValues(func() (validation.SchemaValidator, error) {
	var all apiextensions.CustomResourceValidation
	err := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation(karpenter.CRDs[0].Spec.Versions[0].Schema, &all, nil)
	if err != nil {
		return nil, err
	}
	v, _, err := validation.NewSchemaValidator(all.OpenAPIV3Schema)
	return v, err
})

// nodePool checks a NodePool by the schema of its CRD, and by what upstream checks when it
// runs (RuntimeValidate).
func (r *reader) nodePool(o object) {
	pool, ok := o.value.(*karpv1.NodePool)
	if !ok {
		return
	}
	before := len(r.problems)
	schema, err := poolSchema()
	if err != nil {
		r.add(o.line("kind"), "stepscale의 문제입니다.", "NodePool의 스키마를 읽을 수 없습니다: %s", err)
		return
	}
	for _, e := range validation.ValidateCustomResource(nil, o.content.Object, schema) {
		r.invalid(o, e)
	}
	if len(r.problems) > before {
		return
	}
	for _, err := range multierr.Errors(pool.RuntimeValidate(context.Background())) {
		r.add(o.line("spec", "template"), "API 서버는 받지만 카펜터가 쓰지 않는 NodePool이 됩니다. 메시지를 보고 고쳐 주십시오.", "카펜터가 거절하는 값입니다: %s", err)
	}
}

// crossCheckPools checks that there are NodePools where scenario.yaml names one, and
// nodes that it can be missing on.
func (r *reader) crossCheckPools(objects []object, s *Scenario, broken bool) {
	named := false
	for _, o := range objects {
		if o.content.GetKind() != "NodePool" {
			continue
		}
		if s.Karpenter == "" {
			r.add(o.line("kind"), "scenario.yaml에 "+korean.Object("karpenter: "+o.content.GetName())+" 적거나 NodePool을 지워 주십시오.", "NodePool은 scenario.yaml에 karpenter가 있을 때만 쓸 수 있습니다.")
		}
		named = named || o.content.GetName() == s.Karpenter
	}
	if s.Karpenter == "" || broken {
		return
	}
	if !named {
		r.add(1, "scenario.yaml의 karpenter에 적은 이름의 NodePool을 적어 주십시오.", "NodePool %s 없습니다.", korean.Subject(s.Karpenter))
	}
	if len(s.Nodes()) == 0 {
		r.add(1, "scenario.yaml에 nodes: [{type: m5.large, count: 1}]처럼 처음에 있는 노드를 적어 주십시오.", "karpenter에는 nodes가 필요합니다. 임베디드 클러스터의 노드는 아주 커서 파드가 갈 곳이 모자라지 않습니다.")
	}
}
