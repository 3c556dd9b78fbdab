package korean

import (
	"testing"
	"time"
)

// TestParticlesFollowTheSound: by final consonant, digit, unit and letter.
func TestParticlesFollowTheSound(t *testing.T) {
	for _, c := range []struct {
		particle func(string) string
		want     string
		words    []string
	}{
		{Object, "을", []string{"수업", "레플리카셋", "칸", "물", "3", "6", "10", "100", "4000", "0", "2.10", "100m", "22.5m", "web", "app", "ReplicaSet", "kubelet", "scaleUp", "scaleDown", "spec", "metric", "group", "name", "pipeline", "config.spec", "hpa/05-observe 수업", "'수업'", "`수업`", "\"수업\"", "수업(hpa)", "수업 (hpa) (x)", "OOM", "1", "web-7", "URL", "scale", "kubectl", "role", "YAML"}},
		{Object, "를", []string{"시나리오", "유지(keep)", "hpa", "vpa", "HPA", "VPA", "CPU", "API", "2", "4", "5", "9", "1.9", "50%", "246.4Mi", "2Gi", "15s", "5m0s", "1h", "pod", "node", "default", "deployment", "controller", "context", "etcd", "PodDisruptionBudgets", "web-x2x7k", "/tmp/k", "", "…", "--max", "eks", "db", "nginx"}},
		{Subject, "이", []string{"파드 10", "100m", "web"}},
		{Subject, "가", []string{"5분 30초", "HPA", "7.5Mi"}},
		{Topic, "은", []string{"1", "3", "Metrics API 버전"}},
		{Topic, "는", []string{"2", "hpa-observe 루프", "Recommender"}},
		{And, "과", []string{"kubectl", "10", "목표 사용률"}},
		{And, "와", []string{"95%", "API 서버"}},
		{By, "으로", []string{"10", "3", "6", "100m", "Node, CPU, 자원", "web", "stepscale learn", "scaleDown"}},
		{By, "로", []string{"1", "7", "8", "2", "물", "길", "URL", "kubectl", "scale", "5", "hpa", "파드", "15s"}},
	} {
		for _, word := range c.words {
			if got := c.particle(word); got != word+c.want {
				t.Errorf("%q, want %s", got, c.want)
			}
		}
	}
}

// TestAge: two units at most, and no time that is yet to come.
func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0초", 59 * time.Second: "59초", 90 * time.Second: "1분", 59*time.Minute + 59*time.Second: "59분",
		time.Hour: "1시간", 23*time.Hour + 59*time.Minute: "23시간 59분", 24 * time.Hour: "1일", 71 * time.Hour: "2일",
	} {
		if got := Age(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
