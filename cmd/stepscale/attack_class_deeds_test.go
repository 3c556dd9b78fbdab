package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/cmd/stepscale/board"
	"github.com/stepscale/stepscale/cmd/stepscale/class"
)

// deed is a command that may be killed and is typed again.
type deed struct {
	name   string
	line   string   // of the command; CLASS is the class's name
	before []string // brings about what the command finds
	fresh  bool     // it is in a class of its own every time
	bare   bool     // which is not there yet
	alike  bool     // what it finds is in ConfigMaps only, and is put there again
	by     func(*academy) *machine
	left   func(*academy, string) map[string]string // what the command brings about
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
	{name: "install", line: install, bare: true, left: onCluster}, // these two are each other's undoing
	{name: "remove", line: "class remove --yes", bare: true, left: cleared},
	{name: "create", line: makeOne, bare: true, fresh: true, left: handed},
	{name: "renew", line: "class renew CLASS --seats CLASS.txt --ends 5h --yes", left: handed},
	{name: "pace", line: "class pace CLASS --to 3 --reason x", before: []string{"class pace CLASS --free"}, alike: true, left: ofClass},
	{name: "vote", line: voteN, before: []string{voteM}, alike: true, left: ofClass},
	{name: "vote --show", line: "class vote CLASS --show", before: []string{voteM, voteN}, alike: true, left: ofClass},
	{name: "vote --again", line: "class vote CLASS --again", before: []string{voteM, voteN, "class vote CLASS --show"}, alike: true, left: ofClass},
	{name: "vote --close", line: "class vote CLASS --close", before: []string{voteM, voteN}, alike: true, left: ofClass},
	{name: "hint", line: "class hint CLASS new --to s01", before: []string{"class hint CLASS old --to s01"}, alike: true, left: ofClass},
	{name: "export", line: "class export CLASS --csv", left: ofClass},
	{name: "join", line: sitDown, by: byLearner, before: []string{"class leave"}, left: onDisk},
	{name: "leave", line: "class leave", by: byLearner, before: []string{sitDown}, left: nobody},
	{name: "delete", line: "class delete CLASS --yes", fresh: true, left: ofClass},
}
