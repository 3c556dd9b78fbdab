package cli

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stepscale/stepscale/clusters/clustertest"
	"github.com/stepscale/stepscale/clusters/kind"
)

func TestContractIsKorean(t *testing.T) {
	for _, c := range clustertest.Checks() {
		if e2eLabels[c.Name] == "" {
			t.Errorf("check %q has no Korean name", c.Name)
		}
	}
	if got := kindPhase("Ensuring node image (kindest/node:v1.37.0)"); got != "노드 이미지 (kindest/node:v1.37.0)" {
		t.Errorf("phase %q", got)
	}
}

func TestContractFinding(t *testing.T) {
	for _, c := range []struct {
		err            error
		status, detail string
	}{
		{nil, statusOK, "1.5초"},
		{clustertest.ErrNotUp, statusWarn, "확인하지 못했습니다"},
		{&kind.Error{Reason: kind.NoImage, Image: "kindest/node:v1.37.0", Output: "no such host", Err: errors.New("boom")}, statusFail, "(kindest/node:v1.37.0): no such host"},
		{errors.New("boom"), statusFail, "boom"},
	} {
		f := e2eFinding("x", 1500*time.Millisecond, c.err)
		if f.Status != c.status || !strings.Contains(f.Detail, c.detail) {
			t.Errorf("%v is told as %+v", c.err, f)
		}
	}
}

func TestContractOfNothing(t *testing.T) {
	a := testApp(t)
	if _, err := a.endToEnd(t.Context(), "swarm"); err == nil || !strings.Contains(err.Error(), "모르는 클러스터") {
		t.Errorf("error %v", err)
	}
}
