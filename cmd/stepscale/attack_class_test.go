package main

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/stepscale/stepscale/clusters/embedded"
	"github.com/stepscale/stepscale/cmd/stepscale/board"
)

// academy is a cluster of somebody else's behind the guillotine, with the computers of an
// instructor and of a learner.
type academy struct {
	*guillotine
	*testing.T
	cluster             dynamic.Interface
	instructor, learner *machine
	classes             int
}

func newAcademy(t *testing.T) *academy {
	t.Helper()
	dir := shortDir(t)
	c := embedded.New(embedded.Options{Dir: dir})
	cfg, err := c.Up(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	a := &academy{guillotine: newGuillotine(t, cfg), T: t, instructor: newMachine(t, "state"), learner: newMachine(t, "state")}
	a.admits(t, a.instructor.folder, cfg.BearerToken)
	if a.cluster, err = dynamic.NewForConfig(cfg); err != nil {
		t.Fatal(err)
	}
	return a
}

// typed is a line as somebody types it who is in the class.
func (a *academy) typed(class, line string) []string {
	if strings.Contains(line, "CODE") {
		line = strings.ReplaceAll(line, "CODE", a.codes(class)[0])
	}
	argv := words(strings.NewReplacer("CLASS", class, "SCHOOL", a.instructor.folder).Replace(line))
	if argv[1] == "join" || argv[1] == "leave" {
		return argv
	}
	return append(argv, "--context", "school")
}

// TestClassKills kills each command of a class at moments all over its life and types it
// again: then the cluster and the disk are as where nothing was killed. Most of its time are
// starts of the program, and installs, which wait for the API server: what the cluster is
// prepared by is attacked in turn with what undoes it.
func TestClassKills(t *testing.T) {
	a := newAcademy(t)
	attacked := func(name string, all ...deed) {
		t.Run(name, func(t *testing.T) {
			on := &academy{a.guillotine, t, a.cluster, a.instructor, a.learner, a.classes}
			defer func() { a.classes = on.classes }()
			on.attack(max(*kills/3, 3), all...)
		})
	}
	attacked("install and remove", deeds[0], deeds[1])
	a.ok(a.instructor, a.typed("", install)...)
	for _, d := range deeds[2:] {
		attacked(d.name, d)
	}
}

// trial is a deed that is attacked.
type trial struct {
	deed
	m    *machine
	want map[string]string // what it brings about where nothing is killed
	said string
	life
	at   []moment
	hits int
	back func() // puts what it finds there again
}

// attack kills deeds in turn, each of which finds what the one before it has left.
func (a *academy) attack(n int, deeds ...deed) {
	a.Helper()
	trials := make([]*trial, len(deeds))
	for i, d := range deeds {
		trials[i] = &trial{deed: d, m: a.instructor}
		if d.by != nil {
			trials[i].m = d.by(a)
		}
	}
	for round := range 2 {
		for _, x := range trials {
			if round == 0 || x.fresh || x.bare { // the first one may have waited for what is new
				x.unharmed(a)
			}
		}
	}
	for k := range n {
		for _, x := range trials {
			if x.at == nil {
				x.at = x.moments(n)
			}
			x.harmed(a, x.at[k])
		}
	}
	for _, x := range trials {
		a.Logf("%s: %d requests, %s, %d of %d moments have hit", x.name, x.requests, x.took.Round(time.Millisecond), x.hits, n)
		if x.hits == 0 {
			a.Error("nothing was killed")
		}
	}
}

// unharmed is the command where nothing is killed: what it brings about, and says.
func (x *trial) unharmed(a *academy) {
	name := x.ready(a)
	argv := a.typed(name, x.line)
	said, l := a.whole(func() string { return a.ok(x.m, argv...) })
	if x.want == nil {
		x.want, x.said, x.life = x.left(a, name), said, l
	} else if l.requests < x.requests {
		x.life = l
	}
}

// harmed is the command that is killed and typed again.
func (x *trial) harmed(a *academy, at moment) {
	name := x.ready(a)
	argv := a.typed(name, x.line)
	if a.kill(x.m, at, argv...) {
		x.hits++
	}
	again := a.ok(x.m, argv...)
	if got := x.left(a, name); !maps.Equal(got, x.want) {
		a.Errorf("%q killed %s and typed again:\n%s", argv, at, difference(got, x.want))
	}
	if strings.Contains(x.line, "export") && again != x.said {
		a.Errorf("killed %s, then it says\n%s\nand not\n%s", at, again, x.said)
	}
}

// ready brings about what the command finds.
func (x *trial) ready(a *academy) string {
	a.Helper()
	before := x.before
	if x.fresh || a.classes == 0 && !x.bare {
		a.classes++
		if !x.bare {
			before = append([]string{makeOne}, before...)
		}
	}
	name := fmt.Sprintf("k%dx", a.classes)
	if x.back != nil {
		x.back()
		return name
	}
	for _, line := range before {
		who := x.m
		if line == makeOne {
			who = a.instructor
		}
		a.ok(who, a.typed(name, line)...)
	}
	if x.alike {
		x.back = a.keeps(name)
	}
	return name
}

// keeps tells how the class's ConfigMaps become again what they are now.
func (a *academy) keeps(name string) (back func()) {
	kind := a.cluster.Resource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"})
	list := func() (all map[string]*unstructured.Unstructured) {
		found, err := kind.List(context.Background(), metav1.ListOptions{LabelSelector: board.LabelClass + "=" + name})
		if err != nil {
			a.Fatal(err)
		}
		all = map[string]*unstructured.Unstructured{}
		for i := range found.Items {
			all[found.Items[i].GetNamespace()+"/"+found.Items[i].GetName()] = &found.Items[i]
		}
		return all
	}
	was := list()
	return func() {
		for key, cm := range list() {
			place, before := kind.Namespace(cm.GetNamespace()), was[key]
			if before == nil {
				if err := place.Delete(context.Background(), cm.GetName(), metav1.DeleteOptions{}); err != nil {
					a.Fatal(err)
				}
				continue
			}
			cm.Object["data"] = before.Object["data"]
			if _, err := place.Update(context.Background(), cm, metav1.UpdateOptions{}); err != nil {
				a.Fatal(err)
			}
		}
	}
}

// ok is a command that ends well. The API server may take a minute until a resource type is
// gone that was deleted as soon as it was made: install says so, and to come again.
func (a *academy) ok(m *machine, argv ...string) string {
	a.Helper()
	for end := time.Now().Add(3 * patient); ; {
		got := m.run(argv...)
		if got.code == 0 && len(got.faults()) == 0 {
			return got.screen
		}
		if !strings.Contains(got.text(), "다 지워진 뒤에 다시 실행해 주십시오") || time.Now().After(end) {
			a.Fatalf("%q ended with %d: %q\n%s", argv, got.code, got.faults(), head(got.screen))
		}
	}
}

func difference(got, want map[string]string) string {
	var all []string
	for key := range want {
		if got[key] != want[key] {
			all = append(all, key+"\n is   "+got[key]+"\n want "+want[key])
		}
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			all = append(all, key+" is too much")
		}
	}
	return strings.Join(all, "\n")
}
