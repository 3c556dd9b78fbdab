package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/clusters/embedded"
	"github.com/stepscale/stepscale/cmd/stepscale/board"
	"github.com/stepscale/stepscale/cmd/stepscale/class"
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

// deed is a command that may be killed and is typed again.
type deed struct {
	name   string
	line   string   // of the command; CLASS is the class's name
	before []string // brings about what the command finds
	fresh  bool     // it is in a class of its own every time
	bare   bool     // which is not there yet, nor is any other
	by     func(*academy) *machine
	left   func(*academy, string) map[string]string // what the command brings about
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
// again: then the cluster and the disk are as where nothing was killed.
func TestClassKills(t *testing.T) {
	a := newAcademy(t)
	for _, d := range deeds {
		t.Run(d.name, func(t *testing.T) {
			on := &academy{a.guillotine, t, a.cluster, a.instructor, a.learner, a.classes}
			defer func() { a.classes = on.classes }()
			d.attack(on, max(*kills/3, 3))
		})
	}
}

func (d deed) attack(a *academy, n int) {
	m := a.instructor
	if d.by != nil {
		m = d.by(a)
	}
	want, said, lived := d.unharmed(a, m)
	if _, _, again := d.unharmed(a, m); again.requests < lived.requests { // the first one has waited for what is new
		lived = again
	}
	hits := 0
	for _, at := range lived.moments(n) {
		name := d.ready(a, m)
		argv := a.typed(name, d.line)
		if a.kill(m, at, argv...) {
			hits++
		}
		again := a.ok(m, argv...)
		if got := d.left(a, name); !maps.Equal(got, want) {
			a.Errorf("%q killed %s and typed again:\n%s", argv, at, difference(got, want))
		}
		if strings.Contains(d.line, "export") && again != said {
			a.Errorf("killed %s, then it says\n%s\nand not\n%s", at, again, said)
		}
	}
	a.Logf("%d requests, %s, %d of %d moments have hit", lived.requests, lived.took.Round(time.Millisecond), hits, n)
	if hits == 0 {
		a.Error("nothing was killed")
	}
}

// unharmed is the command where nothing is killed: what it brings about, and says.
func (d deed) unharmed(a *academy, m *machine) (left map[string]string, said string, l life) {
	name := d.ready(a, m)
	argv := a.typed(name, d.line)
	said, l = a.whole(func() string { return a.ok(m, argv...) })
	return d.left(a, name), said, l
}

// ready brings about what the command finds.
func (d deed) ready(a *academy, m *machine) string {
	a.Helper()
	before := d.before
	if d.fresh || a.classes == 0 && !d.bare {
		a.classes++
		if !d.bare {
			before = slices.Concat([]string{install, makeOne}, before)
		}
	}
	name := fmt.Sprintf("k%dx", a.classes)
	for _, line := range before {
		who := m
		if line == install || line == makeOne {
			who = a.instructor
		}
		a.ok(who, a.typed(name, line)...)
	}
	return name
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

func ofClass(a *academy, name string) map[string]string {
	return inventory(a.T, a.cluster, board.LabelClass+"="+name, name)
}

// handed is the class as it is on the cluster, and that every code of the list opens a seat
// whose token the API server takes.
func handed(a *academy, name string) map[string]string {
	all := ofClass(a, name)
	raw, err := os.ReadFile(filepath.Join(a.instructor.folder, name+".class"))
	if err != nil {
		a.Fatal(err)
	}
	file, err := class.ReadFile(raw)
	if err != nil {
		a.Fatal(err)
	}
	for i, code := range a.codes(name) {
		ticket, err := file.Open(code)
		if err != nil {
			a.Errorf("the list's code %d: %v", i, err)
			continue
		}
		all["ticket "+ticket.Seat] = a.known(ticket)
	}
	return all
}

// known is whom the API server takes a ticket for.
func (a *academy) known(t class.Ticket) string {
	cfg, err := clientcmd.RESTConfigFromKubeConfig(t.Kubeconfig)
	if err != nil {
		return err.Error()
	}
	who, err := kubernetes.NewForConfigOrDie(rest.CopyConfig(cfg)).AuthenticationV1().SelfSubjectReviews().
		Create(context.Background(), &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return err.Error()
	}
	return strings.ReplaceAll(who.Status.UserInfo.Username, t.Class, "CLASS")
}

var codeInList = regexp.MustCompile(`[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}`)

func (a *academy) codes(name string) []string {
	list, err := os.ReadFile(filepath.Join(a.instructor.folder, name+".txt"))
	if err != nil {
		a.Fatal(err)
	}
	return codeInList.FindAllString(string(list), -1)
}

// onCluster is what an instructor has prepared. What goes takes a while.
func onCluster(a *academy, _ string) map[string]string {
	return inventory(a.T, a.cluster, clusters.LabelManaged+"=true,!"+board.LabelClass, "")
}

func cleared(a *academy, _ string) (all map[string]string) {
	for end := time.Now().Add(patient); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if all = onCluster(a, ""); len(all) == 0 {
			break
		}
	}
	return all
}

func byLearner(a *academy) *machine { return a.learner }

const (
	makeOne = "class create CLASS --count 2 --seats CLASS.txt --ends 5h --yes"
	install = "class install --yes"
	sitDown = "class join SCHOOL/CLASS.class CODE"
	voteM   = "class vote CLASS --question m --choices 4,5"
	voteN   = "class vote CLASS --question n --choices 2,3"
)

var deeds = []deed{
	{name: "install", line: install, bare: true, before: []string{"class remove --yes"}, left: onCluster},
	{name: "remove", line: "class remove --yes", bare: true, before: []string{install}, left: cleared},
	{name: "create", line: makeOne, bare: true, before: []string{install}, fresh: true, left: handed},
	{name: "renew", line: "class renew CLASS --seats CLASS.txt --ends 5h --yes", left: handed},
	{name: "pace", line: "class pace CLASS --to 3 --reason x", before: []string{"class pace CLASS --free"}, left: ofClass},
	{name: "vote", line: voteN, before: []string{voteM}, left: ofClass},
	{name: "vote --show", line: "class vote CLASS --show", before: []string{voteM, voteN}, left: ofClass},
	{name: "vote --again", line: "class vote CLASS --again", before: []string{voteM, voteN, "class vote CLASS --show"}, left: ofClass},
	{name: "vote --close", line: "class vote CLASS --close", before: []string{voteM, voteN}, left: ofClass},
	{name: "hint", line: "class hint CLASS new --to s01", before: []string{"class hint CLASS old --to s01"}, left: ofClass},
	{name: "export", line: "class export CLASS --csv", left: ofClass},
	{name: "join", line: sitDown, by: byLearner, before: []string{"class leave"}, left: onDisk},
	{name: "leave", line: "class leave", by: byLearner, before: []string{sitDown}, left: nobody},
	{name: "delete", line: "class delete CLASS --yes", fresh: true, left: ofClass},
}
