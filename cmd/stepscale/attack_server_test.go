package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	secret   = "hunter2-the-token-of-the-learner"
	patience = 4 * time.Second // then Ctrl-C
)

// driven are the commands that talk to a cluster of somebody else's.
var driven = []string{
	"doctor --context class", "observe web --context class --for 1s", "inspect -A --context class", "learn hpa/02-control-loop --auto --context class --yes --image x", "class status --context class", "cluster clean --context class --namespace shop --yes",
}

// slots bound how many programs run side by side: they mostly wait, but take memory.
var slots = make(chan struct{}, 8)

// TestHostileServer lets an API server answer what none should, to every command that
// asks one. The program ends, by itself or with one Ctrl-C, leaves the terminal as it
// was, and gives the learner's token to nobody else.
func TestHostileServer(t *testing.T) {
	t.Parallel() // it waits most of the time
	t.Cleanup(endWorkers)
	var count atomic.Int32
	var group sync.WaitGroup
	for _, a := range answers() {
		group.Go(func() {
			a.try(t)
			count.Add(1)
		})
	}
	group.Wait()
	t.Logf("%d answers of a hostile API server to %d commands", count.Load(), len(driven))
}

func (a answer) try(t *testing.T) {
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(fmt.Sprint(r.Header), secret) {
			t.Errorf("%s: the token went to another server with %s %s", a.name, r.Method, r.URL)
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	defer thief.Close()
	url := a.raw
	if url == nil {
		url = func() (string, func()) { return a.serve(strings.Replace(thief.URL, "127.0.0.1", "localhost", 1)) }
	}
	server, stop := url()
	defer stop()
	all, err := os.MkdirTemp("", "hostile")
	if err != nil {
		t.Error(err)
		return
	}
	defer os.RemoveAll(all)
	defer endAll(all) // the guard of a lesson tries for longer, which is what it is for
	var group sync.WaitGroup
	for i, line := range driven {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			folder := filepath.Join(all, fmt.Sprint(i))
			if err := os.Mkdir(folder, 0o700); err != nil {
				t.Error(err)
				return
			}
			text := swap(swap(kubeconfig, `"https://127.0.0.1:1"`, `"`+server+`", insecure-skip-tls-verify: true`), "hunter2", secret)
			if err := os.WriteFile(filepath.Join(folder, "config"), []byte(text), 0o600); err != nil {
				t.Error(err)
			}
			got := callMany(t, patience, command(folder, []string{"KUBECONFIG=" + filepath.Join(folder, "config"), "HOSTILE=" + all}, words(line)...))
			faults := got.faults()
			if strings.Contains(got.screen, secret) {
				faults = append(faults, "it shows the token")
			}
			if got.code != 0 && !strings.ContainsFunc(got.screen, hangul) {
				faults = append(faults, "it says nothing in Korean")
			}
			if len(faults) > 0 {
				t.Errorf("%s: stepscale %s (exit code %d)\n- %s\n%s", a.name, line, got.code, strings.Join(faults, "\n- "), head(got.screen))
			}
		})
	}
	group.Wait()
}

// serve answers as an API server does, and as it should not where the answer is for.
func (a answer) serve(elsewhere string) (string, func()) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, a.at) {
			a.give(w, r, elsewhere)
			return
		}
		sound(w, r)
	}))
	server.EnableHTTP2 = a.http2
	server.Config.ErrorLog = quietLog
	server.StartTLS()
	return server.URL, func() { server.CloseClientConnections(); server.Close() }
}

// resources are those that the sound server serves, by group and version.
var resources = map[string]string{
	"v1": "Pod Namespace Service Node LimitRange", "apps/v1": "Deployment ReplicaSet", "autoscaling/v2": "HorizontalPodAutoscaler", "metrics.k8s.io/v1beta1": "PodMetrics NodeMetrics", "authorization.k8s.io/v1": "SelfSubjectAccessReview",
	"rbac.authorization.k8s.io/v1": "ClusterRole", "apiextensions.k8s.io/v1": "CustomResourceDefinition", "admissionregistration.k8s.io/v1": "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding", "policy/v1": "PodDisruptionBudget",
}

// sound is an API server with nothing in it but an HPA and what it scales.
func sound(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	path := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/apis/"), "/api/")
	switch {
	case r.URL.Path == "/version":
		fmt.Fprint(w, `{"gitVersion":"v1.34.0"}`)
	case r.URL.Path == "/api":
		fmt.Fprint(w, `{"kind":"APIVersions","versions":["v1"]}`)
	case r.URL.Path == "/apis":
		fmt.Fprint(w, groupList())
	case resources[path] != "":
		fmt.Fprint(w, resourceList(path))
	case strings.HasSuffix(path, "selfsubjectaccessreviews"):
		fmt.Fprint(w, `{"kind":"SelfSubjectAccessReview","apiVersion":"authorization.k8s.io/v1","status":{"allowed":true}}`)
	case r.Method == http.MethodPost || r.Method == http.MethodPatch || r.Method == http.MethodPut:
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	case strings.HasSuffix(path, "/horizontalpodautoscalers/web"):
		fmt.Fprint(w, soundHPA)
	case strings.HasSuffix(path, "/deployments/web/scale"):
		fmt.Fprint(w, `{"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{"name":"web","namespace":"shop"},"spec":{"replicas":2},"status":{"replicas":2,"selector":"app=web"}}`)
	case strings.HasSuffix(path, "/namespaces/shop"):
		fmt.Fprint(w, `{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"shop"}}`)
	case r.Method == http.MethodGet && plural(path) != "":
		fmt.Fprintf(w, `{"kind":"%sList","apiVersion":%q,"metadata":{"resourceVersion":"1"},"items":[]}`, plural(path), version(path))
	default:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404,"message":"not found"}`)
	}
}

const soundHPA = `{"kind":"HorizontalPodAutoscaler","apiVersion":"autoscaling/v2","metadata":{"name":"web","namespace":"shop"},"spec":{"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"},"minReplicas":2,"maxReplicas":10,"metrics":[{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":50}}}]},"status":{"currentReplicas":2,"desiredReplicas":2}}`

// version is the group and version of a path, and plural the kind of the list there.
func version(path string) string {
	for v := range resources {
		if strings.HasPrefix(path, v+"/") {
			return v
		}
	}
	return ""
}

func plural(path string) string {
	for kind := range strings.FieldsSeq(resources[version(path)]) {
		if strings.HasSuffix(path, "/"+resourceName(kind)) {
			return kind
		}
	}
	return ""
}

func resourceName(kind string) string {
	switch {
	case strings.HasSuffix(kind, "Metrics"):
		return strings.ToLower(strings.TrimSuffix(kind, "Metrics")) + "s"
	case strings.HasSuffix(kind, "y"):
		return strings.ToLower(strings.TrimSuffix(kind, "y")) + "ies"
	}
	return strings.ToLower(kind) + "s"
}

func groupList() string {
	var groups []map[string]any
	for gv := range resources {
		if group, v, ok := strings.Cut(gv, "/"); ok {
			one := map[string]string{"groupVersion": gv, "version": v}
			groups = append(groups, map[string]any{"name": group, "versions": []any{one}, "preferredVersion": one})
		}
	}
	return asJSON(map[string]any{"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

func resourceList(gv string) string {
	var list []map[string]any
	for kind := range strings.FieldsSeq(resources[gv]) {
		list = append(list, map[string]any{"name": resourceName(kind), "singularName": "", "namespaced": !strings.HasPrefix(kind, "N") && !strings.HasPrefix(kind, "C") && !strings.HasPrefix(kind, "M"), "kind": kind, "verbs": []string{"get", "list", "watch", "create", "delete", "patch", "update"}})
	}
	return asJSON(map[string]any{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": gv, "resources": list})
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}
